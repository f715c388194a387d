package zeromq

/*
#include <stdint.h>
#include <string.h>
#include <zmq.h>

static int lbt_signal(void *socket, zmq_fd_t *fd)
{
	size_t size = sizeof *fd;
	return zmq_getsockopt(socket, ZMQ_FD, fd, &size);
}

static void lbt_wait(zmq_fd_t fd)
{
	zmq_pollitem_t item;
	memset(&item, 0, sizeof item);
	item.fd = fd;
	item.events = ZMQ_POLLIN;
	zmq_poll(&item, 1, -1);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// handle returns what libzmq knows s by.
func handle(s *zmq.Socket) (unsafe.Pointer, error) {
	v := reflect.ValueOf(s).Elem().FieldByName("soc")
	if v.Kind() != reflect.UnsafePointer {
		return nil, errors.New("this version of zmq4 keeps its socket elsewhere")
	}
	return v.UnsafePointer(), nil
}

// signal tells that something has happened to a socket, without use of the socket, which
// another goroutine may use meanwhile. It belongs to who reads until nothing is left.
type signal struct{ fd C.zmq_fd_t }

func newSignal(s *zmq.Socket) (g signal, err error) {
	socket, err := handle(s)
	if err != nil {
		return g, err
	}
	if rc, err := C.lbt_signal(socket, &g.fd); rc != 0 {
		return g, fmt.Errorf("signal of a socket: %w", err)
	}
	return g, nil
}

// wait waits until something has happened since the last time that nothing was left.
func (g signal) wait() { C.lbt_wait(g.fd) }

package zeromq

/*
#cgo !windows pkg-config: libzmq
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

typedef struct {
	uint32_t offset, size;
} lbt_item;

// lbt_receive takes up to max messages that are at hand from socket and copies
// the last part of each into buf. *count is their number. It returns 0 if there
// may be more, 1 if large holds another message that does not fit into buf,
// otherwise errno, which is EAGAIN when nothing is left.
static int lbt_receive(void *socket, char *buf, size_t capacity, lbt_item *items, int max, int *count, zmq_msg_t *large)
{
	size_t used = 0;
	int n = 0, result = 0;
	while (n < max) {
		zmq_msg_t msg;
		zmq_msg_init(&msg);
		int rc;
		do {
			rc = zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT);
		} while (rc >= 0 && zmq_msg_more(&msg));
		if (rc < 0) {
			result = errno;
			zmq_msg_close(&msg);
			break;
		}
		size_t size = zmq_msg_size(&msg);
		if (size > capacity - used) {
			zmq_msg_init(large);
			zmq_msg_move(large, &msg);
			zmq_msg_close(&msg);
			result = 1;
			break;
		}
		memcpy(buf + used, zmq_msg_data(&msg), size);
		items[n].offset = (uint32_t)used;
		items[n].size = (uint32_t)size;
		used += size;
		n++;
		zmq_msg_close(&msg);
	}
	*count = n;
	return result;
}

static void lbt_copy(char *buf, zmq_msg_t *msg)
{
	memcpy(buf, zmq_msg_data(msg), zmq_msg_size(msg));
	zmq_msg_close(msg);
}
*/
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"unsafe"

	zmq "github.com/pebbe/zmq4"
)

// batchMessages and batchBytes bound what is received with one call into C.
const (
	batchMessages = 256
	batchBytes    = 256 << 10
)

// slabBytes bounds the memory that small messages share. It is the most that a
// record keeps alive of its neighbours.
const slabBytes = 16 << 10

// reader receives many messages with one call into C. A call costs some 40 ns,
// and zmq4's RecvBytes makes five of them and two allocations a message; with
// this, receiving takes half the time. Of a message of several parts it keeps
// the last, which is the record if the first is a topic.
type reader struct {
	socket unsafe.Pointer
	buf    []byte
	items  []C.lbt_item
	large  C.zmq_msg_t
}

// newReader returns a reader for s, which stays the owner.
func newReader(s *zmq.Socket) (*reader, error) {
	handle := reflect.ValueOf(s).Elem().FieldByName("soc")
	if handle.Kind() != reflect.UnsafePointer {
		return nil, errors.New("this version of zmq4 keeps its socket elsewhere")
	}
	return &reader{
		socket: handle.UnsafePointer(),
		buf:    make([]byte, batchBytes),
		items:  make([]C.lbt_item, batchMessages),
	}, nil
}

// read appends the bodies of messages that are at hand to bodies, and reports
// whether there may be more.
func (r *reader) read(bodies [][]byte) (_ [][]byte, more bool, err error) {
	var n C.int
	result := C.lbt_receive(r.socket, (*C.char)(unsafe.Pointer(&r.buf[0])), C.size_t(len(r.buf)),
		&r.items[0], C.int(len(r.items)), &n, &r.large)
	bodies = r.keep(bodies, r.items[:n])
	switch result {
	case 0:
		return bodies, true, nil
	case 1:
		return append(bodies, r.takeLarge()), true, nil
	case C.EAGAIN, C.EINTR:
		return bodies, false, nil
	}
	return bodies, false, fmt.Errorf("receive: %w", zmq.Errno(syscall.Errno(result)))
}

// keep copies the messages out of the buffer, several neighbours at once.
func (r *reader) keep(bodies [][]byte, items []C.lbt_item) [][]byte {
	for len(items) > 0 {
		start, n := items[0].offset, 1
		for n < len(items) && items[n].offset+items[n].size-start <= slabBytes {
			n++
		}
		end := items[n-1].offset + items[n-1].size
		slab := bytes.Clone(r.buf[start:end])
		for _, item := range items[:n] {
			from := item.offset - start
			to := from + item.size
			bodies = append(bodies, slab[from:to:to])
		}
		items = items[n:]
	}
	return bodies
}

func (r *reader) takeLarge() []byte {
	size := int(C.zmq_msg_size(&r.large))
	if size == 0 {
		C.zmq_msg_close(&r.large)
		return []byte{}
	}
	body := make([]byte, size)
	C.lbt_copy((*C.char)(unsafe.Pointer(&body[0])), &r.large)
	return body
}

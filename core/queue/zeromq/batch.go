package zeromq

/*
#cgo !windows pkg-config: libzmq
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

typedef struct {
	uint32_t offset, size;
	int origin; // what lbt_origin returned
} lbt_item;

// A connection that messages came over. What all its messages have in common is
// no other connection's as long as msg, one of them, is open.
typedef struct {
	void *common; // NULL if this place is free
	int fd;
	zmq_msg_t msg;
} lbt_pin;

enum { lbt_max_pins = 256, lbt_large_pin = 16384 };

typedef struct {
	lbt_pin pins[lbt_max_pins];
	int used; // places that are, or were, not free
	int last; // where the last one was found
	int known; // the way messages are laid out is known
} lbt_origins;

// lbt_common returns what all messages of a connection have in common: the
// first word of a message points to that, since libzmq 4.1. To ask for the file
// descriptor of each message costs a twentieth of the throughput.
static void *lbt_common(zmq_msg_t *msg)
{
	void *p;
	memcpy(&p, msg, sizeof p);
	return p;
}

// lbt_origin returns the place of the connection that msg came over, or, if it
// has none, -2 - its file descriptor; which is -1 if it is not known. It closes
// or keeps the message.
static int lbt_origin(lbt_origins *o, zmq_msg_t *msg)
{
	void *common = o->known ? lbt_common(msg) : NULL;
	int i, free = -1;
	lbt_pin *pin;
	if (common) {
		for (i = 0; i < o->used; i++) {
			int at = o->last + i;
			if (at >= o->used)
				at -= o->used;
			pin = &o->pins[at];
			if (pin->common == common) {
				o->last = at;
				if (zmq_msg_size(&pin->msg) > lbt_large_pin && zmq_msg_size(msg) <= lbt_large_pin)
					zmq_msg_move(&pin->msg, msg);
				zmq_msg_close(msg);
				return at;
			}
			if (!pin->common)
				free = at;
		}
		if (free < 0 && o->used < lbt_max_pins)
			free = o->used++;
	}
	int fd = zmq_msg_get(msg, ZMQ_SRCFD);
	if (free < 0 || fd < 0) {
		zmq_msg_close(msg);
		return -2 - fd;
	}
	pin = &o->pins[free];
	pin->common = common;
	pin->fd = fd;
	zmq_msg_init(&pin->msg);
	zmq_msg_move(&pin->msg, msg);
	zmq_msg_close(msg);
	o->last = free;
	return free;
}

static void lbt_unpin(lbt_origins *o, int at)
{
	o->pins[at].common = NULL;
	zmq_msg_close(&o->pins[at].msg);
}

// lbt_receive takes up to max messages that are at hand from socket and copies
// the last part of each into buf. *count is their number. It returns 0 if there
// may be more, 1 if next holds another message, which does not fit into what is
// left of buf, otherwise errno, which is EAGAIN when nothing is left. pending
// says that next holds the first message.
static int lbt_receive(void *socket, char *buf, size_t capacity, lbt_item *items, int max, int *count, zmq_msg_t *next, int pending, lbt_origins *origins)
{
	size_t used = 0;
	int n = 0, result = 0;
	while (n < max) {
		zmq_msg_t msg;
		zmq_msg_init(&msg);
		if (pending) {
			zmq_msg_move(&msg, next);
			pending = 0;
		} else {
			int rc;
			do {
				rc = zmq_msg_recv(&msg, socket, ZMQ_DONTWAIT);
			} while (rc >= 0 && zmq_msg_more(&msg));
			if (rc < 0) {
				result = errno;
				zmq_msg_close(&msg);
				break;
			}
		}
		size_t size = zmq_msg_size(&msg);
		if (size > capacity - used) {
			zmq_msg_init(next);
			zmq_msg_move(next, &msg);
			zmq_msg_close(&msg);
			result = 1;
			break;
		}
		memcpy(buf + used, zmq_msg_data(&msg), size);
		items[n].offset = (uint32_t)used;
		items[n].size = (uint32_t)size;
		items[n].origin = lbt_origin(origins, &msg);
		used += size;
		n++;
	}
	*count = n;
	return result;
}

static int lbt_copy(char *buf, zmq_msg_t *msg, lbt_origins *origins)
{
	memcpy(buf, zmq_msg_data(msg), zmq_msg_size(msg));
	return lbt_origin(origins, msg);
}
*/
import "C"

import (
	"bytes"
	"fmt"
	"syscall"
	"unsafe"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// batchMessages is how many messages are received at once.
const batchMessages = 256

// slabBytes is the size of the memory that small messages share. It is the most that a
// record keeps alive of its neighbours. The runtime makes four pieces of this size at once,
// which halves what a piece of 16 KiB costs.
const slabBytes = 18 << 10

// A message of more than aloneBytes does not share memory if it does not fit into what is
// left; and memory of which more than that is not used is not given away.
const aloneBytes = slabBytes / 4

// reader receives many messages with one call into C. A call costs some 40 ns,
// and zmq4's RecvBytes makes five of them and two allocations a message; with
// this, receiving takes half the time. Of a message of several parts it keeps
// the last, which is the record if the first is a topic.
type reader struct {
	socket unsafe.Pointer
	slab   []byte // to be filled; nil if it was given away
	items  []C.lbt_item
	next   C.zmq_msg_t    // a message that did not fit
	pinned *C.lbt_origins // memory of C: Go would look through it with each call
}

// newReader returns a reader for s, which stays the owner.
func newReader(s *zmq.Socket) (*reader, error) {
	socket, err := handle(s)
	if err != nil {
		return nil, err
	}
	r := &reader{
		socket: socket, items: make([]C.lbt_item, batchMessages),
		pinned: (*C.lbt_origins)(C.calloc(1, C.sizeof_lbt_origins)), // it never fails
	}
	if major, minor, _ := zmq.Version(); major == 4 && (minor == 2 || minor == 3) {
		r.pinned.known = 1
	}
	return r, nil
}

// read adds messages that are at hand to b, and reports whether there may be more.
func (r *reader) read(b *batch) (more bool, err error) {
	var pending C.int
	for len(b.bodies) < batchMessages {
		if r.slab == nil {
			r.slab = make([]byte, slabBytes)
		}
		var n C.int
		result := C.lbt_receive(r.socket, (*C.char)(unsafe.Pointer(&r.slab[0])), C.size_t(len(r.slab)),
			&r.items[0], C.int(batchMessages-len(b.bodies)), &n, &r.next, pending, r.pinned)
		pending = 0
		r.keep(b, r.items[:n])
		switch result {
		case 0, C.EINTR:
			return true, nil
		case 1:
			if C.zmq_msg_size(&r.next) > aloneBytes {
				r.takeLarge(b)
				return true, nil
			}
			pending = 1 // it fits into the next slab
		case C.EAGAIN:
			return false, nil
		default:
			return false, fmt.Errorf("receive: %w", zmq.Errno(syscall.Errno(result)))
		}
	}
	return true, nil
}

// keep adds what is in the slab to b.
func (r *reader) keep(b *batch, items []C.lbt_item) {
	if len(items) == 0 {
		return
	}
	last := items[len(items)-1]
	used := last.offset + last.size
	slab := r.slab
	if slabBytes-used > aloneBytes {
		slab = bytes.Clone(slab[:used])
	} else {
		r.slab = nil
	}
	for _, item := range items {
		to := item.offset + item.size
		r.add(b, slab[item.offset:to:to], item.origin)
	}
}

// takeLarge adds the message that did not fit, in memory of its own.
func (r *reader) takeLarge(b *batch) {
	body := make([]byte, C.zmq_msg_size(&r.next))
	r.add(b, body, C.lbt_copy((*C.char)(unsafe.Pointer(&body[0])), &r.next, r.pinned))
}

// add adds a message and where it came from.
func (r *reader) add(b *batch, body []byte, from C.int) {
	if o := b.add(body, int(from)); o.messages == 1 && from >= 0 {
		o.fd = int(r.pinned.pins[from].fd)
	}
}

// release says that no more messages come over a connection that has a place.
func (r *reader) release(place int) { C.lbt_unpin(r.pinned, C.int(place)) }

// close lets go of all connections. The owner calls it before the socket is closed.
func (r *reader) close() {
	for i := range r.pinned.used {
		if r.pinned.pins[i].common != nil {
			C.lbt_unpin(r.pinned, i)
		}
	}
	C.free(unsafe.Pointer(r.pinned))
}

// batch is what was received at once.
type batch struct {
	bodies  [][]byte
	from    []uint16 // for each of bodies, an index of origins
	origins []origin
	next    int // the first of bodies that was not given out
}

// origin is a connection that messages of a batch came over.
type origin struct {
	place    int // of the connection; or if it has none, less than 0 and different for each fd
	fd       int // file descriptor of the connection; -1 if that is not known
	messages uint64
	bytes    uint64
	peer     string // filled in by the monitor
}

func newBatch() *batch {
	return &batch{bodies: make([][]byte, 0, batchMessages+1), from: make([]uint16, 0, batchMessages+1)}
}

// add adds a message that came over a connection; see lbt_origin.
func (b *batch) add(body []byte, place int) *origin {
	i := b.origin(place)
	o := &b.origins[i]
	o.messages++
	o.bytes += uint64(len(body))
	b.bodies = append(b.bodies, body)
	b.from = append(b.from, uint16(i)) //nolint:gosec // there are no more origins than messages
	return o
}

// origin returns the index of a connection. libzmq takes messages from those in turn that
// have some.
func (b *batch) origin(place int) int {
	i := 0
	if n := len(b.from); n > 0 {
		i = int(b.from[n-1])
	}
	for range b.origins {
		if b.origins[i].place == place {
			return i
		}
		if i++; i == len(b.origins) {
			i = 0
		}
	}
	b.origins = append(b.origins, origin{place: place, fd: -2 - place})
	return len(b.origins) - 1
}

// moveTo gives out messages that fit into buf.
func (b *batch) moveTo(buf []queue.Message) int {
	n := min(len(buf), len(b.bodies)-b.next)
	for i := range n {
		buf[i] = queue.Message{Body: b.bodies[b.next+i], Peer: b.origins[b.from[b.next+i]].peer}
	}
	clear(b.bodies[b.next : b.next+n])
	b.next += n
	return n
}

// reset makes b empty.
func (b *batch) reset() {
	clear(b.origins)
	b.bodies, b.from, b.origins, b.next = b.bodies[:0], b.from[:0], b.origins[:0], 0
}

package queue

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// ErrClosed is returned by operations on something that was closed, and by
// [Receiver.Receive] once a receiver that was closed or drained has given out
// all that it had accepted.
var ErrClosed = errors.New("closed")

// Redelivered is the name by which transports mark, in the extra data, a record that may have
// been dispatched before: one that came again because it was not acknowledged, or that a
// sender has published again because it was not confirmed.
const Redelivered = "redelivered"

// Message is one record as a transport delivers it.
type Message struct {
	// Body is the record as bytes. It belongs to the one who receives the
	// message and may be retained.
	Body []byte
	// Record is set by transports that decode themselves; Body is then not
	// looked at. It must not have gone through [core.NewReceived], except when it
	// comes from another subscriber.
	Record *core.Record
	// Err is set by such transports for a message that is no record; it is then
	// rejected. Body is then what came in, as far as the transport has it: the rest of
	// the fields is for those who look at it later.
	Err error
	// Cut says that Body is only the beginning of what came in.
	Cut bool
	// Format is what the transport knows of how Body is to be read and Body does not
	// say, for [Decoder]; "" is nothing.
	Format string
	// Peer is the address of the sender, where the transport tells it.
	Peer string
	// Ack tells the transport that the record was dispatched (nil), or that it
	// was not and why. It is nil where the transport has no acknowledgements.
	// It is called once, from any goroutine.
	Ack func(error)
}

// done acknowledges m.
func (m *Message) done(err error) {
	if m.Ack != nil {
		m.Ack(err)
	}
}

// Receiver is the receiving end of a transport. It connects by itself and, where
// the transport can, reconnects by itself.
//
// Receive blocks until there is at least one message, stores as many as are at
// hand and fit into buf, and returns their number. With a ctx that is done
// already it returns what is at hand without blocking. The error is that of
// ctx, [ErrClosed], or says why no message can come any more; n is 0 then. Receive
// is called by one goroutine at a time.
//
// Close may be called at any time and more than once. It ends a Receive
// that is blocked and releases the transport; messages that were accepted but
// not received are lost, unless they were drained before (see [Drainer]).
type Receiver interface {
	Receive(ctx context.Context, buf []Message) (n int, err error)
	io.Closer
}

// Drainer is implemented by receivers that accept messages before they are
// received.
type Drainer interface {
	// Drain stops accepting messages. Receive goes on to return those that were
	// accepted, and then [ErrClosed]. Drain does not block and may be called at any
	// time.
	Drain()
}

// Decoder is implemented by receivers that decode messages themselves.
type Decoder interface {
	// Decode makes a record of a message that came in as m.Body and m.Format, as this
	// receiver would now. The other fields do not matter. It may be called at any time,
	// by several goroutines.
	Decode(m Message) (*core.Record, error)
}

// Sender is the sending end of a transport.
//
// Send hands body over to the transport and may block for as long as ctx allows;
// whether a record that was handed over arrives is up to the transport. body
// is not retained. Send may be called concurrently.
//
// Close delivers what was handed over within a time limit of the transport
// and releases it.
type Sender interface {
	Send(ctx context.Context, body []byte) error
	io.Closer
}

// State is the condition of a connection.
type State string

// The states of a connection.
const (
	StateConnecting State = "connecting" // nobody at the other end yet
	StateListening  State = "listening"  // ready for peers to connect
	StateConnected  State = "connected"  // at least one peer is connected
	StateLost       State = "lost"       // was connected; trying again
	StateFailed     State = "failed"     // given up, or refused by the peer
	StateClosed     State = "closed"
)

// Peer is one other end of a connection.
type Peer struct {
	Address string    `json:"address"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"`           // when it got into State
	Err     string    `json:"error,omitempty"` // why, if there is more to say

	// Messages and Bytes are what came from it, where the transport counts that.
	Messages uint64 `json:"messages,omitempty"`
	Bytes    uint64 `json:"bytes,omitempty"`
}

// Status is the condition of a transport as a whole.
type Status struct {
	State State
	// Peers are the other ends, as far as the transport knows them; those
	// that are gone are listed for a while as lost.
	Peers []Peer
	// Err is the last thing that went wrong in this state; nil if nothing.
	Err error
	// Detail is a remark for people, such as the address that is bound.
	Detail string
}

// Statuser is implemented by receivers and senders that know their condition.
type Statuser interface {
	// Status may be called at any time and does not block.
	Status() Status
}

// Dropper is implemented by receivers that lose messages when they are not
// received fast enough.
type Dropper interface {
	// Dropped returns how many messages were lost so far.
	Dropped() uint64
}

// status returns the condition of t, or otherwise if it does not know.
func status(t any, otherwise State) Status {
	if s, ok := t.(Statuser); ok {
		return s.Status()
	}
	return Status{State: otherwise}
}

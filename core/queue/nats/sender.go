package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
)

// Sender is the sending end. It publishes in order, and holds each record until the server
// has confirmed it: that it is in the stream, or without one that it has come in. What was
// not confirmed when the connection was lost is published again; a stream drops what it
// has already.
//
// Send returns when the record is queued, and waits when Window records are
// without confirmation.
type Sender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects by itself, as soon as the server is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	if err := o.CheckSender(); err != nil {
		return nil, err
	}
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	id := rand.Text() // tells our numbers from those of other senders
	name := o.name(uri)
	return &Sender{outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Refused: isRefused,
		Link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			s, err := open(ctx, uri, &o, id)
			return s, "publishes to the subject " + o.Subject, err
		},
	})}, nil
}

// session is one connection of a sender.
type session struct {
	conn      *connection
	opts      *Options
	id        string
	published chan published
	confirmed chan uint64
	stop      chan struct{}
	served    sync.WaitGroup
}

// published is a record that is on its way.
type published struct {
	number uint64
	future jetstream.PubAckFuture // nil without a stream
}

func open(ctx context.Context, uri *url.URL, o *Options, id string) (*session, error) {
	conn, err := connect(ctx, ctx, uri, o)
	if err != nil {
		return nil, err
	}
	s := &session{
		conn: conn, opts: o, id: id, stop: make(chan struct{}),
		published: make(chan published, o.Window), confirmed: make(chan uint64, o.Window),
	}
	confirm := s.flush
	if o.Stream != "" {
		confirm = s.collect
	}
	s.served.Go(confirm)
	return s, nil
}

// Publish implements [outbox.Session].
func (s *session) Publish(_ context.Context, number uint64, body []byte) error {
	p := published{number: number}
	m := nats.NewMsg(s.opts.Subject)
	m.Data = body
	var err error
	if s.opts.Stream == "" {
		err = s.conn.PublishMsg(m)
	} else {
		// No attempts of its own, which would come behind what follows.
		p.future, err = s.conn.js.PublishMsgAsync(m, jetstream.WithMsgID(fmt.Sprintf("%s-%d", s.id, number)),
			jetstream.WithExpectStream(s.opts.Stream), jetstream.WithRetryAttempts(0))
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return fmt.Errorf("%w: it is a message of %d bytes, and the server takes %d", outbox.ErrRejected, m.Size(), s.conn.MaxPayload())
	}
	if err != nil {
		return err
	}
	s.published <- p // there is room for all
	return nil
}

// Confirmed implements [outbox.Session].
func (s *session) Confirmed() <-chan uint64 { return s.confirmed }

// Lost implements [outbox.Session].
func (s *session) Lost() <-chan error { return s.conn.lost }

// Close implements [outbox.Session].
func (s *session) Close() {
	close(s.stop)
	s.conn.close()
	s.served.Wait()
}

// collect waits for what the stream answers.
func (s *session) collect() {
	for {
		select {
		case p := <-s.published:
			select {
			case <-p.future.Ok():
				s.confirmed <- p.number // there is room for all
			case err := <-p.future.Err():
				s.conn.fail(err)
				return
			case <-s.stop:
				return
			}
		case <-s.stop:
			return
		}
	}
}

// flush asks the server whether it has got everything.
func (s *session) flush() {
	for {
		var first published
		select {
		case first = <-s.published:
		case <-s.stop:
			return
		}
		more := len(s.published) // these were published before
		if err := s.conn.flush(s.opts.Timeout); err != nil {
			s.conn.fail(err)
			return
		}
		s.confirmed <- first.number
		for range more {
			s.confirmed <- (<-s.published).number
		}
	}
}

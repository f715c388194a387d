package mqtt

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/link"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/outbox"
)

// The properties of a message by which a [Receiver] knows one that has come before.
const (
	numberProperty = "logbook-tray"    // the sender and its number of the record
	againProperty  = queue.Redelivered // whether it is published again
)

// Sender is the sending end. It publishes in order, with QoS 1, and holds each record until
// the broker has confirmed it. What was not confirmed when the connection was lost is
// published again, and marked as such.
//
// Send returns when the record is queued, and waits when Window records are
// without confirmation.
type Sender struct{ *outbox.Outbox }

var (
	_ queue.Sender   = (*Sender)(nil)
	_ queue.Statuser = (*Sender)(nil)
)

// NewSender returns a sender that connects by itself, as soon as the broker is there, and
// again when the connection is lost. The error says what is wrong with the options.
func NewSender(o Options) (*Sender, error) {
	o, uri, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &publisher{opts: o, uri: uri, id: rand.Text()}
	name := o.name(uri, o.Topic)
	return &Sender{outbox.New(outbox.Options{
		Name: name, Window: o.Window, Linger: o.Linger, Refused: isRefused,
		Link: link.New(name, o.ReconnectMin, o.ReconnectMax, o.OnPeer),
		Connect: func(ctx context.Context) (outbox.Session, string, error) {
			s, err := p.open(ctx)
			return s, "publishes to the topic " + o.Topic, err
		},
	})}, nil
}

// publisher makes the connections of a sender.
type publisher struct {
	opts Options
	uri  *url.URL
	id   string // tells our numbers from those of other senders
	next uint64 // the number of the first record that was never published; of the outbox
}

// session is one connection of a sender.
type session struct {
	*publisher

	conn      *connection
	published chan published
	confirmed chan uint64
	stop      chan struct{}
	served    sync.WaitGroup
}

// published is a record that is on its way.
type published struct {
	number uint64
	answer chan packets.ControlPacket
}

func (p *publisher) open(ctx context.Context) (*session, error) {
	conn, err := connect(ctx, ctx, p.uri, &p.opts, &paho.Connect{CleanStart: true}, nil)
	if err != nil {
		return nil, err
	}
	s := &session{
		publisher: p, conn: conn, stop: make(chan struct{}),
		published: make(chan published, p.opts.Window), confirmed: make(chan uint64, p.opts.Window),
	}
	s.served.Go(s.collect)
	return s, nil
}

// Publish implements [outbox.Session]. It waits when as many are on their way as the broker
// allows.
func (s *session) Publish(ctx context.Context, number uint64, body []byte) error {
	properties := &packets.Properties{
		ContentType: "application/json",
		User:        []packets.User{{Key: numberProperty, Value: s.id + "-" + strconv.FormatUint(number, 10)}},
	}
	if number < s.next {
		properties.User = append(properties.User, packets.User{Key: againProperty, Value: "true"})
	}
	s.next = max(s.next, number+1)
	m := &packets.Publish{QoS: 1, Topic: s.opts.Topic, Payload: body, Properties: properties}
	if size := size(m); s.conn.max > 0 && size > s.conn.max {
		return fmt.Errorf("%w: it is a message of %d bytes, and the broker takes %d", outbox.ErrRejected, size, s.conn.max)
	}
	p := published{number, make(chan packets.ControlPacket, 1)}
	err := s.conn.state.AddToSession(ctx, m, p.answer)
	if err == nil {
		s.published <- p // there is room for all
		_, err = m.WriteTo(s.conn.socket)
	}
	if err != nil {
		return s.conn.why(err)
	}
	return nil
}

// size returns the bytes of a packet, as its header was the largest.
func size(m *packets.Publish) int {
	n := maxHeader
	for _, b := range m.Buffers() {
		n += len(b)
	}
	return n
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

// collect waits for what the broker answers.
func (s *session) collect() {
	for {
		select {
		case p := <-s.published:
			select {
			case answer := <-p.answer:
				if !s.answered(p.number, answer) {
					return
				}
			case <-s.stop:
				return
			}
		case <-s.stop:
			return
		}
	}
}

// answered reports whether a record has been taken.
func (s *session) answered(number uint64, answer packets.ControlPacket) bool {
	a, ok := answer.Content.(*packets.Puback)
	switch {
	case !ok: // the connection is lost, which it tells itself
		return false
	case a.ReasonCode >= failure:
		text, _, _ := strings.Cut(a.Reason(), " - ")
		s.conn.fail(explainPublish(s.opts.Topic, &refusal{a.ReasonCode, text}, s.uri))
		return false
	}
	s.confirmed <- number // there is room for all
	return true
}

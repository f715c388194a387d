package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/session/state"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// connection is a connection to the broker. It is not mended when it breaks.
type connection struct {
	*paho.Client

	socket *socket
	state  *state.State
	lost   chan error  // capacity 1: why it has ended
	max    int         // bytes of a packet that the broker takes; 0: any
	end    func() bool // the context of its life is not watched any more
}

// manual is the state of a session in which messages are acknowledged by us, and not as soon
// as the library has handed them over.
type manual struct{ *state.State }

// Ack does nothing.
func (manual) Ack(*packets.Publish) error { return nil }

// connect connects for as long as ctx allows, and closes the connection when life ends,
// which is no sooner. take, if not nil, is told each message that comes in, one after the
// other.
func connect(ctx, life context.Context, uri *url.URL, o *Options, hello *paho.Connect, take func(*paho.Publish)) (*connection, error) {
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	s, err := dial(limited, uri, o)
	if err != nil {
		return nil, explain(err, uri)
	}
	c := &connection{socket: s, state: state.NewInMemory(), lost: make(chan error, 1)}
	c.Client = paho.NewClient(paho.ClientConfig{
		Conn: s, Session: manual{c.state}, PingHandler: pinger{s}, PacketTimeout: o.Timeout,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
			if take != nil {
				take(p.Packet)
			}
			return true, nil
		}},
		OnServerDisconnect: func(d *paho.Disconnect) { c.fail(disconnected(d)) },
		OnClientError:      c.fail,
	})
	hello.KeepAlive = keepAlive
	if uri.User != nil {
		hello.UsernameFlag, hello.Username = true, uri.User.Username()
		if password, ok := uri.User.Password(); ok {
			hello.PasswordFlag, hello.Password = true, []byte(password)
		}
	}
	c.end = context.AfterFunc(life, func() { _ = s.Close() })
	answer, err := c.Connect(limited, hello)
	if err != nil {
		c.end()
		_ = s.Close() // it may be closed already
		_ = c.state.Close()
		return nil, explain(refused(answer, err), uri)
	}
	if answer.Properties != nil && answer.Properties.MaximumPacketSize != nil {
		c.max = int(*answer.Properties.MaximumPacketSize)
	}
	return c, nil
}

// fail tells why there is no connection any more.
func (c *connection) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = errGone
	}
	select {
	case c.lost <- err:
	default: // it was told before
	}
}

// why returns why the connection was lost, if that is behind err.
func (c *connection) why(err error) error {
	select {
	case <-c.Done(): // it is told any moment
		t := time.NewTimer(partingTime)
		defer t.Stop()
		select {
		case lost := <-c.lost:
			return lost
		case <-t.C:
		}
	default:
	}
	return err
}

// partingTime is how long the broker may take to end a connection that we have said good-bye
// to.
const partingTime = time.Second

// close ends the connection, politely if it still stands, and waits for what the library has
// started.
func (c *connection) close() {
	// The broker ends it: if we did, with something unread, the broker would not get the
	// acknowledgements that it has not read either.
	if _, err := (&packets.Disconnect{}).WriteTo(c.socket); err == nil {
		t := time.NewTimer(partingTime)
		select {
		case <-c.Done():
		case <-t.C:
		}
		t.Stop()
	}
	c.end()
	_ = c.Disconnect(&paho.Disconnect{}) // which also waits
	_ = c.state.Close()
}

var errGone = errors.New("the broker is gone")

// errTooLarge is wrapped by the error of a packet that is too large for us.
var errTooLarge = errors.New("it is too large")

// refusal is an answer of a broker that is there and does not want us.
type refusal struct {
	code byte
	text string
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("%s (code %#02x)", r.text, r.code) }

// The reasons that a broker gives which are handled apart from others.
const (
	unsupportedVersion = 0x84
	badUserOrPassword  = 0x86
	notAuthorized      = 0x87
	unavailable        = 0x88
	busy               = 0x89
	shuttingDown       = 0x8b
	takenOver          = 0x8e
	quotaExceeded      = 0x97
	failure            = 0x80 // and more: not done
)

// refused returns why the broker has not let us in. err is what the library says.
func refused(answer *paho.Connack, err error) error {
	if answer == nil || answer.ReasonCode < failure {
		return err
	}
	text := (&packets.Connack{ReasonCode: answer.ReasonCode}).Reason()
	if text == "" {
		text = "refused"
	}
	return &refusal{answer.ReasonCode, text}
}

// disconnected returns why the broker has ended a connection.
func disconnected(d *paho.Disconnect) error {
	text := (&packets.Disconnect{ReasonCode: d.ReasonCode}).Reason()
	switch d.ReasonCode {
	case takenOver:
		text = "another client has the same client ID"
	case shuttingDown:
		return errors.New("the broker shuts down")
	case busy:
		return errors.New("the broker is busy")
	case 0, failure:
		return errors.New("the broker has ended it")
	}
	return &refusal{d.ReasonCode, text}
}

// explain says what to do about an error of the broker.
func explain(err error, uri *url.URL) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		switch r.code {
		case badUserOrPassword, notAuthorized:
			return fmt.Errorf("the user %q or its password is wrong: %w", uri.User.Username(), err)
		case unsupportedVersion:
			return fmt.Errorf("the broker does not speak MQTT 5: %w", err)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("connect: the broker has closed the connection; it has to speak MQTT 5, and with TLS only mqtts will do: %w", err)
	}
	return fmt.Errorf("connect: %w", handshake.Explain(err))
}

// explainPublish says what to do about a message that the broker has not taken.
func explainPublish(topic string, r *refusal, uri *url.URL) error {
	err := fmt.Errorf("publish to %s: %w", topic, r)
	switch r.code {
	case notAuthorized:
		return fmt.Errorf("the user %q may not publish there: give it permission: %w", uri.User.Username(), err)
	case quotaExceeded:
		return fmt.Errorf("the broker has no room for more: have what it holds received, or raise its limits: %w", err)
	}
	return err
}

// isRefused reports whether the broker is there and does not want us.
func isRefused(err error) bool {
	if handshake.Refused(err) {
		return true
	}
	r, ok := errors.AsType[*refusal](err)
	return ok && r.code != unavailable && r.code != busy
}

// seconds returns a time as the protocol has it.
func seconds(d time.Duration) *uint32 {
	n := uint32(min(d/time.Second, 1<<32-1)) //nolint:gosec // it fits
	return &n
}

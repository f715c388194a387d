package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

// connection is a connection to the server. It is not mended when it breaks: the next one
// begins anew, so that what is published again comes before what is new.
type connection struct {
	*nats.Conn
	uri  *url.URL
	js   jetstream.JetStream
	lost chan error // capacity 1: why it has ended
	gone chan struct{}
	end  func() bool // the context of its life is not watched any more
}

// dialer dials for as long as a context allows, and closes the socket when that ends before
// the server has let us in.
type dialer struct {
	ctx    context.Context //nolint:containedctx // the library's dialer takes none
	end    func() bool     // the context is not watched any more
	secure bool            // TLS is spoken
}

// Dial implements the dialer of the library.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	var nd net.Dialer
	c, err := nd.DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.end = context.AfterFunc(d.ctx, func() { _ = c.Close() })
	if d.secure {
		return handshake.HearOut(c), nil
	}
	return c, nil
}

// connect connects for as long as ctx allows, and closes the connection when life ends,
// which is no sooner.
func connect(ctx, life context.Context, uri *url.URL, o *Options) (*connection, error) {
	limited, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	dial := &dialer{ctx: limited, end: func() bool { return true }}
	c := &connection{uri: uri, lost: make(chan error, 1), gone: make(chan struct{})}
	options := []nats.Option{
		nats.Name("logbook-tray"), nats.NoReconnect(), nats.Timeout(o.Timeout),
		nats.SetCustomDialer(dial), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.ClosedHandler(func(nc *nats.Conn) { c.fail(nc.LastError()); close(c.gone) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				c.fail(err)
			}
		}),
	}
	if uri.Scheme == "tls" || o.TLS != nil {
		config := o.TLS.Clone()
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		options = append(options, nats.Secure(config))
		dial.secure = true
	}
	if o.Credentials != "" {
		if _, err := os.Stat(o.Credentials); err != nil {
			return nil, fmt.Errorf("read the credentials: %w", err)
		}
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	var err error
	if c.Conn, err = nats.Connect(uri.String(), options...); err != nil {
		return nil, explain(err, uri)
	}
	c.end = context.AfterFunc(life, c.Close)
	if c.js, err = jetstream.New(c.Conn, jetstream.WithPublishAsyncTimeout(o.Timeout)); err == nil && o.Stream != "" {
		err = c.ensure(limited, o)
	}
	if err == nil && !dial.end() { // just now
		err = limited.Err()
	}
	if err != nil {
		c.close()
		return nil, explain(err, uri)
	}
	return c, nil
}

// fail tells why there is no connection any more.
func (c *connection) fail(err error) {
	select {
	case c.lost <- explainUse(orGone(err), c.uri):
	default: // it was told before
	}
}

func orGone(err error) error {
	if err == nil {
		return errors.New("the server is gone")
	}
	return err
}

// flush waits until the server has got what was published and subscribed to, and says why it
// has not taken it.
func (c *connection) flush(limit time.Duration) error {
	if err := c.FlushTimeout(limit); err != nil {
		return err
	}
	if err := c.LastError(); errors.Is(err, nats.ErrPermissionViolation) {
		return explainUse(err, c.uri)
	}
	return nil
}

// close ends the connection and waits until its last handler has been called.
func (c *connection) close() {
	c.end()
	c.Close()
	<-c.gone
}

// firstAnswer is how long the first attempt of [ask] waits.
const firstAnswer = time.Second

// ask makes a request that may be made more than once, again and with more patience when
// there is no answer, for as long as ctx allows: of the requests that several connections make
// of a server that has just started, at the same moment, some are answered to nobody (seen
// with 2.9.10).
func ask[T any](ctx context.Context, c *connection, request func(context.Context) (T, error)) (T, error) {
	for patience := firstAnswer; ; patience *= 2 {
		limited, cancel := context.WithTimeout(ctx, patience)
		answer, err := request(limited)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return answer, err
		}
		select {
		case lost := <-c.lost: // that we may not ask is told apart from the answer
			return answer, lost
		case <-ctx.Done():
			return answer, err
		default:
		}
	}
}

// ensure makes the stream if there is none.
func (c *connection) ensure(ctx context.Context, o *Options) error {
	stream, err := ask(ctx, c, func(ctx context.Context) (jetstream.Stream, error) { return c.js.Stream(ctx, o.Stream) })
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = ask(ctx, c, func(ctx context.Context) (jetstream.Stream, error) {
			return c.js.CreateStream(ctx, jetstream.StreamConfig{Name: o.Stream, Subjects: []string{o.Subject}})
		})
	}
	if err != nil {
		return fmt.Errorf("open the stream %q: %w", o.Stream, err)
	}
	if have := stream.CachedInfo().Config.Subjects; !slices.ContainsFunc(have, func(s string) bool { return overlap(s, o.Subject) }) {
		return fmt.Errorf("%w: the stream %q is for the subjects %q, not for %q", errRefused, o.Stream, have, o.Subject)
	}
	return nil
}

// errRefused is wrapped by errors that need somebody to repair them.
var errRefused = errors.New("refused")

// explain says what to do about an error of the server.
func explain(err error, uri *url.URL) error {
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("the user %q or its password is wrong: %w", uri.User.Username(), err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("the server keeps no streams: start it with JetStream (-js), or give no stream: %w", err)
	}
	return fmt.Errorf("connect: %w", handshake.Explain(err))
}

// explainUse says what to do about an error that came later.
func explainUse(err error, uri *url.URL) error {
	if errors.Is(err, nats.ErrPermissionViolation) {
		return fmt.Errorf("the user %q may not do this: give it permission to publish and to subscribe: %w", uri.User.Username(), err)
	}
	answer, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return err
	}
	switch answer.ErrorCode {
	case codeStoreFailed:
		return fmt.Errorf("the stream is full: let it have more, or drop what is old: %w", err)
	case codeMemory, codeStorage, codeAccount, codeResources:
		return fmt.Errorf("the server has no room for more: remove what is old from its streams, or raise its limits: %w", err)
	}
	return err
}

// What a server answers that has no room.
const (
	codeAccount     jetstream.ErrorCode = 10002
	codeResources   jetstream.ErrorCode = 10023
	codeMemory      jetstream.ErrorCode = 10028
	codeStorage     jetstream.ErrorCode = 10047
	codeStoreFailed jetstream.ErrorCode = 10077
)

// isRefused reports whether the server is there and does not want us.
func isRefused(err error) bool {
	if handshake.Refused(err) {
		return true
	}
	if _, ok := errors.AsType[*jetstream.APIError](err); ok {
		return true
	}
	return slices.ContainsFunc([]error{
		errRefused, nats.ErrAuthorization, nats.ErrPermissionViolation, nats.ErrSecureConnRequired, nats.ErrSecureConnWanted,
		jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount,
		nats.ErrNoResponders, os.ErrNotExist,
	}, func(known error) bool { return errors.Is(err, known) })
}

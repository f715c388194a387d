package mongodb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// connection is a connection to the server, or to the servers of a replica set. It is not
// mended when it breaks: the next one begins anew.
type connection struct {
	client            *mongo.Client
	messages, routing *mongo.Collection
	timeout           time.Duration

	ctx  context.Context //nolint:containedctx // the lifetime of the connection
	fail context.CancelCauseFunc
}

// connect connects for as long as ctx allows. The connection ends with life, which is no
// sooner, and when no server answers any more; its context then tells why.
func connect(ctx, life context.Context, o *Options, at place) (*connection, error) {
	settings, err := o.client(ctx, at)
	if err != nil {
		return nil, err
	}
	c := &connection{timeout: o.Timeout}
	c.ctx, c.fail = context.WithCancelCause(life)
	settings.SetDialer(dialer{c.ctx})
	settings.SetServerMonitor(watch(len(settings.Hosts), c.fail))
	if c.client, err = mongo.Connect(settings); err != nil {
		c.fail(nil)
		return nil, fmt.Errorf("connect: %w", err)
	}
	db := c.client.Database(at.database)
	c.messages, c.routing = db.Collection("messages"), db.Collection("messages.routing")
	stop := context.AfterFunc(ctx, func() { c.fail(ctx.Err()) })
	defer stop()
	err = c.do(func(ctx context.Context) error { return c.client.Ping(ctx, nil) })
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		c.close()
		if isEOF(err) {
			err = errors.New("the server closes the connection at once: one of the two may want TLS, and the other not")
		}
		return nil, err
	}
	return c, nil
}

// dialer makes connections that are closed when a context ends: the driver would wait for
// an answer that it has asked for until its time limit.
type dialer struct{ life context.Context } //nolint:containedctx // of the connections

// DialContext implements [options.ContextDialer].
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &dialed{conn, context.AfterFunc(d.life, func() { _ = conn.Close() })}, nil
}

type dialed struct {
	net.Conn

	forget func() bool
}

// Close closes the connection.
func (d *dialed) Close() error {
	d.forget()
	return d.Conn.Close()
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// do makes a request within the timeout. The error tells why the connection has ended,
// if it has.
func (c *connection) do(request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	defer cancel()
	err := request(ctx)
	if err != nil && c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return err
}

// endTimeout is how long the driver may take to end a connection.
const endTimeout = 3 * time.Second

// close ends the connection.
func (c *connection) close() {
	c.fail(nil)
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = c.client.Disconnect(ctx) // its connections are closed in any case
}

// now returns the time at the server: the clocks of those who share it may differ.
func (c *connection) now() (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	err := c.do(func(ctx context.Context) error {
		return c.messages.Database().RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("ask for the time: %w", err)
	}
	return hello.LocalTime, nil
}

// index makes the index of kombu for its queues, if there is none.
func (c *connection) index() error {
	err := c.do(func(ctx context.Context) error {
		_, err := c.messages.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{
			{Key: "queue", Value: 1}, {Key: "priority", Value: 1}, {Key: "_id", Value: 1},
		}})
		return err
	})
	if err != nil {
		return fmt.Errorf("make the index of the queues, without which they are slow: %w", err)
	}
	return nil
}

// watch tells when none of the servers answers. The driver itself would go on to ask them,
// and only say after a while that it has found none.
func watch(servers int, lost func(error)) *event.ServerMonitor {
	var mu sync.Mutex
	silent := map[string]bool{}
	return &event.ServerMonitor{
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChangedEvent) {
			mu.Lock()
			defer mu.Unlock()
			servers = len(e.NewDescription.Servers)
		},
		ServerHeartbeatSucceeded: func(e *event.ServerHeartbeatSucceededEvent) {
			mu.Lock()
			defer mu.Unlock()
			delete(silent, address(e.ConnectionID))
		},
		ServerHeartbeatFailed: func(e *event.ServerHeartbeatFailedEvent) {
			mu.Lock()
			silent[address(e.ConnectionID)] = true
			all := len(silent) >= servers
			mu.Unlock()
			if all && !errors.Is(e.Failure, context.Canceled) { // nobody gave it up
				lost(e.Failure)
			}
		},
	}
}

// address returns the server of a connection of the driver, "host:port[-number]".
func address(connection string) string {
	server, _, _ := cutLast(connection, "[")
	return server
}

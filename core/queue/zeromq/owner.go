package zeromq

import (
	"context"
	"fmt"
	"strings"
	"sync"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
)

// endpoint is a socket with what surrounds it: the context, the monitor, and a
// way to wake the goroutine that owns it while that waits inside of libzmq.
type endpoint struct {
	opts      Options
	addresses []address
	bound     []string // endpoints as libzmq knows them, with the port it chose
	context   *Context
	ownCtx    bool
	socket    *zmq.Socket // used by the owner alone
	woken     *zmq.Socket // the owner's end of a pair
	monitor   *monitor
	detached  bool   // used by the owner alone
	zapDomain string // not empty if clients are asked for their keys

	mu    sync.Mutex
	waker *zmq.Socket // the other end; nil once closed
}

// open makes a socket and binds or connects it.
func open(o Options, kind zmq.Type) (*endpoint, error) {
	e := &endpoint{opts: o, context: o.Context}
	for _, uri := range o.Addresses {
		a, err := parseAddress(uri, o.Side == Bind)
		if err != nil {
			return nil, err
		}
		e.addresses = append(e.addresses, a)
	}
	if err := o.Curve.check(); err != nil {
		return nil, err
	}
	if err := e.start(kind); err != nil {
		e.release()
		return nil, err
	}
	return e, nil
}

// start makes the sockets and connects them.
func (e *endpoint) start(kind zmq.Type) (err error) {
	if e.context == nil {
		if e.context, err = NewContext(); err != nil {
			return err
		}
		e.ownCtx = true
	}
	if e.socket, err = e.context.zmq.NewSocket(kind); err != nil {
		return fmt.Errorf("zeromq socket: %w", err)
	}
	if err := e.opts.configure(e.socket); err != nil {
		return fmt.Errorf("zeromq socket: %w", err)
	}
	if err := e.pair(); err != nil {
		return fmt.Errorf("zeromq control socket: %w", err)
	}
	if e.monitor, err = watch(e); err != nil {
		return fmt.Errorf("zeromq monitor: %w", err)
	}
	if err := e.admit(); err != nil {
		return err
	}
	return e.attach()
}

// admit lets in the clients on the list alone, if there is one.
func (e *endpoint) admit() error {
	if !e.opts.Curve.hasClients() {
		return nil
	}
	name := fmt.Sprintf("logbook-%p", e)
	if err := e.context.admit(name, &domain{clients: e.opts.Curve.Clients, client: e.opts.Curve.Client, refused: e.monitor.refused}); err != nil {
		return err
	}
	e.zapDomain = name
	return e.socket.SetZapDomain(name)
}

// pair makes the two sockets that wake the owner.
func (e *endpoint) pair() (err error) {
	name := fmt.Sprintf("inproc://logbook-control-%p", e)
	if e.woken, err = e.context.zmq.NewSocket(zmq.PAIR); err != nil {
		return err
	}
	if e.waker, err = e.context.zmq.NewSocket(zmq.PAIR); err != nil {
		return err
	}
	for _, s := range []*zmq.Socket{e.woken, e.waker} {
		if err := s.SetLinger(0); err != nil {
			return err
		}
	}
	if err := e.woken.Bind(name); err != nil {
		return err
	}
	return e.waker.Connect(name)
}

// attach binds or connects the socket to all addresses.
func (e *endpoint) attach() error {
	for _, a := range e.addresses {
		if e.opts.Side == Bind {
			if err := a.bind(e.socket, e.opts.Curve != nil || e.opts.AllowPlain); err != nil {
				return err
			}
			last, err := e.socket.GetLastEndpoint()
			if err != nil {
				return fmt.Errorf("listen on %s: %w", a.uri, err)
			}
			e.bound = append(e.bound, last)
			e.monitor.listens(last)
			continue
		}
		e.monitor.expects(a, &e.opts)
		if err := a.family(e.socket); err != nil {
			return err
		}
		if err := e.socket.Connect(a.endpoint()); err != nil {
			return fmt.Errorf("connect to %s: %w", a.uri, err)
		}
	}
	return nil
}

// detach stops the socket from exchanging messages with anybody; what it has
// received stays. Only the owner calls it.
func (e *endpoint) detach() {
	e.detached = true
	for _, b := range e.bound {
		_ = e.socket.Unbind(b) // it may be gone already
	}
	if e.opts.Side == Connect {
		for _, a := range e.addresses {
			_ = e.socket.Disconnect(a.endpoint())
		}
	}
}

// wake ends a wait of the owner inside of libzmq.
func (e *endpoint) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waker != nil {
		_, _ = e.waker.SendBytes(nil, zmq.DONTWAIT) // when it is full, the owner has been woken
	}
}

// clearWake takes what wake has sent. Only the owner calls it.
func (e *endpoint) clearWake() {
	for {
		if _, err := e.woken.RecvBytes(zmq.DONTWAIT); err != nil {
			return
		}
	}
}

// release closes everything. The owner must have ended. It takes as long as
// the linger time at most.
func (e *endpoint) release() {
	e.mu.Lock()
	waker := e.waker
	e.waker = nil
	e.mu.Unlock()
	if !e.ownCtx && e.monitor != nil {
		// libzmq closes in the background, and nobody waits for it in a context
		// that lives on: do so here, so that the address is free afterwards.
		e.detach()
		e.monitor.awaitUnbound(e.watchedBound())
	}
	if e.socket != nil {
		_ = e.socket.Monitor("", 0) // the monitor ends when it is told so
	}
	if e.monitor != nil {
		e.monitor.wait()
	}
	for _, s := range []*zmq.Socket{e.socket, e.woken, waker} {
		if s != nil {
			_ = s.Close()
		}
	}
	if e.zapDomain != "" {
		e.context.forget(e.zapDomain)
	}
	if e.ownCtx {
		_ = e.context.Close()
	}
	for i := range e.bound { // libzmq leaves the file
		if a := e.addresses[i]; a.isFile() {
			if release, err := listen.Claim(context.Background(), "unix", a.path); err == nil {
				release() // nobody has taken it since, and now it is removed
			}
		}
	}
}

// watchedBound returns how many of the bound addresses libzmq sends events about.
func (e *endpoint) watchedBound() int {
	n := 0
	for i := range e.bound {
		if e.addresses[i].transport != "inproc" {
			n++
		}
	}
	return n
}

// name returns the addresses, with the port that was chosen.
func (e *endpoint) name() string {
	if len(e.bound) > 0 {
		return strings.Join(e.bound, " ")
	}
	return strings.Join(e.opts.Addresses, " ")
}

// status returns what the monitor has seen.
func (e *endpoint) status() queue.Status { return e.monitor.status() }

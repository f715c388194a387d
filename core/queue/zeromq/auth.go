package zeromq

import (
	"errors"
	"fmt"
	"sync"

	zmq "github.com/pebbe/zmq4"
)

// authenticator tells libzmq which clients may connect (ZAP, ZMTP's RFC 27). A context
// has one at most: it answers for all of its sockets, at an address that libzmq knows.
type authenticator struct {
	socket *zmq.Socket // used by run alone
	woken  *zmq.Socket
	waker  *zmq.Socket // used by stop alone
	done   chan struct{}

	mu      sync.Mutex
	domains map[string]*domain
}

// domain is what is asked about the clients of one socket.
type domain struct {
	clients map[string]string                       // keys in Z85, and the names of their owners
	client  func(key string) (name string, ok bool) // is asked about others; may be nil
	refused func(address, key string)
}

// zapAddress is where libzmq asks.
const zapAddress = "inproc://zeromq.zap.01"

// admit makes the context ask d about the clients of the sockets with a ZAP domain, until
// it is told to forget it.
func (c *Context) admit(name string, d *domain) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.auth == nil {
		a, err := newAuthenticator(c.zmq)
		if err != nil {
			return fmt.Errorf("curve: listen for questions about clients: %w", err)
		}
		c.auth = a
	}
	c.auth.mu.Lock()
	defer c.auth.mu.Unlock()
	c.auth.domains[name] = d
	return nil
}

// forget is the end of admit. With the last domain, the authenticator ends.
func (c *Context) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.auth == nil {
		return
	}
	c.auth.mu.Lock()
	delete(c.auth.domains, name)
	rest := len(c.auth.domains)
	c.auth.mu.Unlock()
	if rest == 0 {
		c.auth.stop()
		c.auth = nil
	}
}

func newAuthenticator(c *zmq.Context) (_ *authenticator, err error) {
	a := &authenticator{done: make(chan struct{}), domains: make(map[string]*domain)}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	for _, s := range []struct {
		kind zmq.Type
		to   **zmq.Socket
	}{{zmq.REP, &a.socket}, {zmq.PAIR, &a.woken}, {zmq.PAIR, &a.waker}} {
		if *s.to, err = c.NewSocket(s.kind); err != nil {
			return nil, err
		}
		if err = (*s.to).SetLinger(0); err != nil {
			return nil, err
		}
	}
	name := fmt.Sprintf("inproc://logbook-auth-%p", a)
	if err = errors.Join(a.socket.Bind(zapAddress), a.woken.Bind(name), a.waker.Connect(name)); err != nil {
		return nil, err
	}
	go a.run()
	return a, nil
}

// close closes the sockets.
func (a *authenticator) close() {
	for _, s := range []*zmq.Socket{a.socket, a.woken, a.waker} {
		if s != nil {
			_ = s.Close()
		}
	}
}

// stop ends the goroutine and waits for it.
func (a *authenticator) stop() {
	_, _ = a.waker.SendBytes(nil, zmq.DONTWAIT) // nobody else sends: there is room
	<-a.done
	a.close()
}

// run answers until it is stopped.
func (a *authenticator) run() {
	defer close(a.done)
	poller := zmq.NewPoller()
	poller.Add(a.socket, zmq.POLLIN)
	poller.Add(a.woken, zmq.POLLIN)
	for {
		ready, err := poller.Poll(-1)
		if err != nil {
			return
		}
		for _, r := range ready {
			if r.Socket == a.woken {
				return
			}
		}
		question, err := a.socket.RecvMessageBytes(zmq.DONTWAIT)
		if err != nil {
			continue
		}
		if _, err := a.socket.SendMessage(a.answer(question)...); err != nil {
			return
		}
	}
}

// The parts of a question.
const (
	zapVersion = iota
	zapID
	zapDomain
	zapPeer
	_ // the identity
	zapMechanism
	zapKey
	zapParts
)

// answer says whether a client may connect: version, id, status, text, user, metadata.
func (a *authenticator) answer(question [][]byte) []any {
	if len(question) < zapKey || string(question[zapVersion]) != "1.0" {
		return []any{"1.0", "", "500", "wrong question", "", ""}
	}
	id := question[zapID]
	a.mu.Lock()
	d := a.domains[string(question[zapDomain])]
	a.mu.Unlock()
	if d == nil { // a socket without a list
		return []any{"1.0", id, "200", "OK", "", ""}
	}
	key := ""
	if string(question[zapMechanism]) == "CURVE" && len(question) == zapParts {
		key = zmq.Z85encode(string(question[zapKey]))
	}
	name, ok := d.clients[key]
	if !ok && d.client != nil && key != "" {
		name, ok = d.client(key)
	}
	if !ok || key == "" {
		d.refused(string(question[zapPeer]), key)
		return []any{"1.0", id, "400", "unknown key", "", ""}
	}
	return []any{"1.0", id, "200", "OK", name, ""}
}

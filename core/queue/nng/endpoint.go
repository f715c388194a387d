package nng

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"go.nanomsg.org/mangos/v3"
	"go.nanomsg.org/mangos/v3/protocol"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

// maxLost is how many peers that are gone the status lists.
const maxLost = 16

// endpoint is a socket whose connections are served by goroutines of ours. The patterns of
// the library would lose messages without a count, and what is queued when they are
// closed.
type endpoint struct {
	opts   Options
	serve  func(*peer) // serves one connection to its end
	socket protocol.Socket
	ends   []io.Closer // listeners and dialers
	bound  []string    // addresses that are listened on
	served sync.WaitGroup
	life   context.Context //nolint:containedctx // of those who are about to connect
	cancel context.CancelFunc

	mu     sync.Mutex
	peers  map[uint32]*peer
	lost   []queue.Peer
	away   uint64           // peers that were turned away
	errs   map[string]error // why there is no connection to an address that is dialed
	had    bool             // somebody was connected
	closed bool
}

// peer is one connection.
type peer struct {
	pipe  protocol.Pipe
	shown queue.Peer
	gone  chan struct{} // closed when the connection has ended
}

// newEndpoint returns an endpoint that is to be opened.
func newEndpoint(o Options, serve func(*peer)) *endpoint {
	e := &endpoint{opts: o, serve: serve, peers: make(map[uint32]*peer), errs: make(map[string]error)}
	e.life, e.cancel = context.WithCancel(context.Background())
	e.socket = protocol.MakeSocket(library{e})
	return e
}

// open opens the addresses, or nothing.
func (e *endpoint) open() error {
	err := e.opts.open(e)
	if err != nil {
		e.close()
	}
	return err
}

// name returns the addresses, those that are listened on with the port that was chosen.
func (e *endpoint) name() string {
	if e.opts.Side == Listen {
		return strings.Join(e.bound, ", ")
	}
	return strings.Join(e.opts.Addresses, ", ")
}

// status returns the condition.
func (e *endpoint) status() queue.Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := queue.Status{State: queue.StateConnecting, Detail: "nobody yet at " + e.name()}
	switch {
	case e.closed:
		return queue.Status{State: queue.StateClosed}
	case e.opts.Side == Listen:
		st = queue.Status{State: queue.StateListening, Detail: "listening on " + e.name()}
	case len(e.peers) > 0:
		st.Detail = "connected to " + e.name()
	case e.had:
		st.State, st.Detail = queue.StateLost, "nobody at "+e.name()+" any more; trying again"
	}
	if len(e.peers) > 0 {
		st.State = queue.StateConnected
	}
	if e.away > 0 {
		st.Detail += fmt.Sprintf("; %d peers turned away", e.away)
	}
	for _, uri := range e.opts.Addresses {
		if st.Err = e.errs[uri]; st.Err != nil {
			if len(e.peers) == 0 && handshake.Refused(st.Err) {
				st.State = queue.StateFailed
			}
			break
		}
	}
	for _, p := range e.peers {
		st.Peers = append(st.Peers, p.shown)
	}
	slices.SortFunc(st.Peers, func(a, b queue.Peer) int { return a.Since.Compare(b.Since) })
	st.Peers = append(st.Peers, e.lost...)
	return st
}

// connected returns the peers.
func (e *endpoint) connected() []*peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*peer, 0, len(e.peers))
	for _, p := range e.peers {
		all = append(all, p)
	}
	return all
}

// dialed remembers whether a connection to an address could be made; err is nil if so.
func (e *endpoint) dialed(uri string, err error) {
	if err != nil {
		err = fmt.Errorf("connect to %s: %w", uri, err)
	}
	e.mu.Lock()
	before := e.errs[uri]
	e.errs[uri] = err
	e.mu.Unlock()
	if e.opts.OnPeer != nil && handshake.Refused(err) && !handshake.Refused(before) {
		e.opts.OnPeer(queue.Peer{Address: uri, State: queue.StateFailed, Since: time.Now(), Err: err.Error()})
	}
}

// turnedAway remembers a peer that was not let in.
func (e *endpoint) turnedAway(address string, err error) {
	p := queue.Peer{Address: cmp.Or(address, unnamed), State: queue.StateFailed, Since: time.Now(), Err: err.Error()}
	e.mu.Lock()
	closed := e.closed
	e.away++
	e.forget(p)
	e.mu.Unlock()
	if e.opts.OnPeer != nil && !closed {
		e.opts.OnPeer(p)
	}
}

// forget lists a peer that is gone for a while. e.mu is held.
func (e *endpoint) forget(p queue.Peer) {
	e.lost = append(e.lost, p)
	e.lost = e.lost[max(0, len(e.lost)-maxLost):]
}

// stopAccepting closes what makes connections, but not the connections.
func (e *endpoint) stopAccepting() {
	for _, end := range e.ends {
		_ = end.Close() // it may be closed already
	}
}

// close closes everything and waits for its goroutines.
func (e *endpoint) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	_ = e.socket.Close()
	e.served.Wait()
}

func (e *endpoint) add(pipe protocol.Pipe) error {
	p := &peer{
		pipe: pipe, gone: make(chan struct{}),
		shown: queue.Peer{Address: address(pipe), State: queue.StateConnected, Since: time.Now()},
	}
	pipe.SetPrivate(p)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return protocol.ErrClosed
	}
	e.peers[pipe.ID()] = p
	e.had = true
	e.served.Add(1)
	e.mu.Unlock()
	if e.opts.OnPeer != nil {
		e.opts.OnPeer(p.shown)
	}
	go func() {
		defer e.served.Done()
		e.serve(p)
		_ = pipe.Close()
	}()
	return nil
}

func (e *endpoint) remove(pipe protocol.Pipe) {
	e.mu.Lock()
	p := e.peers[pipe.ID()]
	delete(e.peers, pipe.ID())
	shown := p.shown
	shown.State, shown.Since = queue.StateLost, time.Now()
	if e.opts.Side == Listen || len(e.opts.Addresses) > 1 {
		e.forget(shown)
	}
	e.mu.Unlock()
	close(p.gone)
	if e.opts.OnPeer != nil {
		e.opts.OnPeer(shown)
	}
}

// unnamed stands for the clients of a Unix socket, which have no name.
const unnamed = "unix"

// address returns the address of the other end.
func address(pipe protocol.Pipe) string {
	p, ok := pipe.(mangos.Pipe)
	if !ok {
		return ""
	}
	if p.Dialer() != nil {
		return strings.TrimPrefix(p.Address(), timely)
	}
	v, _ := p.GetOption(mangos.OptionRemoteAddr)
	if a, ok := v.(net.Addr); ok && a.String() != "" && a.String() != "@" {
		return a.String()
	}
	return unnamed
}

// library is an endpoint as the library wants it.
type library struct{ e *endpoint }

var _ protocol.Protocol = library{}

func (l library) Info() protocol.Info                  { return l.e.opts.Pattern.info() }
func (l library) AddPipe(p protocol.Pipe) error        { return l.e.add(p) }
func (l library) RemovePipe(p protocol.Pipe)           { l.e.remove(p) }
func (library) Close() error                           { return nil }
func (library) SendMsg(*protocol.Message) error        { return protocol.ErrProtoOp }
func (library) RecvMsg() (*protocol.Message, error)    { return nil, protocol.ErrProtoOp }
func (library) GetOption(string) (any, error)          { return nil, protocol.ErrBadOption }
func (library) SetOption(string, any) error            { return protocol.ErrBadOption }
func (library) OpenContext() (protocol.Context, error) { return nil, protocol.ErrProtoOp }

package zeromq

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/logbook-tray/logbook-tray/core/queue"
)

// ledger counts what each peer has sent. It is guarded by monitor.mu, changes apart.
//
// libzmq says over which file descriptor a message came. The monitor knows whose that is,
// but the number of a connection that is gone is soon that of another, while messages of
// the first may still wait to be read. What is certain is this: all messages of
// a connection are known to be of the same one, by its place in [reader]; and when
// nothing is left to read, all messages of connections have been read whose file
// descriptor was another's by then. So a new place is that of the only peer which had
// its file descriptor, has no place yet, and of which messages may be left. Where that
// may be several, the next message tells that comes when nothing has been left.
type ledger struct {
	claims map[int][]*claim // on a file descriptor; the newest last
	routes map[int]*route   // by their place
	// changes counts file descriptors that went from one peer to another, and peers that
	// have left.
	changes atomic.Uint64
	settled uint64        // those of them before which everything has been read
	read    chan struct{} // closed when settled changes, and at the end
	used    bool          // somebody calls count
	sole    *peer         // whose the messages are that come over no file descriptor; nil if nobody's
	silent  bool          // it is not worth to mention those

	unclear   queue.Peer // of whom it will not become clear
	forgotten queue.Peer
	number    int // of peers that are summed up in forgotten
}

// maxClaims bounds how many connections over the same file descriptor are told apart of
// which messages may be unread.
const maxClaims = 32

// claim is that of a peer on the messages that come over a file descriptor.
type claim struct {
	peer   *peer
	since  uint64 // the change with which it began; 0 if it was the first
	placed bool   // the messages of the peer have a place
}

// route is a connection that has a place.
type route struct {
	fd              int
	until           uint64 // the last claim that can be meant
	peer            *peer  // nil if that is not clear
	messages, bytes uint64 // which are not counted as anybody's yet
}

// connected notes that p has the file descriptor p.fd now. It is called before anything
// that came over it can be read. m.mu is held.
func (m *monitor) connected(p *peer) {
	l := &m.ledger
	list := l.claims[p.fd]
	if len(list) == 0 {
		l.claims[p.fd] = []*claim{{peer: p}}
		return
	}
	if len(list) == maxClaims { // nobody will know any more whose those were
		lost := &peer{Peer: queue.Peer{Address: nobody}}
		list = append([]*claim{{peer: lost, since: list[0].since}}, list[maxClaims/2:]...)
	}
	l.claims[p.fd] = append(list, &claim{peer: p, since: l.changes.Add(1)})
	if l.used {
		m.wake() // the owner reads until nothing is left
	}
}

// mark returns what emptied wants to know.
func (m *monitor) mark() uint64 { return m.ledger.changes.Load() }

// emptied says that nothing was left to read some time after mark. It returns the places
// that are free now. The owner of the socket calls it.
func (m *monitor) emptied(mark uint64) (free []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := &m.ledger
	if l.settled == mark {
		return nil
	}
	l.settled = mark
	if !m.closed {
		close(l.read)
		l.read = make(chan struct{})
	}
	for fd, list := range l.claims {
		for len(list) > 1 && list[1].since <= mark {
			list = list[1:]
		}
		l.claims[fd] = list
	}
	for place, r := range l.routes {
		if list := l.claims[r.fd]; len(list) > 0 && r.until < list[0].since {
			l.unclear.Messages += r.messages
			l.unclear.Bytes += r.bytes
			delete(l.routes, place)
			free = append(free, place)
		}
	}
	return free
}

// count counts what was just received, and says who has sent it. The owner of the
// socket calls it.
func (m *monitor) count(from []origin) {
	if len(from) == 0 {
		return
	}
	m.catchUp()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range from {
		m.ledger.count(&from[i])
	}
}

func (l *ledger) count(o *origin) {
	if o.place < 0 {
		p := l.sole
		if o.fd >= 0 {
			p = only(l.claims[o.fd])
		}
		if p == nil {
			o.peer = host(l.claims[o.fd])
			l.unclear.Messages += o.messages
			l.unclear.Bytes += o.bytes
			return
		}
		o.peer = p.name()
		l.credit(p, o.messages, o.bytes)
		return
	}
	r := l.routes[o.place]
	if r == nil {
		r = &route{fd: o.fd}
		l.routes[o.place] = r
	}
	if r.peer == nil {
		l.trace(r)
	}
	r.messages += o.messages
	r.bytes += o.bytes
	if r.peer == nil {
		o.peer = host(l.claims[r.fd])
		return
	}
	o.peer = r.peer.name()
	l.credit(r.peer, r.messages, r.bytes)
	r.messages, r.bytes = 0, 0
}

// trace finds out whose the messages are that have just come over r.
func (l *ledger) trace(r *route) {
	var open []*claim
	for _, c := range l.claims[r.fd] {
		if r.until = c.since; !c.placed {
			open = append(open, c)
		}
	}
	if r.peer = only(open); r.peer != nil && len(open) == 1 {
		open[0].placed, r.until = true, open[0].since
	}
}

// only returns the peer that all claims are of, or nil.
func only(claims []*claim) *peer {
	if len(claims) == 0 {
		return nil
	}
	p := claims[0].peer
	for _, c := range claims {
		if c.peer != p {
			return nil
		}
	}
	return p
}

// host returns the address of the computer that has all claims; empty if it may be one or
// another.
func host(claims []*claim) string {
	if len(claims) == 0 {
		return ""
	}
	name := hostOf(claims[0].peer.Address)
	for _, c := range claims {
		if hostOf(c.peer.Address) != name {
			return ""
		}
	}
	return name
}

// credit counts messages of p.
func (l *ledger) credit(p *peer, messages, bytes uint64) {
	to := &p.Peer
	if p.gone {
		to = &l.forgotten
	}
	to.Messages += messages
	to.Bytes += bytes
}

// hostOf cuts off the port; it returns "" if address has none.
func hostOf(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return ""
	}
	return a.Addr().String()
}

// nobody is the address of a peer that was gone before it could be asked for.
const nobody = "unknown"

// name returns the address of p, or "".
func (p *peer) name() string {
	if p.Address == nobody {
		return ""
	}
	return p.Address
}

// sumUp keeps what is worth knowing of a peer that is forgotten.
func (l *ledger) sumUp(p *peer) {
	p.gone = true
	if p.State != queue.StateLost && p.Messages == 0 {
		return // it never was connected
	}
	l.number++
	l.forgotten.Messages += p.Messages
	l.forgotten.Bytes += p.Bytes
	l.forgotten.Since = p.Since
}

// rest returns what cannot be said of one peer.
func (l *ledger) rest() []queue.Peer {
	var list []queue.Peer
	if l.number > 0 {
		p := l.forgotten
		p.Address, p.State = fmt.Sprintf("%d earlier ones", l.number), queue.StateLost
		list = append(list, p)
	}
	p := l.unclear
	for _, r := range l.routes {
		p.Messages += r.messages
		p.Bytes += r.bytes
	}
	if p.Messages > 0 && !l.silent {
		p.Address, p.Err = "one or another", "connections followed each other too fast to tell whose messages these are"
		list = append(list, p)
	}
	return list
}

package mongodb

import (
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// given knows the messages of our queue that were handed over. They stay in the queue
// until they are dispatched, and in here until the server has removed them, so that
// none is handed over twice.
type given struct {
	mu    sync.Mutex
	out   map[string]bool // by identity: handed over, and not known to be removed
	done  []bson.RawValue // of these, what was dispatched
	wake  chan struct{}   // capacity 1: there is something in done
	empty chan struct{}   // capacity 1: there is nothing in out

	gone   map[string]bool // dropped, and perhaps still to come from a cursor that is open
	past   map[string]bool // the last that were removed
	oldest []string        // the same, the oldest at next
	next   int
}

// remembered is how many messages that were removed are known: if one of them is there
// again, the server has lost that it was removed.
const remembered = 4096

func newGiven() *given {
	return &given{
		out: make(map[string]bool), gone: make(map[string]bool), past: make(map[string]bool), oldest: make([]string, remembered),
		wake: make(chan struct{}, 1), empty: make(chan struct{}, 1),
	}
}

// key returns what tells one _id from another; it need not be an ObjectID.
func key(id bson.RawValue) string { return string(id.Type) + string(id.Value) }

// give notes that a message is handed over. first is false if it was before and is still
// there; again tells that it should not be there any more.
func (g *given) give(id bson.RawValue) (first, again bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := key(id)
	if g.out[k] || g.gone[k] {
		return false, false
	}
	g.out[k] = true
	return true, g.past[k]
}

// drop returns those of some messages that are not handed over, and will not be by a
// cursor that is open.
func (g *given) drop(all []stored) (ids []bson.RawValue) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range all {
		k := key(s.ID)
		if g.out[k] {
			continue
		}
		ids = append(ids, s.ID)
		if len(g.gone) < remembered { // a cursor has the oldest at hand, of which there are less
			g.gone[k] = true
		}
	}
	return ids
}

// begin says that a new cursor is opened.
func (g *given) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.gone)
}

// settle notes that a message is dispatched.
func (g *given) settle(id bson.RawValue) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = append(g.done, id)
	notify(g.wake)
}

// settled returns some messages that are to be removed.
func (g *given) settled() []bson.RawValue {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.done), deleted)
	if n < len(g.done) {
		notify(g.wake)
	}
	return g.done[:n:n]
}

// removed notes that the first n of those are removed.
func (g *given) removed(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range g.done[:n] {
		k := key(id)
		delete(g.out, k)
		delete(g.past, g.oldest[g.next])
		g.past[k], g.oldest[g.next] = true, k
		g.next = (g.next + 1) % remembered
	}
	if g.done = g.done[n:]; len(g.done) == 0 {
		g.done = nil
	}
	if len(g.out) == 0 {
		notify(g.empty)
	}
}

// idle reports whether everything that was handed over is removed.
func (g *given) idle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.out) == 0
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was notified before
	}
}

package redis

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
)

// held is the list of the messages that a receiver has taken and not yet dispatched: Redis
// moves each there as it hands it out, so that it is not lost when the answer, Redis or
// this program is. In Redis the newest is the first, as in kombu's lists.
type held struct {
	list string
	trim sync.Mutex // one who removes from it at a time

	mu    sync.Mutex
	items []*item // what is in it, the oldest first
	doubt bool    // or not any more: a command to remove some was not answered

	unique bool // no two messages are the same
	seed   maphash.Seed
	recent map[uint64]int // how often each of the last messages was given out
	order  [remembered]uint64
	next   int
}

// item is a message that was taken.
type item struct {
	text    string
	source  string // where it was taken from
	settled bool
	unread  bool // settled, since nobody got it
}

// remembered is how many messages are remembered that were given out, so that one is marked
// that comes again from a Redis that has lost its last moments.
const remembered = 4096

func newHeld(list string, unique bool) *held {
	return &held{list: list, unique: unique, seed: maphash.MakeSeed(), recent: make(map[uint64]int, remembered)}
}

// add remembers a message that is in the list now. again reports that it was given out
// before.
func (h *held) add(text, source string) (i *item, again bool) {
	i = &item{text: text, source: source}
	sum := maphash.String(h.seed, text)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.items = append(h.items, i)
	if !h.unique {
		return i, false
	}
	again = h.recent[sum] > 0
	h.remember(sum)
	return i, again
}

// remember remembers that a message was given out, and forgets an old one. h.mu is held.
func (h *held) remember(sum uint64) {
	old := h.order[h.next]
	if n := h.recent[old]; n > 1 {
		h.recent[old] = n - 1
	} else {
		delete(h.recent, old)
	}
	h.recent[sum]++
	h.order[h.next] = sum
	h.next = (h.next + 1) % remembered
}

// settle says that a message is done with, or that nobody got it.
func (h *held) settle(i *item, done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i.settled, i.unread = true, !done
}

// unread returns what nobody has received, if it is sure what is in the list.
func (h *held) unread() []*item {
	h.mu.Lock()
	defer h.mu.Unlock()
	var items []*item
	for _, i := range h.items {
		if i.unread && !h.doubt {
			items = append(items, i)
		}
	}
	return items
}

// done returns how many of the oldest are done with; 0 while it is not sure which they are.
func (h *held) done() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.doubt {
		return 0
	}
	n := 0
	for n < len(h.items) && h.items[n].settled && !h.items[n].unread {
		n++
	}
	return n
}

// forget removes the oldest n, which are not in the list any more.
func (h *held) forget(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.items[:n])
	h.items = h.items[n:]
}

// doubtful says that it is not sure what is in the list.
func (h *held) doubtful() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt = true
}

// reconcile takes notice of what is in the list, the oldest first, and returns what is new:
// it was taken, and the answer was lost.
func (h *held) reconcile(texts []string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt = false
	known := make(map[string][]*item, len(h.items))
	for _, i := range h.items {
		known[i.text] = append(known[i.text], i)
	}
	h.items = nil
	for n, text := range texts {
		same := known[text]
		if len(same) == 0 { // new, and so is what is behind it
			return texts[n:]
		}
		h.items = append(h.items, same[0])
		known[text] = same[1:]
	}
	return nil
}

// release removes what is done with from the list. One that runs at a time.
func (r *Receiver) release(ctx context.Context) error {
	r.held.trim.Lock()
	defer r.held.trim.Unlock()
	n := r.held.done()
	if n == 0 {
		return nil
	}
	if err := r.redis.LTrim(ctx, r.held.list, 0, int64(-n-1)).Err(); err != nil {
		r.held.doubtful()
		return fmt.Errorf("remove what was dispatched: %w", err)
	}
	r.held.forget(n)
	return nil
}

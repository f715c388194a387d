package stream

import "github.com/logbook-tray/logbook-tray/core/queue/internal/inbox"

// mostAtOnce is how many messages change hands at once at most: about what a stream brings in one
// piece that is busy.
const mostAtOnce = 256

// batchesAhead is how many batches of messages wait to be taken: enough that both
// goroutines always have something to do.
const batchesAhead = 2

// ahead is the goroutine that reads a connection while another one takes what was read.
type ahead struct {
	messages [][]byte
	full     chan [][]byte
	empty    chan [][]byte
	stop     chan struct{}
	stopped  bool
	err      error // why there is no more, valid when full is closed
}

// Each calls take for each message that next returns, until that fails, take
// reports false or nobody receives any more, and returns the error of next. next reads from c. It is called in
// a goroutine of its own, so that messages are cut out of the stream while others are decoded:
// one busy connection uses two processors. take is called in this one, and may call Put.
func (c *Conn) Each(next func() ([]byte, error), take func(message []byte) bool) error {
	a := &ahead{
		full:  make(chan [][]byte, batchesAhead),
		empty: make(chan [][]byte, batchesAhead+2),
		stop:  make(chan struct{}),
	}
	c.ahead = a
	go a.read(next)
	for {
		batch, ok := c.await(a)
		if !ok {
			return a.err
		}
		for _, m := range batch {
			if c.gone || !take(m) {
				_ = c.conn.Close() // ends the reading
				close(a.stop)
				for range a.full { // until the goroutine has ended
				}
				return nil
			}
		}
		clear(batch)
		a.empty <- batch[:0]
	}
}

// await returns the next batch. It hands over what there is before it waits.
func (c *Conn) await(a *ahead) (batch [][]byte, ok bool) {
	select {
	case batch, ok = <-a.full:
	default:
		c.flush()
		batch, ok = <-a.full
	}
	return batch, ok
}

func (a *ahead) read(next func() ([]byte, error)) {
	defer close(a.full)
	defer a.hand()
	for !a.stopped {
		m, err := next()
		if err != nil {
			a.err = err
			return
		}
		if a.messages == nil {
			a.messages = a.fresh()
		}
		if a.messages = append(a.messages, m); len(a.messages) == mostAtOnce {
			a.hand()
		}
	}
}

// hand gives out what was read, and waits until there is room for it.
func (a *ahead) hand() {
	if len(a.messages) == 0 {
		return
	}
	select {
	case a.full <- a.messages:
	case <-a.stop:
		a.stopped = true
	}
	a.messages = nil
}

func (a *ahead) fresh() [][]byte {
	select {
	case b := <-a.empty:
		return b
	default:
		return make([][]byte, 0, inbox.Batch)
	}
}

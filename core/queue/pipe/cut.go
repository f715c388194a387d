package pipe

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// cutter splits at line feeds. Of a line that is longer than the limit it gives the
// beginning: a program whose output is read must not stand still because of one line.
type cutter struct {
	limit int
	lines frame.Splitter
	skip  bool // the rest of a line that is too long is still to come
	cut   bool // what was given out last is not the whole line
}

func newCutter(limit int) *cutter { return &cutter{limit: limit, lines: frame.Lines(limit)} }

// split is a [frame.Splitter].
func (c *cutter) split(data []byte, atEOF bool) (advance int, message []byte, err error) {
	if c.skip {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return len(data), nil, nil
		}
		advance, data, c.skip = end+1, data[end+1:], false
	}
	n, message, err := c.lines(data, atEOF)
	if c.cut = errors.Is(err, frame.ErrTooLarge); !c.cut {
		return advance + n, message, err
	}
	c.lines, c.skip = frame.Lines(c.limit), true // the other one remembers the line
	message = data[n : n+c.limit : n+c.limit]
	return advance + n + c.limit, message, nil
}

// tooLong rejects a line of which this is the beginning.
func (c *cutter) tooLong(beginning []byte) queue.Message {
	return queue.Message{Body: beginning, Err: &wire.RejectError{
		Reason: wire.ReasonTooLarge, Detail: fmt.Sprintf("a line of more than %d bytes (max_line)", c.limit),
	}}
}

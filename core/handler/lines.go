package handler

import (
	"fmt"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// maxPooled is the size up to which a buffer is kept for the next record, so that
// one huge record does not stay in memory.
const maxPooled = 64 << 10

// lines renders records for handlers that write text. Make it with newLines.
type lines struct {
	formatter format.Formatter
	pool      sync.Pool
}

func newLines(f format.Formatter) *lines {
	if f == nil {
		f = format.Default()
	}
	return &lines{formatter: f, pool: sync.Pool{New: func() any { return new([]byte) }}}
}

// render returns the text of r in a buffer that goes back with release. The
// buffer has whatever text could be made even if there is an error.
func (l *lines) render(r *core.Record) (*[]byte, error) {
	b, _ := l.pool.Get().(*[]byte)
	text, err := l.formatter.Append((*b)[:0], r)
	*b = text
	if err != nil {
		err = fmt.Errorf("format record: %w", err)
	}
	return b, err
}

// line is render with a newline at the end.
func (l *lines) line(r *core.Record) (*[]byte, error) {
	b, err := l.render(r)
	*b = append(*b, '\n')
	return b, err
}

func (l *lines) release(b *[]byte) {
	if cap(*b) <= maxPooled {
		l.pool.Put(b)
	}
}

package handler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// StreamOptions says what [NewStream] and [NewStderr] make.
type StreamOptions struct {
	// Formatter renders the records; nil is [format.Default].
	Formatter format.Formatter
	// Color says whether lines are coloured by level.
	Color ColorMode
}

// Stream writes each record as a line, or as several, to a writer. It is Logbook's
// StreamHandler. A record goes out in one call of Write, and calls of Write
// never overlap.
type Stream struct {
	plain   *lines
	colored *lines
	color   ColorMode
	current func() io.Writer

	mu       sync.Mutex // guards what follows and the order of writes
	last     io.Writer  // what colorize was found out about; nil at first
	colorize bool
}

var (
	_ core.Handler = (*Stream)(nil)
	_ core.Flusher = (*Stream)(nil)
	_ io.Closer    = (*Stream)(nil)
)

// NewStream returns a handler that writes to w. It does not close w.
func NewStream(w io.Writer, o StreamOptions) *Stream {
	return newStream(func() io.Writer { return w }, o)
}

// NewStderr returns a handler that writes to what [os.Stderr] is at the time
// of each record, so that it follows when that is replaced. It is Logbook's
// StderrHandler, and ColorizedStderrHandler too, since it colours on a terminal.
func NewStderr(o StreamOptions) *Stream {
	return newStream(func() io.Writer { return os.Stderr }, o)
}

func newStream(current func() io.Writer, o StreamOptions) *Stream {
	if o.Formatter == nil {
		o.Formatter = format.Default()
	}
	return &Stream{
		plain: newLines(o.Formatter), colored: newLines(format.NewColor(o.Formatter)),
		color: o.Color, current: current,
	}
}

// Handle writes r.
func (s *Stream) Handle(_ context.Context, r *core.Record) error {
	lines := s.lines()
	b, err := lines.line(r) // without the lock: an argument may log while it is formatted
	defer lines.release(b)

	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.current()
	if _, werr := w.Write(*b); werr != nil {
		err = errors.Join(err, fmt.Errorf("write to %s: %w", writerName(w), werr))
	}
	return err
}

// lines returns what renders for the writer of the moment.
func (s *Stream) lines() *lines {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.current(); w != s.last {
		s.last, s.colorize = w, s.color.applies(w)
	}
	if s.colorize {
		return s.colored
	}
	return s.plain
}

// Flush flushes the writer if it has a method Flush, like a [bufio.Writer].
func (s *Stream) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.current()
	if f, ok := w.(interface{ Flush() error }); ok {
		if err := f.Flush(); err != nil {
			return fmt.Errorf("flush %s: %w", writerName(w), err)
		}
	}
	return nil
}

// Close flushes and leaves the writer open.
func (s *Stream) Close() error { return s.Flush(context.Background()) }

func writerName(w io.Writer) string {
	if f, ok := w.(*os.File); ok {
		if f == nil {
			return "stderr"
		}
		return f.Name()
	}
	return fmt.Sprintf("%T", w)
}

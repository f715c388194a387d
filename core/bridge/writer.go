package bridge

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultMaxLine is the longest line that a [Writer] makes one record of, in
// bytes.
const DefaultMaxLine = 64 << 10

// WriterOptions changes how [Writer] works. The zero value is ready to use.
type WriterOptions struct {
	// Logger logs the lines; nil stands for a logger of the channel
	// [core.GenericChannel].
	Logger *core.Logger
	// Level is the level of the lines; NOTSET stands for INFO.
	Level core.Level
	// MaxLine is the longest line, in bytes; what is longer becomes several
	// records. 0 stands for [DefaultMaxLine].
	MaxLine int
	// Context leads to the handlers that are bound to it; nil for those of
	// the application alone.
	Context context.Context //nolint:containedctx // a Writer is an io.Writer, whose method takes none
	// Depth attributes the records to a caller of Write, so many calls above it; 0
	// leaves them without a place in the source.
	Depth int
}

// Writer is an [io.Writer] that turns each line into a record. The parts of a
// line that are written one by one are joined; carriage returns at the end are dropped,
// empty lines are not logged. Write never fails.
//
// All methods are safe for concurrent use; lines of different writers to the same
// Writer are not mixed as long as each of them writes whole lines.
type Writer struct {
	log     *core.Logger
	level   core.Level
	maxLine int
	ctx     context.Context //nolint:containedctx // see WriterOptions
	depth   int

	mu      sync.Mutex
	partial []byte // the beginning of a line, no longer than maxLine
}

var _ io.WriteCloser = (*Writer)(nil)

// NewWriter returns a writer that logs lines.
func NewWriter(o WriterOptions) *Writer {
	w := &Writer{log: o.Logger, level: o.Level, maxLine: o.MaxLine, ctx: o.Context, depth: o.Depth}
	if w.log == nil {
		w.log = core.NewLogger(core.GenericChannel)
	}
	if w.level == core.LevelNotSet {
		w.level = core.LevelInfo
	}
	if w.maxLine <= 0 {
		w.maxLine = DefaultMaxLine
	}
	if w.ctx == nil {
		w.ctx = context.Background()
	}
	return w
}

// Write logs the lines that p completes. It takes all of p.
func (w *Writer) Write(p []byte) (int, error) {
	lines := w.take(p)
	if len(lines) == 0 {
		return len(p), nil
	}
	var pcs [1]uintptr
	if w.depth > 0 {
		runtime.Callers(w.depth+1, pcs[:])
	}
	for _, line := range lines {
		w.logLine(pcs[0], line)
	}
	return len(p), nil
}

// take returns the lines that p completes and keeps the rest.
func (w *Writer) take(p []byte) (lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		if room := w.maxLine - len(w.partial); len(part) > room {
			lines = append(lines, string(w.partial)+string(part[:room]))
			w.partial = w.partial[:0]
			p = p[room:]
			continue
		}
		w.partial = append(w.partial, part...)
		if end < 0 {
			break
		}
		lines = append(lines, string(w.partial))
		w.partial = w.partial[:0]
		p = p[end+1:]
	}
	return lines
}

func (w *Writer) logLine(pc uintptr, line string) {
	line = strings.TrimRight(line, "\r")
	if line == "" {
		return
	}
	_ = w.log.LogAt(w.ctx, pc, w.level, line)
}

// Flush logs the beginning of a line that was not ended yet.
func (w *Writer) Flush(context.Context) error {
	w.mu.Lock()
	line := string(w.partial)
	w.partial = nil
	w.mu.Unlock()
	w.logLine(0, line)
	return nil
}

// Close is [Writer.Flush]. Closing twice is allowed.
func (w *Writer) Close() error { return w.Flush(context.Background()) }

package handler

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// DefaultMaxLine is the longest line that [LogWriter] waits for the end of, in bytes.
const DefaultMaxLine = 64 << 10

// LogWriter is a writer that logs each line that is written to it, for the output of
// code that only knows how to print. A line may come in several writes; what is
// left without an end is logged by Close. Empty lines are not logged, and of a
// line longer than [DefaultMaxLine] each part is.
//
// Records are logged within Write, so that their place is where that was
// called. A LogWriter is safe for concurrent use; parts of lines from different
// goroutines may be joined.
type LogWriter struct {
	ctx    context.Context //nolint:containedctx // io.Writer has no place for one
	logger *core.Logger
	level  core.Level

	mu   sync.Mutex
	rest []byte
}

var _ io.WriteCloser = (*LogWriter)(nil)

// NewLogWriter returns a writer that logs at the given level, to the handlers of
// ctx and of the application.
func NewLogWriter(ctx context.Context, l *core.Logger, level core.Level) *LogWriter {
	return &LogWriter{ctx: ctx, logger: l, level: level}
}

// Write logs the lines that end in p. It takes all of p, also when the flags
// say to raise an error of a handler, which it then returns.
func (w *LogWriter) Write(p []byte) (int, error) {
	var err error
	for _, line := range w.lines(p) {
		if lerr := w.log(line); err == nil {
			err = lerr
		}
	}
	return len(p), err
}

func (w *LogWriter) log(line string) error {
	// Up from here: log, Write, and who called that.
	return w.logger.LogDepth(w.ctx, 2, w.level, line)
}

// lines adds p to what there is and returns the lines that are complete.
func (w *LogWriter) lines(p []byte) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	w.rest = append(w.rest, p...)
	for {
		line, rest, ended := bytes.Cut(w.rest, []byte("\n"))
		if !ended && len(line) < DefaultMaxLine {
			w.rest = append([]byte(nil), w.rest...) // let go of what was cut off
			return out
		}
		if len(line) > DefaultMaxLine || !ended {
			line, rest = w.rest[:DefaultMaxLine], w.rest[DefaultMaxLine:]
		}
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) > 0 {
			out = append(out, string(line))
		}
		w.rest = rest
	}
}

// Close logs what is left of a line without an end.
func (w *LogWriter) Close() error {
	w.mu.Lock()
	rest := string(w.rest)
	w.rest = nil
	w.mu.Unlock()
	if rest == "" {
		return nil
	}
	return w.log(rest)
}

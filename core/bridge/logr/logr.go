// Package logr lets code that logs with github.com/go-logr/logr, as much of
// Kubernetes does, log to the handlers of core.
package logr

import (
	"context"

	"github.com/go-logr/logr"

	"github.com/logbook-tray/logbook-tray/core"
)

// Options changes what [New] makes. The zero value is ready to use.
type Options struct {
	// Channel is the channel of the records; "" stands for "logr". Names that are
	// given with WithName follow it, after a dot.
	Channel string
	// Context leads to the handlers that are bound to it; nil for those of the
	// application alone. logr's calls have no context of their own.
	Context context.Context //nolint:containedctx // see above
}

// deepest is the last V-level that is of level DEBUG, as logr itself has it when it
// logs to slog.
const deepest = 4

// sink is a logr.LogSink. It is immutable after Init, so that it is safe for
// concurrent use.
type sink struct {
	ctx    context.Context //nolint:containedctx // see Options
	logger *core.Logger
	depth  int // calls between the one who logs and the sink
	values core.Fields
}

var (
	_ logr.LogSink          = (*sink)(nil)
	_ logr.CallDepthLogSink = (*sink)(nil)
)

// New returns a logger whose records go to the handlers on the stack. Info with V(0)
// is of level INFO, with V(1) to V(4) DEBUG, above that TRACE; Error is ERROR, with
// the error as the exception. Keys and values become extra data; a value that is a
// logr.Marshaler is logged as what it says.
func New(o Options) logr.Logger {
	if o.Channel == "" {
		o.Channel = "logr"
	}
	if o.Context == nil {
		o.Context = context.Background()
	}
	return logr.New(&sink{ctx: o.Context, logger: core.NewLogger(o.Channel)})
}

// Init is called by logr before anything else.
func (s *sink) Init(info logr.RuntimeInfo) { s.depth = info.CallDepth }

func levelOf(v int) core.Level {
	switch {
	case v <= 0:
		return core.LevelInfo
	case v <= deepest:
		return core.LevelDebug
	}
	return core.LevelTrace
}

// Enabled reports whether a handler on the stack takes records of the level.
func (s *sink) Enabled(v int) bool { return s.logger.Enabled(s.ctx, levelOf(v)) }

// Info logs a message that is text, not a template.
func (s *sink) Info(v int, msg string, keysAndValues ...any) {
	// Up from here: Info, what logr has, and who called that.
	_ = s.logger.LogDepth(s.ctx, 1+s.depth, levelOf(v), msg, s.extra(keysAndValues))
}

// Error logs a message with an error, which may be nil.
func (s *sink) Error(err error, msg string, keysAndValues ...any) {
	_ = s.logger.LogDepth(s.ctx, 1+s.depth, core.LevelError, msg, s.extra(keysAndValues), core.Exc(err))
}

// extra returns the values of the sink with those of a call.
func (s *sink) extra(keysAndValues []any) core.Fields {
	all := s.values.Clone()
	for key, value := range core.Extra(keysAndValues...).All() {
		if m, ok := value.(logr.Marshaler); ok {
			value = m.MarshalLog()
		}
		all.Set(key, value)
	}
	return all
}

// WithValues returns a sink that adds the values to every record.
func (s *sink) WithValues(keysAndValues ...any) logr.LogSink {
	c := *s
	c.values = s.extra(keysAndValues)
	return &c
}

// WithName returns a sink whose channel is one below.
func (s *sink) WithName(name string) logr.LogSink {
	c := *s
	c.logger = core.NewLogger(s.logger.Name() + "." + name)
	return &c
}

// WithCallDepth returns a sink for functions that log on behalf of their caller.
func (s *sink) WithCallDepth(depth int) logr.LogSink {
	c := *s
	c.depth += depth
	return &c
}

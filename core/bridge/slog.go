package bridge

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// SlogOptions changes how [Slog] works. The zero value is ready to use.
type SlogOptions struct {
	// Channel is the channel of the records; "" stands for "slog".
	Channel string
	// Level is the lowest level that is logged; nil stands for every level
	// that a handler on the stack takes.
	Level slog.Leveler
}

// Slog is a [slog.Handler] that dispatches to the handlers bound to the
// context and those of the application. Attributes become extra data, groups become
// maps in it, the first error among the attributes of the call becomes the
// record's exception as well.
//
// Levels are mapped by [LevelFromSlog]. All methods are safe for concurrent use.
type Slog struct {
	logger *core.Logger
	level  slog.Leveler
	scopes []scope // outermost first; never empty
}

// scope is a group that was opened, with its attributes.
type scope struct {
	name  string
	attrs []slog.Attr
}

var _ slog.Handler = (*Slog)(nil)

// NewSlog returns a handler for slog.New.
func NewSlog(o SlogOptions) *Slog {
	if o.Channel == "" {
		o.Channel = "slog"
	}
	return &Slog{logger: core.NewLogger(o.Channel), level: o.Level, scopes: []scope{{}}}
}

// LevelFromSlog returns the level that stands for one of slog: what lies between
// two of slog's names is NOTICE above INFO, otherwise the lower of them; ERROR+4 and
// above is CRITICAL, below DEBUG is TRACE.
func LevelFromSlog(l slog.Level) core.Level {
	switch {
	case l >= slog.LevelError+4:
		return core.LevelCritical
	case l >= slog.LevelError:
		return core.LevelError
	case l >= slog.LevelWarn:
		return core.LevelWarning
	case l > slog.LevelInfo:
		return core.LevelNotice
	case l == slog.LevelInfo:
		return core.LevelInfo
	case l >= slog.LevelDebug:
		return core.LevelDebug
	}
	return core.LevelTrace
}

// LevelToSlog is the other direction of [LevelFromSlog]: NOTICE is INFO+2, CRITICAL
// is ERROR+4, TRACE is DEBUG-4. NOTSET is INFO, as a record without a level has no
// reason to be hidden.
func LevelToSlog(l core.Level) slog.Level {
	switch {
	case l >= core.LevelCritical:
		return slog.LevelError + 4
	case l >= core.LevelError:
		return slog.LevelError
	case l >= core.LevelWarning:
		return slog.LevelWarn
	case l >= core.LevelNotice:
		return slog.LevelInfo + 2
	case l >= core.LevelInfo, l == core.LevelNotSet:
		return slog.LevelInfo
	case l >= core.LevelDebug:
		return slog.LevelDebug
	}
	return slog.LevelDebug - 4
}

// Enabled reports whether a handler on the stack takes records of the level.
func (s *Slog) Enabled(ctx context.Context, l slog.Level) bool {
	if s.level != nil && l < s.level.Level() {
		return false
	}
	return s.logger.Enabled(ctx, LevelFromSlog(l))
}

// Handle dispatches r. It returns the errors that the flags say to raise.
func (s *Slog) Handle(ctx context.Context, r slog.Record) error {
	out := &core.Record{
		Channel: s.logger.Name(), Level: LevelFromSlog(r.Level), Msg: r.Message,
		Time: r.Time.UTC(), Dispatcher: s.logger,
	}
	out.SetPC(r.PC)
	if r.Time.IsZero() {
		out.Time = time.Time{} // dispatch finds it out
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	out.Exception = exceptionOf(attrs)
	out.Extra = s.extra(attrs)
	return core.Dispatch(ctx, out)
}

// exceptionOf returns the first error among the attributes.
func exceptionOf(attrs []slog.Attr) *core.Exception {
	for _, a := range attrs {
		if err, ok := a.Value.Resolve().Any().(error); ok {
			return core.NewException(err)
		}
	}
	return nil
}

// extra puts the attributes of the call into the innermost scope and each scope
// into the one around it.
func (s *Slog) extra(attrs []slog.Attr) core.Fields {
	inner := fieldsOf(nil, attrs)
	for i, sc := range slices.Backward(s.scopes) {
		all := fieldsOf(nil, sc.attrs)
		if i == len(s.scopes)-1 {
			for k, v := range inner.All() {
				all.Set(k, v)
			}
		} else if len(inner) > 0 {
			all.Set(s.scopes[i+1].name, inner.Map())
		}
		inner = all
	}
	return inner
}

// fieldsOf appends attributes to f. Empty attributes and groups are left out, groups
// without a name are part of f, as slog demands.
func fieldsOf(f core.Fields, attrs []slog.Attr) core.Fields {
	for _, a := range attrs {
		v := a.Value.Resolve()
		switch {
		case a.Equal(slog.Attr{}):
		case v.Kind() != slog.KindGroup:
			f.Set(a.Key, v.Any())
		case a.Key == "":
			f = fieldsOf(f, v.Group())
		default:
			if inner := fieldsOf(nil, v.Group()); len(inner) > 0 {
				f.Set(a.Key, inner.Map())
			}
		}
	}
	return f
}

// WithAttrs returns a handler that adds the attributes to every record.
func (s *Slog) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return s
	}
	c := s.clone()
	last := &c.scopes[len(c.scopes)-1]
	last.attrs = append(slices.Clip(last.attrs), attrs...)
	return c
}

// WithGroup returns a handler that puts what follows into a map of that name.
func (s *Slog) WithGroup(name string) slog.Handler {
	if name == "" {
		return s
	}
	c := s.clone()
	c.scopes = append(c.scopes, scope{name: name})
	return c
}

func (s *Slog) clone() *Slog {
	c := *s
	c.scopes = slices.Clone(s.scopes)
	return &c
}

// ToSlog is a [core.Handler] that passes records on to a [slog.Handler], such as the
// one of the program around. The message goes as it is formatted; channel, extra
// data and exception become attributes: "channel", a group "extra", "error".
type ToSlog struct{ next slog.Handler }

var _ core.Handler = (*ToSlog)(nil)

// NewToSlog returns a handler that passes records on to next. It must not
// lead back to core.
func NewToSlog(next slog.Handler) *ToSlog { return &ToSlog{next} }

// Handle passes r on, or returns [core.ErrPass] if next is not enabled for
// its level.
func (h *ToSlog) Handle(ctx context.Context, r *core.Record) error {
	level := LevelToSlog(r.Level)
	if !h.next.Enabled(ctx, level) {
		return core.ErrPass
	}
	out := slog.NewRecord(r.Time, level, r.Message(), r.PC())
	if r.Channel != "" {
		out.AddAttrs(slog.String("channel", r.Channel))
	}
	if r.PC() == 0 {
		if site := r.Caller(); site.File != "" {
			out.AddAttrs(slog.Any(slog.SourceKey, &slog.Source{Function: site.Function, File: site.File, Line: site.Line}))
		}
	}
	if len(r.Extra) > 0 {
		extra := make([]any, 0, len(r.Extra))
		// Plain values: those of slog's handlers that print with package fmt do
		// not survive a value that contains itself.
		for k, v := range r.Keep().Extra.All() {
			extra = append(extra, slog.Any(k, v))
		}
		out.AddAttrs(slog.Group("extra", extra...))
	}
	if e := r.Exception; e != nil {
		out.AddAttrs(slog.String("error", e.Message), slog.String("error_type", e.Name))
		if e.Traceback != "" {
			out.AddAttrs(slog.String("traceback", e.Traceback))
		}
	}
	return h.next.Handle(ctx, out)
}

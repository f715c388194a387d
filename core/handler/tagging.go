package handler

import (
	"context"
	"errors"
	"slices"

	"github.com/logbook-tray/logbook-tray/core"
)

// TagsKey is the key of a record's extra data under which its tags are.
const TagsKey = "tags"

// TaggingLogger logs records that have tags instead of a level. It is Logbook's
// TaggingLogger. [Tagging] sorts the records by their tags again; a binding with a
// level does not take them, since their level is [core.LevelNotSet].
type TaggingLogger struct{ logger *core.Logger }

// NewTaggingLogger returns a logger for the channel.
func NewTaggingLogger(channel string) *TaggingLogger {
	return &TaggingLogger{core.NewLogger(channel)}
}

// Logger returns the logger underneath, with its handlers and processor.
func (l *TaggingLogger) Logger() *core.Logger { return l.logger }

// Log logs a record with the given tags.
func (l *TaggingLogger) Log(ctx context.Context, tags []string, msg string, args ...any) error {
	return l.log(ctx, tags, msg, args)
}

// Tag returns a function that logs with one tag. It stands for the methods that
// Logbook makes for the tags of a logger:
//
//	login := log.Tag("login")
//	login("user {0} has logged in", name)
func (l *TaggingLogger) Tag(tag string) func(msg string, args ...any) {
	tags := []string{tag}
	return func(msg string, args ...any) {
		_ = l.log(context.Background(), tags, msg, args) // reported as the flags say
	}
}

// log is always called by what the user calls, for the place in the source. The
// tags are copied, and added to a list of arguments of its own.
func (l *TaggingLogger) log(ctx context.Context, tags []string, msg string, args []any) error {
	args = append(slices.Clip(args), core.Extra(TagsKey, slices.Clone(tags)))
	return l.logger.LogDepth(ctx, 2, core.LevelNotSet, msg, args...)
}

// Tags returns the tags of a record, whether they were logged here or came over
// the wire.
func Tags(r *core.Record) []string {
	switch tags := r.Extra.Get(TagsKey).(type) {
	case []string:
		return tags
	case string:
		if tags != "" {
			return []string{tags}
		}
	case []any:
		out := make([]string, 0, len(tags))
		for _, t := range tags {
			if s, ok := t.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// Tagging hands records to handlers by their tags. It is Logbook's TaggingHandler.
//
// Each binding decides by its level and filter; whether it bubbles does not
// matter, since all bindings of all tags of a record see it, in the order of the
// tags. A record that has none of the tags is passed on down the stack. (Logbook
// ignores level and filter, and swallows every record.)
type Tagging map[string][]core.Binding

var (
	_ core.Handler = Tagging(nil)
	_ core.Flusher = Tagging(nil)
)

// Handle hands r to the handlers of its tags.
func (t Tagging) Handle(ctx context.Context, r *core.Record) error {
	var errs []error
	known := false
	for _, tag := range Tags(r) {
		bindings, ok := t[tag]
		known = known || ok
		for _, b := range bindings {
			if b.Handler == nil || r.Level < b.Level || b.Filter != nil && !b.Filter(r) {
				continue
			}
			if err := b.Handler.Handle(ctx, r); err != nil && !errors.Is(err, core.ErrPass) {
				errs = append(errs, err)
			}
		}
	}
	if !known {
		return core.ErrPass
	}
	return errors.Join(errs...)
}

// Flush flushes the handlers of all tags.
func (t Tagging) Flush(ctx context.Context) error {
	return t.each(func(h core.Handler) error { return core.Flush(ctx, h) })
}

// Close closes the handlers of all tags.
func (t Tagging) Close() error { return t.each(core.Close) }

func (t Tagging) each(do func(core.Handler) error) error {
	var errs []error
	for _, bindings := range t {
		for _, b := range bindings {
			if b.Handler != nil {
				errs = append(errs, do(b.Handler))
			}
		}
	}
	return errors.Join(errs...)
}

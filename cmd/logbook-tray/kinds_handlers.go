package main

import (
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

type fingersCrossedOptions struct {
	ActionLevel     core.Level   `yaml:"action_level"`
	BufferSize      int          `yaml:"buffer_size"`
	Reset           bool         `yaml:"reset"`
	PullInformation bool         `yaml:"pull_information"`
	Key             string       `yaml:"key"`
	MaxKeys         int          `yaml:"max_keys"`
	MaxBytes        config.Size  `yaml:"max_bytes"`
	Handler         *config.Node `yaml:"handler"`
}

// defaultFingersCrossed differs from Logbook's in that it starts to buffer anew
// after each error: a server that lives for days has more than one.
func defaultFingersCrossed() *fingersCrossedOptions {
	return &fingersCrossedOptions{ActionLevel: core.LevelError, BufferSize: handler.DefaultBufferSize, Reset: true, PullInformation: true}
}

func newFingersCrossed(env *pipeline.Env, options any) (core.Handler, error) {
	o := options.(*fingersCrossedOptions)
	key, err := bufferKey(env, o.Key)
	if err != nil {
		return nil, config.At("key", "%w", err)
	}
	next, err := env.Handler(o.Handler)
	if err != nil {
		return nil, err
	}
	pull := core.On
	if !o.PullInformation {
		pull = core.Off
	}
	return fingersCrossed{handler.NewFingersCrossed(handler.FingersCrossedOptions{
		Handler: next, ActionLevel: o.ActionLevel, BufferSize: o.BufferSize, Reset: o.Reset, PullInformation: pull,
		Key: key, MaxKeys: o.MaxKeys, MaxBytes: int64(o.MaxBytes),
	})}, nil
}

// bufferKey returns what sorts records into buffers: an expression, or what the
// default sorts by where it gives nothing.
func bufferKey(env *pipeline.Env, source string) (func(*core.Record) string, error) {
	if source == "" {
		return handler.DefaultKey, nil
	}
	text, err := env.Text(source)
	if err != nil {
		return nil, err
	}
	return func(r *core.Record) string {
		if key := text(r); key != "" {
			return "key " + key
		}
		return handler.DefaultKey(r)
	}, nil
}

// fingersCrossed is a handler.FingersCrossed with a report for the status.
type fingersCrossed struct{ *handler.FingersCrossed }

// Report implements pipeline.Reporter.
func (f fingersCrossed) Report() pipeline.Report {
	s := f.Stats()
	return pipeline.Report{State: "ok", Counters: map[string]uint64{
		"buffered": uint64(s.Records), "buffers": uint64(s.Keys), "escalations": s.Escalations, "discarded": s.Discarded, //nolint:gosec // counts
	}}
}

type notificationOptions struct {
	RecordLimit int           `yaml:"record_limit"`
	RecordDelta time.Duration `yaml:"record_delta"`
	Cap         int           `yaml:"cap"`
	CapDelta    time.Duration `yaml:"cap_delta"`
	Fingerprint string        `yaml:"fingerprint"`
	Title       string        `yaml:"title"`
	Text        string        `yaml:"text"`
}

func newNotification(a *app.App) func(*pipeline.Env, any) (core.Handler, error) {
	return func(env *pipeline.Env, options any) (core.Handler, error) {
		o := options.(*notificationOptions)
		settings := notifiers.Options{
			Limit:  limit.Options{Limit: o.RecordLimit, Delta: o.RecordDelta, Cap: o.Cap, CapDelta: o.CapDelta},
			Alerts: a.Alerts, Mutes: a.Mutes,
			OnError: func(err error) {
				env.Self.Warn("{name}: {error}", core.Kw("name", env.Name), core.Kw("error", err.Error()))
			},
		}
		var err error
		if settings.Fingerprint, err = fingerprint(env, o.Fingerprint); err != nil {
			return nil, config.At("fingerprint", "%w", err)
		}
		if settings.Title, err = formatter(o.Title); err != nil {
			return nil, config.At("title", "%w", err)
		}
		if settings.Text, err = formatter(o.Text); err != nil {
			return nil, config.At("text", "%w", err)
		}
		return newAsync(env, notifiers.NewHandler(a.Notifier, settings), notificationCounters), nil
	}
}

func notificationCounters(h *notifiers.Handler) map[string]uint64 {
	s := h.Stats()
	return map[string]uint64{
		"records": s.Records, "shown": s.Shown, "limited": s.RolledUp + s.Digested + s.Held, "muted": s.Muted,
		"delivered": s.Delivered, "undelivered": s.Failed,
	}
}

// fingerprint returns the fingerprint of a name, or that of an expression.
func fingerprint(env *pipeline.Env, source string) (limit.Fingerprint, error) {
	if source == "" {
		return limit.Location, nil
	}
	if f, err := limit.ParseFingerprint(source); err == nil {
		return f, nil
	}
	return env.Text(source)
}

// formatter returns a formatter for a format string; nil for none.
func formatter(template string) (notifiers.Formatter, error) {
	if template == "" {
		return nil, nil //nolint:nilnil // the default
	}
	return format.NewString(template, format.Options{NoException: true})
}

// async is a handler behind a queue of its own, with a report for the status.
type async[H core.Handler] struct {
	*queue.Async

	inner    H
	counters func(H) map[string]uint64
}

// newAsync puts a handler that leaves the process behind a queue: what is slow or
// fails there delays nobody.
func newAsync[H core.Handler](env *pipeline.Env, h H, counters func(H) map[string]uint64) core.Handler {
	a := queue.NewAsync(h, queue.AsyncOptions{
		OnError: func(err error, records int) {
			env.Self.Warn("{name}: {records} records: {error}", core.Kw("name", env.Name), core.Kw("records", records), core.Kw("error", err.Error()))
		},
	})
	return async[H]{a, h, counters}
}

// Report implements pipeline.Reporter.
func (a async[H]) Report() pipeline.Report {
	s := a.Stats()
	r := pipeline.Report{State: string(s.State), Counters: a.counters(a.inner)}
	if s.Err != nil {
		r.Error = s.Err.Error()
	}
	r.Counters["queued"] = uint64(s.Queued) //nolint:gosec // a count
	r.Counters["dropped"] = s.Dropped
	return r
}

func newNull(*pipeline.Env, any) (core.Handler, error) { return nil, nil } //nolint:nilnil // a blackhole is no handler

type stderrOptions struct {
	FormatString string `yaml:"format_string"`
}

func newStderr(_ *pipeline.Env, options any) (core.Handler, error) {
	o := options.(*stderrOptions)
	if o.FormatString == "" {
		return handler.NewStderr(handler.StreamOptions{}), nil
	}
	f, err := format.NewString(o.FormatString, format.Options{})
	if err != nil {
		return nil, config.At("format_string", "%w", err)
	}
	return handler.NewStderr(handler.StreamOptions{Formatter: f}), nil
}

type setOptions struct {
	Extra map[string]string `yaml:"extra,required"`
}

func newSet(_ *pipeline.Env, options any) (core.Processor, error) {
	o := options.(*setOptions)
	return func(r *core.Record) {
		for key, value := range o.Extra {
			r.Extra.Set(key, value)
		}
	}, nil
}

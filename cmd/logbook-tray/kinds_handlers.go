package main

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// bufferKinds are the handlers that decide about records and leave the delivery to
// others.
func bufferKinds() []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("fingers_crossed", "holds records back until a severe one comes", defaultFingersCrossed, newFingersCrossed),
		handlerKind("group", "collects records and hands them on together", plain[groupOptions], newGroup),
		handlerKind("memory", "collects records until there are enough, or a severe one", defaultMemory, newMemory),
		handlerKind("dedup", "hands on each message once, with a count", plain[dedupOptions], newDedup),
		handlerKind("tagging", "hands records on by their tags", plain[taggingOptions], newTagging),
		handlerKind("fan", "hands records on to several handlers", plain[fanOptions], newFan),
		handlerKind("threaded", "runs another handler behind a queue", plain[threadedOptions], newThreaded),
		{Name: "null", Doc: "a blackhole: records end here", New: newNull},
	}
}

// mistakesOf returns the mistakes in the options of a handler together with what
// Env.Handler said about the one inside of it, at n. Mistakes in there were collected
// already, and the error about them would hide the handler's own.
func mistakesOf(own error, n *config.Node, inside error) error {
	if own == nil || n.IsNull() {
		return errors.Join(own, inside)
	}
	return own
}

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

func newFingersCrossed(env *pipeline.Env, o *fingersCrossedOptions) (core.Handler, error) {
	key, err := bufferKey(env, o.Key)
	next, inside := env.Handler(o.Handler)
	if err := mistakesOf(errors.Join(atField("key", err), notNegative("max_keys", o.MaxKeys)), o.Handler, inside); err != nil {
		return nil, err
	}
	pull := core.On
	if !o.PullInformation {
		pull = core.Off
	}
	return fingersCrossed{next: next, action: cmp.Or(o.ActionLevel, core.LevelError), FingersCrossed: handler.NewFingersCrossed(handler.FingersCrossedOptions{
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
type fingersCrossed struct {
	*handler.FingersCrossed

	next   core.Handler
	action core.Level
}

// Report implements pipeline.Reporter.
func (f fingersCrossed) Report() pipeline.Report {
	s := f.Stats()
	return pipeline.Report{State: "ok", Counters: map[string]uint64{
		"buffered": uint64(s.Records), "buffers": uint64(s.Keys), "escalations": s.Escalations, "discarded": s.Discarded, //nolint:gosec // counts
	}}
}

// defaultInterval is how long the buffers without another end hold records.
const defaultInterval = time.Minute

type groupOptions struct {
	FlushInterval time.Duration `yaml:"flush_interval"`
	MaxRecords    int           `yaml:"max_records"`
	Handler       *config.Node  `yaml:"handler"`
}

func newGroup(env *pipeline.Env, o *groupOptions) (core.Handler, error) {
	next, inside := env.Handler(o.Handler)
	if err := mistakesOf(notNegative("max_records", o.MaxRecords), o.Handler, inside); err != nil {
		return nil, err
	}
	g := handler.NewGroup(handler.GroupOptions{Handler: next, MaxRecords: o.MaxRecords})
	return newPeriodic(g, o.FlushInterval, explainGroup(g, next), func() map[string]uint64 {
		return map[string]uint64{"buffered": uint64(len(g.Buffered())), "discarded": g.Discarded()}
	}), nil
}

type memoryOptions struct {
	Capacity      int           `yaml:"capacity"`
	FlushLevel    core.Level    `yaml:"flush_level"`
	FlushOnClose  bool          `yaml:"flush_on_close"`
	FlushInterval time.Duration `yaml:"flush_interval"`
	Handler       *config.Node  `yaml:"handler"`
}

func defaultMemory() *memoryOptions {
	return &memoryOptions{Capacity: handler.DefaultCapacity, FlushLevel: core.LevelError, FlushOnClose: true}
}

func newMemory(env *pipeline.Env, o *memoryOptions) (core.Handler, error) {
	next, inside := env.Handler(o.Handler)
	if err := mistakesOf(notNegative("capacity", o.Capacity), o.Handler, inside); err != nil {
		return nil, err
	}
	m := handler.NewMemory(handler.MemoryOptions{
		Target: next, Capacity: o.Capacity, FlushLevel: o.FlushLevel, DiscardOnClose: !o.FlushOnClose,
	})
	return newPeriodic(m, o.FlushInterval, explainMemory(m, cmp.Or(o.FlushLevel, core.LevelError), next), func() map[string]uint64 {
		return map[string]uint64{"buffered": uint64(len(m.Buffered())), "discarded": m.Discarded()}
	}), nil
}

type dedupOptions struct {
	FormatString  string        `yaml:"format_string"`
	MaxMessages   int           `yaml:"max_messages"`
	FlushInterval time.Duration `yaml:"flush_interval"`
	Handler       *config.Node  `yaml:"handler"`
}

func newDedup(env *pipeline.Env, o *dedupOptions) (core.Handler, error) {
	next, inside := env.Handler(o.Handler)
	var err error
	if o.FormatString != "" && (!strings.Contains(o.FormatString, "{count}") || !strings.Contains(o.FormatString, "{message}")) {
		err = config.At("format_string", "must have {count} and {message}")
	}
	if err := mistakesOf(errors.Join(err, notNegative("max_messages", o.MaxMessages)), o.Handler, inside); err != nil {
		return nil, err
	}
	d := handler.NewDedup(handler.DedupOptions{Handler: next, Format: o.FormatString, MaxMessages: o.MaxMessages})
	return newPeriodic(d, o.FlushInterval, explainDedup(d, next), nil), nil
}

// periodic flushes a handler that holds records back until its binding ends: that of
// a handler in the file ends with the program.
type periodic struct {
	core.Handler

	interval time.Duration
	explain  func(*core.Record) pipeline.Explanation
	counters func() map[string]uint64
	cancel   context.CancelFunc
	done     chan struct{}
}

var (
	_ core.BatchHandler = (*periodic)(nil)
	_ core.Flusher      = (*periodic)(nil)
	_ pipeline.Reporter = (*periodic)(nil)
)

// newPeriodic starts a goroutine that flushes h, at first after the interval; 0 is
// defaultInterval. It ends with Close, which closes h too.
func newPeriodic(
	h core.Handler, interval time.Duration, explain func(*core.Record) pipeline.Explanation, counters func() map[string]uint64,
) *periodic {
	if interval <= 0 {
		interval = defaultInterval
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &periodic{Handler: h, interval: interval, explain: explain, counters: counters, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		t := time.NewTicker(interval)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				_ = core.Flush(ctx, h) // the handler behind counts and reports its errors
			}
		}
	}()
	return p
}

// HandleBatch implements core.BatchHandler.
func (p *periodic) HandleBatch(ctx context.Context, rs []*core.Record, why core.BatchReason) error {
	return core.HandleBatch(ctx, p.Handler, rs, why)
}

// Flush implements core.Flusher.
func (p *periodic) Flush(ctx context.Context) error { return core.Flush(ctx, p.Handler) }

// Report implements pipeline.Reporter.
func (p *periodic) Report() pipeline.Report {
	r := pipeline.Report{State: "ok"}
	if p.counters != nil {
		r.Counters = p.counters()
	}
	return r
}

// Close ends the goroutine and closes the handler.
func (p *periodic) Close() error {
	p.cancel()
	<-p.done
	return core.Close(p.Handler)
}

type taggingOptions struct {
	Handlers map[string]*config.Node `yaml:"handlers,required"`
}

func newTagging(env *pipeline.Env, o *taggingOptions) (core.Handler, error) {
	tags := handler.Tagging{}
	if len(o.Handlers) == 0 {
		return nil, config.At("handlers", "must not be empty")
	}
	var errs []error
	for tag, node := range o.Handlers {
		h, err := env.Handler(node)
		errs = append(errs, err)
		tags[tag] = []core.Binding{{Name: env.Name + "/" + tag, Handler: h}}
	}
	return tagging{tags}, errors.Join(errs...)
}

type fanOptions struct {
	Handlers []*config.Node `yaml:"handlers,required"`
}

func newFan(env *pipeline.Env, o *fanOptions) (core.Handler, error) {
	var all handler.Fan
	if len(o.Handlers) == 0 {
		return nil, config.At("handlers", "must not be empty")
	}
	var errs []error
	for _, node := range o.Handlers {
		h, err := env.Handler(node)
		errs = append(errs, err)
		all = append(all, h)
	}
	return fan{all}, errors.Join(errs...)
}

func newNull(*pipeline.Env, any) (core.Handler, error) { return nil, nil } //nolint:nilnil // a blackhole is no handler

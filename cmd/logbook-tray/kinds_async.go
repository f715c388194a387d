package main

import (
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// queueing are the options of handlers that run behind a queue of their own. Unlike
// the queue's own default, a full one drops and counts: one service that hangs must
// not hold up all the others.
type queueing struct {
	QueueSize int    `yaml:"queue_size"`
	QueueFull string `yaml:"queue_full"`
}

// The values of the option queue_full.
const (
	dropNewest = "drop_newest"
	dropOldest = "drop_oldest"
	block      = "block"
)

func (q *queueing) options() (o queue.AsyncOptions, err error) {
	o.Size = q.QueueSize
	if err := notNegative("queue_size", q.QueueSize); err != nil {
		return o, err
	}
	switch q.QueueFull {
	case "", dropNewest:
		o.Full = queue.DropNewest
	case dropOldest:
		o.Full = queue.DropOldest
	case block:
		o.Full = queue.Block
	default:
		return o, oneOf("queue_full", q.QueueFull, dropNewest, dropOldest, block)
	}
	return o, nil
}

// sending are the options of handlers that send each record somewhere.
type sending struct {
	queueing

	Retries    int           `yaml:"retries"`
	RetryDelay time.Duration `yaml:"retry_delay"`
	Timeout    time.Duration `yaml:"timeout"`
}

func (s *sending) options() (queue.AsyncOptions, error) {
	o, err := s.queueing.options()
	if err != nil {
		return o, err
	}
	o.Retries, o.RetryDelay = s.Retries, s.RetryDelay
	return o, notNegative("retries", s.Retries)
}

// async is a handler behind a queue of its own, with a report for the status.
type async[H core.Handler] struct {
	*queue.Async

	inner    H
	counters func(H) map[string]uint64
	detail   func() string // a remark for people; nil: none
}

// newAsync puts a handler that leaves the process behind a queue: what is slow or
// fails there delays nobody. counters may be nil.
func newAsync[H core.Handler](env *pipeline.Env, h H, o queue.AsyncOptions, counters func(H) map[string]uint64) async[H] {
	o.OnError = func(err error, records int) {
		env.Self.Warn("{name}: {records} records: {error}", core.Kw("name", env.Name), core.Kw("records", records), core.Kw("error", err.Error()))
	}
	return async[H]{Async: queue.NewAsync(h, o), inner: h, counters: counters}
}

// sendAsync makes a handler that sends each record somewhere, by build, and puts it
// behind a queue.
func sendAsync[H core.Handler](env *pipeline.Env, o *sending, build func() (H, error)) (core.Handler, error) {
	settings, err := o.options()
	if err != nil {
		return nil, err
	}
	h, err := build()
	if err != nil {
		return nil, err
	}
	return newAsync(env, h, settings, nil), nil
}

// Report implements pipeline.Reporter.
func (a async[H]) Report() pipeline.Report {
	s := a.Stats()
	r := pipeline.Report{State: string(s.State)}
	if a.counters != nil {
		r.Counters = a.counters(a.inner)
	} else {
		r.Counters = map[string]uint64{"delivered": s.Delivered, "failed": s.Failed}
	}
	if a.detail != nil {
		r.Detail = a.detail()
	}
	if s.Err != nil {
		r.Error = s.Err.Error()
	}
	if !s.Next.IsZero() {
		r.NextTry = s.Next.UTC()
	}
	if h, ok := any(a.inner).(*notifiers.Handler); ok {
		if retry, ok := h.Retry(); ok {
			r.State, r.Error, r.NextTry = string(queue.AsyncRetrying), retry.Err.Error(), retry.At.UTC()
		}
	}
	r.Counters["queued"] = uint64(s.Queued) //nolint:gosec // a count
	r.Counters["dropped"] = s.Dropped
	return r
}

type threadedOptions struct {
	queueing

	Handler *config.Node `yaml:"handler"`
}

func newThreaded(env *pipeline.Env, o *threadedOptions) (core.Handler, error) {
	settings, err := o.options()
	next, inside := env.Handler(o.Handler)
	if err := mistakesOf(err, o.Handler, inside); err != nil {
		return nil, err
	}
	return newAsync(env, next, settings, nil), nil
}

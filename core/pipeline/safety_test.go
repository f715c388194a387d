package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// with adds a handler kind "func" that does f.
func with(o pipeline.Options, f core.HandlerFunc) pipeline.Options {
	o.Kinds.Handlers = append(o.Kinds.Handlers, pipeline.HandlerKind{
		Name: "func", New: func(*pipeline.Env, any) (core.Handler, error) { return f, nil },
	})
	return o
}

func TestPanicsOfHandlersFiltersAndProcessorsCostNoRecord(t *testing.T) {
	w := newWorld()
	o := with(w.options(nil), func(context.Context, *core.Record) error { panic("handler") })
	o.CompileFilter = func(string) (func(*core.Record) bool, error) {
		return func(*core.Record) bool { panic("filter") }, nil
	}
	o.Kinds.Processors = []pipeline.ProcessorKind{{Name: "mark", New: func(*pipeline.Env, any) (core.Processor, error) {
		return func(*core.Record) { panic("processor") }, nil
	}}}
	p, ds := pipeline.New(o, parse(t, `
processors: [{type: mark}]
handlers:
  - {name: faulty, type: func, bubble: true}
  - {name: filtered, type: sink, filter: x, bubble: true}
  - {name: rest, type: sink}
`))
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	defer p.Close()
	for range 2 {
		if err := p.Dispatch(rec(core.LevelInfo, "x")); err != nil {
			t.Error(err)
		}
	}
	h := p.Status().Handlers
	if h[0].Failed != 2 || h[0].Error != "panic: handler" || h[1].Filtered != 2 || w.sinks["rest"].messages() != "x,x" {
		t.Errorf("%+v, rest got %q", h, w.sinks["rest"].messages())
	}
}

func TestTheApplicationStackIsNotForRecordsFromElsewhere(t *testing.T) {
	own := new(sink)
	remove := core.Install(core.Binding{Handler: own})
	defer func() { _ = remove() }()
	p := newWorld().start(t, `handlers: [{type: sink, bubble: true}]`)
	if err := p.Dispatch(rec(core.LevelInfo, "x")); err != nil {
		t.Fatal(err)
	}
	if own.messages() != "" {
		t.Errorf("the application stack got %q", own.messages())
	}
}

func TestAHandlerThatDispatchesItselfDoesNotBlockAReload(t *testing.T) {
	w := newWorld()
	var p *pipeline.Pipeline
	entered, reloading := make(chan struct{}), make(chan struct{})
	o := with(w.options(nil), func(_ context.Context, r *core.Record) error {
		if r.Message() != "outer" {
			return nil
		}
		close(entered)
		<-reloading
		return p.Dispatch(rec(core.LevelInfo, "inner"))
	})
	p, _ = pipeline.New(o, parse(t, `handlers: [{type: func}]`))
	done := make(chan error, 2)
	go func() { done <- p.Dispatch(rec(core.LevelInfo, "outer")) }()
	<-entered
	go func() {
		_, err := p.Reload(parse(t, `handlers: [{name: new, type: sink}]`))
		done <- err
	}()
	close(reloading)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestAHandlerThatDoesNotReturnIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		o := with(w.options(nil), func(ctx context.Context, _ *core.Record) error {
			<-ctx.Done() // until it is told to give up
			return ctx.Err()
		})
		o.DrainTimeout = time.Minute
		p, _ := pipeline.New(o, parse(t, `handlers: [{name: stuck, type: func}]`))
		done := make(chan error)
		go func() { done <- p.Dispatch(rec(core.LevelInfo, "x")) }()
		synctest.Wait()
		start := time.Now()
		_, err := p.Reload(parse(t, `handlers: [{name: new, type: sink}]`))
		if err == nil || !strings.Contains(err.Error(), "still on their way") || time.Since(start) != time.Minute {
			t.Errorf("reload took %v: %v", time.Since(start), err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := p.Dispatch(rec(core.LevelInfo, "y")); err != nil || w.sinks["new"].messages() != "y" {
			t.Errorf("after the reload: %v, %q", err, w.sinks["new"].messages())
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Dispatch(rec(core.LevelInfo, "z")); !errors.Is(err, pipeline.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func BenchmarkDispatch(b *testing.B) {
	w := newWorld()
	o := with(w.options(nil), func(context.Context, *core.Record) error { return nil })
	tree, _ := config.Parse("bench.yaml", []byte(`handlers: [{type: func, bubble: true}, {type: func, level: error}]`), config.Options{})
	p, _ := pipeline.New(o, tree)
	defer p.Close()
	r := rec(core.LevelInfo, "x")
	b.ReportAllocs()
	for b.Loop() {
		_ = p.Dispatch(r)
	}
}

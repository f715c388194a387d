package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

// trail notes which handlers see a record, in order.
type trail struct {
	mu   sync.Mutex
	seen []string
}

func (t *trail) handler(name string) core.Handler {
	return core.HandlerFunc(func(context.Context, *core.Record) error {
		t.note(name)
		return nil
	})
}

func (t *trail) note(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, name)
}

func (t *trail) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.Join(t.seen, " ")
	t.seen = nil
	return s
}

func (t *trail) bubbling(name string) core.Binding {
	return core.Binding{Handler: t.handler(name), Bubble: true}
}

// install is core.Install that ends with the test.
func install(t *testing.T, s core.Setup) (remove func() error) {
	t.Helper()
	remove = core.Install(s)
	t.Cleanup(func() { _ = remove() })
	return remove
}

func TestTheNewestBindingIsFirstOnWhicheverStack(t *testing.T) {
	var tr trail
	log := core.NewLogger("test")
	install(t, tr.bubbling("app1"))
	ctx, end1 := core.Bind(t.Context(), tr.bubbling("ctx1"))
	removeApp2 := install(t, tr.bubbling("app2"))
	ctx, end2 := core.Bind(ctx, core.Setups{tr.bubbling("ctx2"), nil, core.Setups{tr.bubbling("ctx3")}})
	install(t, tr.bubbling("app3"))

	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"all are bound", func() error { return nil }, "app3 ctx3 ctx2 app2 ctx1 app1"},
		{"the lower context binding ended first", end1, "app3 ctx3 ctx2 app2 app1"},
		{"ended again", end1, "app3 ctx3 ctx2 app2 app1"},
		{"an application binding removed from the middle", removeApp2, "app3 ctx3 ctx2 app1"},
		{"removed again", removeApp2, "app3 ctx3 ctx2 app1"},
		{"a setup ends as a whole", end2, "app3 app1"},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		log.InfoContext(ctx, "x")
		if got := tr.take(); got != s.want {
			t.Errorf("%s: seen by %q, want %q", s.name, got, s.want)
		}
	}
	log.Info("without a context")
	if got := tr.take(); got != "app3 app1" {
		t.Errorf("without a context: seen by %q", got)
	}
}

func TestWhereARecordEnds(t *testing.T) {
	isSecret := func(r *core.Record) bool { return r.Channel == "secret" }
	tests := []struct {
		name, channel string
		level         core.Level
		top           core.Binding // above a bubbling "below"
		want          string
	}{
		{"a handler takes it and it ends", "a", core.LevelInfo, core.Binding{}, "top"},
		{"a handler bubbles", "a", core.LevelInfo, core.Binding{Bubble: true}, "top below"},
		{"a level too low", "a", core.LevelInfo, core.Binding{Level: core.LevelWarning}, "below"},
		{"the level itself", "a", core.LevelWarning, core.Binding{Level: core.LevelWarning}, "top"},
		{"a filter refuses", "a", core.LevelInfo, core.Binding{Filter: isSecret}, "below"},
		{"a filter accepts", "secret", core.LevelInfo, core.Binding{Filter: isSecret}, "top"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trail
			tt.top.Handler = tr.handler("top")
			ctx, _ := core.Bind(t.Context(), core.Setups{tr.bubbling("below"), tt.top})
			_ = core.NewLogger(tt.channel).Log(ctx, tt.level, "x")
			if got := tr.take(); got != tt.want {
				t.Errorf("seen by %q, want %q", got, tt.want)
			}
		})
	}
}

func TestABlackholeSwallows(t *testing.T) {
	isSecret := func(r *core.Record) bool { return r.Channel == "secret" }
	tests := []struct {
		name, channel string
		hole          core.Binding
		want          string
		processed     bool
	}{
		{"everything, and no work is done", "a", core.Binding{}, "", false},
		{"what its level takes", "a", core.Binding{Level: core.LevelError}, "below", true},
		{"what its filter takes", "secret", core.Binding{Filter: isSecret}, "", true},
		{"and leaves what its filter refuses", "a", core.Binding{Filter: isSecret}, "below", true},
		{"nothing if it bubbles", "a", core.Binding{Bubble: true}, "below", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trail
			processed := false
			ctx, _ := core.Bind(t.Context(), core.Setups{
				core.Processor(func(*core.Record) { processed = true }), tr.bubbling("below"), tt.hole,
			})
			log := core.NewLogger(tt.channel)
			log.InfoContext(ctx, "x")
			if got := tr.take(); got != tt.want || processed != tt.processed {
				t.Errorf("seen by %q, processed: %t; want %q, %t", got, processed, tt.want, tt.processed)
			}
			if want := tt.processed; log.Enabled(ctx, core.LevelInfo) != want {
				t.Errorf("Enabled is %t", !want)
			}
		})
	}
}

func TestProcessorsRunOnceForAllHandlersGroupFirst(t *testing.T) {
	var tr trail
	note := func(name string) core.Processor { return func(*core.Record) { tr.note(name) } }
	log := core.NewLogger("test")
	group := core.NewLoggerGroup(log)
	group.SetProcessor(note("group"))
	install(t, note("app"))
	ctx, _ := core.Bind(t.Context(), core.Setups{
		note("low"), tr.bubbling("h1"), note("high"), tr.bubbling("h2"), core.Processor(nil),
		core.Binding{Handler: tr.handler("never"), Level: core.LevelCritical},
	})
	log.InfoContext(ctx, "x")
	if got, want := tr.take(), "group high low app h2 h1"; got != want {
		t.Errorf("order %q, want %q", got, want)
	}

	log.SetProcessor(func(r *core.Record) { tr.note("own"); group.Process(r) })
	log.InfoContext(ctx, "x")
	if got, want := tr.take(), "own group high low app h2 h1"; got != want {
		t.Errorf("with a processor of its own: order %q, want %q", got, want)
	}
}

func TestNobodyIsAskedAboutARecordThatNobodyWants(t *testing.T) {
	var tr trail
	ctx, _ := core.Bind(t.Context(), core.Setups{
		core.Processor(func(*core.Record) { tr.note("processor") }),
		core.Binding{Handler: tr.handler("h"), Level: core.LevelError, Filter: func(*core.Record) bool { tr.note("filter"); return true }},
	})
	core.NewLogger("test").InfoContext(ctx, "x")
	if got := tr.take(); got != "" {
		t.Errorf("asked %q", got)
	}
}

func TestAFilterSeesWhatProcessorsAdd(t *testing.T) { // test_handler_filter_after_processor
	var logs logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Setups{
		core.Processor(func(r *core.Record) { r.Extra.Set("ip", "::1") }),
		core.Binding{Handler: &logs, Filter: func(r *core.Record) bool { return r.Extra.Get("ip") == "::1" }},
	})
	core.NewLogger("test").InfoContext(ctx, "x")
	if logs.Len() != 1 {
		t.Errorf("%d records, want 1", logs.Len())
	}
}

func TestTheLoggersOwnHandlersComeFirst(t *testing.T) {
	var tr trail
	log := core.NewLogger("test")
	ctx, _ := core.Bind(t.Context(), tr.bubbling("stack"))
	log.SetHandlers(tr.bubbling("own1"))
	log.AddHandler(tr.bubbling("own2"))
	log.InfoContext(ctx, "x")
	if got := tr.take(); got != "own1 own2 stack" {
		t.Errorf("order %q", got)
	}
	log.SetHandlers(core.Binding{Handler: tr.handler("own")})
	log.InfoContext(ctx, "x")
	if got := tr.take(); got != "own" {
		t.Errorf("order %q", got)
	}
}

func TestErrPassLetsTheRecordGoOn(t *testing.T) { // test_custom_handling
	var tr trail
	pass := core.HandlerFunc(func(context.Context, *core.Record) error { return core.ErrPass })
	ctx, _ := core.Bind(t.Context(), core.Setups{tr.bubbling("below"), core.Binding{Handler: pass}, core.Flags{Errors: core.ErrorsRaise}})
	if err := core.NewLogger("test").Log(ctx, core.LevelInfo, "x"); err != nil {
		t.Errorf("reported: %v", err)
	}
	if got := tr.take(); got != "below" {
		t.Errorf("seen by %q", got)
	}
}

func TestGoroutinesShareABindingUntilItEnds(t *testing.T) {
	var tr trail
	log := core.NewLogger("test")
	below, _ := core.Bind(t.Context(), tr.bubbling("below"))
	ended, finished := make(chan struct{}), make(chan struct{})
	err := core.Do(below, tr.bubbling("scoped"), func(ctx context.Context) error {
		first := make(chan struct{})
		go func() {
			defer close(finished)
			log.InfoContext(ctx, "inside")
			close(first)
			<-ended
			log.InfoContext(ctx, "outlives it")
		}()
		<-first
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	close(ended)
	<-finished
	if got := tr.take(); got != "scoped below below" {
		t.Errorf("seen by %q", got)
	}
}

func TestBindingsOfOneContextDoNotLeakIntoAnother(t *testing.T) { // test_asyncio_context_management
	log := core.NewLogger("test")
	handlers := make([]logtest.TestHandler, 4)
	var wg sync.WaitGroup
	for i := range handlers {
		wg.Go(func() {
			for range 100 {
				_ = core.Do(t.Context(), core.Binding{Handler: &handlers[i]}, func(ctx context.Context) error {
					log.InfoContext(ctx, "{0}", i)
					return nil
				})
			}
		})
	}
	wg.Wait()
	for i := range handlers {
		for _, r := range handlers[i].Records() {
			if r.Args[0] != i {
				t.Errorf("handler %d saw a record of %v", i, r.Args[0])
			}
		}
		if n := handlers[i].Len(); n != 100 {
			t.Errorf("handler %d has %d records, want 100", i, n)
		}
	}
}

func TestInstallingAndRemovingWhileRecordsFlow(t *testing.T) {
	log := core.NewLogger("test")
	var logs logtest.TestHandler
	install(t, core.Binding{Handler: &logs})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				remove := core.Install(core.Setups{core.Binding{Bubble: true}, core.Processor(func(*core.Record) {})})
				log.Info("x")
				_ = remove()
			}
		})
	}
	wg.Wait()
	if logs.Len() != 800 {
		t.Errorf("%d records, want 800", logs.Len())
	}
	if n := len(core.Bindings(t.Context())); n != 1 {
		t.Errorf("%d bindings left, want 1", n)
	}
}

// holder holds records back until it is flushed.
type holder struct {
	core.Handler
	flush func(context.Context) error
}

func (h *holder) Flush(ctx context.Context) error { return h.flush(ctx) }

func TestEndFlushesNewestFirstAlthoughCtxIsCancelled(t *testing.T) {
	var tr trail
	boom := errors.New("boom")
	hold := func(name string, err error) core.Binding {
		return core.Binding{Handler: &holder{tr.handler(name), func(ctx context.Context) error {
			tr.note(name)
			return errors.Join(ctx.Err(), err)
		}}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, end := core.Bind(ctx, core.Setups{hold("low", nil), hold("high", boom)})
	cancel()
	if err := end(); !errors.Is(err, boom) || errors.Is(err, context.Canceled) {
		t.Errorf("end: %v, want boom alone", err)
	}
	if got := tr.take(); got != "high low" {
		t.Errorf("flushed %q", got)
	}
	if err := end(); err != nil || tr.take() != "" {
		t.Errorf("ended twice: %v", err)
	}
}

func TestThePartsOfASetupEndOneByOneTopFirst(t *testing.T) {
	var tr trail
	log := core.NewLogger("test")
	// Each logs what it held: that goes to what is below, and not to itself.
	hold := func(name string) core.Binding {
		b := tr.bubbling(name)
		b.Handler = &holder{b.Handler, func(ctx context.Context) error {
			tr.note(name + ":")
			return log.Log(ctx, core.LevelInfo, "held")
		}}
		return b
	}
	setup := core.Setups{hold("low"), core.Setups{hold("middle")}, hold("high")}
	const want = "high: middle low middle: low low:"

	ctx, end := core.Bind(t.Context(), setup)
	if err := end(); err != nil {
		t.Error(err)
	}
	if got := tr.take(); got != want {
		t.Errorf("bound to a context: %q, want %q", got, want)
	}
	if log.InfoContext(ctx, "after the end"); tr.take() != "" {
		t.Error("still bound to the context")
	}

	if err := install(t, setup)(); err != nil {
		t.Error(err)
	}
	if got := tr.take(); got != want {
		t.Errorf("installed: %q, want %q", got, want)
	}
	if log.Info("after the end"); tr.take() != "" || len(core.Bindings(t.Context())) != 0 {
		t.Error("still installed")
	}
}

func TestAPanicWhileFlushingIsAnError(t *testing.T) {
	_, end := core.Bind(t.Context(), core.Binding{Handler: &holder{nil, func(context.Context) error { panic("full") }}})
	if err := end(); err == nil || err.Error() != "panic: full" {
		t.Errorf("end: %v", err)
	}
}

func TestDoEndsTheBindingWhenItsFunctionPanics(t *testing.T) { // test_stacked_object
	var tr trail
	func() {
		defer func() {
			if recover() != "out" {
				t.Error("the panic was swallowed")
			}
		}()
		_ = core.Do(t.Context(), core.Binding{Handler: &holder{nil, func(context.Context) error {
			tr.note("flushed")
			return nil
		}}}, func(context.Context) error { panic("out") })
	}()
	if got := tr.take(); got != "flushed" {
		t.Errorf("ended: %q", got)
	}
}

func TestDoReturnsTheErrorOfItsFunction(t *testing.T) {
	boom := errors.New("boom")
	if err := core.Do(t.Context(), nil, func(context.Context) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

func TestBindingsListsTheStackTopFirst(t *testing.T) {
	ctx, _ := core.Bind(t.Context(), core.Setups{core.Binding{Name: "low"}, core.Flags{}, core.Binding{Name: "high"}})
	var names []string
	for _, b := range core.Bindings(ctx) {
		names = append(names, b.Name)
	}
	if !slices.Equal(names, []string{"high", "low"}) {
		t.Errorf("got %v", names)
	}
}

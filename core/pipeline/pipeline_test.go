package pipeline_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is all that the kinds of these tests make.
type world struct {
	mu       sync.Mutex
	sinks    map[string]*sink
	feeds    map[string]*feed
	opened   []string
	refusals map[string]int // how often a feed cannot be opened
}

func newWorld() *world {
	return &world{sinks: map[string]*sink{}, feeds: map[string]*feed{}, refusals: map[string]int{}}
}

// sink is a handler that keeps messages.
type sink struct {
	mu     sync.Mutex
	got    []string
	err    error
	closed int
}

func (s *sink) Handle(_ context.Context, r *core.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed > 0 {
		return errors.New("used after Close")
	}
	s.got = append(s.got, r.Message())
	return s.err
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

func (s *sink) messages() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, ",")
}

// feed is a subscriber whose records a test makes.
type feed struct {
	records chan *core.Record
	once    sync.Once
	n       uint64
	end     chan error
}

func (f *feed) DispatchForever(ctx context.Context) error {
	for {
		select {
		case r, ok := <-f.records:
			if !ok {
				return nil
			}
			_ = core.Dispatch(ctx, r)
			f.n++
		case err := <-f.end:
			return err
		}
	}
}

func (f *feed) Close() error {
	f.once.Do(func() { close(f.records) })
	return nil
}

func (f *feed) Report() pipeline.Report {
	return pipeline.Report{State: "listening", Detail: "listening here", Counters: map[string]uint64{"received": f.n}}
}

type sinkOptions struct {
	ID      string       `yaml:"id"`
	Handler *config.Node `yaml:"handler"`
}

type wrapped struct{ core.Handler }

func (w *world) options(self *core.Logger) pipeline.Options {
	o := pipeline.Options{Self: self, RetryMin: time.Second, RetryMax: 4 * time.Second}
	o.CompileFilter = func(source string) (func(*core.Record) bool, error) {
		if source == "wrong" {
			return nil, errors.New("this filter is wrong")
		}
		return func(r *core.Record) bool { return strings.Contains(r.Message(), source) }, nil
	}
	o.Kinds.Handlers = []pipeline.HandlerKind{
		{Name: "sink", Options: func() any { return new(sinkOptions) }, New: func(env *pipeline.Env, options any) (core.Handler, error) {
			s := new(sink)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sinks[env.Name] = s
			return s, nil
		}},
		{Name: "wrap", Options: func() any { return new(sinkOptions) }, New: func(env *pipeline.Env, options any) (core.Handler, error) {
			h, err := env.Handler(options.(*sinkOptions).Handler)
			return wrapped{h}, err
		}},
		{Name: "null", New: func(*pipeline.Env, any) (core.Handler, error) { return nil, nil }},
	}
	o.Kinds.Sources = []pipeline.SourceKind{{
		Name: "feed", Listen: true, Options: func() any { return new(sinkOptions) },
		New: func(env *pipeline.Env, _ any) (pipeline.Opener, error) {
			return func(context.Context) (pipeline.Subscriber, error) { return w.open(env.Name) }, nil
		},
	}}
	o.Kinds.Processors = []pipeline.ProcessorKind{{Name: "mark", New: func(*pipeline.Env, any) (core.Processor, error) {
		return func(r *core.Record) { r.SetMessage(r.Message() + "!") }, nil
	}}}
	return o
}

func (w *world) open(name string) (pipeline.Subscriber, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, name)
	if w.refusals[name] > 0 {
		w.refusals[name]--
		return nil, errors.New("address already in use")
	}
	f := &feed{records: make(chan *core.Record), end: make(chan error)}
	w.feeds[name] = f
	return f, nil
}

func parse(t *testing.T, source string) *config.Tree {
	t.Helper()
	tree, ds := config.Parse("test.yaml", []byte(source), config.Options{})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	return tree
}

func (w *world) start(t *testing.T, source string) *pipeline.Pipeline {
	t.Helper()
	p, ds := pipeline.New(w.options(nil), parse(t, source))
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func rec(level core.Level, msg string) *core.Record {
	return core.NewReceived(&core.Record{Level: level, Msg: msg}, core.Source{Name: "test"}, time.Unix(0, 0))
}

func TestRecordsGoDownTheStackInTheOrderOfTheFile(t *testing.T) {
	w := newWorld()
	p := w.start(t, `
processors: [{type: mark}]
handlers:
  - {name: all, type: sink, bubble: true}
  - {name: errors, type: sink, level: error}
  - {name: filtered, type: sink, filter: shop, bubble: true}
  - {type: "null", level: warning}
  - {name: rest, type: sink}
`)
	for _, r := range []*core.Record{
		rec(core.LevelError, "boom"), rec(core.LevelInfo, "shop opens"), rec(core.LevelWarning, "rain"), rec(core.LevelDebug, "tick"),
	} {
		if err := p.Dispatch(r); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{
		"all": "boom!,shop opens!,rain!,tick!", "errors": "boom!", "filtered": "shop opens!", "rest": "shop opens!,tick!",
	} {
		if got := w.sinks[name].messages(); got != want {
			t.Errorf("%s got %q, want %q", name, got, want)
		}
	}
	s := p.Status()
	if h := s.Handlers[2]; h.Seen != 3 || h.Filtered != 2 || h.Taken != 1 {
		t.Errorf("counters of the filtered handler: %+v", h)
	}
}

func TestABindingOnTopSeesEveryRecordAcrossReloads(t *testing.T) {
	w := newWorld()
	o := w.options(nil)
	top := new(sink)
	o.Top = []core.Binding{{Handler: top, Bubble: true}}
	p, _ := pipeline.New(o, parse(t, `handlers: [{name: a, type: sink}]`))
	defer p.Close()
	_ = p.Dispatch(rec(core.LevelInfo, "one"))
	if _, err := p.Reload(parse(t, `handlers: [{name: b, type: sink}]`)); err != nil {
		t.Fatal(err)
	}
	_ = p.Dispatch(rec(core.LevelInfo, "two"))
	if top.messages() != "one,two" || top.closed != 0 {
		t.Errorf("top got %q, closed %d times", top.messages(), top.closed)
	}
}

func TestAReloadKeepsWhatDidNotChangeAndClosesWhatIsGone(t *testing.T) {
	w := newWorld()
	p := w.start(t, `
listen: [{name: one, type: feed}, {name: two, type: feed}]
handlers:
  - {name: kept, type: sink, bubble: true}
  - {name: gone, type: sink}
`)
	kept, gone, one := w.sinks["kept"], w.sinks["gone"], w.feeds["one"]
	one.records <- rec(core.LevelInfo, "before")
	eventually(t, func() bool { return gone.messages() == "before" })
	if _, err := p.Reload(parse(t, `
listen:
  - {name: three, type: feed}
  - {name: one, type: feed}
handlers:
  - {name: new, type: sink, bubble: true}
  - {name: kept, type: sink, bubble: true}
`)); err != nil {
		t.Fatal(err)
	}
	w.feeds["one"].records <- rec(core.LevelInfo, "after")
	_ = p.Dispatch(rec(core.LevelInfo, "last"))
	if w.sinks["kept"] != kept || w.feeds["one"] != one {
		t.Error("what did not change was made anew")
	}
	if got := kept.messages(); !strings.HasPrefix(got, "before,") || !strings.Contains(got, "last") || kept.closed != 0 {
		t.Errorf("kept got %q, closed %d times", got, kept.closed)
	}
	if got := gone.messages(); got != "before" || gone.closed != 1 {
		t.Errorf("gone got %q, closed %d times, want once", got, gone.closed)
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, w.opened); diff != "" {
		t.Errorf("opened: %s", diff)
	}
}

func TestAReloadWithMistakesChangesNothing(t *testing.T) {
	w := newWorld()
	p := w.start(t, `handlers: [{name: a, type: sink}]`)
	old := w.sinks["a"]
	ds, err := p.Reload(parse(t, `
handlers:
  - {name: b, type: sink}
  - {name: c, type: sink, filter: wrong}
  - {name: b, type: sink}
  - {type: snik}
  - {bubble: true}
  - {name: d, type: wrap, handler: {type: sink, idd: 3, level: error}}
`))
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for _, d := range ds {
		got = append(got, d.String()+" | "+d.Hint)
	}
	want := []string{
		`test.yaml:4:35: error: filter: this filter is wrong | `,
		`test.yaml:5:12: error: the name "b" is taken already, in line 3 | `,
		`test.yaml:6:12: error: unknown type "snik" of a handler | did you mean "sink"?`,
		`test.yaml:7:5: error: a handler needs a type | one of sink, wrap, null`,
		`test.yaml:8:49: error: unknown key "idd" in handler "sink" | did you mean "id"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
	if b := w.sinks["b"]; b.closed != 1 {
		t.Errorf("a handler of the refused file was closed %d times, want once", b.closed)
	}
	_ = p.Dispatch(rec(core.LevelInfo, "x"))
	if old.messages() != "x" || old.closed != 0 {
		t.Errorf("the old handler got %q, closed %d times", old.messages(), old.closed)
	}
}

func TestAWrappedHandlerIsListedBelowItsWrapperAndClosedWithIt(t *testing.T) {
	w := newWorld()
	tree := parse(t, `handlers: [{name: outer, type: wrap, handler: {type: sink}}]`)
	p, _ := pipeline.New(w.options(nil), tree)
	_ = p.Dispatch(rec(core.LevelInfo, "x"))
	inner := w.sinks["outer/sink"]
	if inner.messages() != "x" {
		t.Errorf("inner got %q", inner.messages())
	}
	s := p.Status().Handlers
	if len(s) != 2 || s[1].Name != "outer/sink" || s[1].Depth != 1 || s[1].Taken != 1 {
		t.Errorf("status %+v", s)
	}
	if err := p.Close(); err != nil || inner.closed != 1 {
		t.Errorf("Close: %v, inner closed %d times", err, inner.closed)
	}
}

func TestASubscriberThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.refusals["busy"] = 3
		p := w.start(t, `
listen: [{name: busy, type: feed}, {name: free, type: feed}]
handlers: [{name: a, type: sink}]
`)
		s := p.Status()
		if s.Subscribers[0].State != pipeline.StateFailed || s.Subscribers[0].Error != "address already in use" || s.Subscribers[1].State != "listening" {
			t.Errorf("status %+v", s.Subscribers)
		}
		if got := s.Problem(); got != "busy: address already in use" {
			t.Errorf("problem %q", got)
		}
		time.Sleep(1*time.Second + 2*time.Second + 4*time.Second + time.Millisecond) // the clock of the bubble
		synctest.Wait()
		if s := p.Status(); s.Subscribers[0].State != "listening" || s.Problem() != "" {
			t.Errorf("status %+v", s.Subscribers)
		}
		w.feeds["busy"].records <- rec(core.LevelInfo, "at last")
		synctest.Wait()
		if got := w.sinks["a"].messages(); got != "at last" {
			t.Errorf("got %q", got)
		}
		w.feeds["busy"].end <- errors.New("the transport broke")
		synctest.Wait()
		if s := p.Status(); s.Subscribers[0].Error != "the transport broke" {
			t.Errorf("status %+v", s.Subscribers)
		}
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if s := p.Status(); s.Subscribers[0].State != "listening" {
			t.Errorf("status %+v", s.Subscribers)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAFailingHandlerIsLoggedOnceAndShown(t *testing.T) {
	w := newWorld()
	self := core.NewLogger("self")
	log := new(sink)
	self.SetHandlers(core.Binding{Handler: log})
	p, _ := pipeline.New(w.options(self), parse(t, `handlers: [{name: a, type: sink}]`))
	defer p.Close()
	a := w.sinks["a"]
	a.err = errors.New("disk full")
	for range 3 {
		_ = p.Dispatch(rec(core.LevelInfo, "x"))
	}
	h := p.Status().Handlers[0]
	if h.Failed != 3 || h.State != "failing" || h.Error != "disk full" {
		t.Errorf("status %+v", h)
	}
	a.err = nil
	_ = p.Dispatch(rec(core.LevelInfo, "x"))
	if h := p.Status().Handlers[0]; h.State != "ok" || h.Taken != 1 {
		t.Errorf("status after it works again: %+v", h)
	}
	if got, want := log.messages(), "handler a failed: disk full,handler a works again"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestNoRecordIsLostOrDoubledByReloadsUnderLoad(t *testing.T) {
	w := newWorld()
	o := w.options(nil)
	var mu sync.Mutex
	seen := map[string]int{}
	o.Kinds.Handlers = append(o.Kinds.Handlers, pipeline.HandlerKind{
		Name: "count", Options: func() any { return new(sinkOptions) },
		New: func(*pipeline.Env, any) (core.Handler, error) {
			return core.HandlerFunc(func(_ context.Context, r *core.Record) error {
				mu.Lock()
				defer mu.Unlock()
				seen[r.Message()]++
				return nil
			}), nil
		},
	})
	p, _ := pipeline.New(o, parse(t, `handlers: [{type: count, id: a}]`))
	var senders sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			for i := range 500 {
				_ = p.Dispatch(rec(core.LevelInfo, string(rune('a'+s))+strings.Repeat("x", i)))
			}
		})
	}
	for i := range 20 {
		id := []string{"a", "b"}[i%2]
		if _, err := p.Reload(parse(t, `handlers: [{type: count, id: `+id+`}]`)); err != nil {
			t.Error(err)
		}
	}
	senders.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if len(seen) != 2000 {
		t.Errorf("%d records arrived, want 2000", len(seen))
	}
	for message, n := range seen {
		if n != 1 {
			t.Fatalf("record %.10s... arrived %d times", message, n)
		}
	}
}

func TestCheckDescribesTheGraphWithoutOpeningSockets(t *testing.T) {
	w := newWorld()
	d, ds := pipeline.Check(w.options(nil), parse(t, `
listen: [{name: here, type: feed}]
handlers:
  - {name: outer, type: wrap, level: error, filter: shop, handler: {type: sink}}
  - {type: "null"}
`))
	if len(ds) != 0 {
		t.Error(ds)
	}
	var b strings.Builder
	if err := d.Fprint(&b); err != nil {
		t.Fatal(err)
	}
	want := `subscribers
  here (feed)
stack, top first
  outer (wrap), from error, where shop, stops what it takes
    outer/sink (sink)
  null
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	if len(w.opened) != 0 || w.sinks["outer/sink"].closed != 1 {
		t.Errorf("opened %v, sink closed %d times", w.opened, w.sinks["outer/sink"].closed)
	}
}

func TestDeliverReachesOneHandlerWhateverItsLevelAndSaysWhatFails(t *testing.T) {
	w := newWorld()
	tree := parse(t, `
handlers:
  - {name: first, type: sink}
  - {name: outer, type: wrap, level: critical, filter: shop, handler: {type: sink}}
  - {type: "null"}
`)
	deliver := func(name string) string {
		_, err := pipeline.Deliver(t.Context(), w.options(nil), tree, name, rec(core.LevelInfo, "test"))
		if err == nil {
			return "delivered"
		}
		return err.Error()
	}
	for name, want := range map[string]string{
		"outer":      "delivered",
		"outer/sink": "delivered",
		"null":       `handler "null" is a blackhole: it delivers nothing`,
		"nobody":     `there is no handler "nobody" (there are: first, outer, outer/sink, null)`,
	} {
		if got := deliver(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	_ = deliver("outer")
	if got := w.sinks["outer/sink"].messages(); got != "test" {
		t.Errorf("the inner sink got %q", got)
	}
	if got := w.sinks["first"].messages(); got != "" {
		t.Errorf("another handler got %q", got)
	}
}

func TestARunningHandlerIsReachedAloneAndStaysInTheStack(t *testing.T) {
	w := newWorld()
	p := w.start(t, `
handlers:
  - {name: first, type: sink, bubble: true}
  - {name: outer, type: wrap, level: critical, handler: {type: sink}}
`)
	if err := p.Deliver(t.Context(), "outer", rec(core.LevelInfo, "test")); err != nil {
		t.Error(err)
	}
	if err := p.Dispatch(rec(core.LevelCritical, "later")); err != nil {
		t.Error(err)
	}
	if first, inner := w.sinks["first"].messages(), w.sinks["outer/sink"].messages(); first != "later" || inner != "test,later" {
		t.Errorf("first got %q, the inner one %q", first, inner)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Deliver(t.Context(), "outer", rec(core.LevelInfo, "test")); !errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

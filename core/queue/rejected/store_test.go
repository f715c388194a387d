package rejected_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told are the calls of a store.
type told struct {
	mu      sync.Mutex
	reports []rejected.Report
	errs    []error
}

func (d *told) options(dir string) rejected.Options {
	return rejected.Options{
		Dir: dir,
		OnReport: func(r rejected.Report) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.reports = append(d.reports, r)
		},
		OnError: func(err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.errs = append(d.errs, err)
		},
	}
}

// open opens a store, and returns what runs it to the end of what was added.
func open(t testing.TB, o rejected.Options, l rejected.Limits) (s *rejected.Store, run func()) {
	t.Helper()
	s, err := rejected.Open(o, l)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Run(ctx)
	}
}

func rejection(source, body string) queue.Rejection {
	return queue.Rejection{
		Source: core.Source{Name: source, Peer: "127.0.0.1:4711"}, Body: []byte(body), Format: "json",
		Reason: wire.ReasonMalformed, Err: &wire.RejectError{Reason: wire.ReasonMalformed, Detail: "invalid character at byte 3"},
	}
}

// bodies returns the bodies of what is kept, the newest first.
func bodies(t *testing.T, s *rejected.Store) []string {
	t.Helper()
	var out []string
	for _, e := range s.List(rejected.Query{}) {
		whole, err := s.Get(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(whole.Body))
	}
	return out
}

func TestWhatWasRejectedIsKeptAcrossARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rejected")
	s, run := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	before := time.Now().Add(-time.Second)
	s.Add("zeromq", rejection("front", "{nope\x00\xff\n"))
	run()

	s, run = open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	s.Add("http", rejection("back", ""))
	run()
	list := s.List(rejected.Query{})
	if len(list) != 2 || list[0].Source != "back" || list[0].ID != 2 {
		t.Fatalf("listed %+v", list)
	}
	got, err := s.Get(1)
	if err != nil || got.Time.Before(before) || got.Time.After(time.Now()) {
		t.Errorf("%v at %v", err, got.Time)
	}
	got.Time = time.Time{}
	want := rejected.Entry{
		ID: 1, Source: "front", Type: "zeromq", Peer: "127.0.0.1:4711", Reason: "malformed", Detail: "invalid character at byte 3",
		Size: 8, Kept: 8, Format: "json", Body: []byte("{nope\x00\xff\n"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !got.Whole() || string(list[1].Start) != "{nope\x00\xff\n" || list[1].Body != nil {
		t.Errorf("in the list: %+v", list[1])
	}

	// As another program sees it.
	if other, err := rejected.List(dir, rejected.Query{}); err != nil || !cmp.Equal(other, list) {
		t.Errorf("another program sees %+v, %v", other, err)
	}
	if stats := s.Stats(); stats.Held != 2 || stats.Size == 0 || stats.Rejected != 1 || stats.Sources["front"] != 1 || stats.Sources["back"] != 1 {
		t.Errorf("counted %+v", stats)
	}
}

func TestTheOldestGoFirst(t *testing.T) {
	for name, c := range map[string]struct {
		limits rejected.Limits
		want   []string
	}{
		"by number": {rejected.Limits{MaxCount: 2}, []string{"4", "3"}},
		"by size":   {rejected.Limits{MaxSize: 640}, []string{"4", "3", "2"}}, // a file has 190 bytes or so
		"all fit":   {rejected.Limits{}, []string{"4", "3", "2", "1", "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, run := open(t, rejected.Options{Dir: t.TempDir()}, c.limits)
			for i := range 5 {
				s.Add("zeromq", rejection("a", fmt.Sprint(i)))
			}
			run()
			if diff := cmp.Diff(c.want, bodies(t, s)); diff != "" {
				t.Error(diff)
			}
			if st := s.Stats(); st.Held != len(c.want) || c.limits.MaxSize != 0 && st.Size > c.limits.MaxSize {
				t.Errorf("counted %+v", st)
			}
		})
	}
}

func TestNewLimitsHoldForWhatIsThere(t *testing.T) {
	s, run := open(t, rejected.Options{Dir: t.TempDir()}, rejected.Limits{})
	for i := range 5 {
		s.Add("zeromq", rejection("a", fmt.Sprint(i)))
	}
	run()
	s.Limit(rejected.Limits{MaxCount: 3, Disabled: true})
	s.Add("zeromq", rejection("b", "not to be kept"))
	run()
	if diff := cmp.Diff([]string{"4", "3", "2"}, bodies(t, s)); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.Rejected != 6 || st.Limited != 0 {
		t.Errorf("counted %+v", st)
	}
}

func TestALargeMessageIsCutAndItsSizeTold(t *testing.T) {
	s, run := open(t, rejected.Options{Dir: t.TempDir()}, rejected.Limits{})
	body := strings.Repeat("x", rejected.MaxBody+1)
	s.Add("zeromq", rejection("a", body))
	r := rejection("b", "the beginning")
	r.Cut = true
	s.Add("socket", r)
	run()
	cut, err := s.Get(1)
	if err != nil || cut.Size != len(body) || cut.Kept != rejected.MaxBody || string(cut.Body) != body[:rejected.MaxBody] || cut.Whole() {
		t.Errorf("%v: size %d, kept %d, whole %v", err, cut.Size, cut.Kept, cut.Whole())
	}
	if start, err := s.Get(2); err != nil || start.Whole() {
		t.Errorf("a beginning counts as whole: %+v, %v", start, err)
	}
	if list := s.List(rejected.Query{Source: "a"}); len(list) != 1 || len(list[0].Start) != 256 {
		t.Errorf("in the list: %d entries", len(list))
	}
}

func TestAStormIsCountedAndKeptInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d told
		s, err := rejected.Open(d.options(t.TempDir()), rejected.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()

		storm := func() {
			for range 1000 {
				s.Add("zeromq", rejection("storm", "x"))
			}
			synctest.Wait()
		}
		s.Add("zeromq", rejection("storm", "first"))
		s.Add("http", rejection("calm", "y"))
		synctest.Wait()
		storm()
		storm()
		if st := s.Stats(); st.Rejected != 2002 || st.Held != rejected.Burst+1 || st.Limited != 2001-rejected.Burst {
			t.Errorf("counted %+v", st)
		}
		time.Sleep(rejected.Window) // of the bubble
		synctest.Wait()
		storm() // in the second window
		time.Sleep(rejected.Window)
		synctest.Wait()
		time.Sleep(rejected.Window) // nothing in this one
		synctest.Wait()
		s.Add("zeromq", rejection("storm", "again"))
		synctest.Wait()
		cancel()
		<-done

		const malformed, detail = wire.ReasonMalformed, "invalid character at byte 3"
		want := []rejected.Report{
			{Source: "storm", Reason: malformed, Detail: detail, Count: 1, ID: 1},
			{Source: "calm", Reason: malformed, Detail: detail, Count: 1, ID: 2},
			{Source: "storm", Reason: malformed, Detail: detail, Count: 2000, ID: rejected.Burst + 1},
			{Source: "storm", Reason: malformed, Detail: detail, Count: 1000, ID: 2*rejected.Burst + 1},
			{Source: "storm", Reason: malformed, Detail: detail, Count: 1, ID: 2*rejected.Burst + 2},
		}
		if diff := cmp.Diff(want, d.reports); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRejectionsAreReportedWhenNothingIsKept(t *testing.T) {
	var d told
	s, run := open(t, d.options(t.TempDir()), rejected.Limits{Disabled: true})
	for range 3 {
		s.Add("zeromq", rejection("a", "x"))
	}
	run()
	want := []rejected.Report{{Source: "a", Reason: "malformed", Detail: "invalid character at byte 3", Count: 3}}
	if diff := cmp.Diff(want, d.reports); diff != "" || len(s.List(rejected.Query{})) != 0 {
		t.Error(diff)
	}
}

// Nobody runs the store here, as if its disk hung.
func TestAddingNeverBlocks(t *testing.T) {
	s, run := open(t, rejected.Options{Dir: t.TempDir()}, rejected.Limits{})
	large := strings.Repeat("x", 100<<10)
	const n = 5000
	for i := range n {
		s.Add("zeromq", rejection(fmt.Sprint(i), large))
	}
	st := s.Stats()
	if kept := uint64(8 << 20 / len(large)); st.Rejected != n || n-st.Dropped-st.Limited != kept {
		t.Errorf("counted %+v, want %d in the queue", st, kept)
	}
	run()
	if st := s.Stats(); st.Rejected != uint64(st.Held)+st.Limited+st.Dropped+st.Failed {
		t.Errorf("the counters do not add up: %+v", st)
	}
}

func TestWhatCannotBeWrittenIsToldOnce(t *testing.T) {
	var d told
	dir := filepath.Join(t.TempDir(), "rejected")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the directory would be
		t.Fatal(err)
	}
	s, _ := rejected.Open(d.options(dir), rejected.Limits{})
	run := func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Run(ctx)
	}
	for range 3 {
		s.Add("zeromq", rejection("a", "x"))
		run()
	}
	if len(d.errs) != 1 || !strings.HasPrefix(d.errs[0].Error(), "rejected messages are counted and not kept: mkdir ") {
		t.Fatalf("told %v", d.errs)
	}
	if st := s.Stats(); st.Rejected != 3 || st.Failed != 3 || st.Held != 0 || st.Err == nil {
		t.Errorf("counted %+v", st)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	s.Add("zeromq", rejection("a", "y"))
	run()
	if len(d.errs) != 2 || d.errs[1] != nil || !cmp.Equal(bodies(t, s), []string{"y"}) {
		t.Errorf("after that: told %v, kept %q", d.errs, bodies(t, s))
	}
}

func TestAFileThatIsNotWholeIsNotListedAndGoes(t *testing.T) {
	dir := t.TempDir()
	s, run := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	s.Add("zeromq", rejection("a", "good"))
	s.Add("zeromq", rejection("a", strings.Repeat("cut short", 100)))
	run()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[1], 700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"0000000000000007.rejected": "garbage", "notes.txt": "the user's own"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := rejected.List(dir, rejected.Query{}); err != nil || len(list) != 1 || list[0].ID != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	if _, err := rejected.Read(dir, 2); err == nil || !strings.Contains(err.Error(), "is not whole") {
		t.Errorf("read: %v", err)
	}
	s, _ = open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	if got := bodies(t, s); !cmp.Equal(got, []string{"good"}) {
		t.Errorf("kept %q", got)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 2 {
		t.Errorf("left: %q", left)
	}
}

func TestEntriesAreSelectedAndRemoved(t *testing.T) {
	dir := t.TempDir()
	s, run := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	for i := range 3 {
		s.Add("zeromq", rejection("a", fmt.Sprint(i)))
	}
	r := rejection("b", "other")
	r.Reason = wire.ReasonUnknown
	s.Add("zeromq", r)
	run()
	for _, c := range []struct {
		q    rejected.Query
		want int
	}{
		{rejected.Query{}, 4},
		{rejected.Query{Source: "a"}, 3},
		{rejected.Query{Source: "a", Limit: 2}, 2},
		{rejected.Query{Reason: wire.ReasonUnknown}, 1},
		{rejected.Query{Source: "a", Reason: wire.ReasonUnknown}, 0},
	} {
		if got := s.List(c.q); len(got) != c.want {
			t.Errorf("%+v: %d entries, want %d", c.q, len(got), c.want)
		}
	}
	if err := s.Remove(2); err != nil {
		t.Error(err)
	}
	for _, err := range []error{s.Remove(2), func() error { _, err := s.Get(2); return err }()} {
		if !errors.Is(err, rejected.ErrNotFound) {
			t.Errorf("removed already: %v", err)
		}
	}
	if n, err := s.Clear(rejected.Query{Source: "a"}); n != 2 || err != nil {
		t.Errorf("cleared %d, %v", n, err)
	}
	if got := s.Stats().Sources; len(got) != 1 || got["b"] != 1 {
		t.Errorf("left by source: %v", got)
	}
	if n, err := rejected.Clear(dir, 0, rejected.Query{}); n != 1 || err != nil {
		t.Errorf("cleared %d from outside, %v", n, err)
	}
	if _, err := rejected.Clear(dir, 99, rejected.Query{}); !errors.Is(err, rejected.ErrNotFound) {
		t.Errorf("cleared what is not there: %v", err)
	}
	if list, err := rejected.List(filepath.Join(dir, "nowhere"), rejected.Query{}); err != nil || len(list) != 0 {
		t.Errorf("where nothing is: %v, %v", list, err)
	}
}

func TestTwoInstancesShareADirectory(t *testing.T) {
	dir := t.TempDir()
	one, runOne := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	two, runTwo := open(t, rejected.Options{Dir: dir}, rejected.Limits{})
	one.Add("zeromq", rejection("a", "of one"))
	runOne()
	two.Add("zeromq", rejection("a", "of two"))
	runTwo()
	if a, b := bodies(t, one), bodies(t, two); !cmp.Equal(a, []string{"of one"}) || !cmp.Equal(b, []string{"of two"}) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestEverybodyAtOnce(t *testing.T) {
	s, _ := open(t, rejected.Options{Dir: t.TempDir()}, rejected.Limits{MaxCount: 10})
	ctx, cancel := context.WithCancel(t.Context())
	var run, work sync.WaitGroup
	run.Go(func() { s.Run(ctx) })
	for w := range 4 {
		work.Go(func() {
			for i := range 200 {
				s.Add("zeromq", rejection(fmt.Sprint(w, i%20), "x"))
				for _, e := range s.List(rejected.Query{Limit: 1}) {
					_, _ = s.Get(e.ID)
					_ = s.Remove(e.ID)
				}
				_ = s.Stats()
			}
		})
	}
	work.Wait()
	cancel()
	run.Wait()
	if st := s.Stats(); st.Rejected != 800 || st.Held > 10 || st.Err != nil {
		t.Errorf("counted %+v", st)
	}
}

func TestDetailsOfPeersAreBounded(t *testing.T) {
	s, run := open(t, rejected.Options{Dir: t.TempDir()}, rejected.Limits{})
	r := rejection("a", "x")
	r.Format, r.Source.Peer = strings.Repeat("\x01", 1<<20), strings.Repeat("é", 1<<20)
	r.Err = &wire.RejectError{Reason: "malformed", Detail: strings.Repeat("\x00", 1<<20)}
	s.Add("amqp", r)
	run()
	e, err := s.Get(1)
	if err != nil || len(e.Format) > 300 || len(e.Peer) > 300 || len(e.Detail) > 1100 {
		t.Errorf("%v: %d, %d, %d", err, len(e.Format), len(e.Peer), len(e.Detail))
	}
	if again, _ := open(t, rejected.Options{Dir: filepath.Dir(filepath.Join(t.TempDir(), "x"))}, rejected.Limits{}); again.Stats().Held != 0 {
		t.Error("an empty directory has entries")
	}
}

// The cost of a rejected message for the goroutine that dispatches, beside decoding it.
func BenchmarkAdd(b *testing.B) {
	for name, limits := range map[string]rejected.Limits{"storm": {}, "disabled": {Disabled: true}} {
		b.Run(name, func(b *testing.B) {
			s, _ := open(b, rejected.Options{Dir: b.TempDir()}, limits)
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan struct{})
			go func() { defer close(done); s.Run(ctx) }()
			r := rejection("storm", string(bytes.Repeat([]byte("x"), 500)))
			b.ReportAllocs()
			for b.Loop() {
				s.Add("zeromq", r)
			}
			cancel()
			<-done
		})
	}
	b.Run("kept", func(b *testing.B) { // what the first of a burst cost
		s, _ := open(b, rejected.Options{Dir: b.TempDir()}, rejected.Limits{})
		r := rejection("", string(bytes.Repeat([]byte("x"), 500)))
		b.ReportAllocs()
		for i := range b.N {
			r.Source.Name = fmt.Sprint(i % 1000)
			s.Add("zeromq", r)
		}
	})
}

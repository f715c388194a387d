package notifiers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a notifier that remembers what it showed.
type screen struct {
	mu     sync.Mutex
	shown  []notifiers.Notification
	err    error
	closed int
}

func (s *screen) Notify(_ context.Context, n notifiers.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, n)
	return s.err
}

func (s *screen) Close() error {
	s.closed++
	return nil
}

// all returns what was shown, one line each: "1 title | text".
func (s *screen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, n := range s.shown {
		out = append(out, fmt.Sprintf("%d %s | %s", n.ID, n.Title, strings.ReplaceAll(n.Text(0), "\n", "/")))
	}
	return out
}

func record(message string) *core.Record {
	r := &core.Record{Channel: "shop", Level: core.LevelError, Site: core.Site{File: "cart.py", Line: 12}}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "test"}, time.Now())
}

func at(line int, message string) *core.Record {
	r := record(message)
	r.Site.Line = line
	return r
}

// withHandler runs f in a bubble with a fake clock.
func withHandler(t *testing.T, o notifiers.Options, f func(t *testing.T, h *notifiers.Handler, s *screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := new(screen)
		h := notifiers.NewHandler(s, o)
		defer func() {
			if err := h.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		f(t, h, s)
	})
}

func handle(t *testing.T, h core.Handler, rs ...*core.Record) {
	t.Helper()
	for _, r := range rs {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func expect(t *testing.T, s *screen, want ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(want, s.all()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestTheTitleAndTextAreThoseOfLogbook(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		handle(t, h, record("payment declined"))
		expect(t, s, "1 shop: Error | payment declined")
		n := s.shown[0]
		if n.Level != core.LevelError || n.Count != 1 || n.Record == nil || len(n.Actions) != 3 {
			t.Errorf("notification: %+v", n)
		}
	})
}

func TestARepeatedErrorUpdatesTheSameNotification(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		for i := range 12 {
			handle(t, h, record(fmt.Sprint("declined for order ", i)))
			time.Sleep(time.Second)
		}
		expect(t, s, "1 shop: Error | declined for order 0")
		time.Sleep(time.Minute)
		handle(t, h, record("declined for order 12"))
		handle(t, h, record("declined for order 13"))
		time.Sleep(time.Minute)
		expect(t, s,
			"1 shop: Error | declined for order 0",
			"1 shop: Error | declined for order 11 (12 times in 60 s)",
			"1 shop: Error | declined for order 12 (13 times)",
			"1 shop: Error | declined for order 13 (2 times in 60 s, 14 in all)")
	})
}

func TestTenThousandEqualErrorsInASecondAreTwoCalls(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		var g sync.WaitGroup
		for range 10 {
			g.Go(func() {
				for range 1000 {
					handle(t, h, record("declined"))
					time.Sleep(time.Millisecond)
				}
			})
		}
		g.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(s.shown); n != 2 {
			t.Fatalf("%d calls of Notify, want 2: %q", n, s.all())
		}
		if got, want := s.all()[1], "1 shop: Error | declined (10000 times in 60 s)"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if a, _ := h.Alerts().Get(1); a.Count != 10_000 {
			t.Errorf("the alert counts %d", a.Count)
		}
		want := notifiers.Stats{Records: 10_000, Shown: 1, RolledUp: 9999, Delivered: 2}
		if diff := cmp.Diff(want, h.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestAnEscalationIsOneNotificationWithItsContext(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		debug := at(1, "cart opened")
		debug.Level = core.LevelDebug
		first, second := record("declined 1"), record("declined 2")
		for _, batch := range [][]*core.Record{{debug, first}, {second}} {
			if err := h.HandleBatch(t.Context(), batch, core.BatchEscalation); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		expect(t, s, "1 shop: Error | declined 1", "1 shop: Error | declined 2 (2 times in 60 s)")
		a, _ := h.Alerts().Get(1)
		if len(a.Context) != 2 || a.Context[0] != debug || a.Trigger != first || a.Newest != second {
			t.Errorf("alert: %+v", a)
		}
		if len(s.shown[0].Context) != 2 || s.shown[0].Record != first {
			t.Errorf("the notification has not the context: %+v", s.shown[0])
		}
	})
}

func TestOfAGroupTheFirstIsShownAndOfABufferAllAre(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		if err := h.HandleBatch(t.Context(), []*core.Record{at(1, "one"), at(2, "two")}, core.BatchGroup); err != nil {
			t.Fatal(err)
		}
		if err := h.HandleBatch(t.Context(), []*core.Record{at(3, "three"), at(4, "four")}, core.BatchBuffer); err != nil {
			t.Fatal(err)
		}
		if err := h.HandleBatch(t.Context(), nil, core.BatchEscalation); err != nil {
			t.Fatal(err)
		}
		expect(t, s, "1 shop: Error | one/(and 1 more at the same time)", "2 shop: Error | three", "3 shop: Error | four")
	})
}

func TestManyDifferentErrorsBecomeADigest(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		for i := range 30 {
			handle(t, h, at(i, fmt.Sprint("error ", i)))
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if n := len(s.shown); n != 7 {
			t.Fatalf("%d calls of Notify, want 5 and 2 for the digest: %q", n, s.all())
		}
		first, update := s.shown[5], s.shown[6]
		if !first.Digest || first.ID != update.ID || update.Count != 25 || len(update.Actions) != 0 {
			t.Errorf("digest: %+v, %+v", first, update)
		}
		if _, ok := h.Alerts().Get(update.ID); ok {
			t.Error("the digest has the ID of an alert")
		}
		want := "25 more records|shop: Error\nerror 29\n(25 different ones in 1 s; this is the latest)"
		if got := update.Title + "|" + update.Text(0); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if h.Alerts().Len() != 30 {
			t.Errorf("%d alerts, want each of the 30", h.Alerts().Len())
		}
	})
}

func TestAnAlertThatWasSeenIsNotShownAgainForItsRepeats(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		handle(t, h, record("declined"), record("declined"))
		h.Alerts().Seen(1)
		time.Sleep(time.Minute)
		expect(t, s, "1 shop: Error | declined")
		if st := h.Stats(); st.Quiet != 1 || st.RolledUp != 1 {
			t.Errorf("stats: %+v", st)
		}
		handle(t, h, record("declined"))
		time.Sleep(2 * time.Minute)
		expect(t, s, "1 shop: Error | declined", "2 shop: Error | declined")
	})
}

type muteAll struct{ held []string }

func (m *muteAll) Hold(r *core.Record, _ string) bool {
	m.held = append(m.held, r.Message())
	return true
}

func TestAMutedRecordMakesAnAlertAndNoNotification(t *testing.T) {
	m := new(muteAll)
	withHandler(t, notifiers.Options{Mutes: m}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		handle(t, h, record("declined"), record("declined"))
		time.Sleep(time.Hour)
		expect(t, s)
		a, _ := h.Alerts().Get(1)
		if a.State != alert.Muted || a.Count != 2 || len(m.held) != 2 {
			t.Errorf("alert %v counted %d, held %d", a.State, a.Count, len(m.held))
		}
		if st := h.Stats(); st != (notifiers.Stats{Records: 2, Muted: 2}) {
			t.Errorf("stats: %+v", st)
		}
	})
}

func TestWhatAMuteHeldBackIsSummedUpInOneNotification(t *testing.T) {
	mutes := mute.NewStack(nil)
	withHandler(t, notifiers.Options{Mutes: mutes}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		m := mutes.Push(mute.Mute{Label: "shop", Match: mute.Match{Channel: "shop"}})
		warning := at(2, "slow")
		warning.Level = core.LevelWarning
		handle(t, h, record("declined"), record("declined"), warning)
		m, _ = mutes.Pop(m.ID)
		n, ok := notifiers.Summary(m)
		want := "No longer muted: shop|3 records, 2 of them errors, while muted, the latest:\nshop: Warning\nslow"
		if got := n.Title + "|" + n.Text(0); !ok || got != want || n.Level != core.LevelWarning || n.Count != 3 {
			t.Errorf("got  %q %+v\nwant %q", got, n, want)
		}
		if _, ok := notifiers.Summary(mute.Mute{Label: "nothing held"}); ok {
			t.Error("nothing was summed up")
		}
		handle(t, h, record("declined"))
		expect(t, s, "1 shop: Error | declined (3 times)")
	})
}

func TestAFailedNotificationIsReturnedCountedAndTriedOnceMore(t *testing.T) {
	var late []error
	withHandler(t, notifiers.Options{OnError: func(err error) { late = append(late, err) }}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		broken := errors.New("no daemon")
		s.err = broken
		if err := h.Handle(t.Context(), record("declined")); !errors.Is(err, broken) || err.Error() != "notify: no daemon" {
			t.Errorf("error: %v", err)
		}
		if h.Alerts().Unseen() != 1 {
			t.Error("the alert is lost")
		}
		time.Sleep(time.Minute)
		expect(t, s, "1 shop: Error | declined", "1 shop: Error | declined")
		if len(late) != 1 || h.Stats().Failed != 2 {
			t.Errorf("late errors %v, failed %d", late, h.Stats().Failed)
		}
		s.err = nil
	})
}

func TestANotifierThatHangsIsGivenUpAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		h := notifiers.NewHandler(notifiers.Func(func(ctx context.Context, _ notifiers.Notification) error {
			<-ctx.Done()
			return ctx.Err()
		}), notifiers.Options{Timeout: 3 * time.Second})
		if err := h.Handle(t.Context(), record("x")); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if err := h.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close, which tries once more: %v", err)
		}
	})
}

func TestCloseShowsTheLastCountAndClosesTheNotifier(t *testing.T) {
	s := new(screen)
	h := notifiers.NewHandler(s, notifiers.Options{CloseNotifier: true})
	for range 3 {
		handle(t, h, record("declined"))
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"1 shop: Error | declined", "1 shop: Error | declined (3 times in 60 s)"}, s.all()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if s.closed != 1 {
		t.Errorf("the notifier was closed %d times", s.closed)
	}
	if err := h.Handle(context.Background(), record("x")); !errors.Is(err, notifiers.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestFormatsMakeTheTexts(t *testing.T) {
	title := format.Func(func(dst []byte, r *core.Record) ([]byte, error) { return append(dst, "on "+r.Channel...), nil })
	broken := format.Func(func(dst []byte, _ *core.Record) ([]byte, error) { return dst, errors.New("no such field") })
	withHandler(t, notifiers.Options{Title: title, Text: broken, Fingerprint: limit.Message}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		handle(t, h, record("declined"))
		expect(t, s, "1 on shop | declined")
	})
}

func TestCloseGivesUpOnAServiceThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := notifiers.Func(func(ctx context.Context, _ notifiers.Notification) error {
			<-ctx.Done()
			return ctx.Err()
		})
		h := notifiers.NewHandler(down, notifiers.Options{Timeout: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 3 { // the first one fails, so that its repeats are shown at the end of the window
			_ = h.Handle(ctx, record("declined"))
		}
		time.Sleep(2 * time.Minute) // now the handler's goroutine is delivering
		_ = h.Handle(ctx, at(2, "another"))
		start := time.Now()
		err := h.Close()
		if took := time.Since(start); err == nil || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if s := h.Stats(); s.Records != 4 || s.Delivered != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestWhatIsShownInPartCountsAsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{err: fmt.Errorf("ntfy: %w: the file: too large", notifiers.ErrPartly)}
		h := notifiers.NewHandler(s, notifiers.Options{})
		if err := h.Handle(t.Context(), record("declined")); !errors.Is(err, notifiers.ErrPartly) {
			t.Errorf("error: %v", err)
		}
		time.Sleep(2 * time.Minute) // it is not tried again
		expect(t, s, "1 shop: Error | declined")
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if got := h.Stats(); got.Delivered != 1 || got.Failed != 0 {
			t.Errorf("stats: %+v", got)
		}
	})
}

func TestTextsAreHarmless(t *testing.T) {
	withHandler(t, notifiers.Options{}, func(t *testing.T, h *notifiers.Handler, s *screen) {
		r := record("a\x1b[31mred\u202e dlrow\nsecond\r\nthird")
		r.Channel = "shop\n\x07evil"
		handle(t, h, r)
		expect(t, s, "1 shop… | a[31mred dlrow/second/third")
	})
}

func TestARecordWithoutMessageShowsItsException(t *testing.T) {
	r := &core.Record{Exception: &core.Exception{Name: "shop.errors.Declined", Message: "no money"}}
	if got, want := notifiers.Text(r), "Declined: no money"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	if got, want := notifiers.Title(r), "Notset"; got != want {
		t.Errorf("Title = %q, want %q", got, want)
	}
}

func TestTwoHandlersShareTheirAlerts(t *testing.T) {
	alerts := alert.NewList(alert.Options{})
	withHandler(t, notifiers.Options{Alerts: alerts}, func(t *testing.T, desktop *notifiers.Handler, s *screen) {
		phone := notifiers.NewHandler(s, notifiers.Options{Alerts: alerts})
		defer func() { _ = phone.Close() }()
		for range 3 {
			r := record("declined")
			handle(t, desktop, r)
			handle(t, phone, r)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if a, _ := alerts.Get(1); alerts.Len() != 1 || a.Count != 3 {
			t.Errorf("%d alerts, the first counts %d", alerts.Len(), a.Count)
		}
		if n := len(s.shown); n != 4 {
			t.Errorf("%d calls, want two each: %q", n, s.all())
		}
	})
}

func TestTextCutsTheBodyAndKeepsTheNote(t *testing.T) {
	n := notifiers.Notification{Body: strings.Repeat("ä", 100), Note: "12 times in 60 s"}
	if got, want := n.Text(40), strings.Repeat("ä", 20)+"… (12 times in 60 s)"; got != want {
		t.Errorf("Text(40) = %q, want %q", got, want)
	}
}

func BenchmarkHandleARepeat(b *testing.B) {
	h := notifiers.NewHandler(new(screen), notifiers.Options{})
	defer func() { _ = h.Close() }()
	r := record("payment declined")
	b.ReportAllocs()
	for b.Loop() {
		r.Seq++
		_ = h.Handle(b.Context(), r)
	}
}

func TestEachAttemptIsToldWithItsAlert(t *testing.T) {
	var told []string
	o := notifiers.Options{OnDelivery: func(id uint64, err error) { told = append(told, fmt.Sprint(id, " ", err)) }}
	withHandler(t, o, func(t *testing.T, h *notifiers.Handler, s *screen) {
		s.err = errors.New("no screen")
		_ = h.Handle(t.Context(), at(1, "declined"))
		s.err = nil
		handle(t, h, at(2, "gone"))
		if diff := cmp.Diff([]string{"1 no screen", "2 <nil>"}, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

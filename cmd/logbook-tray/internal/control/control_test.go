package control_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an instance that remembers what it was asked.
type fake struct {
	opened  uint64
	mutes   []control.Mute
	records []*core.Record
}

func (f *fake) Status() control.Status  { return control.Status{Mode: "headless", PID: 42} }
func (f *fake) Alerts() []control.Alert { return []control.Alert{{ID: 3, Message: "declined"}} }
func (f *fake) Alert(id uint64) (control.Alert, bool) {
	return control.Alert{ID: id, Context: control.JSONRecords(f.records)}, id == 3
}
func (f *fake) OpenAlert(id uint64) error { f.opened = id; return nil }
func (f *fake) DismissAlert(uint64) error { return errors.New("there is no alert 9") }
func (f *fake) Show() error               { return nil }
func (f *fake) Mute(m control.Mute) error { f.mutes = append(f.mutes, m); return nil }
func (f *fake) Mutes() []control.Mute     { return f.mutes }
func (f *fake) Unmute(uint64) error       { f.mutes = nil; return nil }
func (f *fake) Reload(context.Context) error {
	return errors.New("config.yaml:4:5: error: unknown key \"lvel\"")
}

func (f *fake) Rejected(q rejected.Query) []rejected.Entry {
	if q != (rejected.Query{Source: "a b", Reason: "malformed", Limit: 2}) {
		return nil
	}
	return []rejected.Entry{{ID: 7, Source: q.Source, Start: []byte("\x1b[2J"), Size: 4, Kept: 4}}
}

func (f *fake) RejectedMessage(id uint64) (rejected.Entry, error) {
	if id != 7 {
		return rejected.Entry{}, control.NoRejected(id)
	}
	return rejected.Entry{ID: id, Body: []byte("a text that clears \x1b[2J the screen")}, nil
}

func (f *fake) RetryRejected(_ context.Context, id uint64, _ rejected.Query) (r control.Retried) {
	if id == 7 {
		r.Add(id, f.records[0], nil)
	} else {
		r.Add(id, nil, control.NoRejected(id))
	}
	return r
}

func (f *fake) ClearRejected(id uint64, q rejected.Query) (int, error) {
	if id != 0 {
		return 0, control.NoRejected(id)
	}
	return q.Limit, nil
}

func (f *fake) Explain(r *core.Record) []pipeline.Step {
	return []pipeline.Step{{Handler: r.Source.Name, Verdict: pipeline.VerdictTook, Reason: r.Message()}}
}

func (f *fake) Tail(ctx context.Context, _ int, wanted func(*core.Record) bool, each func(*core.Record) error) error {
	for _, r := range f.records {
		if !wanted(r) {
			continue
		}
		if err := each(r); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// serve runs an instance at a socket of its own until the test ends.
func serve(t *testing.T, inst control.Instance) (path string, client *control.Client) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "control.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, inst) }()
	client = control.NewClient(path)
	t.Cleanup(func() {
		client.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return path, client
}

func record(message string) *core.Record {
	r := core.NewReceived(&core.Record{Channel: "shop", Level: core.LevelError, Msg: message}, core.Source{}, time.Unix(1, 0).UTC())
	r.Message()
	return r
}

func TestClientReachesTheInstance(t *testing.T) {
	inst := &fake{records: []*core.Record{record("before"), record("declined")}}
	_, c := serve(t, inst)
	ctx := t.Context()
	if s, err := c.Status(ctx); err != nil || s.PID != 42 {
		t.Errorf("Status = %+v, %v", s, err)
	}
	if list, err := c.Alerts(ctx); err != nil || len(list) != 1 || list[0].Message != "declined" {
		t.Errorf("Alerts = %+v, %v", list, err)
	}
	large := record(strings.Repeat("x", 100<<10)) // more than other requests may have
	if steps, err := c.Explain(ctx, large, "web & more"); err != nil || len(steps) != 1 || steps[0].Handler != "web & more" || steps[0].Reason != large.Message() {
		t.Errorf("Explain = %v, %.200v", err, steps)
	}
	a, err := c.Alert(ctx, 3)
	if err != nil || len(a.Context) != 2 || a.Context[1].Message() != "declined" {
		t.Errorf("Alert = %+v, %v", a, err)
	}
	if err := c.OpenAlert(ctx, 3); err != nil || inst.opened != 3 {
		t.Errorf("OpenAlert: %v, opened %d", err, inst.opened)
	}
	until := time.Now().Add(time.Hour).UTC().Round(0)
	if err := c.Mute(ctx, control.Mute{Channel: "shop", Until: until}); err != nil {
		t.Errorf("Mute: %v", err)
	}
	if list, err := c.Mutes(ctx); err != nil || len(list) != 1 || list[0].Channel != "shop" || !list[0].Until.Equal(until) {
		t.Errorf("Mutes = %+v, %v", list, err)
	}
	if err := c.Unmute(ctx, 0); err != nil || len(inst.mutes) != 0 {
		t.Errorf("Unmute: %v, left %+v", err, inst.mutes)
	}
}

func TestRejectedMessagesAreListedReadAgainAndRemoved(t *testing.T) {
	_, c := serve(t, &fake{records: []*core.Record{record("a record after all")}})
	ctx := t.Context()
	const escaped = `\x1b[2J`
	list, err := c.Rejected(ctx, rejected.Query{Source: "a b", Reason: "malformed", Limit: 2})
	if err != nil || len(list) != 1 || list[0].ID != 7 || list[0].Text != escaped || list[0].Source != "a b" {
		t.Errorf("Rejected = %+v, %v", list, err)
	}
	if one, err := c.RejectedMessage(ctx, 7); err != nil || len(one.Body) == 0 || one.Text != "a text that clears "+escaped+" the screen" {
		t.Errorf("RejectedMessage = %+v, %v", one, err)
	}
	const none = "there is no rejected message 9; see: logbook-tray rejected"
	if _, err := c.RejectedMessage(ctx, 9); err == nil || err.Error() != none {
		t.Errorf("one that is not there: %v", err)
	}
	if got, err := c.RetryRejected(ctx, 7, rejected.Query{}); err != nil || len(got.Records) != 1 || got.Records[0].Message != "a record after all" {
		t.Errorf("RetryRejected = %+v, %v", got, err)
	}
	if got, err := c.RetryRejected(ctx, 9, rejected.Query{}); err != nil || len(got.Failed) != 1 || got.Failed[0].Error != none {
		t.Errorf("RetryRejected = %+v, %v", got, err)
	}
	if n, err := c.ClearRejected(ctx, 0, rejected.Query{Limit: 5}); err != nil || n != 5 {
		t.Errorf("ClearRejected = %d, %v", n, err)
	}
	if _, err := c.ClearRejected(ctx, 9, rejected.Query{}); err == nil || err.Error() != none {
		t.Errorf("ClearRejected: %v", err)
	}
}

func TestErrorsOfTheInstanceReachTheUserAsTheyAre(t *testing.T) {
	_, c := serve(t, &fake{})
	ctx := t.Context()
	for _, e := range []struct {
		name string
		err  error
		want string
	}{
		{"reload", c.Reload(ctx), "config.yaml:4:5: error: unknown key \"lvel\""},
		{"dismiss", c.DismissAlert(ctx, 9), "there is no alert 9"},
		{"mute", c.Mute(ctx, control.Mute{Until: time.Unix(1, 0)}), "the end of the mute is not in the future"},
	} {
		if e.err == nil || e.err.Error() != e.want {
			t.Errorf("%s: got %v, want %q", e.name, e.err, e.want)
		}
	}
	if _, err := c.Alert(ctx, 4); err == nil || err.Error() != "there is no alert 4; see: logbook-tray alerts list" {
		t.Errorf("unknown alert: %v", err)
	}
}

func TestTailStreamsUntilTheReaderHasEnough(t *testing.T) {
	_, c := serve(t, &fake{records: []*core.Record{record("one"), record("two"), record("three")}})
	enough := errors.New("enough")
	var got []string
	connected := 0
	err := c.Tail(t.Context(), control.TailOptions{}, func() { connected++ }, func(r *core.Record) error {
		if got = append(got, r.Message()); len(got) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(got) != 2 || got[1] != "two" || connected != 1 {
		t.Errorf("got %q, %v, connected %d times", got, err, connected)
	}
}

func TestTailPicksRecordsByLevelAndFilter(t *testing.T) {
	quiet, loud, other := record("quiet"), record("loud"), record("other")
	quiet.Level, loud.Level, other.Level = core.LevelDebug, core.LevelError, core.LevelError
	_, c := serve(t, &fake{records: []*core.Record{quiet, other, loud}})
	enough := errors.New("enough")
	var got string
	err := c.Tail(t.Context(), control.TailOptions{Level: core.LevelInfo, Filter: `message != "other"`}, nil, func(r *core.Record) error {
		got = r.Message()
		return enough
	})
	if !errors.Is(err, enough) || got != "loud" {
		t.Errorf("got %q, %v", got, err)
	}
	err = c.Tail(t.Context(), control.TailOptions{Filter: "mesage == 1"}, nil, func(*core.Record) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "the filter: ") {
		t.Errorf("a wrong filter: %v", err)
	}
}

func TestASecondInstanceIsRefused(t *testing.T) {
	path, _ := serve(t, &fake{})
	if _, err := control.Listen(path); !errors.Is(err, control.ErrRunning) {
		t.Errorf("got %v, want ErrRunning", err)
	}
}

func TestASocketLeftBehindIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = dead.Close()
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyTheOwnerCanOpenTheSocket(t *testing.T) {
	path, _ := serve(t, &fake{})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the socket has mode %o, want 600", mode)
	}
}

func TestADirectoryThatOthersCanWriteToIsRefused(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "logbook-tray")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the point of the test
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", base)
	_, err := control.Dir()
	want := dir + ": is not a directory that only you can write to; set XDG_RUNTIME_DIR to a directory of your own"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestNoInstanceIsSaidSo(t *testing.T) {
	c := control.NewClient(filepath.Join(t.TempDir(), "none.sock"))
	defer c.Close()
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}

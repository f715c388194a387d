package sqlitestore_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
)

// childEnv makes the test program the one that is killed.
const childEnv = "LOGBOOK_TRAY_TEST_STORE"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
	}
	goleak.VerifyTestMain(m)
}

func record(channel, message string) *core.Record {
	r := &core.Record{
		Channel: channel, Level: core.LevelError, Extra: core.Fields{{Key: "order", Value: int64(4711)}},
		Site:      core.Site{File: "/srv/shop/cart.py", Line: 12, Function: "add"},
		Exception: &core.Exception{Name: "ValueError", Message: "größer", Traceback: "Traceback (most recent call last):\nValueError: größer"},
		Time:      time.Now().UTC().Truncate(time.Microsecond),
	}
	r.SetMessage(message)
	core.NewReceived(r, core.Source{Name: "web", Peer: "10.0.0.1:5"}, time.Now())
	return r
}

func open(t *testing.T, path string, o sqlitestore.Options) *sqlitestore.Store {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func load(t *testing.T, s *sqlitestore.Store) *alert.List {
	t.Helper()
	list, err := s.Load(t.Context(), alert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func save(t *testing.T, s *sqlitestore.Store, list *alert.List) {
	t.Helper()
	if err := s.Sync(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

func occur(list *alert.List, fingerprint string, rs ...*core.Record) alert.Alert {
	a, _ := list.Occur(alert.Occurrence{
		Fingerprint: fingerprint, Record: rs[len(rs)-1], Context: rs, Renew: time.Hour, RenewSeen: time.Minute,
		Title: "shop: Error", Body: rs[len(rs)-1].Message(),
	})
	return a
}

// show describes what an alert must keep.
func show(a alert.Alert) string {
	s := fmt.Sprintf("%d %s %s %d %q %q first %v last %v", a.ID, a.Fingerprint, a.State, a.Count, a.Title, a.Body, a.First.UnixNano(), a.Last.UnixNano())
	for _, r := range append(a.Context, a.Trigger, a.Newest) {
		s += fmt.Sprintf("\n%s %s %s %v %v %v %s %v", r.Channel, r.Level, r.Message(), r.Time, r.Extra, r.Source, r.Exception.Traceback, r.Site)
	}
	return s
}

func TestAlertsAreThereAgainAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "alerts & more?.db")
	s := open(t, path, sqlitestore.Options{})
	list := load(t, s)
	first := occur(list, "a", record("shop", "cart opened"), record("shop", "declined"))
	occur(list, "b", record("db", "gone"))
	save(t, s, list)
	occur(list, "a", record("shop", "declined again"))
	list.Seen(2)
	list.NewID()
	save(t, s, list)

	again := open(t, path, sqlitestore.Options{})
	loaded := load(t, again)
	var want, got []string
	for _, a := range list.List() {
		want = append(want, show(a))
	}
	for _, a := range loaded.List() {
		got = append(got, show(a))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	if a, _ := loaded.Get(first.ID); len(a.Context) != 2 || a.Trigger != a.Context[1] || a.Newest.Message() != "declined again" {
		t.Errorf("alert: %+v", a)
	}
	if loaded.Unseen() != 1 {
		t.Errorf("unseen %d", loaded.Unseen())
	}
	if a := occur(loaded, "c", record("mail", "x")); a.ID != 4 {
		t.Errorf("the next ID is %d, want 4: 3 was given out", a.ID)
	}
	if a := occur(loaded, "a", record("shop", "declined")); a.ID != first.ID || a.Count != 3 {
		t.Errorf("a repeat after the restart: %+v", a)
	}
}

func TestWhatLeavesTheListLeavesTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	s := open(t, path, sqlitestore.Options{MaxAge: time.Hour})
	list := load(t, s)
	for i := range 3 {
		occur(list, fmt.Sprint(i), record("shop", "x"))
	}
	list.Add(alert.Alert{Trigger: record("shop", "old"), First: time.Now().Add(-2 * time.Hour)})
	save(t, s, list)
	if list.Len() != 3 {
		t.Errorf("%d alerts, want 3: one is too old", list.Len())
	}
	list.Dismiss(2)
	save(t, s, list)
	if got := load(t, open(t, path, sqlitestore.Options{})).Len(); got != 2 {
		t.Errorf("%d alerts in the database, want 2", got)
	}
}

func TestRunWritesChangesAndTheLastOnes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	s := open(t, path, sqlitestore.Options{Delay: time.Millisecond})
	list := load(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	var owner sync.WaitGroup
	owner.Go(func() { s.Run(ctx, list) })
	occur(list, "a", record("shop", "x"))
	reader := open(t, path, sqlitestore.Options{})
	for deadline := time.Now().Add(10 * time.Second); load(t, reader).Len() == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the alert was not written")
		}
	}
	occur(list, "b", record("shop", "x"))
	cancel()
	owner.Wait()
	if got := load(t, reader).Len(); got != 2 {
		t.Errorf("%d alerts at the end, want 2", got)
	}
}

// child stores alerts without an end and says how many it has stored.
func child(path string) {
	ctx := context.Background()
	s, err := sqlitestore.Open(ctx, path, sqlitestore.Options{})
	if err != nil {
		panic(err)
	}
	list, err := s.Load(ctx, alert.Options{})
	if err != nil {
		panic(err)
	}
	for i := 1; ; i++ {
		occur(list, fmt.Sprint(i), record("shop", strings.Repeat("x", 10_000)))
		if err := s.Sync(ctx, list); err != nil {
			panic(err)
		}
		fmt.Println(i)
	}
}

func TestAKilledProgramLosesNothingThatWasStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stored := 0
	for lines := bufio.NewScanner(out); stored < 20 && lines.Scan(); {
		_, _ = fmt.Sscan(lines.Text(), &stored)
	}
	_ = cmd.Process.Kill() // in the middle of the next one
	_ = cmd.Wait()
	if got := load(t, open(t, path, sqlitestore.Options{})).Len(); stored < 20 || got < stored {
		t.Errorf("%d alerts are left of %d", got, stored)
	}
}

func TestTheFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "alerts.db")
	s := open(t, path, sqlitestore.Options{})
	list := load(t, s)
	occur(list, "a", record("shop", "x"))
	save(t, s, list)
	for name, want := range map[string]os.FileMode{"": 0o700, "alerts.db": 0o600, "alerts.db-wal": 0o600} {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v, want %v", name, info, err, want)
		}
	}
}

func TestADatabaseOfALaterVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{}); !errors.Is(err, sqlitestore.ErrNewer) {
		t.Errorf("error: %v", err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{})
	if err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("error: %v", err)
	}
}

func TestAnAlertThatCannotBeReadCostsNoOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	s := open(t, path, sqlitestore.Options{})
	list := load(t, s)
	occur(list, "a", record("shop", "x"))
	occur(list, "b", record("shop", "x"))
	save(t, s, list)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("UPDATE alerts SET context = 'junk' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	loaded := load(t, open(t, path, sqlitestore.Options{}))
	if _, ok := loaded.Get(2); !ok || loaded.Len() != 1 {
		t.Errorf("%d alerts", loaded.Len())
	}
}

func TestWhatIsShownIsRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.db")
	s := open(t, path, sqlitestore.Options{})
	for _, want := range []map[uint64]uint32{{}, {1: 10, 2: 20}, {3: 30}} {
		if err := s.SaveShown(":1.5", want); err != nil {
			t.Fatal(err)
		}
		service, got, err := open(t, path, sqlitestore.Options{}).LoadShown()
		if diff := cmp.Diff(want, got); diff != "" || err != nil || len(want) > 0 && service != ":1.5" {
			t.Errorf("service %q, %v (-want +got):\n%s", service, err, diff)
		}
	}
}

func TestWhatBecameOfTheDeliveryOutlivesTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, sqlitestore.Options{})
	list := load(t, s)
	id := occur(list, "a", record("shop", "declined")).ID
	save(t, s, list)
	list.Failed(id, "phone", "the server answers 503")
	list.Escalate(id, "team")
	save(t, s, list)
	again := open(t, path, sqlitestore.Options{})
	loaded := load(t, again)
	a, _ := loaded.Get(id)
	if len(a.Failures) != 1 || a.Failures[0].By != "phone" || a.Failures[0].Reason != "the server answers 503" || a.Failures[0].At.IsZero() {
		t.Errorf("failures: %+v", a.Failures)
	}
	if loaded.Escalate(id, "team") || !loaded.Escalate(id, "boss") {
		t.Errorf("escalated: %v", a.Escalated)
	}
	loaded.Delivered(id, "phone")
	save(t, again, loaded)
	if a, _ := load(t, open(t, path, sqlitestore.Options{})).Get(id); len(a.Failures) != 0 || len(a.Escalated) != 2 {
		t.Errorf("in the end: %+v", a)
	}
}

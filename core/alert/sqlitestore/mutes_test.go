package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

func loadMutes(t *testing.T, s *sqlitestore.Store) []mute.Mute {
	t.Helper()
	mutes, err := s.LoadMutes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return mutes
}

// sameText compares records by what they say.
var sameText = cmp.Comparer(func(a, b *core.Record) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Message() == b.Message() && a.Channel == b.Channel && a.Source == b.Source
})

func TestMutesOutliveTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, sqlitestore.Options{})
	stack := mute.NewStack(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var owner sync.WaitGroup
	owner.Go(func() {
		stack.Keep(ctx, s, mute.KeepOptions{OnError: func(err error) { t.Error(err) }})
	})
	until := time.Now().Add(time.Hour)
	stack.Push(mute.Mute{Label: "größer", Match: mute.Match{Fingerprint: "a", Channel: "shop", Source: "web"}, Until: until, Critical: true})
	stack.Push(mute.Mute{Label: "a function", Match: mute.Match{Func: func(*core.Record) bool { return true }}})
	stack.Push(mute.Mute{Label: "an expression", Match: mute.Match{Filter: `level > "info"`}})
	stack.Push(mute.Mute{Label: "quiet hours", Owner: mute.OwnerQuietHours, Match: mute.Match{Channel: "db"}})
	stack.Hold(core.NewReceived(record("db", "gone"), core.Source{Name: "zmq", Peer: "::1"}, time.Now()), "")
	cancel()
	owner.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	list := stack.List()
	want := []mute.Mute{list[0], list[1], list[3]}
	got := loadMutes(t, open(t, path, sqlitestore.Options{}))
	if diff := cmp.Diff(want, got, sameText); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	if len(got) != 3 || got[1].Match.Filter != `level > "info"` || got[0].Held != 1 || got[0].Errors != 1 || !got[0].Until.IsZero() || got[0].Newest == nil {
		t.Errorf("loaded %+v", got)
	}
}

func TestMutesAreReplaced(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), sqlitestore.Options{})
	if got := loadMutes(t, s); len(got) != 0 {
		t.Errorf("a new database has mutes: %+v", got)
	}
	for _, mutes := range [][]mute.Mute{{{ID: 1, Label: "a"}, {ID: 2, Label: "b"}}, {{ID: 2, Label: "b"}}, nil} {
		if err := s.SaveMutes(t.Context(), mutes); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(mutes, loadMutes(t, s)); diff != "" {
			t.Errorf("loaded (-want +got):\n%s", diff)
		}
	}
}

func TestADatabaseCanBeReadWhileSomebodyWritesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if _, err := sqlitestore.OpenToRead(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of none: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("reading has made one")
	}
	read := func() int {
		t.Helper()
		reader, err := sqlitestore.OpenToRead(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := reader.SaveMutes(t.Context(), nil); err == nil {
			t.Error("what is opened to read can be written")
		}
		n := len(loadMutes(t, reader))
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
		return n
	}
	s, err := sqlitestore.Open(t.Context(), path, sqlitestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SaveMutes(t.Context(), []mute.Mute{{ID: 1, Label: "a"}, {ID: 2, Label: "b"}}); err != nil {
		t.Fatal(err)
	}
	if n := read(); n != 2 {
		t.Errorf("while it is open: %d mutes", n)
	}
	if err := s.SaveMutes(t.Context(), []mute.Mute{{ID: 1, Label: "a"}}); err != nil {
		t.Errorf("the reader is in the way: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := read(); n != 1 {
		t.Errorf("after it was closed: %d mutes", n)
	}
	change(t, path, "PRAGMA user_version = 1")
	if _, err := sqlitestore.OpenToRead(t.Context(), path); !errors.Is(err, sqlitestore.ErrOlder) {
		t.Errorf("of an earlier version: %v", err)
	}
}

func TestAMuteWhoseRecordCannotBeReadIsLoadedAllTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, sqlitestore.Options{})
	if err := s.SaveMutes(t.Context(), []mute.Mute{{ID: 1, Label: "a", Held: 3, Newest: record("db", "gone")}}); err != nil {
		t.Fatal(err)
	}
	change(t, path, "UPDATE mutes SET newest = 'x'")
	got := loadMutes(t, s)
	if len(got) != 1 || got[0].Held != 3 || got[0].Newest == nil || got[0].Newest.Message() != "(the record could not be read)" {
		t.Errorf("loaded %+v", got)
	}
}

func TestADatabaseOfTheVersionWithoutMutesIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, sqlitestore.Options{})
	list := load(t, s)
	occur(list, "a", record("shop", "x"))
	save(t, s, list)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, path, "DROP TABLE mutes; DROP TABLE inhibitions; ALTER TABLE alerts DROP COLUMN delivery; PRAGMA user_version = 1")
	s = open(t, path, sqlitestore.Options{})
	if err := s.SaveMutes(t.Context(), []mute.Mute{{ID: 1, Label: "a"}}); err != nil {
		t.Fatal(err)
	}
	if l := load(t, s); l.Len() != 1 || len(loadMutes(t, s)) != 1 {
		t.Errorf("%d alerts", l.Len())
	}
}

// change changes a database behind the back of the store.
func change(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

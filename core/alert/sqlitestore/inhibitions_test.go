package sqlitestore_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
)

func TestInhibitionsOutliveTheProgramAsLongAsTheyLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, sqlitestore.Options{})
	now := time.Now().Round(0)
	list := []sqlitestore.Inhibition{
		{Rule: "desktop\x00a", Same: "größer", Cause: record("db", "down"), Since: now, Until: now.Add(time.Hour), Held: 3},
		{Rule: "phone", Cause: record("db", "unreadable"), Since: now, Until: now.Add(time.Hour)},
		{Rule: "phone", Cause: record("db", "gone"), Since: now, Until: now.Add(time.Minute), Held: 1},
		{Rule: "phone", Cause: record("db", "over"), Since: now.Add(-time.Hour), Until: now.Add(-time.Minute)},
	}
	for range 2 { // the second replaces the first
		if err := s.SaveInhibitions(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	change(t, path, "UPDATE inhibitions SET cause = 'x' WHERE place = 1")
	got, err := s.LoadInhibitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]sqlitestore.Inhibition{list[0], list[2]}, got, sameText); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
}

package pipe_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
)

// A file that is opened the ordinary way cannot be renamed on Windows.
func TestOnWindowsAFileThatIsFollowedCanBeRotated(t *testing.T) {
	dir, err := os.MkdirTemp("", "logbook-tray") //nolint:usetesting // Wine cannot remove it the way testing does
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "app.log")
	t.Cleanup(func() {
		if err := errors.Join(os.Remove(path), os.Remove(path+".1"), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	add := func(text string) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	add("old\n")
	r, err := pipe.NewTail(path, false, pipe.Options{})
	s := subscribe(t, r, err)
	var got []string
	add("one\n")
	got = append(got, next(t, s).Message())
	add("two\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	add("three\n")
	got = append(got, next(t, s).Message(), next(t, s).Message())
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	add("4\n")
	got = append(got, next(t, s).Message())
	if diff := cmp.Diff([]string{"one", "two", "three", "4"}, got); diff != "" {
		t.Error(diff)
	}
}

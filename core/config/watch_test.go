package config

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// patience bounds how long a test waits for something that happens at once.
const patience = 10 * time.Second

// watched runs watch on a file and returns what it reports.
func watched(t *testing.T, path string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	changes, done := make(chan string, 10), make(chan struct{})
	known, _ := os.ReadFile(path) // nil if there is no file yet
	w, err := newWatcher(path, known)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(done)
		w.run(ctx, 20*time.Millisecond, 50*time.Millisecond, func(b []byte) { changes <- string(b) })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return changes
}

func expect(t *testing.T, changes <-chan string, want string) {
	t.Helper()
	select {
	case got := <-changes:
		if got != want {
			t.Fatalf("told about %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("not told about %q", want)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatchSeesEveryWayOfSaving(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	put(t, path, "0")
	changes := watched(t, path)

	put(t, path, "written in place")
	expect(t, changes, "written in place")

	put(t, path+".tmp", "renamed over it")
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	expect(t, changes, "renamed over it")

	// Moved away first, as some editors make their backups.
	if err := os.Rename(path, path+"~"); err != nil {
		t.Fatal(err)
	}
	put(t, path, "with a backup")
	expect(t, changes, "with a backup")
}

func TestAChangeBeforeTheWatchBeginsIsNotMissed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	put(t, path, "new")
	w, err := newWatcher(path, []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got string
	w.run(ctx, 20*time.Millisecond, 50*time.Millisecond, func(b []byte) {
		got = string(b)
		cancel()
	})
	if got != "new" {
		t.Errorf("told about %q, want \"new\"", got)
	}
}

func TestWatchSurvivesADeletedFileAndDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conf")
	path := filepath.Join(dir, "config.yaml")
	changes := watched(t, path) // the directory does not exist yet
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, path, "one")
	expect(t, changes, "one")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, path, "two")
	expect(t, changes, "two")
}

func TestWatchIsSilentAboutTheSameContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	put(t, path, "same")
	changes := watched(t, path)
	put(t, path, "same")
	if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put(t, path, "same")
	put(t, path+".other", "another file")
	put(t, path, "other")
	expect(t, changes, "other") // and nothing before it
}

func TestWatchFollowsASymbolicLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege on Windows")
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	path, target := filepath.Join(dir, "config.yaml"), filepath.Join(elsewhere, "real.yaml")
	put(t, target, "0")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	changes := watched(t, path)
	put(t, target, "through the link")
	expect(t, changes, "through the link")
}

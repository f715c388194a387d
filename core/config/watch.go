package config

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long a file must rest before it is read: editors write in
	// several steps.
	quiet = 300 * time.Millisecond
	// rearm is how often a directory that cannot be watched is tried again.
	rearm = 2 * time.Second
)

// Watch calls onChange with the content of the file at path whenever that has
// become another one and has rested for 300 ms, until ctx is done; then it
// returns nil. It returns an error if files cannot be watched at all.
//
// It watches the directory, since editors replace files instead of writing to
// them, and the directory that a symbolic link leads to. A file that is
// missing or unreadable for the moment changes nothing: onChange is called
// when it is back and differs from what was read last. known is the content
// that the caller has already: a change between its reading and the call of Watch is
// not missed.
//
// onChange is called on the goroutine of Watch, never twice at a time.
func Watch(ctx context.Context, path string, known []byte, onChange func(source []byte)) error {
	w, err := newWatcher(path, known)
	if err != nil {
		return err
	}
	w.run(ctx, quiet, rearm, onChange)
	return nil
}

func newWatcher(path string, known []byte) (*watcher, error) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %q: %w", path, err)
	}
	w := &watcher{path: path, events: events, armed: map[string]bool{}, last: known}
	w.arm()
	return w, nil
}

func (w *watcher) run(ctx context.Context, quiet, rearm time.Duration, onChange func([]byte)) {
	defer func() { _ = w.events.Close() }()
	settled := time.NewTimer(quiet) // it may have changed before it was watched
	retry := time.NewTicker(rearm)
	defer settled.Stop()
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.events.Events:
			if !ok {
				return
			}
			w.forget(e)
			settled.Reset(quiet)
		case _, ok := <-w.events.Errors: // events were lost: look for ourselves
			if !ok {
				return
			}
			settled.Reset(quiet)
		case <-retry.C:
			if w.arm() {
				settled.Reset(quiet)
			}
		case <-settled.C:
			w.arm()
			if source, ok := w.read(); ok && !bytes.Equal(source, w.last) {
				w.last = source
				onChange(source)
			}
		}
	}
}

type watcher struct {
	path   string
	events *fsnotify.Watcher
	armed  map[string]bool
	last   []byte
}

// arm watches the directories that are not watched yet, and reports whether
// there is a new one among them.
func (w *watcher) arm() (changed bool) {
	directories := []string{filepath.Dir(w.path)}
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		directories = append(directories, filepath.Dir(target))
	}
	for _, d := range directories {
		if !w.armed[d] && w.events.Add(d) == nil {
			w.armed[d], changed = true, true
		}
	}
	return changed
}

// forget notes that a watched directory itself is gone.
func (w *watcher) forget(e fsnotify.Event) {
	if w.armed[e.Name] && e.Has(fsnotify.Remove|fsnotify.Rename) {
		delete(w.armed, e.Name)
		_ = w.events.Remove(e.Name) // it may be gone already
	}
}

// read returns the content; false if there is none to be had at the moment.
func (w *watcher) read() ([]byte, bool) {
	info, err := os.Stat(w.path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, false
	}
	f, err := os.Open(w.path)
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	source, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	return source, err == nil
}

package pipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// pollEvery is how often a file is looked at. It is a compromise: file systems over the
// network tell nobody about changes.
const pollEvery = 200 * time.Millisecond

// NewTail receives the lines that are added to a file, as tail -F does: when the file is
// replaced or cut off, as log rotation does, what was added before is read first, and then
// the new file from its start. A file that does not exist is waited for. fromStart reads
// what is in the file already, too.
func NewTail(path string, fromStart bool, o Options) (*Receiver, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &tail{path: path, stop: make(chan struct{})}
	if err := t.open(fromStart); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("follow %s: %w", path, err)
	}
	return o.start(path, t.close, t.close, o.stream, t), nil
}

// tail is a reader without an end.
type tail struct {
	path string
	file *os.File // nil while there is none
	at   int64    // how much of file was read
	last []byte   // the end of it
	idle bool     // there was nothing more to read
	stop chan struct{}
	once sync.Once
}

func (t *tail) open(fromStart bool) error {
	f, err := openShared(t.path)
	if err != nil {
		return err
	}
	at := int64(0)
	if !fromStart {
		if at, err = f.Seek(0, io.SeekEnd); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	t.file, t.at, t.idle = f, at, false
	if fromStart {
		t.last = t.last[:0]
		return nil
	}
	t.last = make([]byte, min(at, lastMax))
	if _, err := f.ReadAt(t.last, at-int64(len(t.last))); err != nil {
		t.last = nil // it was cut off just now, which is noticed later
	}
	return nil
}

// lastMax is how much of what was read last is remembered, in bytes.
const lastMax = 256

// remember remembers the end of what was read.
func (t *tail) remember(p []byte) {
	t.at += int64(len(p))
	t.last = append(t.last, p[max(0, len(p)-lastMax):]...)
	t.last = t.last[max(0, len(t.last)-lastMax):]
}

// rewritten reports whether the file is not the one any more that was read: it was cut off,
// and has become as long again since then.
func (t *tail) rewritten() bool {
	now := make([]byte, len(t.last))
	n, err := t.file.ReadAt(now, t.at-int64(len(now)))
	return err == nil && !bytes.Equal(now[:n], t.last)
}

// restart reads the file from its start.
func (t *tail) restart() bool {
	t.at, t.last = 0, t.last[:0]
	_, err := t.file.Seek(0, io.SeekStart)
	return err == nil
}

func (t *tail) close() { t.once.Do(func() { close(t.stop) }) }

// Read waits for something to be added.
func (t *tail) Read(p []byte) (int, error) {
	for {
		if t.file != nil {
			if t.idle && t.rewritten() {
				t.restart()
			}
			n, err := t.file.Read(p)
			t.remember(p[:n])
			t.idle = n == 0
			if n > 0 {
				return n, nil
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, fmt.Errorf("follow %s: %w", t.path, err)
			}
		}
		if t.rotated() {
			continue
		}
		wait := time.NewTimer(pollEvery)
		select {
		case <-wait.C:
		case <-t.stop:
			wait.Stop()
			if t.file != nil {
				_ = t.file.Close() // it was read only
				t.file = nil
			}
			return 0, io.EOF
		}
	}
}

// rotated goes on with the new file if there is one, or from the start if the file was cut
// off. The old one has been read to its end.
func (t *tail) rotated() bool {
	now, err := os.Stat(t.path)
	if err != nil {
		return false // it is between two names, or gone for now
	}
	if t.file == nil {
		return t.open(true) == nil
	}
	old, err := t.file.Stat()
	switch {
	case err != nil:
		return false
	case !os.SameFile(old, now):
		if old.Size() > t.at {
			return true // something was added in the meantime
		}
		_ = t.file.Close() // it was read only
		t.file = nil
		return t.open(true) == nil
	case now.Size() < t.at:
		return t.restart()
	}
	return false
}

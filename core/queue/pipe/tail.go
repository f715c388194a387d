package pipe

import (
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
	t.file, t.at = f, at
	return nil
}

func (t *tail) close() { t.once.Do(func() { close(t.stop) }) }

// Read waits for something to be added.
func (t *tail) Read(p []byte) (int, error) {
	for {
		if t.file != nil {
			n, err := t.file.Read(p)
			t.at += int64(n)
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
		t.at = 0
		_, err := t.file.Seek(0, io.SeekStart)
		return err == nil
	}
	return false
}

package handler

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// File writes each record as a line, or as several, to a file. It is Logbook's
// FileHandler. Every record is with the operating system when Handle returns,
// so that a crash of the program loses none.
type File struct {
	lines   fileLines
	monitor bool

	mu   sync.Mutex
	file *logFile
}

var (
	_ core.Handler = (*File)(nil)
	_ io.Closer    = (*File)(nil)
)

// NewFile opens the file, unless it is to be delayed, and returns a handler
// that writes to it.
func NewFile(o FileOptions) (*File, error) {
	f, err := newLogFile(o)
	if err != nil {
		return nil, err
	}
	return &File{lines: fileLines{newLines(o.Formatter)}, file: f}, nil
}

// NewMonitoringFile is [NewFile] with a handler that notices when the file was renamed
// or removed, and opens it anew: for logrotate and its like. It is Logbook's
// MonitoringFileHandler and Python's WatchedFileHandler. Windows does not let a
// file be renamed while it is open.
func NewMonitoringFile(o FileOptions) (*File, error) {
	f, err := NewFile(o)
	if err != nil {
		return nil, err
	}
	f.monitor = true
	return f, nil
}

// Path returns the absolute path of the file.
func (f *File) Path() string { return f.file.o.Path }

// Handle writes r.
func (f *File) Handle(_ context.Context, r *core.Record) error {
	b, err := f.lines.line(r)
	defer f.lines.release(b)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.monitor {
		err = errors.Join(err, f.file.followRename())
	}
	return errors.Join(err, f.file.write(*b))
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.close()
}

// followRename releases the file if it is not the one at its path any more.
func (f *logFile) followRename() error {
	if f.file == nil {
		return nil
	}
	atPath, err := os.Stat(f.o.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError("look at log file", f.o.Path, err)
	}
	if err == nil {
		open, err := f.file.Stat()
		if err == nil && os.SameFile(atPath, open) {
			return nil
		}
	}
	return f.release()
}

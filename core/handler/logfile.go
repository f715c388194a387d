package handler

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// DefaultFilePerm is the mode of log files that do not exist yet: what a program
// logs is for its owner and group.
const DefaultFilePerm fs.FileMode = 0o640

// FileOptions says where a handler writes. Only Path must be set.
type FileOptions struct {
	// Path is the file. A relative path counts from the working directory of
	// the moment at which the handler is made.
	Path string
	// Formatter renders the records; nil is [format.Default].
	Formatter format.Formatter
	// Mode is "a" to append to what is there, the default, or "w" to empty the file
	// when it is opened.
	Mode string
	// Encoding is "utf-8" or empty, which is the same: log files are UTF-8, and
	// bytes in a record that are not are written as U+FFFD.
	Encoding string
	// Delay opens the file when the first record comes, instead of at once.
	Delay bool
	// NoMakeDirs makes it an error that the directory does not exist, instead
	// of creating it.
	NoMakeDirs bool
	// Perm is the mode of a file that is created; the default is [DefaultFilePerm].
	Perm fs.FileMode
}

// logFile is an open file, or one that is opened when it is first written to.
// Its handler's lock guards it.
type logFile struct {
	o      FileOptions // Path is absolute
	file   *os.File
	torn   bool // the last write ended in the middle of a line
	closed bool
}

func newLogFile(o FileOptions) (*logFile, error) {
	if o.Path == "" {
		return nil, errors.New("log file without a path")
	}
	if o.Mode == "" {
		o.Mode = "a"
	}
	if o.Mode != "a" && o.Mode != "w" {
		return nil, fmt.Errorf("log file %q: mode %q: want \"a\" to append or \"w\" to start empty", o.Path, o.Mode)
	}
	switch strings.ToLower(o.Encoding) {
	case "", "utf-8", "utf8":
	default:
		return nil, fmt.Errorf("log file %q: encoding %q is not supported, only utf-8", o.Path, o.Encoding)
	}
	if o.Perm == 0 {
		o.Perm = DefaultFilePerm
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, fmt.Errorf("log file %q: %w", o.Path, err)
	}
	o.Path = path
	f := &logFile{o: o}
	if o.Delay {
		return f, nil
	}
	return f, f.open()
}

// open opens the file in its mode, and does nothing if it is open.
func (f *logFile) open() error {
	if f.closed {
		return fmt.Errorf("log file %q: %w", f.o.Path, ErrClosed)
	}
	if f.file != nil {
		return nil
	}
	if !f.o.NoMakeDirs {
		if err := os.MkdirAll(filepath.Dir(f.o.Path), dirPerm(f.o.Perm)); err != nil {
			return fileError("create directory for log file", f.o.Path, err)
		}
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if f.o.Mode == "w" {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(f.o.Path, flags, f.o.Perm)
	if err != nil {
		return fileError("open log file", f.o.Path, err)
	}
	f.file, f.torn = file, false
	return nil
}

// dirPerm lets those into the directory who may read the file.
func dirPerm(file fs.FileMode) fs.FileMode { return 0o700 | file | (file&0o444)>>2 }

// write writes a whole line. After a write that ended in the middle, as on a full disk,
// the next one starts a line of its own.
func (f *logFile) write(line []byte) error {
	if err := f.open(); err != nil {
		return err
	}
	if f.torn {
		line = append([]byte("\n"), line...)
	}
	n, err := f.file.Write(line)
	if err != nil {
		f.torn = f.torn || n > 0
		return fileError("write log file", f.o.Path, err)
	}
	f.torn = false
	return nil
}

// size returns how long the file is now, whoever has written to it.
func (f *logFile) size() (int64, error) {
	info, err := f.file.Stat()
	if err != nil {
		return 0, fileError("look at log file", f.o.Path, err)
	}
	return info.Size(), nil
}

// release closes the file so that the next write opens it anew.
func (f *logFile) release() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if err != nil {
		return fileError("close log file", f.o.Path, err)
	}
	return nil
}

// close closes the file for good; further calls do nothing.
func (f *logFile) close() error {
	f.closed = true
	return f.release()
}

// fileError says what was tried with which file, without the repetition of
// both that is in an [fs.PathError].
func fileError(what, path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("%s %q: %w", what, path, err)
}

// fileLines renders records for files.
type fileLines struct{ *lines }

func (l fileLines) line(r *core.Record) (*[]byte, error) {
	b, err := l.lines.line(r)
	if !utf8.Valid(*b) {
		*b = bytes.ToValidUTF8(*b, []byte("\uFFFD"))
	}
	return b, err
}

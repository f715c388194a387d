package handler

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// Defaults of [RotatingFileOptions].
const (
	DefaultMaxSize     = 1 << 20
	DefaultBackupCount = 5
)

// RotatingFileOptions says what [NewRotatingFile] makes.
type RotatingFileOptions struct {
	// File is the file that is written to. Mode "w" empties it only at the start.
	File FileOptions
	// MaxSize is the size in bytes that the file stays below; the default is
	// [DefaultMaxSize]. A record that is larger than that gets a file of its
	// own.
	MaxSize int64
	// BackupCount is how many old files are kept; the default is
	// [DefaultBackupCount].
	BackupCount int
	// Compress gzips the old files and adds ".gz" to their names. It takes the
	// place of Namer and Rotator.
	Compress bool
	// Namer, if not nil, is given the standard name of an old file, such as
	// "/var/log/app.log.1", and returns the one to use. It must return the same name
	// each time. It must not log to the handler.
	Namer func(name string) string
	// Rotator, if not nil, turns the current file into the newest old one, instead
	// of renaming it; afterwards there must be nothing left under the name of source. It
	// must not log to the handler.
	Rotator func(source, dest string) error
}

// RotatingFile is a [File] of limited size. When a record would make it too
// large, "app.log" becomes "app.log.1", which becomes "app.log.2" and so on, and
// the file starts anew. It is Logbook's RotatingFileHandler.
//
// When rotating fails, the record is written to the file as it is, the error is
// returned once, and it is tried again after another MaxSize.
type RotatingFile struct {
	lines fileLines
	o     RotatingFileOptions

	mu    sync.Mutex
	file  *logFile
	retry int64 // do not rotate below this size
}

var (
	_ core.Handler = (*RotatingFile)(nil)
	_ io.Closer    = (*RotatingFile)(nil)
)

// NewRotatingFile returns a handler that writes to a file of limited size.
func NewRotatingFile(o RotatingFileOptions) (*RotatingFile, error) {
	if o.MaxSize < 0 || o.BackupCount < 0 {
		return nil, fmt.Errorf("rotating file %q: max size %d and backup count %d must not be negative", o.File.Path, o.MaxSize, o.BackupCount)
	}
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.BackupCount == 0 {
		o.BackupCount = DefaultBackupCount
	}
	if o.Compress {
		o.Namer, o.Rotator = gzipName, GzipRotator
	}
	f, err := newLogFile(o.File)
	if err != nil {
		return nil, err
	}
	return &RotatingFile{lines: fileLines{newLines(o.File.Formatter)}, o: o, file: f}, nil
}

// Handle writes r, in a new file if the current one would become too large.
func (f *RotatingFile) Handle(_ context.Context, r *core.Record) error {
	b, err := f.lines.line(r)
	defer f.lines.release(b)
	f.mu.Lock()
	defer f.mu.Unlock()
	if oerr := f.file.open(); oerr != nil {
		return errors.Join(err, oerr)
	}
	size, serr := f.file.size()
	err = errors.Join(err, serr)
	if size > 0 && size >= f.retry && size+int64(len(*b)) >= f.o.MaxSize {
		err = errors.Join(err, f.rotate(size))
	}
	return errors.Join(err, f.file.write(*b))
}

// Rotate starts a new file now, unless the current one is empty.
func (f *RotatingFile) Rotate() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.file.open(); err != nil {
		return err
	}
	size, err := f.file.size()
	if err != nil || size == 0 {
		return err
	}
	return f.rotate(size)
}

func (f *RotatingFile) rotate(size int64) error {
	err := f.file.release()
	f.file.o.Mode = "a" // a mode of "w" was for the start; what is left after a failure stays
	if err == nil {
		err = f.shift()
	}
	f.retry = 0
	if err != nil {
		f.retry = size + f.o.MaxSize
	}
	return errors.Join(err, f.file.open())
}

// shift renames the old files, oldest first, and the current one.
func (f *RotatingFile) shift() error {
	for i := f.o.BackupCount - 1; i > 0; i-- {
		if err := rename(f.backup(i), f.backup(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if f.o.Rotator == nil {
		return rename(f.file.o.Path, f.backup(1))
	}
	if err := f.o.Rotator(f.file.o.Path, f.backup(1)); err != nil {
		return fmt.Errorf("rotate log file %q: %w", f.file.o.Path, err)
	}
	return nil
}

func (f *RotatingFile) backup(i int) string {
	name := f.file.o.Path + "." + strconv.Itoa(i)
	if f.o.Namer != nil {
		name = f.o.Namer(name)
	}
	return name
}

// Close closes the file.
func (f *RotatingFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.close()
}

func rename(from, to string) error {
	err := os.Rename(from, to)
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		err = le.Err
	}
	if err != nil {
		return fmt.Errorf("rename log file %q to %q: %w", from, to, err)
	}
	return nil
}

func gzipName(name string) string { return name + ".gz" }

// GzipRotator compresses source into dest and removes source. It is a
// rotator for [RotatingFileOptions] and [TimedRotatingFileOptions]. When it fails,
// source is as it was.
func GzipRotator(source, dest string) error {
	partial := dest + ".part"
	if err := gzipFile(source, partial); err != nil {
		return errors.Join(err, removeIfThere(partial))
	}
	if err := os.Rename(partial, dest); err != nil {
		return errors.Join(err, removeIfThere(partial))
	}
	return os.Remove(source)
}

func gzipFile(source, dest string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dest, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	return errors.Join(err, z.Close(), out.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

package handler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Defaults of [TimedRotatingFileOptions].
const (
	DefaultDateFormat     = "%Y-%m-%d"
	DefaultRolloverFormat = "{basename}-{timestamp}{ext}"
)

// maxClockLead is how far ahead of the clock the time of a record may be. A sender
// with a wrong clock must not close the file of today.
const maxClockLead = 24 * time.Hour

// TimedRotatingFileOptions says what [NewTimedRotatingFile] makes. There are two ways:
// Logbook's, by a date that changes, and Python's, by intervals (When).
type TimedRotatingFileOptions struct {
	// File is the file that is written to, or the pattern for its name. It is
	// always opened when the first record comes, and always appended to: Delay and
	// Mode do not matter.
	File FileOptions
	// DateFormat is a strftime format. A new file begins when the text it makes
	// of a record's time changes. The default is [DefaultDateFormat]; with When it
	// depends on the interval. It may have the directives %Y %y %m %d %j %H %M %S
	// %f %b %B %a %A %p %I %U %W %V %G %u %w.
	DateFormat string
	// BackupCount is how many files are kept, 0 all. As upstream, the current file
	// counts with DateFormat, and does not count with When.
	BackupCount int
	// RolloverFormat makes the name of a file from {basename}, the path without
	// its extension, {timestamp} and {ext}; the default is [DefaultRolloverFormat],
	// and with When "{basename}{ext}.{timestamp}".
	RolloverFormat string
	// CurrentUndated keeps the current file at Path without a date, and renames it
	// when its time is over. Logbook: timed_filename_for_current=False. It is
	// always so with When.
	CurrentUndated bool
	// When is the unit of Interval: "S", "M", "H", "D", "midnight", or "W0"
	// (Monday) to "W6"; empty means DateFormat alone.
	When string
	// Interval is how many units a file lasts, with When; the default is 1. It
	// does not matter for weekdays.
	Interval int
	// AtTime is the time of the day, since midnight, at which "midnight" and
	// weekdays begin.
	AtTime time.Duration
	// Location is the time zone; nil is UTC. Python's default is local time.
	Location *time.Location
	// Rotator, if not nil, turns the current file into an old one instead of renaming it;
	// see [RotatingFileOptions]. It does not matter while the current file has its
	// final name.
	Rotator func(source, dest string) error
}

// TimedRotatingFile is a [File] that begins anew with each day, or some other
// stretch of time. It is Logbook's and Python's TimedRotatingFileHandler.
//
// The times of the records decide. A record that is late goes into the current
// file; no file is ever reopened for it, emptied or overwritten. Old files are
// removed only if their names are exactly such as this handler makes.
type TimedRotatingFile struct {
	lines    fileLines
	o        TimedRotatingFileOptions
	pattern  *stampPattern
	schedule schedule

	mu    sync.Mutex
	file  *logFile
	began bool
}

var (
	_ core.Handler = (*TimedRotatingFile)(nil)
	_ io.Closer    = (*TimedRotatingFile)(nil)
)

// NewTimedRotatingFile returns a handler that writes to a file for each stretch
// of time.
func NewTimedRotatingFile(o TimedRotatingFileOptions) (*TimedRotatingFile, error) {
	o.File.Delay, o.File.Mode = true, "a"
	file, err := newLogFile(o.File)
	if err != nil {
		return nil, err
	}
	o.File.Path = file.o.Path
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.BackupCount < 0 {
		return nil, fmt.Errorf("timed rotating file %q: backup count %d must not be negative", o.File.Path, o.BackupCount)
	}
	s, err := newSchedule(&o)
	if err != nil {
		return nil, fmt.Errorf("timed rotating file %q: %w", o.File.Path, err)
	}
	if o.RolloverFormat == "" {
		o.RolloverFormat = DefaultRolloverFormat
	}
	p, err := newStampPattern(o)
	if err != nil {
		return nil, fmt.Errorf("timed rotating file %q: %w", o.File.Path, err)
	}
	return &TimedRotatingFile{lines: fileLines{newLines(o.File.Formatter)}, o: o, pattern: p, schedule: s, file: file}, nil
}

// Path returns the path of the current file, or what it is going to be made of.
func (f *TimedRotatingFile) Path() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.o.Path
}

// Handle writes r, in a new file if its time has come.
func (f *TimedRotatingFile) Handle(_ context.Context, r *core.Record) error {
	b, err := f.lines.line(r)
	defer f.lines.release(b)
	at := r.Time
	if now := time.Now(); at.IsZero() || at.Sub(now) > maxClockLead {
		at = now
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.began {
		f.begin(at)
	}
	if ended, over := f.schedule.advance(at); over {
		err = errors.Join(err, f.rollover(ended))
	}
	return errors.Join(err, f.file.write(*b))
}

// begin finds out to which time the current file belongs.
func (f *TimedRotatingFile) begin(at time.Time) {
	f.began = true
	if f.o.CurrentUndated {
		if info, err := os.Stat(f.o.File.Path); err == nil && info.Size() > 0 {
			at = info.ModTime()
		}
	}
	f.schedule.start(at)
	if !f.o.CurrentUndated {
		f.file.o.Path = f.pattern.name(f.schedule.stamp())
	}
}

// rollover puts the current file away under the time that ended and starts the next.
func (f *TimedRotatingFile) rollover(ended string) error {
	err := f.file.release()
	if f.o.CurrentUndated {
		err = errors.Join(err, f.putAway(f.pattern.name(ended)))
	} else {
		f.file.o.Path = f.pattern.name(f.schedule.stamp())
	}
	return errors.Join(err, f.file.open(), f.removeOld())
}

func (f *TimedRotatingFile) putAway(dest string) error {
	path := f.file.o.Path
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if _, err := os.Stat(dest); err == nil { // there was one already: lose neither
		return appendFile(path, dest)
	}
	if f.o.Rotator == nil {
		return rename(path, dest)
	}
	if err := f.o.Rotator(path, dest); err != nil {
		return fmt.Errorf("rotate log file %q: %w", path, err)
	}
	return nil
}

// appendFile moves what is in source to the end of dest.
func appendFile(source, dest string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("append log file %q to %q: %w", source, dest, err)
		}
	}()
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(dest, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return errors.Join(err, in.Close())
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, in.Close(), out.Close()); err != nil {
		return err
	}
	return os.Remove(source)
}

// removeOld removes the files that are too many, by the times in their names.
func (f *TimedRotatingFile) removeOld() error {
	if f.o.BackupCount == 0 {
		return nil
	}
	old, err := f.old()
	if err != nil {
		return err
	}
	keep := f.o.BackupCount
	if f.o.When == "" {
		keep-- // the current one counts
	}
	var errs []error
	for _, path := range old[:max(0, len(old)-keep)] {
		if err := os.Remove(path); err != nil {
			errs = append(errs, fileError("remove old log file", path, err))
		}
	}
	return errors.Join(errs...)
}

// old returns the files of this handler, oldest first, without the current one.
func (f *TimedRotatingFile) old() ([]string, error) {
	dir := filepath.Dir(f.pattern.name("x"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fileError("list old log files in", dir, err)
	}
	type dated struct {
		path string
		at   time.Time
	}
	var files []dated
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if path == f.file.o.Path || !e.Type().IsRegular() {
			continue
		}
		at, exact, ok := f.pattern.match(path)
		if !ok {
			continue
		}
		if !exact { // the format does not tell the order
			if info, err := e.Info(); err == nil {
				at = info.ModTime()
			}
		}
		files = append(files, dated{path, at})
	}
	slices.SortFunc(files, func(a, b dated) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.path, b.path))
	})
	out := make([]string, len(files))
	for i := range files {
		out[i] = files[i].path
	}
	return out, nil
}

// Close closes the file.
func (f *TimedRotatingFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.close()
}

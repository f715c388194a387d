package handler_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleTimedRotatingFile() {
	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }()
	h, err := handler.NewTimedRotatingFile(handler.TimedRotatingFileOptions{
		File:        handler.FileOptions{Path: filepath.Join(dir, "app.log")}, // app-2026-11-20.log
		BackupCount: 7,
		Location:    time.Local,
	})
	fmt.Println(h != nil, err)
	_ = h.Close()
	// Output: true <nil>
}

func timed(t *testing.T, o handler.TimedRotatingFileOptions) *handler.TimedRotatingFile {
	t.Helper()
	f, err := handler.NewTimedRotatingFile(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func trot(t *testing.T) (string, handler.FileOptions) {
	t.Helper()
	text, err := format.NewString("[{record.time:%H:%M}] {record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return dir, handler.FileOptions{Path: filepath.Join(dir, "trot.log"), Formatter: text}
}

func jan(day, hour int) time.Time { return time.Date(2010, 1, day, hour, 0, 0, 0, time.UTC) }

// fourDays logs what upstream's tests log.
func fourDays(t *testing.T, h core.Handler) {
	t.Helper()
	for day, name := range []string{"First One", "Second One", "Third One", "Last One"} {
		for x := range 10 + 10*(day%2) {
			handle(t, h, at(core.LevelWarning, name, jan(5+day, x+1)))
		}
	}
}

func last(names []string, n int) string { return strings.Join(names[max(0, len(names)-n):], " ") }

func begins(t *testing.T, path, want string) {
	t.Helper()
	if got := content(t, path); !strings.HasPrefix(got, want) {
		t.Errorf("%s begins %q, want %q", filepath.Base(path), got[:min(len(got), 40)], want)
	}
}

// TestTimedRotatingFileHandler covers seed bug 29: with a backup count of 1
// nothing was ever deleted.
func TestTimedRotatingFileHandler(t *testing.T) {
	for _, n := range []int{1, 3} {
		dir, file := trot(t)
		fourDays(t, timed(t, handler.TimedRotatingFileOptions{File: file, BackupCount: n}))
		want := last([]string{"trot-2010-01-05.log", "trot-2010-01-06.log", "trot-2010-01-07.log", "trot-2010-01-08.log"}, n)
		if got := files(t, dir); got != want {
			t.Errorf("backup count %d: files %s, want %s", n, got, want)
		}
		begins(t, filepath.Join(dir, "trot-2010-01-08.log"), "[01:00] Last One\n[02:00] Last One\n")
		if n > 1 {
			begins(t, filepath.Join(dir, "trot-2010-01-07.log"), "[01:00] Third One\n[02:00] Third One\n")
		}
	}
}

func TestTimedRotatingFileHandlerRolloverFormat(t *testing.T) {
	for _, n := range []int{1, 3} {
		dir, file := trot(t)
		fourDays(t, timed(t, handler.TimedRotatingFileOptions{File: file, BackupCount: n, RolloverFormat: "{basename}{ext}.{timestamp}"}))
		want := last([]string{"trot.log.2010-01-05", "trot.log.2010-01-06", "trot.log.2010-01-07", "trot.log.2010-01-08"}, n)
		if got := files(t, dir); got != want {
			t.Errorf("backup count %d: files %s, want %s", n, got, want)
		}
		begins(t, filepath.Join(dir, "trot.log.2010-01-08"), "[01:00] Last One\n[02:00] Last One\n")
	}
}

func TestTimedRotatingFileHandlerNotTimedFilenameForCurrent(t *testing.T) {
	for _, preexisting := range []bool{false, true} {
		for _, n := range []int{1, 3, 5} {
			dir, file := trot(t)
			names := []string{"trot.log.2010-01-05", "trot.log.2010-01-06", "trot.log.2010-01-07", "trot.log"}
			if preexisting {
				if err := os.WriteFile(file.Path, []byte("contents"), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(file.Path, jan(1, 0), jan(1, 0)); err != nil {
					t.Fatal(err)
				}
				names = append([]string{"trot.log.2010-01-01"}, names...)
			}
			fourDays(t, timed(t, handler.TimedRotatingFileOptions{
				File: file, BackupCount: n, RolloverFormat: "{basename}{ext}.{timestamp}", CurrentUndated: true,
			}))
			want := strings.Fields(last(names, n))
			want = append(want[len(want)-1:], want[:len(want)-1]...) // as they are listed
			if got := files(t, dir); got != strings.Join(want, " ") {
				t.Errorf("preexisting %v, backup count %d: files %s, want %s", preexisting, n, got, want)
			}
			begins(t, file.Path, "[01:00] Last One\n[02:00] Last One\n")
			if n > 1 {
				begins(t, filepath.Join(dir, "trot.log.2010-01-07"), "[01:00] Third One\n[02:00] Third One\n")
			}
			if preexisting && n == 5 {
				begins(t, filepath.Join(dir, "trot.log.2010-01-01"), "contents")
			}
		}
	}
}

// Seed bug 30: unrelated files with the same beginning were deleted.
func TestTimedRotatingDeletesOnlyItsOwnFiles(t *testing.T) {
	dir, file := trot(t)
	others := []string{"trot-important.log", "trot-2009-01-01-copy.log", "trot-9999-99-99.log", "trot-2009-01-01.log.gz", "x-trot-2009-01-01.log", "trot-2009-1-1.log"}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "trot-2009-02-02.log"), 0o700); err != nil { // a directory
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "trot-2009-03-03.log"), nil, 0o600); err != nil { // the only one to go
		t.Fatal(err)
	}
	fourDays(t, timed(t, handler.TimedRotatingFileOptions{File: file, BackupCount: 1}))
	got := " " + files(t, dir) + " "
	for _, name := range append(others, "trot-2009-02-02.log", "trot-2010-01-08.log") {
		if !strings.Contains(got, " "+name+" ") {
			t.Errorf("%s is gone", name)
		}
	}
	if strings.Contains(got, "2009-03-03") || strings.Contains(got, "2010-01-07") {
		t.Errorf("files %s: old ones are left", got)
	}
}

// Seed bug 31: a late record rolled back to the file of yesterday and emptied it.
func TestTimedRotatingNeverRollsBack(t *testing.T) {
	for _, undated := range []bool{false, true} {
		dir, file := trot(t)
		f := timed(t, handler.TimedRotatingFileOptions{File: file, CurrentUndated: undated})
		handle(t, f, at(core.LevelInfo, "yesterday", jan(5, 23)), at(core.LevelInfo, "today", jan(6, 1)),
			at(core.LevelInfo, "late", jan(5, 22)), at(core.LevelInfo, "today again", jan(6, 2)))
		if got := content(t, filepath.Join(dir, "trot-2010-01-05.log")); got != "[23:00] yesterday\n" {
			t.Errorf("yesterday's file has %q", got)
		}
		if got := content(t, f.Path()); got != "[01:00] today\n[22:00] late\n[02:00] today again\n" {
			t.Errorf("today's file has %q", got)
		}
	}
}

// Seed bug 32: a file of the new date that existed was emptied.
func TestTimedRotatingAppends(t *testing.T) {
	for _, undated := range []bool{false, true} {
		dir, file := trot(t)
		old := filepath.Join(dir, "trot-2010-01-05.log")
		if err := os.WriteFile(old, []byte("before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f := timed(t, handler.TimedRotatingFileOptions{File: file, CurrentUndated: undated})
		handle(t, f, at(core.LevelInfo, "x", jan(5, 1)), at(core.LevelInfo, "y", jan(6, 1)))
		if got := content(t, old); got != "before\n[01:00] x\n" {
			t.Errorf("undated %v: got %q", undated, got)
		}
	}
}

// Seed bug 33: a rollover after close failed with an unrelated error.
func TestTimedRotatingAfterClose(t *testing.T) {
	_, file := trot(t)
	f := timed(t, handler.TimedRotatingFileOptions{File: file})
	handle(t, f, at(core.LevelInfo, "x", jan(5, 1)))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	err := f.Handle(t.Context(), at(core.LevelInfo, "y", jan(6, 1)))
	if err == nil || !strings.Contains(err.Error(), "handler is closed") {
		t.Errorf("error %v", err)
	}
}

func TestTimedRotatingIgnoresAClockThatIsFarAhead(t *testing.T) {
	_, file := trot(t)
	f := timed(t, handler.TimedRotatingFileOptions{File: file})
	handle(t, f, at(core.LevelInfo, "x", time.Now().AddDate(50, 0, 0)))
	if want := time.Now().UTC().Format("-2006-"); !strings.Contains(f.Path(), want) {
		t.Errorf("file %s, want one of this year", f.Path())
	}
}

func TestTimedRotatingInATimeZone(t *testing.T) {
	dir, file := trot(t)
	f := timed(t, handler.TimedRotatingFileOptions{File: file, Location: time.FixedZone("", 2*3600)})
	handle(t, f, at(core.LevelInfo, "x", jan(5, 21)), at(core.LevelInfo, "y", jan(5, 22)))
	if got := files(t, dir); got != "trot-2010-01-05.log trot-2010-01-06.log" {
		t.Errorf("files %s", got)
	}
}

func TestTimedRotatingByIntervals(t *testing.T) {
	day := func(d, h, m, s int) time.Time { return time.Date(2010, 1, d, h, m, s, 0, time.UTC) }
	for _, tt := range []struct {
		name  string
		o     handler.TimedRotatingFileOptions
		times []time.Time
		want  string
	}{
		{
			"seconds",
			handler.TimedRotatingFileOptions{When: "S", Interval: 10},
			[]time.Time{day(5, 1, 0, 0), day(5, 1, 0, 9), day(5, 1, 0, 10), day(5, 1, 0, 35)},
			"trot.log trot.log.2010-01-05_01-00-00 trot.log.2010-01-05_01-00-10",
		},
		{
			"minutes",
			handler.TimedRotatingFileOptions{When: "m"},
			[]time.Time{day(5, 1, 0, 30), day(5, 1, 1, 29), day(5, 1, 1, 30)},
			"trot.log trot.log.2010-01-05_01-00",
		},
		{
			"hours",
			handler.TimedRotatingFileOptions{When: "H", Interval: 2},
			[]time.Time{day(5, 1, 0, 0), day(5, 2, 59, 59), day(5, 3, 0, 0)},
			"trot.log trot.log.2010-01-05_01",
		},
		{
			"days",
			handler.TimedRotatingFileOptions{When: "D"},
			[]time.Time{day(5, 10, 0, 0), day(6, 9, 0, 0), day(6, 10, 0, 0)},
			"trot.log trot.log.2010-01-05",
		},
		{
			"midnight",
			handler.TimedRotatingFileOptions{When: "midnight"},
			[]time.Time{day(5, 10, 0, 0), day(6, 0, 0, 0), day(7, 0, 0, 0)},
			"trot.log trot.log.2010-01-05 trot.log.2010-01-06",
		},
		{
			"midnight at three",
			handler.TimedRotatingFileOptions{When: "midnight", AtTime: 3 * time.Hour},
			[]time.Time{day(5, 10, 0, 0), day(6, 2, 59, 0), day(6, 3, 0, 0), day(7, 3, 0, 0)},
			"trot.log trot.log.2010-01-05 trot.log.2010-01-06",
		},
		{"every Monday", handler.TimedRotatingFileOptions{When: "W0"}, // 2010-01-04 and 11 are Mondays
			[]time.Time{day(5, 10, 0, 0), day(10, 23, 0, 0), day(11, 0, 0, 0)}, "trot.log trot.log.2010-01-04"},
		{
			"every Sunday",
			handler.TimedRotatingFileOptions{When: "W6"},
			[]time.Time{day(5, 10, 0, 0), day(9, 23, 0, 0), day(10, 0, 0, 0)},
			"trot.log trot.log.2010-01-03",
		},
		{
			"backups do not count the current",
			handler.TimedRotatingFileOptions{When: "midnight", BackupCount: 2},
			[]time.Time{day(5, 1, 0, 0), day(6, 1, 0, 0), day(7, 1, 0, 0), day(8, 1, 0, 0)},
			"trot.log trot.log.2010-01-06 trot.log.2010-01-07",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, file := trot(t)
			tt.o.File = file
			f := timed(t, tt.o)
			for _, when := range tt.times {
				handle(t, f, at(core.LevelInfo, "x", when))
			}
			if got := files(t, dir); got != tt.want {
				t.Errorf("files %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTimedRotatingDateFormats(t *testing.T) {
	for _, dates := range []string{"%Y%m%d", "%Y-%j", "%d.%m.%Y", "%Y-W%V", "%b-%d", "%Y-%m-%d_%H-%M-%S"} {
		dir, file := trot(t)
		f := timed(t, handler.TimedRotatingFileOptions{File: file, DateFormat: dates, BackupCount: 2})
		for d := range 5 {
			handle(t, f, at(core.LevelInfo, "x", jan(5+10*d, 0)))
		}
		if got := strings.Fields(files(t, dir)); len(got) != 2 {
			t.Errorf("%s: files %s, want 2", dates, got)
		}
	}
}

func TestTimedRotatingOptionsThatAreWrong(t *testing.T) {
	file := handler.FileOptions{Path: "/tmp/x.log"}
	for want, o := range map[string]handler.TimedRotatingFileOptions{
		`timed rotating file "/tmp/x.log": when "fortnight": want S, M, H, D, midnight, or W0 (Monday) to W6`: {File: file, When: "fortnight"},
		`timed rotating file "/tmp/x.log": date format "%c" : %c`:                                             {File: file, DateFormat: "%c"},
		`timed rotating file "/tmp/x.log": rollover format "{basename}" must have {timestamp} once`:           {File: file, RolloverFormat: "{basename}"},
		`timed rotating file "/tmp/x.log": date format "%Y/%m" must not have a path separator`:                {File: file, DateFormat: "%Y/%m"},
		`timed rotating file "/tmp/x.log": interval 1 must be positive and at_time 25h0m0s within a day`:      {File: file, When: "W0", Interval: 1, AtTime: 25 * time.Hour},
		`timed rotating file "/tmp/x.log": backup count -1 must not be negative`:                              {File: file, BackupCount: -1},
	} {
		want = strings.ReplaceAll(want, ` : %c`, `: %c cannot be recognized in a file name`)
		if _, err := handler.NewTimedRotatingFile(o); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

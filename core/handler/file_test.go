package handler_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleFile() {
	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }()
	text, _ := format.NewString("{record.level_name}: {record.message}", format.Options{})
	file, err := handler.NewFile(handler.FileOptions{Path: filepath.Join(dir, "logs", "app.log"), Formatter: text})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = core.Do(context.Background(), core.Binding{Handler: file, Level: core.LevelInfo}, func(ctx context.Context) error {
		core.NewLogger("app").InfoContext(ctx, "started")
		return nil
	})
	_ = file.Close()
	content, _ := os.ReadFile(file.Path())
	fmt.Print(string(content))
	// Output: INFO: started
}

func logfile(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "app.log") }

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files lists a directory.
func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return strings.Join(names, " ")
}

func open(t *testing.T, o handler.FileOptions) *handler.File {
	t.Helper()
	f, err := handler.NewFile(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func testRecord(msg string) *core.Record { return rec(core.LevelWarning, "testlogger", msg) }

func TestFileHandler(t *testing.T) {
	path := logfile(t)
	f := open(t, handler.FileOptions{Path: path, Formatter: short(t)})
	handle(t, f, testRecord("warning message"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "WARNING:testlogger:warning message\n" {
		t.Errorf("got %q", got)
	}
}

func TestFileHandlerUnicode(t *testing.T) {
	path := logfile(t)
	handle(t, open(t, handler.FileOptions{Path: path, Formatter: messageOnly(t)}), testRecord("б"), testRecord("a\xffb"))
	if got := content(t, path); got != "б\na\uFFFDb\n" {
		t.Errorf("got %q", got)
	}
}

func TestFileHandlerDelay(t *testing.T) {
	path := logfile(t)
	f := open(t, handler.FileOptions{Path: path, Formatter: short(t), Delay: true})
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the file is there before the first record: %v", err)
	}
	handle(t, f, testRecord("warning message"))
	if got := content(t, path); got != "WARNING:testlogger:warning message\n" {
		t.Errorf("got %q", got)
	}
}

func TestCustomFormatter(t *testing.T) {
	path := logfile(t)
	handle(t, open(t, handler.FileOptions{Path: path, Formatter: format.Func(func(dst []byte, r *core.Record) ([]byte, error) {
		return append(dst, r.Level.String()+":"+r.Message()...), nil
	})}), testRecord("Custom formatters are awesome"))
	if got := content(t, path); got != "WARNING:Custom formatters are awesome\n" {
		t.Errorf("got %q", got)
	}
}

func TestFileMode(t *testing.T) {
	for mode, want := range map[string]string{"": "old\nnew\n", "a": "old\nnew\n", "w": "new\n"} {
		path := logfile(t)
		if err := os.WriteFile(path, []byte("old\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		handle(t, open(t, handler.FileOptions{Path: path, Mode: mode, Formatter: messageOnly(t)}), testRecord("new"))
		if got := content(t, path); got != want {
			t.Errorf("mode %q: got %q, want %q", mode, got, want)
		}
	}
}

func TestFileOptionsThatAreWrong(t *testing.T) {
	for want, o := range map[string]handler.FileOptions{
		`log file without a path`: {},
		`log file "x": mode "r": want "a" to append or "w" to start empty`:        {Path: "x", Mode: "r"},
		`log file "x": encoding "latin-1" is not supported, only utf-8`:           {Path: "x", Encoding: "latin-1"},
		`open log file "/dev/null/no/such": not a directory`:                      {Path: "/dev/null/no/such", NoMakeDirs: true},
		`create directory for log file "/dev/null/x": not a directory`:            {Path: "/dev/null/x"},
		`open log file "/no/such/directory/app.log": no such file or directory`:   {Path: "/no/such/directory/app.log", NoMakeDirs: true},
		fmt.Sprintf(`open log file %q: is a directory`, filepath.Dir(os.Args[0])): {Path: filepath.Dir(os.Args[0])},
	} {
		if f, err := handler.NewFile(o); err == nil || err.Error() != want {
			t.Errorf("got %v, %v\nwant error %s", f, err, want)
		}
	}
}

func TestFileCreatesDirectories(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "app.log")
	handle(t, open(t, handler.FileOptions{Path: path, Formatter: messageOnly(t)}), testRecord("x"))
	if got := content(t, path); got != "x\n" {
		t.Errorf("got %q", got)
	}
	for p, want := range map[string]fs.FileMode{path: 0o640, filepath.Dir(path): fs.ModeDir | 0o750} {
		if info, err := os.Stat(p); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, want %v (%v)", p, info.Mode(), want, err)
		}
	}
}

// Seed bug 25: a relative name followed the working directory.
func TestFileIsAbsoluteFromTheStart(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	t.Chdir(first)
	f := open(t, handler.FileOptions{Path: "app.log", Formatter: messageOnly(t), Delay: true})
	t.Chdir(second)
	handle(t, f, testRecord("x"))
	if got := content(t, filepath.Join(first, "app.log")); got != "x\n" {
		t.Errorf("got %q", got)
	}
}

// Seed bug 24: closing and monitoring were not locked.
func TestFileClosedWhileOthersLog(t *testing.T) {
	path := logfile(t)
	f, err := handler.NewMonitoringFile(handler.FileOptions{Path: path, Formatter: messageOnly(t)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	written := make([]int, 4)
	for w := range written {
		wg.Go(func() {
			for range 300 {
				switch err := f.Handle(t.Context(), testRecord("x")); {
				case err == nil:
					written[w]++
				case !errors.Is(err, handler.ErrClosed):
					t.Errorf("error %v", err)
				}
			}
		})
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	total := 0
	for _, n := range written {
		total += n
	}
	if got := strings.Count(content(t, path), "x\n"); got != total {
		t.Errorf("%d lines in the file, %d records taken", got, total)
	}
}

func TestMonitoringFileHandler(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be renamed")
	}
	for _, what := range []string{"rename", "remove"} {
		path := logfile(t)
		f, err := handler.NewMonitoringFile(handler.FileOptions{Path: path, Formatter: short(t), Delay: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		handle(t, f, testRecord("warning message"))
		if what == "rename" { // as logrotate does
			err = os.Rename(path, path+".old")
		} else {
			err = os.Remove(path)
		}
		if err != nil {
			t.Fatal(err)
		}
		handle(t, f, testRecord("another warning message"), testRecord("third"))
		if got := content(t, path); got != "WARNING:testlogger:another warning message\nWARNING:testlogger:third\n" {
			t.Errorf("after %s: %q", what, got)
		}
	}
}

func TestAFullDiskIsReported(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f := open(t, handler.FileOptions{Path: "/dev/full"})
	err := f.Handle(t.Context(), testRecord("x"))
	if !errors.Is(err, syscall.ENOSPC) || err.Error() != `write log file "/dev/full": no space left on device` {
		t.Errorf("error %v", err)
	}
}

func BenchmarkFile(b *testing.B) {
	f, err := handler.NewFile(handler.FileOptions{Path: filepath.Join(b.TempDir(), "app.log")})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := testRecord("a line of the usual length, more or less")
	b.ReportAllocs()
	for b.Loop() {
		_ = f.Handle(b.Context(), r)
	}
}

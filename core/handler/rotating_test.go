package handler_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleRotatingFile() {
	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }()
	h, err := handler.NewRotatingFile(handler.RotatingFileOptions{
		File:        handler.FileOptions{Path: filepath.Join(dir, "app.log")},
		MaxSize:     1 << 20,
		BackupCount: 3,
		Compress:    true,
	})
	fmt.Println(h != nil, err)
	_ = h.Close()
	// Output: true <nil>
}

func rotating(t *testing.T, o handler.RotatingFileOptions) *handler.RotatingFile {
	t.Helper()
	o.File.Formatter = messageOnly(t)
	f, err := handler.NewRotatingFile(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestRotatingFileHandler(t *testing.T) {
	path := logfile(t)
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path}, MaxSize: 2048, BackupCount: 3})
	for i := range 32 {
		letter := string(rune('A' + i))
		if i >= 26 {
			letter = string(rune('A' + i - 26))
		}
		handle(t, f, testRecord(strings.Repeat(letter, 256)))
	}
	if got := files(t, filepath.Dir(path)); got != "app.log app.log.1 app.log.2 app.log.3" {
		t.Errorf("files %s", got)
	}
	first := ""
	for l := range strings.Lines(content(t, path)) {
		first += l[:1]
	}
	if first != "CDEF" {
		t.Errorf("lines %s, want CDEF", first)
	}
}

// Seed bug 26: an oversized record rotated an empty file and so pushed out a backup.
func TestRotatingNeverRotatesAnEmptyFile(t *testing.T) {
	path := logfile(t)
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path}, MaxSize: 10, BackupCount: 2})
	handle(t, f, testRecord(strings.Repeat("a", 100)), testRecord("b"), testRecord(strings.Repeat("c", 100)))
	for name, want := range map[string]string{"": strings.Repeat("c", 100) + "\n", ".1": "b\n", ".2": strings.Repeat("a", 100) + "\n"} {
		if got := content(t, path+name); got != want {
			t.Errorf("app.log%s has %q", name, got)
		}
	}
}

// Seed bug 27: characters were counted, not bytes.
func TestRotatingCountsBytes(t *testing.T) {
	path := logfile(t)
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path}, MaxSize: 100})
	for range 10 {
		handle(t, f, testRecord(strings.Repeat("☃", 10))) // 31 bytes with the newline
	}
	for name := range strings.FieldsSeq(files(t, filepath.Dir(path))) {
		if info, _ := os.Stat(filepath.Join(filepath.Dir(path), name)); info.Size() >= 100 {
			t.Errorf("%s has %d bytes", name, info.Size())
		}
	}
}

// Seed bug 28: after a rename that failed, the handler was dead for ever.
func TestRotatingGoesOnWhenARenameFails(t *testing.T) {
	path := logfile(t)
	// A directory that is not empty cannot be replaced by a file.
	if err := os.MkdirAll(filepath.Join(path+".1", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path+".2", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path, Mode: "w"}, MaxSize: 10, BackupCount: 2})
	handle(t, f, testRecord("first"))
	err := f.Handle(t.Context(), testRecord("second"))
	if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("rename log file %q to %q: ", path+".1", path+".2")) {
		t.Errorf("error %v", err)
	}
	handle(t, f, testRecord("3")) // reported once
	if got := content(t, path); got != "first\nsecond\n3\n" {
		t.Errorf("got %q", got)
	}
	if err := os.RemoveAll(path + ".1"); err != nil {
		t.Fatal(err)
	}
	handle(t, f, testRecord("fourth"), testRecord("fifth"))
	if got := content(t, path+".1"); !strings.HasPrefix(got, "first\nsecond\n3\n") {
		t.Errorf("did not try again: %q", got)
	}
}

func TestRotatingWithDelay(t *testing.T) {
	path := logfile(t)
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path, Delay: true}, MaxSize: 10})
	if got := files(t, filepath.Dir(path)); got != "" {
		t.Errorf("files %s before the first record", got)
	}
	handle(t, f, testRecord("123456"), testRecord("abcdef"))
	if got := files(t, filepath.Dir(path)); got != "app.log app.log.1" {
		t.Errorf("files %s", got)
	}
}

func TestRotatingContinuesAFileThatIsThere(t *testing.T) {
	path := logfile(t)
	if err := os.WriteFile(path, []byte("123456789\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	handle(t, rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path}, MaxSize: 11}), testRecord("x"))
	if content(t, path) != "x\n" || content(t, path+".1") != "123456789\n" {
		t.Errorf("files %s, current %q", files(t, filepath.Dir(path)), content(t, path))
	}
}

func TestRotatingCompressesBackups(t *testing.T) {
	path := logfile(t)
	f := rotating(t, handler.RotatingFileOptions{File: handler.FileOptions{Path: path}, MaxSize: 10, BackupCount: 2, Compress: true})
	for i := range 4 {
		handle(t, f, testRecord(fmt.Sprint("record ", i)))
	}
	if got := files(t, filepath.Dir(path)); got != "app.log app.log.1.gz app.log.2.gz" {
		t.Errorf("files %s", got)
	}
	if got := gunzip(t, path+".1.gz"); got != "record 2\n" {
		t.Errorf("newest backup %q", got)
	}
}

func gunzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRotatingNamerAndRotator(t *testing.T) {
	path := logfile(t)
	var calls []string
	f := rotating(t, handler.RotatingFileOptions{
		File: handler.FileOptions{Path: path}, BackupCount: 2,
		Namer: func(name string) string { return name + ".old" },
		Rotator: func(source, dest string) error {
			calls = append(calls, filepath.Base(source)+" > "+filepath.Base(dest))
			if len(calls) == 3 {
				return errBroken
			}
			return os.Rename(source, dest)
		},
	})
	for i := range 3 {
		handle(t, f, testRecord(fmt.Sprint(i)))
		if err := f.Rotate(); (i == 2) != errors.Is(err, errBroken) {
			t.Errorf("rotation %d: %v", i, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Join(calls, ", ") != strings.Repeat("app.log > app.log.1.old, ", 2)+"app.log > app.log.1.old" {
		t.Errorf("calls %q", calls)
	}
	if err := f.Rotate(); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("rotate after close: %v", err)
	}
}

func TestRotatingOptionsThatAreWrong(t *testing.T) {
	_, err := handler.NewRotatingFile(handler.RotatingFileOptions{File: handler.FileOptions{Path: "x"}, BackupCount: -1})
	if err == nil || err.Error() != `rotating file "x": max size 0 and backup count -1 must not be negative` {
		t.Errorf("error %v", err)
	}
}

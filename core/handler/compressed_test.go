package handler_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleCompressedFile() {
	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }()
	h, err := handler.NewCompressedFile(handler.CompressedFileOptions{
		File: handler.FileOptions{Path: filepath.Join(dir, "app.log.gz")},
	})
	fmt.Println(h != nil, err)
	_ = h.Close()
	// Output: true <nil>
}

func compressed(t *testing.T, o handler.CompressedFileOptions) *handler.CompressedFile {
	t.Helper()
	if o.File.Formatter == nil {
		o.File.Formatter = messageOnly(t)
	}
	f, err := handler.NewCompressedFile(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestGzipFileHandler(t *testing.T) {
	path := logfile(t)
	f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path, Formatter: short(t)}, Codec: handler.Gzip(9), Buffered: true})
	handle(t, f, testRecord("warning message"))
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := gunzip(t, path); got != "WARNING:testlogger:warning message\n" {
		t.Errorf("got %q", got)
	}
	if err := f.Handle(t.Context(), testRecord("x")); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func TestGzipFileIsAppendedTo(t *testing.T) {
	path := logfile(t)
	for i := range 3 {
		f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path}})
		handle(t, f, testRecord(fmt.Sprint(i)))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := gunzip(t, path); got != "0\n1\n2\n" {
		t.Errorf("got %q", got)
	}
}

// A program that was killed leaves a file without an end; what it wrote and
// what is written later must both be readable.
func TestGzipFileAfterACrash(t *testing.T) {
	path := logfile(t)
	crashed := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path}})
	handle(t, crashed, testRecord("before")) // never closed before the next is opened
	f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path}})
	handle(t, f, testRecord("after"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := gunzip(t, path); got != "before\nafter\n" {
		t.Errorf("got %q", got)
	}
	if got := files(t, filepath.Dir(path)); got != "app.log" {
		t.Errorf("files %s", got)
	}
}

func TestGzipFileThatIsNone(t *testing.T) {
	path := logfile(t)
	if err := os.WriteFile(path, []byte("plain text\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path}})
	handle(t, f, testRecord("x"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if gunzip(t, path) != "x\n" || content(t, path+".damaged") != "plain text\n" {
		t.Errorf("files %s", files(t, filepath.Dir(path)))
	}
}

func TestGzipFileModes(t *testing.T) {
	path := logfile(t)
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: path, Mode: "w", Delay: true}})
	if content(t, path) != "old" {
		t.Error("opened although delayed")
	}
	handle(t, f, testRecord("new"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := gunzip(t, path); got != "new\n" {
		t.Errorf("got %q", got)
	}
}

func TestGzipFileOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f := compressed(t, handler.CompressedFileOptions{File: handler.FileOptions{Path: "/dev/full"}})
	for range 2 {
		err := f.Handle(t.Context(), testRecord("x"))
		if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), `write log file "/dev/full": no space left`) {
			t.Errorf("error %v", err)
		}
	}
}

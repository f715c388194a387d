package brotli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	reference "github.com/andybalholm/brotli"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/brotli"
)

func ExampleCodec() {
	dir, _ := os.MkdirTemp("", "example")
	defer func() { _ = os.RemoveAll(dir) }()
	h, err := handler.NewCompressedFile(handler.CompressedFileOptions{
		File:  handler.FileOptions{Path: filepath.Join(dir, "app.log.br")},
		Codec: brotli.Codec(9),
	})
	fmt.Println(h != nil, err)
	_ = h.Close()
	// Output: true <nil>
}

func write(t *testing.T, path, msg string, end bool) {
	t.Helper()
	text, err := format.NewString("{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := handler.NewCompressedFile(handler.CompressedFileOptions{
		File: handler.FileOptions{Path: path, Formatter: text}, Codec: brotli.Codec(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Handle(t.Context(), &core.Record{Msg: msg}); err != nil {
		t.Fatal(err)
	}
	if !end {
		t.Cleanup(func() { _ = f.Close() })
		return
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestBrotliFileHandler(t *testing.T) {
	for _, closed := range []bool{true, false} { // ended properly, or by a crash
		path := filepath.Join(t.TempDir(), "app.log.br")
		write(t, path, "warning message", closed)
		write(t, path, "appended", true)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(reference.NewReader(f))
		if err != nil || string(got) != "warning message\nappended\n" {
			t.Errorf("closed %v: got %q, %v", closed, got, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

package handler_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleStream() {
	short, _ := format.NewString("{record.level_name}: {record.message}", format.Options{})
	h := handler.NewStream(os.Stdout, handler.StreamOptions{Formatter: short})
	_ = core.Do(context.Background(), core.Binding{Handler: h, Level: core.LevelInfo}, func(ctx context.Context) error {
		core.NewLogger("shop").InfoContext(ctx, "order {order} paid", core.Kw("order", 4711))
		return nil
	})
	// Output: INFO: order 4711 paid
}

func TestStreamDefaultFormat(t *testing.T) {
	var out bytes.Buffer
	handle(t, handler.NewStream(&out, handler.StreamOptions{}), warning("\u2603 Aha!"))
	if got, want := out.String(), "[2026-11-20 21:03:41.769068] WARNING: shop.cart: \u2603 Aha!\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDeadlockInEmit: an argument that logs to the same handler while it is
// formatted. Seed bug 23: the record was formatted under the lock.
func TestDeadlockInEmit(t *testing.T) {
	var out syncBuffer
	var s *handler.Stream
	s = handler.NewStream(&out, handler.StreamOptions{Formatter: format.Func(func(dst []byte, r *core.Record) ([]byte, error) {
		if r.Message() == "outer" {
			_ = s.Handle(t.Context(), info("inner")) // would lock up
		}
		return append(dst, r.Message()...), nil
	})})
	handle(t, s, info("outer"))
	if got := out.String(); got != "inner\nouter\n" {
		t.Errorf("got %q", got)
	}
}

func TestStreamWritesARecordAtOnce(t *testing.T) {
	var out syncBuffer
	h := handler.NewStream(&out, handler.StreamOptions{Formatter: messageOnly(t)})
	var wg sync.WaitGroup
	line := strings.Repeat("x", 500)
	for range 8 {
		wg.Go(func() {
			for range 50 {
				_ = h.Handle(t.Context(), info(line))
			}
		})
	}
	wg.Wait()
	if out.writes != 400 {
		t.Errorf("%d writes for 400 records", out.writes)
	}
	for i, l := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		if l != line {
			t.Fatalf("line %d is %q", i, l)
		}
	}
}

func TestStreamReportsAFailingWriter(t *testing.T) {
	h := handler.NewStream(failingWriter{io.ErrShortWrite}, handler.StreamOptions{})
	err := h.Handle(t.Context(), info("x"))
	if !errors.Is(err, io.ErrShortWrite) || !strings.HasPrefix(err.Error(), "write to handler_test.failingWriter: ") {
		t.Errorf("error %v", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestAFormatErrorCostsNoRecord(t *testing.T) {
	var out bytes.Buffer
	h := handler.NewStream(&out, handler.StreamOptions{Formatter: format.Func(func(dst []byte, r *core.Record) ([]byte, error) {
		return append(dst, r.Message()...), errBroken
	})})
	if err := h.Handle(t.Context(), info("still here")); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
	if out.String() != "still here\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestStreamFlushesAtTheEndOfTheBinding(t *testing.T) {
	var out bytes.Buffer
	h := handler.NewStream(bufio.NewWriter(&out), handler.StreamOptions{Formatter: messageOnly(t)})
	err := core.Do(t.Context(), core.Binding{Handler: h}, func(ctx context.Context) error {
		core.NewLogger("x").InfoContext(ctx, "buffered")
		if out.Len() != 0 {
			t.Error("the test is wrong: written through")
		}
		return nil
	})
	if err != nil || out.String() != "buffered\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Error(err)
	}
}

func TestStderrFollowsAReplacedStderr(t *testing.T) {
	h := handler.NewStderr(handler.StreamOptions{Formatter: messageOnly(t)})
	old := os.Stderr
	defer func() { os.Stderr = old }()
	for i := range 2 {
		f, err := os.Create(t.TempDir() + "/stderr")
		if err != nil {
			t.Fatal(err)
		}
		os.Stderr = f
		handle(t, h, info(fmt.Sprint("to file ", i)))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(f.Name()); string(got) != fmt.Sprintf("to file %d\n", i) {
			t.Errorf("file %d has %q", i, got)
		}
	}
}

// Seed bug 42 (in part): a program without a stderr must not crash.
func TestStderrThatIsNil(t *testing.T) {
	old := os.Stderr
	defer func() { os.Stderr = old }()
	os.Stderr = nil
	if err := handler.NewStderr(handler.StreamOptions{}).Handle(t.Context(), info("x")); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

// TestColorizingSupport also covers seed bug 61: the reset code stood behind
// the newline.
func TestColorizingSupport(t *testing.T) {
	for _, tt := range []struct {
		level core.Level
		want  string
	}{
		{core.LevelCritical, "\x1b[31;01mtext\x1b[39;49;00m\n"},
		{core.LevelError, "\x1b[31;01mtext\x1b[39;49;00m\n"},
		{core.LevelWarning, "\x1b[33;01mtext\x1b[39;49;00m\n"},
		{core.LevelNotice, "\x1b[33;01mtext\x1b[39;49;00m\n"},
		{core.LevelInfo, "\x1b[37mtext\x1b[39;49;00m\n"},
		{core.LevelDebug, "\x1b[37mtext\x1b[39;49;00m\n"},
	} {
		var out bytes.Buffer
		handle(t, handler.NewStream(&out, handler.StreamOptions{Formatter: messageOnly(t), Color: handler.ColorAlways}), rec(tt.level, "x", "text"))
		if out.String() != tt.want {
			t.Errorf("%v: got %q, want %q", tt.level, out.String(), tt.want)
		}
	}
	t.Setenv("FORCE_COLOR", "")
	for _, mode := range []handler.ColorMode{handler.ColorNever, handler.ColorAuto} { // a buffer is no terminal
		var out bytes.Buffer
		handle(t, handler.NewStream(&out, handler.StreamOptions{Formatter: messageOnly(t), Color: mode}), failed("text"))
		if out.String() != "text\n" {
			t.Errorf("mode %v: got %q", mode, out.String())
		}
	}
}

func BenchmarkStream(b *testing.B) {
	h := handler.NewStream(io.Discard, handler.StreamOptions{})
	r := info("a line of the usual length, more or less")
	b.ReportAllocs()
	for b.Loop() {
		_ = h.Handle(b.Context(), r)
	}
}

package handler_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// captureStderr returns what f makes the process write to stderr.
func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = old }()
	f()
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return content(t, file.Name())
}

// TestHandlerException: a handler that fails is reported on stderr, the message itself
// is not, and the program goes on.
func TestHandlerException(t *testing.T) {
	for name, h := range map[string]core.HandlerFunc{
		"error": func(context.Context, *core.Record) error { return errBroken },
		"panic": func(context.Context, *core.Record) error { panic(errBroken) },
	} {
		got := captureStderr(t, func() {
			// The name is another one each time: a panic is shown once for each handler.
			_ = core.Do(t.Context(), core.Binding{Handler: h, Name: t.TempDir()}, func(ctx context.Context) error {
				core.NewLogger("x").WarnContext(ctx, "I warn you.")
				return nil
			})
		})
		if !strings.Contains(got, "broken") || strings.Contains(got, "I warn you.") {
			t.Errorf("%s: stderr has %q", name, got)
		}
	}
}

// TestCustomHandling: a handler that does not take a record lets it go on.
func TestCustomHandling(t *testing.T) {
	got := captureStderr(t, func() {
		taken := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
			if r.Extra.Get("flag") != "testing" {
				return core.ErrPass
			}
			return nil
		})
		_ = core.Do(t.Context(), core.Setups{
			core.Binding{Handler: handler.NewStderr(handler.StreamOptions{Formatter: messageOnly(t), Color: handler.ColorNever})},
			core.Binding{Handler: taken},
		}, func(ctx context.Context) error {
			core.NewLogger("x").WarnContext(ctx, "Just testing", core.Extra("flag", "testing"))
			core.NewLogger("x").WarnContext(ctx, "Goes to stderr")
			return nil
		})
	})
	if got != "Goes to stderr\n" {
		t.Errorf("stderr has %q", got)
	}
}

func TestDefaultHandlers(t *testing.T) {
	got := captureStderr(t, func() {
		remove := core.Install(core.Binding{Handler: handler.NewStderr(handler.StreamOptions{Color: handler.ColorNever})})
		defer func() { _ = remove() }()
		core.NewLogger("testlogger").Warn("Aha!")
	})
	if !strings.HasSuffix(got, "WARNING: testlogger: Aha!\n") {
		t.Errorf("stderr has %q", got)
	}
}

// TestBlackholeSetting: a record that a blackhole swallows costs no work; one that
// bubbles through a handler that does nothing goes on.
func TestBlackholeSetting(t *testing.T) {
	processed := 0
	var below sink
	log := core.NewLogger("x")
	count := core.Processor(func(*core.Record) { processed++ })
	_ = core.Do(t.Context(), core.Setups{core.Binding{Handler: &below}, count, core.Binding{}}, func(ctx context.Context) error {
		log.WarnContext(ctx, "swallowed")
		return nil
	})
	if processed != 0 {
		t.Errorf("a swallowed record was processed %d times", processed)
	}
	_ = core.Do(t.Context(), core.Setups{core.Binding{Handler: &below}, count, core.Binding{Handler: handler.Null{}, Bubble: true}}, func(ctx context.Context) error {
		log.WarnContext(ctx, "bubbles")
		return nil
	})
	below.want(t, "bubbles")
	if processed != 1 {
		t.Errorf("processed %d times, want 1", processed)
	}
}

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/expression"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
)

// screen stands for the notifications of the desktop.
type screen struct {
	platform.Notifier

	mu    sync.Mutex
	shown []notifiers.Notification
}

func (s *screen) Notify(_ context.Context, n notifiers.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, n)
	return nil
}

// running is a pipeline made from a configuration.
type running struct {
	*pipeline.Pipeline

	app    *app.App
	screen *screen

	mu   sync.Mutex
	seen []*core.Record // what came to the top of the stack
}

func runKinds(t *testing.T, source string) *running {
	t.Helper()
	tree, ds := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), []byte(source), config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	r := &running{screen: new(screen)}
	r.app = &app.App{Alerts: alert.NewList(alert.Options{}), Mutes: mute.NewStack(nil), Notifier: r.screen}
	top := handlerFunc(func(rec *core.Record) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, rec)
	})
	p, ds := pipeline.New(pipeline.Options{
		Kinds: kinds(r.app), Top: []core.Binding{{Name: "window", Handler: top, Bubble: true}},
		CompileFilter: expression.Compile, CompileText: expression.CompileText,
	}, tree)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	r.Pipeline = p
	return r
}

type handlerFunc func(*core.Record)

func (f handlerFunc) Handle(_ context.Context, r *core.Record) error {
	f(r)
	return nil
}

// log sends a record down the stack, as if it had been received.
func (r *running) log(t *testing.T, level core.Level, message string, extra ...any) {
	t.Helper()
	record := core.NewReceived(&core.Record{
		Channel: "shop", Level: level, Msg: message, Time: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Extra: core.Extra(extra...),
	}, core.Source{Name: "test"}, time.Now())
	if err := r.Dispatch(record); err != nil {
		t.Fatal(err)
	}
}

// end closes the pipeline, which delivers all that is held.
func (r *running) end(t *testing.T) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// eventually waits until a condition holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !holds(); <-tick.C {
		if time.Since(start) > 20*time.Second {
			t.Fatal("it does not come to that")
		}
	}
}

func TestKindsOfFilesCreateThemWithTheFirstRecordForTheirOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	r := runKinds(t, `handlers:
  - {type: file, path: `+dir+`/a/plain.log, format_string: "{record.level_name} {record.message}", bubble: true}
  - {type: rotating_file, path: `+dir+`/rotating.log, format: logfmt, bubble: true}
  - {type: monitoring_file, path: `+dir+`/monitoring.log, format: json, bubble: true}
  - {type: timed_rotating_file, path: `+dir+`/timed.log, format: json, time_zone: Asia/Tokyo, date_format: "%H", bubble: true}
  - {type: compressed_file, path: `+dir+`/all.gz}
`)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("before the first record: %v", left)
	}
	r.log(t, core.LevelError, "no tea")
	r.end(t)
	if got := read(t, dir+"/a/plain.log"); got != "ERROR no tea\n" {
		t.Errorf("plain: %q", got)
	}
	if got := read(t, dir+"/rotating.log"); !strings.Contains(got, `level=error channel=shop msg="no tea"`) {
		t.Errorf("rotating: %q", got)
	}
	for _, name := range []string{"a/plain.log", "rotating.log", "monitoring.log", "timed-21.log", "all.gz"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestKindsThatCollectHandOnAtTheEndToo(t *testing.T) {
	dir := t.TempDir()
	r := runKinds(t, `handlers:
  - {type: group, flush_interval: 1h, bubble: true, handler: {type: file, path: `+dir+`/group.log, format_string: "{record.message}"}}
  - {type: memory, capacity: 2, bubble: true, handler: {type: file, path: `+dir+`/memory.log, format_string: "{record.message}"}}
  - {type: dedup, flush_interval: 1h, format_string: "{message} x{count}", bubble: true, handler: {type: file, path: `+dir+`/dedup.log, format_string: "{record.message}"}}
  - {type: tagging, bubble: true, handlers: {money: {type: file, path: `+dir+`/tagged.log, format_string: "{record.message}"}}}
  - type: threaded
    handler:
      type: fan
      handlers:
        - {type: file, path: `+dir+`/one.log, format_string: "{record.message}"}
        - {type: file, path: `+dir+`/two.log, format_string: "{record.message}"}
`)
	r.log(t, core.LevelInfo, "a")
	r.log(t, core.LevelInfo, "a", "tags", []any{"money"})
	if got := read(t, dir+"/memory.log"); got != "a\na\n" {
		t.Errorf("memory, when it is full: %q", got)
	}
	r.log(t, core.LevelInfo, "b")
	r.end(t)
	want := map[string]string{
		"group": "a\na\nb\n", "memory": "a\na\nb\n", "dedup": "a x2\nb x1\n", "tagged": "a\n", "one": "a\na\nb\n", "two": "a\na\nb\n",
	}
	for name, content := range want {
		if diff := cmp.Diff(content, read(t, filepath.Join(dir, name+".log"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestKindsOfBuffersHandOnEverySoOften(t *testing.T) {
	dir := t.TempDir()
	r := runKinds(t, `handlers: [{type: group, flush_interval: 1ms, handler: {type: file, path: `+dir+`/group.log, format_string: "{record.message}"}}]`)
	defer r.end(t)
	r.log(t, core.LevelInfo, "a")
	eventually(t, func() bool {
		content, err := os.ReadFile(dir + "/group.log")
		return err == nil && string(content) == "a\n"
	})
}

func TestKindsOfProcessorsChangeWhatEveryHandlerSees(t *testing.T) {
	r := runKinds(t, `processors:
  - {type: set, when: 'level >= "error"', extra: {env: ci, days: 7}}
  - {type: remove, extra: [cookies]}
  - {type: redact, fields: [extra.password, extra.card.number, extra.list.key]}
  - {type: redact, fields: [message, exception, extra], pattern: 'Bearer (\w)\w+', replacement: "Bearer $1***"}
`)
	defer r.end(t)
	card := map[string]any{"number": "4711", "name": "me"}
	record := core.NewReceived(&core.Record{
		Channel: "shop", Level: core.LevelError, Msg: "sent {0}", Args: []any{"Bearer abc"},
		Exception: &core.Exception{Name: "E", Message: "Bearer def", Traceback: "at\nBearer ghi"},
		Extra: core.Extra("password", int64(1), "card", card, "header", []any{"Bearer jkl", int64(3)}, "cookies", "c",
			"list", []any{map[string]any{"key": "k"}}),
	}, core.Source{}, time.Now())
	if err := r.Dispatch(record); err != nil {
		t.Fatal(err)
	}
	got := r.seen[0]
	if got.Message() != "sent Bearer a***" || got.Args != nil || strings.Contains(got.Msg, "abc") {
		t.Errorf("message %q of %q and %v", got.Message(), got.Msg, got.Args)
	}
	if got.Exception.Message != "Bearer d***" || got.Exception.Traceback != "at\nBearer g***" {
		t.Errorf("exception: %+v", got.Exception)
	}
	want := map[string]any{
		"password": "[redacted]", "card": map[string]any{"number": "[redacted]", "name": "me"}, "env": "ci", "days": int64(7),
		"header": []any{"Bearer j***", int64(3)}, "list": []any{map[string]any{"key": "[redacted]"}},
	}
	if diff := cmp.Diff(want, got.Extra.Map()); diff != "" {
		t.Errorf("extra (-want +got):\n%s", diff)
	}
	if card["number"] != "4711" {
		t.Error("the value of whoever logged was changed")
	}
	r.log(t, core.LevelInfo, "fine")
	if len(r.seen[1].Extra) != 0 {
		t.Errorf("extra of a record that the condition leaves out: %v", r.seen[1].Extra)
	}
}

func TestKindsOfNotifiersMakeOneAlertOfAnError(t *testing.T) {
	dir := home(t)
	write(t, filepath.Join(dir, "bin", "logger"), "#!/bin/sh\necho \"$1: $LOGBOOK_MESSAGE\" >>"+dir+"/told\n")
	r := runKinds(t, `handlers:
  - {type: external_notification, level: error, arguments: [logger, "{record.channel}"], bubble: true}
  - {type: fingers_crossed, handler: {type: notification}}
`)
	r.log(t, core.LevelDebug, "cart opened")
	r.log(t, core.LevelError, "no tea")
	r.end(t)
	alerts := r.app.Alerts.List()
	if len(alerts) != 1 || alerts[0].Count != 1 || len(alerts[0].Context) != 2 {
		t.Errorf("alerts: %+v", alerts)
	}
	if got := read(t, dir+"/told"); got != "shop: no tea\n" {
		t.Errorf("the program was told %q", got)
	}
	if len(r.screen.shown) != 1 || r.screen.shown[0].ID != alerts[0].ID {
		t.Errorf("shown: %+v", r.screen.shown)
	}
}

func TestKindsThatSendSayWhatBecameOfTheRecords(t *testing.T) {
	home(t)
	r := runKinds(t, `handlers:
  - {name: there, type: external, arguments: [logger, "{record.message}"], bubble: true}
  - {name: queue, type: zeromq, uri: "ipc://`+t.TempDir()+`/s", bubble: true}
  - {name: cookbook, type: nng, mode: pub_listen, uri: "ipc://`+t.TempDir()+`/s", bubble: true}
  - {name: gone, type: http, url: "http://127.0.0.1:1/", timeout: 1s}
`)
	r.log(t, core.LevelError, "no tea")
	want := map[string]uint64{"there": 1, "queue": 0, "queue, unheard": 1, "cookbook": 0, "cookbook, unheard": 1, "gone": 0}
	eventually(t, func() bool {
		got, failed := map[string]uint64{}, false
		for _, h := range r.Status().Handlers {
			got[h.Name] = h.Counters["delivered"]
			if n, ok := h.Counters["unheard"]; ok && h.Counters["unconfirmed"] == 0 {
				got[h.Name+", unheard"] = n
			}
			failed = failed || h.Name == "gone" && h.Counters["failed"] == 1 && h.State == "failing" && h.Error != ""
		}
		return cmp.Equal(want, got) && failed
	})
	r.end(t)
}

func TestKindsOfSendersOpenAgainAfterAFailure(t *testing.T) {
	attempts := 0
	s := &lateSender{open: func() (queue.Sender, error) {
		if attempts++; attempts == 1 {
			return nil, errors.New("the port is taken")
		}
		return discard{}, nil
	}}
	if err := s.Send(t.Context(), nil); err == nil {
		t.Error("no error of the first attempt")
	}
	for range 2 {
		if err := s.Send(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil || attempts != 2 {
		t.Errorf("%d attempts, close: %v", attempts, err)
	}
	if err := s.Send(t.Context(), nil); err == nil {
		t.Error("no error after close")
	}
}

type discard struct{}

func (discard) Send(context.Context, []byte) error { return nil }
func (discard) Close() error                       { return nil }

func TestTheStatusTellsWhatAProgramHasPrinted(t *testing.T) {
	dir := home(t)
	write(t, filepath.Join(dir, "bin", "logger"), "#!/bin/sh\nprintf 'heard \\033[31m%s\\n' \"$1\"\n")
	r := runKinds(t, `handlers:
  - {name: program, type: external, arguments: [logger, "{record.message}"], bubble: true}
  - {name: notifier, type: external_notification, arguments: [logger, "{record.channel}"]}
`)
	if got := r.Status().Handlers[0].Detail; got != "" {
		t.Errorf("before the first run it says %q", got)
	}
	r.log(t, core.LevelError, "no tea")
	eventually(t, func() bool {
		h := r.Status().Handlers
		return strings.HasPrefix(h[0].Detail, "last run at ") && strings.HasSuffix(h[0].Detail, ", printed: heard [31mno tea") &&
			strings.HasSuffix(h[1].Detail, ", printed: heard [31mshop")
	})
	r.end(t)
}

// silence is a notification service that never answers.
type silence struct{ platform.Notifier }

func (silence) Notify(ctx context.Context, _ notifiers.Notification) error {
	<-ctx.Done()
	return ctx.Err()
}

func (silence) Close() error { return nil }

func TestATestOfADeadServiceEndsInTime(t *testing.T) {
	for _, test := range []struct{ name, handler string }{
		{"a notifier", `{name: x, type: notification, timeout: 1h}`},
		{"one that groups", `{name: x, type: notification, timeout: 1h, group_wait: 1m}`},
		{"one behind another queue", `{name: x, type: threaded, handler: {type: notification, timeout: 1h}}`},
		{"one behind fingers crossed", `{name: x, type: fingers_crossed, handler: {type: notification, timeout: 1h}}`},
		{"one behind group wait", `{name: x, type: group_wait, wait: 1m, handler: {type: notification, timeout: 1h}}`},
		{"one that is escalated to", `{name: x, type: escalation, handler: {type: notification, timeout: 1h}}`},
		{"one inside", `{type: fan, handlers: [{type: stderr}, {name: x, type: notification, timeout: 1h}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree, ds := config.Parse("config.yaml", []byte("handlers: ["+test.handler+"]"), config.Options{})
				if len(ds) > 0 {
					t.Fatal(ds)
				}
				a := &app.App{Alerts: alert.NewList(alert.Options{}), Mutes: mute.NewStack(nil), Notifier: silence{}}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				ds, err := pipeline.Deliver(ctx, pipeline.Options{Kinds: kinds(a)}, tree, "x", app.TestRecord(core.LevelError, "test", 0))
				if len(ds) > 0 || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, %v", ds, err)
				}
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

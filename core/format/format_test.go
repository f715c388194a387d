package format_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func sample() *core.Record {
	return core.NewReceived(&core.Record{
		Channel: "shop.cart", Level: core.LevelError, Msg: "order {0} declined", Args: []any{int64(4711)},
		Extra:   core.Extra("ip", "::1", "user", map[string]any{"name": "Änn", "tags": []any{"a", nil}}),
		Time:    time.Date(2026, 11, 20, 9, 5, 7, 42000, time.UTC),
		Site:    core.Site{File: "/srv/shop/cart.py", Line: 42, Function: "pay", Module: "shop.cart"},
		Process: core.Process{ID: 77, Name: "MainProcess"},
		Thread:  core.Thread{ID: 140000000000001, Name: "MainThread"},
	}, core.Source{Name: "zmq", Peer: "127.0.0.1"}, time.Date(2026, 11, 20, 9, 5, 8, 0, time.UTC))
}

func render(t *testing.T, template string, o format.Options, r *core.Record) string {
	t.Helper()
	f, err := format.NewString(template, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.Append(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFormatStrings(t *testing.T) {
	tests := []struct{ template, want string }{
		{format.DefaultTemplate, "[2026-11-20 09:05:07.000042] ERROR: shop.cart: order 4711 declined"},
		{"[{record.time:%Y-%m-%d %H:%M}] {record.level_name}: {record.channel}: {record.message}", "[2026-11-20 09:05] ERROR: shop.cart: order 4711 declined"},
		{"", ""},
		{"{{}} plain", "{} plain"},
		{"{record.level_name:<8}|{record.level:>4}|{record.level:x}", "ERROR   |  14|e"},
		{"{record.lineno:05d} {record.filename} {record.func_name} {record.module}", "00042 /srv/shop/cart.py pay shop.cart"},
		{"{record.process} {record.process_name} {record.thread} {record.thread_name} {record.greenlet}", "77 MainProcess 140000000000001 MainThread 0"},
		{"{record.extra[ip]} {record.extra[none]}{record.extra[none]:>3}|", "::1    |"},
		{"{record.extra[user][name]} {record.extra[user][tags][0]} {record.extra[user][tags][1]}", "Änn a None"},
		{"{record.extra[ip]!r:>7} {record.extra[user][name]!a}", "  '::1' '\\xc4nn'"},
		{"{record.extra}", "{'ip': '::1', 'user': {'name': 'Änn', 'tags': ['a', None]}}"},
		{"{record.msg!r} {record.args} {record.args[0]:,} {record.kwargs}", "'order {0} declined' [4711] 4,711 {}"},
		{"{record.message:.5}|{record.message:^20}|", "order|order 4711 declined |"},
		{"{record.time}", "2026-11-20 09:05:07.000042"},
		{"{record.time:%d.%m.%y %-H %j %z} {record.received:%S}", "20.11.26 9 324 +0000 08"},
		{"{record.source} {record.source.name} {record.source.peer:>10}", "zmq (127.0.0.1) zmq  127.0.0.1"},
		{"{record.channel:{record.lineno}}|", "shop.cart" + strings.Repeat(" ", 33) + "|"},
		{"{record.exception_name}{record.exception_message}{record.exception_shortname}{record.formatted_exception}|", "|"},
		{"{record.dispatcher}", "None"},
		{"{record.seq:d}{record.frame_correction}", "0"},
	}
	for _, tt := range tests {
		t.Run(tt.template, func(t *testing.T) {
			got := render(t, tt.template, format.Options{}, sample())
			if strings.Contains(tt.template, "seq") {
				got = got[len(got)-1:] // the number depends on the other tests
			}
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTimedateFormat(t *testing.T) { // test_timedate_format, test_tz_aware
	zone := time.FixedZone("CET", 3600)
	got := render(t, "{record.time:%H:%M %z %Z} {record.time} {record.time!s:.16}", format.Options{Location: zone}, sample())
	if want := "10:05 +0100 CET 2026-11-20 10:05:07.000042+01:00 2026-11-20 10:05"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFormatStringsThatAreWrong(t *testing.T) {
	tests := []struct{ template, want string }{
		{"{record.message", `format string "{record.message": expected '}' before end of string`},
		{"a}", `format string "a}": Single '}' encountered in format string`},
		{"{message}", `format string "{message}": field {message}: fields begin with "record.", such as {record.message}`},
		{"{}", `format string "{}": field {}: fields begin with "record.", such as {record.message}`},
		{"{record}", `format string "{record}": field {record}: an attribute is missing, such as {record.message}`},
		{"{record.mesage}", `format string "{record.mesage}": records have no attribute "mesage" (there are args, channel,`},
		{"{record[time]}", `format string "{record[time]}": records have no attribute "time"`},
		{"{record.extra[ip}", `format string "{record.extra[ip}": expected '}' before end of string`},
		{"{record.time!x}", `format string "{record.time!x}": Unknown conversion specifier x`},
	}
	for _, tt := range tests {
		if _, err := format.NewString(tt.template, format.Options{}); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: error %v\nwant %s", tt.template, err, tt.want)
		}
	}
}

func TestAFieldThatCannotBeFormattedCostsOnlyItself(t *testing.T) {
	f, err := format.NewString("{record.level_name}: {record.extra[ip]:d} {record.extra[user].name}{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.Append([]byte("> "), sample())
	if got, want := string(text), "> ERROR:  order 4711 declined"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := "format {record.extra[ip]}: Unknown format code 'd' for object of type 'str'"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestTheExceptionFollowsTheText(t *testing.T) {
	r := sample()
	r.Exception = &core.Exception{Name: "builtins.ValueError", Message: "bad", Traceback: "Traceback ...\nValueError: bad"}
	template := "{record.message} ({record.exception_shortname}: {record.exception_message})"
	if got, want := render(t, template, format.Options{}, r), "order 4711 declined (ValueError: bad)\nTraceback ...\nValueError: bad"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := render(t, template, format.Options{NoException: true}, r), "order 4711 declined (ValueError: bad)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnicodeFormats(t *testing.T) { // test_custom_unicode_format_unicode, test_default_format_bad_encoding, test_unicode_message_encoded_params
	r := &core.Record{Level: core.LevelWarning, Channel: "☃", Msg: "\u2603 {0}", Args: []any{[]byte("\xf2x")}}
	if got, want := render(t, "[{record.level_name}] {record.channel}: {record.message}", format.Options{}, r), "[WARNING] ☃: ☃ b'\\xf2x'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRecordsLoggedInGo(t *testing.T) {
	var logs logtest.TestHandler
	f, err := format.NewString("{record.dispatcher.name} {record.dispatcher.level_name} {record.func_name} {record.module}: {record.message}", format.Options{NoException: true})
	if err != nil {
		t.Fatal(err)
	}
	logs.Formatter = f
	log := core.NewLogger("shop")
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
	log.ExceptionContext(ctx, errors.New("x"), "oops")
	want := "shop NOTSET TestRecordsLoggedInGo github.com/logbook-tray/logbook-tray/core/format_test: oops"
	if got := logs.Formatted()[0]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONIsOneValidLine(t *testing.T) {
	r := sample()
	r.Extra.Set("text", "two\nlines")
	text, err := format.NewJSON().Append(nil, r)
	if err != nil || strings.Contains(string(text), "\n") {
		t.Fatalf("error %v: %s", err, text)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got["message"] != "order 4711 declined" || got["time"] != "2026-11-20T09:05:07.000042Z" || len(got) != 23 {
		t.Errorf("%d keys: %s", len(got), text)
	}
}

func TestLogfmt(t *testing.T) {
	r := sample()
	r.Exception = &core.Exception{Name: "ValueError", Message: "bad \"x\"", Traceback: "a\nb"}
	r.Extra = core.Extra("order", 4711, "empty", "", "odd key=", "\x1b[31m", "list", []any{1, "a"})
	text, err := format.NewLogfmt().Append(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	want := `time=2026-11-20T09:05:07.000042Z level=error channel=shop.cart msg="order 4711 declined" caller=/srv/shop/cart.py:42 ` +
		`error="bad \"x\"" error_type=ValueError traceback="a\nb" order=4711 empty="" odd_key_="\x1b[31m" list="[1, 'a']"`
	if got := string(text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestColorizingSupport(t *testing.T) { // test_colorizing_support
	plain, err := format.NewString("{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[core.Level]string{
		core.LevelTrace: "\x1b[37m", core.LevelDebug: "\x1b[37m", core.LevelInfo: "\x1b[37m", core.LevelNotice: "\x1b[33;01m",
		core.LevelWarning: "\x1b[33;01m", core.LevelError: "\x1b[31;01m", core.LevelCritical: "\x1b[31;01m",
	}
	for level, color := range tests {
		text, err := format.NewColor(plain).Append([]byte("> "), &core.Record{Level: level, Msg: "An error"})
		if want := "> " + color + "An error\x1b[39;49;00m"; string(text) != want || err != nil {
			t.Errorf("%v: %q, error %v; want %q", level, text, err, want)
		}
	}
}

func TestWhoWantsColor(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	tests := []struct {
		name, noColor, force, term string
		toTerminal, want           bool
	}{
		{"a terminal", "", "", "xterm", true, true},
		{"a file", "", "", "xterm", false, false},
		{"NO_COLOR", "1", "1", "xterm", true, false},
		{"FORCE_COLOR", "", "1", "dumb", false, true},
		{"FORCE_COLOR=0", "", "0", "xterm", false, false},
		{"a dumb terminal", "", "", "dumb", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColor)
			t.Setenv("FORCE_COLOR", tt.force)
			t.Setenv("TERM", tt.term)
			var got bool
			if tt.toTerminal {
				got = format.WantsColor(terminal)
			} else {
				got = format.WantsColor(new(strings.Builder))
			}
			if got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestTheDefaultFormatAllocatesNothing(t *testing.T) {
	f, r := format.Default(), sample()
	r.Message()
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf, _ = f.Append(buf[:0], r) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzString(f *testing.F) {
	for _, seed := range []string{
		format.DefaultTemplate, "{record.extra[ip]!r:>{record.lineno}}", "{record.time:%c %:z}", "{record.args[0]:+,.2f}", "{{}}{record", "{record.source.peer[0]}",
	} {
		f.Add(seed)
	}
	r := sample()
	f.Fuzz(func(t *testing.T, template string) {
		s, err := format.NewString(template, format.Options{})
		if err != nil {
			return
		}
		first, err1 := s.Append(nil, r)
		second, err2 := s.Append(nil, r)
		if string(first) != string(second) || (err1 == nil) != (err2 == nil) {
			t.Errorf("%q: %q, %v and then %q, %v", template, first, err1, second, err2)
		}
	})
}

func BenchmarkDefault(b *testing.B) {
	f, r := format.Default(), sample()
	r.Message()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = f.Append(buf[:0], r)
	}
}

func BenchmarkJSON(b *testing.B) {
	f, r := format.NewJSON(), sample()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = f.Append(buf[:0], r)
	}
}

func ExampleNewString() {
	f, err := format.NewString("{record.level_name:>8} {record.channel}: {record.message} [{record.extra[ip]}]", format.Options{})
	if err != nil {
		panic(err)
	}
	show := core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		line, err := f.Append(nil, r)
		_, _ = os.Stdout.Write(append(line, '\n'))
		return err
	})
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: show})
	defer end() //nolint:errcheck // holds nothing back
	core.NewLogger("shop").WarnContext(ctx, "order {0} declined", 4711, core.Extra("ip", "::1"))
	// Output:  WARNING shop: order 4711 declined [::1]
}

package expression_test

import (
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/expression"
)

func record() *core.Record {
	return &core.Record{
		Channel: "shop.checkout", Level: core.LevelError, Msg: "declined",
		Extra:     core.Extra("env", "dev", "order", int64(4711), "user", map[string]any{"name": "zoë"}),
		Exception: &core.Exception{Name: "shop.Declined", Message: "no funds"},
		Process:   core.Process{ID: 42, Name: "MainProcess"},
		Source:    core.Source{Name: "zeromq", Peer: "tcp://127.0.0.1:5000"},
		Site:      core.Site{File: "/srv/shop.py", Line: 7, Function: "pay"},
	}
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		source string
		want   bool
	}{
		{`level >= "error"`, true},
		{`level > "error"`, false},
		{`"warning" < level`, true},
		{`level in ["error", "critical"]`, true},
		{`level == "WARN"`, false},
		{`channel startsWith "shop." && extra.env != "test"`, true},
		{`message contains "decl"`, true},
		{`message matches "^d.*d$"`, true},
		{`extra.order == 4711`, true},
		{`extra.user.name == "zoë"`, true},
		{`extra.missing == nil || extra.missing == ""`, true},
		{`extra.missing != "test"`, true},
		{`extra.missing.deeper == "x"`, false}, // cannot be evaluated
		{`exception.name == "shop.Declined" && exception.short_name == "Declined"`, true},
		{`source.name == "zeromq" && source.host == "127.0.0.1"`, true},
		{`process.id == 42 && line == 7 && function == "pay" && file endsWith ".py"`, true},
		{`not (channel == "shop.checkout")`, false},
	} {
		filter, err := expression.Compile(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got := filter(record()); got != c.want {
			t.Errorf("%s: got %v, want %v", c.source, got, c.want)
		}
	}
}

func TestMistakesAreFoundWhenTheFileIsRead(t *testing.T) {
	for source, want := range map[string]string{
		`levl >= "error"`:                       "unknown name levl",
		`level >= "errror"`:                     `unknown level "errror"`,
		`channel + 1`:                           "invalid operation",
		`channel`:                               "expected bool",
		`channel ==`:                            "unexpected token",
		strings.Repeat("1 + ", 2000) + "1 == 1": "longer than 4096 bytes",
	} {
		_, err := expression.Compile(source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want an error with %q", source, err, want)
		}
	}
}

func TestTextExpressions(t *testing.T) {
	f, err := expression.CompileText(`channel + "/" + string(extra.order)`)
	if err != nil {
		t.Fatal(err)
	}
	if got := f(record()); got != "shop.checkout/4711" {
		t.Errorf("got %q", got)
	}
	f, err = expression.CompileText(`extra.missing.deeper`)
	if err != nil {
		t.Fatal(err)
	}
	if got := f(record()); got != "" {
		t.Errorf("what cannot be evaluated is %q, want nothing", got)
	}
}

func BenchmarkFilter(b *testing.B) {
	filter, err := expression.Compile(`level >= "error" && channel startsWith "shop." && extra.env != "test"`)
	if err != nil {
		b.Fatal(err)
	}
	r := record()
	b.ReportAllocs()
	for b.Loop() {
		if !filter(r) {
			b.Fatal("no match")
		}
	}
}

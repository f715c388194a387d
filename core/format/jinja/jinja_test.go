package jinja_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format/jinja"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func sample() *core.Record {
	return &core.Record{
		Channel: "shop", Level: core.LevelError, Msg: "order {0}", Args: []any{4711},
		Extra: core.Extra("ip", "<::1>", "tags", []any{"a", "b"}),
		Time:  time.Date(2026, 11, 20, 9, 5, 7, 42000, time.UTC),
		Site:  core.Site{File: "cart.py", Line: 42},
	}
}

func TestJinjaFormatter(t *testing.T) { // test_jinja_formatter
	tests := []struct{ name, template, want string }{
		{"attributes", "{{ record.channel }} {{ record.level_name }}", "shop ERROR"},
		{"the message", "{{ record.message }} at {{ record.filename }}:{{ record.lineno }}", "order 4711 at cart.py:42"},
		{"extra data", "{{ record.extra.ip }}{{ record.extra['ip'] }}{{ record.extra.none }}|", "<::1><::1>|"},
		{"conditions", "{% if record.level >= 14 %}bad{% else %}good{% endif %}", "bad"},
		{"loops", "{% for t in record.extra.tags %}{{ t | upper }}{% endfor %}", "AB"},
		{"times", `{{ record.time | strftime("%H:%M:%S.%f %z") }}`, "10:05:07.000042 +0100"},
		{"ranges", "{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}", "531"},
		{"no exception", "{{ record.formatted_exception }}|{{ record.exception_shortname }}", "|"},
		{"a filter with a default", "{{ record.extra.none | default('-') }}", "-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := jinja.New(tt.template, jinja.Options{Location: time.FixedZone("", 3600)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Append([]byte("> "), sample())
			if err != nil || string(got) != "> "+tt.want {
				t.Errorf("got %q, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestTemplatesThatAreWrong(t *testing.T) {
	for _, template := range []string{"{{ record.message", "{% if %}", "{% include '/template' %}", "{{ x | nofilter }}"} {
		f, err := jinja.New(template, jinja.Options{})
		if err == nil {
			_, err = f.Append(nil, sample())
		}
		if err == nil || !strings.HasPrefix(err.Error(), "jinja template: ") {
			t.Errorf("%q: error %v", template, err)
		}
	}
}

func TestMistakesWhileRendering(t *testing.T) {
	for _, template := range []string{`{{ record.message | strftime("%H") }}`, "{% for i in range(1000000000) %}x{% endfor %}"} {
		f, err := jinja.New(template, jinja.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Append(nil, sample()); err == nil {
			t.Errorf("%q: rendered %q", template, got)
		}
	}
}

func TestAFormatterIsSafeForConcurrentUse(t *testing.T) {
	f, err := jinja.New("{{ record.message }}{% for t in record.extra.tags %}{{ t }}{% endfor %}", jinja.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if got, err := f.Append(nil, sample()); string(got) != "order 4711ab" || err != nil {
					t.Errorf("got %q, error %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func ExampleNew() {
	f, err := jinja.New("{{ record.level_name | lower }}: {{ record.message }}{% if record.extra.ip %} from {{ record.extra.ip }}{% endif %}", jinja.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := handler.NewStream(os.Stdout, handler.StreamOptions{Formatter: f})
	log := core.NewLogger("shop")
	log.SetHandlers(core.Binding{Handler: h})
	log.Error("order {0} declined", 4711, core.Extra("ip", "::1"))
	// Output: error: order 4711 declined from ::1
}

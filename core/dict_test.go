package core_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
)

func full() *core.Record {
	r := &core.Record{
		Channel: "shop", Level: core.LevelError, Msg: "declined for {0}, {why}", Args: []any{int64(4711)},
		Kwargs: core.Fields{{Key: "why", Value: "limit"}}, Extra: core.Fields{{Key: "request", Value: "r1"}},
		Time:      time.Date(2026, 11, 20, 21, 21, 5, 42000, time.UTC),
		Exception: &core.Exception{Name: "shop.Declined", Message: "limit", Traceback: "Traceback ..."},
		Site:      core.Site{File: "/srv/shop/pay.py", Line: 26, Function: "charge", Module: "shop.pay"},
		Process:   core.Process{ID: 17, Name: "MainProcess"}, Thread: core.Thread{ID: 1 << 40, Name: "MainThread", Greenlet: 3},
		FrameCorrection: 1,
	}
	return r
}

func TestARecordAsADictionaryHasAllKeysOfLogbook(t *testing.T) {
	want := map[string]any{
		"channel": "shop", "level": 14, "msg": "declined for {0}, {why}", "message": "declined for 4711, limit",
		"args": []any{int64(4711)}, "kwargs": map[string]any{"why": "limit"}, "extra": map[string]any{"request": "r1"},
		"time":              time.Date(2026, 11, 20, 21, 21, 5, 42000, time.UTC),
		"heavy_initialized": true, "information_pulled": true,
		"process": 17, "process_name": "MainProcess", "thread": int64(1 << 40), "thread_name": "MainThread", "greenlet": int64(3),
		"filename": "/srv/shop/pay.py", "lineno": 26, "func_name": "charge", "module": "shop.pay", "frame_correction": 1,
		"exception_name": "shop.Declined", "exception_message": "limit", "formatted_exception": "Traceback ...",
	}
	if d := cmp.Diff(want, full().ToDict()); d != "" {
		t.Error(d)
	}
}

func TestADictionaryMakesTheSameRecordAgain(t *testing.T) {
	for _, want := range []*core.Record{full(), {Msg: "bare"}} {
		got, err := core.FromDict(want.ToDict())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(core.Record{}), cmpopts.EquateEmpty()); d != "" {
			t.Error(d)
		}
		if got.Message() != want.Message() {
			t.Errorf("message %q", got.Message())
		}
	}
}

func TestADictionaryOfSomethingElseIsNoRecord(t *testing.T) {
	for _, d := range []map[string]any{nil, {}, {"channel": "x"}} {
		if r, err := core.FromDict(d); !errors.Is(err, core.ErrNotARecord) {
			t.Errorf("%v gives %v, %v", d, r, err)
		}
	}
}

func TestAttributesAreTakenInEveryFormThatSendersUse(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		want  func(*core.Record) bool
	}{
		{"level", 3, func(r *core.Record) bool { return r.Level == core.LevelNotice }},
		{"level", "warn", func(r *core.Record) bool { return r.Level == core.LevelWarning }},
		{"level", json.Number("14"), func(r *core.Record) bool { return r.Level == core.LevelError }},
		{"time", "2026-11-20T21:21:05.5Z", func(r *core.Record) bool { return r.Time.Nanosecond() == 5000 }},
		{"time", int64(1700000000), func(r *core.Record) bool { return r.Time.Unix() == 1700000000 }},
		{"time", 1795208513.469826, func(r *core.Record) bool { return r.Time.Nanosecond() == 469826000 }},
		{"time", nil, func(r *core.Record) bool { return r.Time.IsZero() }},
		{"lineno", 12.0, func(r *core.Record) bool { return r.Site.Line == 12 }},
		{"process", " 17 ", func(r *core.Record) bool { return r.Process.ID == 17 }},
		{"channel", true, func(r *core.Record) bool { return r.Channel == "true" }},
		{"msg", 1.5, func(r *core.Record) bool { return r.Msg == "1.5" }},
		{"msg", []any{"a"}, func(r *core.Record) bool { return r.Msg == `["a"]` }},
		{"message", nil, func(r *core.Record) bool { return r.Message() == "" }},
		{"exc_info", nil, func(r *core.Record) bool { return r.Exception == nil }},
		{"extra", core.Fields{}, func(r *core.Record) bool { return r.Extra == nil }},
	} {
		r := new(core.Record)
		if !r.SetAttribute(c.key, c.value) || !c.want(r) {
			t.Errorf("%s = %v gives %+v", c.key, c.value, r)
		}
	}
}

func TestAttributesOfNoMeaningAreKeptAsExtraData(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
	}{
		{"level", "loud"},
		{"level", 1e300},
		{"time", math.Inf(1)},
		{"time", "yesterday"},
		{"time", "2026-02-30T00:00:00Z"},
		{"lineno", 1.5},
		{"lineno", "top"},
		{"extra", 5},
		{"kwargs", []any{}},
		{"args", "x"},
		{"msg", func() {}},
		{"heavy_initialized", 1},
		{"ticket", 7},
	} {
		r := new(core.Record)
		r.UpdateFromDict(map[string]any{c.key: c.value})
		if v, ok := r.Extra.Lookup(c.key); !ok || v == nil {
			t.Errorf("%s = %v is lost: %+v", c.key, c.value, r)
		}
	}
}

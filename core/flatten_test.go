package core_test

import (
	"context"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

func TestAFlattenedContextHasTheStackOfTheOneBelow(t *testing.T) {
	var seen int
	count := core.Binding{Handler: core.HandlerFunc(func(context.Context, *core.Record) error {
		seen++
		return nil
	})}
	type key struct{}
	bound, end := core.Bind(context.WithValue(t.Context(), key{}, "kept"), count)
	derived, cancel := context.WithCancel(context.WithoutCancel(bound))
	flat := core.Flatten(derived)
	log := core.NewLogger("test")
	_ = log.Log(flat, core.LevelInfo, "x")
	if seen != 1 || flat.Value(key{}) != "kept" {
		t.Errorf("seen %d, value %v", seen, flat.Value(key{}))
	}
	cancel()
	if flat.Err() == nil {
		t.Error("it does not end with the one below")
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	_ = log.Log(flat, core.LevelInfo, "after the end")
	if seen != 1 {
		t.Error("the binding has ended")
	}
	if ctx := t.Context(); core.Flatten(ctx) != ctx {
		t.Error("a context without a stack was changed")
	}
}

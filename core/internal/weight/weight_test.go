package weight_test

import (
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/weight"
)

func TestEveryTextOfARecordHasItsWeight(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, r := range map[string]*core.Record{
		"channel":   {Channel: long},
		"message":   {Msg: long},
		"args":      {Args: []any{long}},
		"extra":     {Extra: core.Extra("a", map[string]any{"b": []any{[]byte(long)}})},
		"traceback": {Exception: &core.Exception{Traceback: long}},
		"site":      {Site: core.Site{File: long}},
	} {
		if light, got := weight.Of(&core.Record{}), weight.Of(r); got < light+1000 || got > light+3000 {
			t.Errorf("%s: %d, an empty record %d", name, got, light)
		}
	}
	if one, two := weight.Of(&core.Record{}), weight.Of(&core.Record{}, &core.Record{}); two != 2*one || weight.Of() != 0 {
		t.Errorf("one %d, two %d", one, two)
	}
}

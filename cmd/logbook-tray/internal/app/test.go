package app

import (
	"context"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// TestSource is the name of the source of test records.
const TestSource = "test"

// Test hands a record to one running handler, as an error that did happen would reach it,
// and waits until it is delivered. The error says what went wrong.
func (a *App) Test(ctx context.Context, handler string) error {
	return a.pipeline.Deliver(ctx, handler, a.testRecord(handler))
}

// Try sends a few records the way of all others, the last of them an error, as a program
// would that fails.
func (a *App) Try() error {
	for i, text := range []string{"reading the order", "reserving the stock", "paying"} {
		r := a.testRecord("")
		r.Level, r.Msg = core.LevelDebug+core.Level(min(i, 1)), text
		if err := a.pipeline.Dispatch(r); err != nil {
			return err
		}
	}
	r := a.testRecord("")
	r.Msg = "this is what an error looks like: click on it to see what led up to it"
	return a.pipeline.Dispatch(r)
}

// testRecord makes a record that is the first of its kind each time: it stands on a line
// of its own, so that limiting does not take it for a repeat of the last test.
func (a *App) testRecord(handler string) *core.Record {
	return core.NewReceived(&core.Record{
		Channel: "logbook-tray.test", Level: core.LevelError, Msg: "This is a test of {handler}.",
		Kwargs: core.Fields{core.Kw("handler", handler)}, Extra: core.Extra("test", true),
		Site: core.Site{Module: "logbook-tray.test", Line: int(a.tests.Add(1))},
	}, core.Source{Name: TestSource}, time.Now().UTC())
}

package app

import (
	"context"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// TestSource is the name of the source of test records.
const TestSource = "test"

// TestRecord returns the record that a handler is tested with. line is where it says that
// it was logged: with another one it is not taken for a repeat.
func TestRecord(level core.Level, message string, line int) *core.Record {
	r := &core.Record{
		Channel: "logbook-tray.test", Level: level, Msg: message, Extra: core.Extra("test", true),
		Site: core.Site{Module: "logbook-tray.test", Line: line},
	}
	r.SetMessage(message) // it is taken literally
	return core.NewReceived(r, core.Source{Name: TestSource}, time.Now().UTC())
}

// Test hands a record to one running handler, as an error that did happen would reach it,
// and waits until it is delivered. The error says what went wrong.
func (a *App) Test(ctx context.Context, handler string) error {
	return a.pipeline.Deliver(ctx, handler, a.testRecord(core.LevelError, "This is a test of "+handler+"."))
}

// Try sends a few records the way of all others, the last of them an error, as a program
// would that fails.
func (a *App) Try() error {
	for _, r := range []*core.Record{
		a.testRecord(core.LevelDebug, "reading the order"),
		a.testRecord(core.LevelInfo, "paying"),
		a.testRecord(core.LevelError, "this is what an error looks like: click on it to see what led up to it"),
	} {
		if err := a.pipeline.Dispatch(r); err != nil {
			return err
		}
	}
	return nil
}

// testRecord makes a record that is the first of its kind each time, so that limiting does
// not take it for a repeat of the last test.
func (a *App) testRecord(level core.Level, message string) *core.Record {
	return TestRecord(level, message, int(a.tests.Add(1)))
}

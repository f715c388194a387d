package core_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// show is a handler that prints to standard output.
func show(name string) core.Handler {
	return core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		_, err := fmt.Printf("%s: %s %s: %s\n", name, r.Level, r.Channel, r.Message())
		return err
	})
}

func Example() {
	text, err := format.NewString("{record.level_name:<7} {record.channel}: {record.message} [{record.extra[ip]}]", format.Options{})
	if err != nil {
		panic(err)
	}
	remove := core.Install(core.Binding{
		Handler: handler.NewStream(os.Stdout, handler.StreamOptions{Formatter: text}),
		Level:   core.LevelInfo,
	})
	defer remove() //nolint:errcheck // nothing is held back

	log := core.NewLogger("shop")
	log.Debug("not shown")
	log.Info("order {0} of {name}", 4711, core.Kw("name", "Ann"))
	log.Warn("slow answer", core.Extra("ip", "::1"))
	// Output:
	// INFO    shop: order 4711 of Ann []
	// WARNING shop: slow answer [::1]
}

func ExampleDo() {
	log := core.NewLogger("shop")
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: show("all")})
	defer end() //nolint:errcheck // nothing is held back

	mails := core.Binding{Handler: show("mail"), Level: core.LevelError, Bubble: true}
	err := core.Do(ctx, mails, func(ctx context.Context) error {
		log.InfoContext(ctx, "inside")
		log.ErrorContext(ctx, "failed")
		return nil
	})
	log.ErrorContext(ctx, "outside")
	fmt.Println(err)
	// Output:
	// all: INFO shop: inside
	// mail: ERROR shop: failed
	// all: ERROR shop: failed
	// all: ERROR shop: outside
	// <nil>
}

func ExampleProcessor() {
	ctx, end := core.Bind(context.Background(), core.Setups{
		core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
			fmt.Println(r.Message(), r.Extra.Get("request_id"))
			return nil
		})},
		core.Processor(func(r *core.Record) { r.Extra.Set("request_id", 17) }),
	})
	defer end() //nolint:errcheck // nothing is held back
	core.NewLogger("web").InfoContext(ctx, "GET /")
	// Output: GET / 17
}

func ExampleFlags() {
	full := core.HandlerFunc(func(context.Context, *core.Record) error { return errors.New("disk full") })
	ctx, end := core.Bind(context.Background(), core.Setups{
		core.Binding{Handler: full, Name: "file"},
		core.Flags{Errors: core.ErrorsRaise},
	})
	core.NewLogger("web").InfoContext(ctx, "GET /")
	fmt.Println(end())
	// Output: handler "file" (core.HandlerFunc): disk full
}

func ExampleBinding_blackhole() {
	ctx, end := core.Bind(context.Background(), core.Setups{
		core.Binding{Handler: show("below")},
		core.Binding{Filter: func(r *core.Record) bool { return r.Channel == "noise" }}, // no handler: a blackhole
	})
	defer end() //nolint:errcheck // nothing is held back
	core.NewLogger("noise").InfoContext(ctx, "tick")
	core.NewLogger("web").InfoContext(ctx, "GET /")
	// Output: below: INFO web: GET /
}

func ExampleLogger_CatchPanics() {
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: show("all")})
	defer end() //nolint:errcheck // nothing is held back
	panicked := core.NewLogger("jobs").CatchPanics(ctx, func() { panic("no such table") }, "job {0} died", "nightly")
	fmt.Println(panicked)
	// Output:
	// all: ERROR jobs: job nightly died
	// true
}

func ExampleLoggerGroup() {
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: show("all")})
	defer end() //nolint:errcheck // nothing is held back
	db, web := core.NewLogger("db"), core.NewLogger("web")
	group := core.NewLoggerGroup(db, web)
	group.SetLevel(core.LevelWarning)
	web.SetLevel(core.LevelInfo) // goes before what the group says
	db.InfoContext(ctx, "connected")
	web.InfoContext(ctx, "listening")
	// Output: all: INFO web: listening
}

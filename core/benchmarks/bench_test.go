package benchmarks

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// contender is one library under the same two questions.
type contender struct {
	name string
	// unwanted logs what no one wants; wanted logs one line of JSON with the
	// place in the source, to w.
	unwanted, wanted func(w io.Writer) func()
}

func contenders(b testing.TB) []contender {
	ctx := context.Background()
	return []contender{
		{
			"core", func(w io.Writer) func() {
				log := core.NewLogger("bench")
				ctx, _ := core.Bind(ctx, core.Binding{Handler: stream(b, w), Level: core.LevelInfo})
				return func() { log.DebugContext(ctx, "order {0} of {1} declined", 4711, "ann") }
			},
			func(w io.Writer) func() {
				log := core.NewLogger("bench")
				ctx, _ := core.Bind(ctx, core.Binding{Handler: stream(b, w)})
				return func() { log.InfoContext(ctx, "order declined", core.Extra("order", 4711, "user", "ann")) }
			},
		},
		{
			"slog", func(w io.Writer) func() {
				log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{AddSource: true}))
				return func() { log.DebugContext(ctx, "order declined", "order", 4711, "user", "ann") }
			},
			func(w io.Writer) func() {
				log := slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{AddSource: true}))
				return func() { log.InfoContext(ctx, "order declined", "order", 4711, "user", "ann") }
			},
		},
		{
			"zerolog", func(w io.Writer) func() {
				log := zerolog.New(w).Level(zerolog.InfoLevel).With().Timestamp().Caller().Logger()
				return func() { log.Debug().Int("order", 4711).Str("user", "ann").Msg("order declined") }
			},
			func(w io.Writer) func() {
				log := zerolog.New(w).With().Timestamp().Caller().Logger()
				return func() { log.Info().Int("order", 4711).Str("user", "ann").Msg("order declined") }
			},
		},
		{
			"zap", func(w io.Writer) func() {
				log := zap.New(zapCore(w), zap.AddCaller())
				return func() { log.Debug("order declined", zap.Int("order", 4711), zap.String("user", "ann")) }
			},
			func(w io.Writer) func() {
				log := zap.New(zapCore(w), zap.AddCaller())
				return func() { log.Info("order declined", zap.Int("order", 4711), zap.String("user", "ann")) }
			},
		},
	}
}

func zapCore(w io.Writer) zapcore.Core {
	return zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(w), zap.InfoLevel)
}

func stream(b testing.TB, w io.Writer) core.Handler {
	b.Helper()
	return handler.NewStream(w, handler.StreamOptions{Formatter: format.NewJSON()})
}

func BenchmarkUnwanted(b *testing.B) {
	for _, c := range contenders(b) {
		b.Run(c.name, func(b *testing.B) {
			f := c.unwanted(io.Discard)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

func BenchmarkJSONStream(b *testing.B) {
	for _, c := range contenders(b) {
		b.Run(c.name, func(b *testing.B) {
			f := c.wanted(io.Discard)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// BenchmarkUnwantedValues is BenchmarkUnwanted with arguments that vary: Go puts
// what is passed as any on the heap before the call, in whichever library.
func BenchmarkUnwantedValues(b *testing.B) {
	ctx, _ := core.Bind(b.Context(), core.Binding{Handler: stream(b, io.Discard), Level: core.LevelInfo})
	log := core.NewLogger("bench")
	b.Run("core", func(b *testing.B) {
		b.ReportAllocs()
		for n := 1000; b.Loop(); n++ {
			log.DebugContext(ctx, "order {0} declined", n)
		}
	})
	b.Run("core, asked first", func(b *testing.B) {
		b.ReportAllocs()
		for n := 1000; b.Loop(); n++ {
			if log.Enabled(ctx, core.LevelDebug) {
				log.DebugContext(ctx, "order {0} declined", n)
			}
		}
	})
	slogger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	b.Run("slog", func(b *testing.B) {
		b.ReportAllocs()
		for n := 1000; b.Loop(); n++ {
			slogger.DebugContext(ctx, "order declined", "order", n)
		}
	})
}

// BenchmarkTextStream is a record to a stream in Logbook's default format.
func BenchmarkTextStream(b *testing.B) {
	ctx, _ := core.Bind(b.Context(), core.Binding{Handler: handler.NewStream(io.Discard, handler.StreamOptions{})})
	log := core.NewLogger("bench")
	b.ReportAllocs()
	for b.Loop() {
		log.InfoContext(ctx, "order declined", core.Extra("order", 4711, "user", "ann"))
	}
}

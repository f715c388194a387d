package core_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

// ignore is a handler that does nothing.
type ignore struct{}

func (ignore) Handle(context.Context, *core.Record) error { return nil }

func BenchmarkDispatch(b *testing.B) {
	for _, handlers := range []int{0, 1, 5} {
		var setup core.Setups
		for range handlers {
			setup = append(setup, core.Binding{Handler: ignore{}, Bubble: true})
		}
		ctx, _ := core.Bind(b.Context(), setup)
		log := core.NewLogger("bench")
		b.Run(fmt.Sprintf("logged to %d", handlers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log.InfoContext(ctx, "order declined")
			}
		})
		b.Run(fmt.Sprintf("received for %d", handlers), func(b *testing.B) {
			r := core.NewReceived(&core.Record{Channel: "bench", Level: core.LevelInfo, Msg: "order declined"}, core.Source{}, core.Record{}.Time)
			b.ReportAllocs()
			for b.Loop() {
				_ = core.Dispatch(ctx, r)
			}
		})
	}
}

func BenchmarkUnwanted(b *testing.B) {
	log := core.NewLogger("bench")
	b.Run("below the logger's level", func(b *testing.B) {
		log.SetLevel(core.LevelError)
		defer log.ResetLevel()
		b.ReportAllocs()
		for b.Loop() {
			log.Debug("order {0} declined for {1}", 4711, "ann")
		}
	})
	b.Run("logger disabled", func(b *testing.B) {
		log.Disable()
		defer log.ResetDisabled()
		b.ReportAllocs()
		for b.Loop() {
			log.Debug("order {0} declined for {1}", 4711, "ann")
		}
	})
	b.Run("below the level of the only handler", func(b *testing.B) {
		defer core.Install(core.Binding{Handler: ignore{}, Level: core.LevelError})() //nolint:errcheck // holds nothing back
		b.ReportAllocs()
		for b.Loop() {
			log.Debug("order {0} declined for {1}", 4711, "ann")
		}
	})
	b.Run("blackhole", func(b *testing.B) {
		defer core.Install(core.Binding{})() //nolint:errcheck // holds nothing back
		b.ReportAllocs()
		for b.Loop() {
			log.Debug("order {0} declined for {1}", 4711, "ann")
		}
	})
}

func BenchmarkIntrospection(b *testing.B) {
	for name, s := range map[string]core.Switch{"on": core.On, "off": core.Off} {
		ctx, _ := core.Bind(b.Context(), core.Setups{core.Binding{Handler: ignore{}}, core.Flags{Introspection: s}})
		log := core.NewLogger("bench")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log.InfoContext(ctx, "order declined")
			}
		})
	}
}

func BenchmarkBind(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, end := core.Bind(context.Background(), core.Binding{Handler: ignore{}})
		_ = end()
	}
}

func BenchmarkMessageWithArguments(b *testing.B) {
	ctx, _ := core.Bind(b.Context(), core.Binding{Handler: ignore{}})
	log := core.NewLogger("bench")
	b.ReportAllocs()
	for b.Loop() {
		log.InfoContext(ctx, "order {0} declined for {1}", 4711, "ann")
	}
}

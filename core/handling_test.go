package core_test

import (
	"context"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestCustomLogger(t *testing.T) { // test_custom_logger
	f, err := format.NewString("{record.extra[ip]}:{record.extra[none]}:{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	logs := logtest.TestHandler{Formatter: f}
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &logs})
	log := core.NewLogger("awesome")
	log.SetProcessor(func(r *core.Record) { r.Extra.Set("ip", "127.0.0.1") })
	log.WarnContext(ctx, "Hello World")
	log.SetProcessor(nil)
	log.WarnContext(ctx, "Bye")
	for i, want := range []string{"127.0.0.1::Hello World", "::Bye"} {
		if got := logs.Formatted()[i]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := f.Template(); got != "{record.extra[ip]}:{record.extra[none]}:{record.message}" {
		t.Errorf("the format string reads %q", got)
	}
}

func TestNestedSetups(t *testing.T) { // test_nested_setups
	var outer, warnings, mail logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Binding{Handler: &outer})
	setup := core.Setups{
		core.Binding{}, // nothing gets past here
		core.Binding{Handler: &warnings, Level: core.LevelWarning},
		core.Binding{Handler: &mail, Level: core.LevelError, Bubble: true},
	}
	log := core.NewLogger("App")
	err := core.Do(ctx, setup, func(ctx context.Context) error {
		log.WarnContext(ctx, "This is a warning")
		log.ErrorContext(ctx, "This is also a mail")
		log.CatchPanics(ctx, explode, "")
		log.InfoContext(ctx, "Shut up")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	log.WarnContext(ctx, "back again")
	if warnings.Len() != 3 || mail.Len() != 2 || outer.Len() != 1 {
		t.Errorf("%d, %d and %d records, want 3, 2 and 1", warnings.Len(), mail.Len(), outer.Len())
	}
	if mail.HasWarnings() || mail.Last().Exception == nil || !outer.HasWarning("back again") {
		t.Errorf("mail %q, outer %q", mail.Formatted(), outer.Formatted())
	}
}

func TestFiltering(t *testing.T) { // test_filtering
	one, two := core.NewLogger("One"), core.NewLogger("Two")
	var outer, inner logtest.TestHandler
	ctx, _ := core.Bind(t.Context(), core.Setups{
		core.Binding{Handler: &outer},
		core.Binding{Handler: &inner, Filter: func(r *core.Record) bool { return r.Dispatcher == one }},
	})
	one.WarnContext(ctx, "This is a test")
	two.WarnContext(ctx, "This is another test")
	if inner.Len() != 1 || !inner.HasWarning("This is a test") || outer.Len() != 1 || !outer.HasWarning("This is another test") {
		t.Errorf("inner %q, outer %q", inner.Formatted(), outer.Formatted())
	}
}

func TestDifferentContextPushing(t *testing.T) { // test_different_context_pushing
	handlers := make([]logtest.TestHandler, 3)
	levels := []core.Level{core.LevelDebug, core.LevelInfo, core.LevelWarning}
	ctx := t.Context()
	for i := range handlers {
		ctx, _ = core.Bind(ctx, core.Binding{Handler: &handlers[i], Level: levels[i]}) //nolint:fatcontext // three deep
	}
	log := core.NewLogger("Testing")
	log.WarnContext(ctx, "When it comes to")
	log.InfoContext(ctx, "Just an info")
	log.DebugContext(ctx, "A debug")
	for i, l := range levels {
		if handlers[i].Len() != 1 || handlers[i].Last().Level != l {
			t.Errorf("the handler of level %v has %q", l, handlers[i].Formatted())
		}
	}
}

func TestHandlerProcessors(t *testing.T) { // test_handler_processors
	f, err := format.NewString("Subject: {record.extra[method]} {record.extra[path]}\n\n{record.message}", format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mail := logtest.TestHandler{Formatter: f}
	ctx, _ := core.Bind(t.Context(), core.Setups{
		core.Binding{Handler: &mail, Level: core.LevelError},
		core.Processor(func(r *core.Record) {
			r.Extra.Set("method", "GET")
			r.Extra.Set("path", "/index.html")
		}),
	})
	core.NewLogger("x").ErrorContext(ctx, "failed")
	if got, want := mail.Formatted()[0], "Subject: GET /index.html\n\nfailed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

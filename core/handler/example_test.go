package handler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

func ExampleNewStderr() {
	short, _ := format.NewString("{record.level_name}: {record.message}", format.Options{})
	h := handler.NewStderr(handler.StreamOptions{Formatter: short})
	remove := core.Install(core.Binding{Handler: h, Level: core.LevelWarning})
	defer func() { _ = remove() }()

	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	os.Stderr = os.Stdout // the handler follows
	core.Info("nobody wants this")
	core.Warn("nearly sold out")
	// Output: WARNING: nearly sold out
}

func ExampleNewSplit() {
	short, _ := format.NewString("{record.level_name}: {record.message}", format.Options{})
	remove := core.Install(handler.NewSplit(handler.StreamOptions{Formatter: short}))
	defer func() { _ = remove() }()
	core.Notice("a result, on stdout")
	core.Error("trouble, on stderr")
	// Output: NOTICE: a result, on stdout
}

func ExampleNewMonitoringFile() {
	dir, _ := os.MkdirTemp("", "logbook")
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "app.log")
	short, _ := format.NewString("{record.message}", format.Options{})
	h, err := handler.NewMonitoringFile(handler.FileOptions{Path: path, Formatter: short})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = h.Close() }()
	log := core.NewLogger("shop")
	log.SetHandlers(core.Binding{Handler: h})
	log.Info("before")
	_ = os.Rename(path, path+".1") // as logrotate does
	log.Info("after")
	text, _ := os.ReadFile(path)
	fmt.Print(string(text))
	// Output: after
}

func ExampleNull() {
	// A target for what has to have one, here to count what would be set free.
	crossed := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: handler.Null{}})
	log := core.NewLogger("shop")
	log.SetHandlers(core.Binding{Handler: crossed})
	log.Debug("cart of {0}", "ann")
	log.Error("declined")
	fmt.Println(crossed.Stats().Escalations)
	// Output: 1
}

// shout is a handler of one's own that changes one thing about another.
type shout struct{ handler.Wrapper }

func (s shout) Handle(ctx context.Context, r *core.Record) error {
	loud := r.Clone()
	loud.SetMessage(strings.ToUpper(r.Message()))
	return s.Next.Handle(ctx, loud)
}

func ExampleWrapper() {
	log := core.NewLogger("shop")
	log.SetHandlers(core.Binding{Handler: shout{handler.Wrapper{Next: printer{}}}})
	log.Warn("nearly sold out")
	// Output: WARNING NEARLY SOLD OUT
}

func ExampleFan() {
	// Both the memory and the console get what was set free.
	memory := handler.NewMemory(handler.MemoryOptions{Target: handler.Null{}})
	crossed := handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: handler.Fan{memory, printer{}}})
	log := core.NewLogger("shop")
	log.SetHandlers(core.Binding{Handler: crossed})
	log.Info("cart opened")
	log.Error("declined")
	// Output:
	// INFO cart opened
	// ERROR declined
}

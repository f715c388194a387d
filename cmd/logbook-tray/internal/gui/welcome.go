package gui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/welcomewindow"
)

// welcomeWindow is the open window of a first start.
type welcomeWindow struct {
	window  fyne.Window
	content *welcomewindow.Window
}

// welcomed is the preference that says that the window need not be shown again by
// itself.
const welcomed = "welcomed"

var welcomeSize = fyne.NewSize(820, 520)

// openWelcome shows what programs have to add, in front of the other windows.
func (g *GUI) openWelcome() {
	if g.welcome != nil {
		g.welcome.raise()
		return
	}
	w := &welcomeWindow{window: g.app.NewWindow("logbook-tray – add a program")}
	w.content = welcomewindow.New(welcomewindow.Options{
		Snippets: g.o.Snippets(), Problem: g.o.Problem(), Try: g.o.Try, OpenLog: g.openLog, Close: w.window.Close,
	})
	w.window.SetContent(w.content.Object())
	w.content.AddShortcuts(w.window.Canvas())
	w.window.Resize(welcomeSize)
	ctx, cancel := context.WithCancel(g.ctx)
	g.work.Go(func() { g.awaitRecord(ctx, w.content) })
	w.window.SetOnClosed(func() {
		cancel()
		g.app.Preferences().SetBool(welcomed, true)
		g.welcome = nil
	})
	g.welcome = w
	w.raise()
}

// awaitRecord tells the window of the first record that somebody sends from now on.
func (g *GUI) awaitRecord(ctx context.Context, w *welcomewindow.Window) {
	changed, stop := g.o.Store.Watch()
	defer stop()
	next := g.o.Store.Snapshot().Next()
	for {
		snapshot := g.o.Store.Snapshot()
		for _, r := range snapshot.From(next) {
			if r.Source != (core.Source{}) { // not what the program says of itself
				channel, message := r.Channel, r.Message()
				g.dispatch(func() { w.Arrived(channel, message) })
				return
			}
		}
		next = snapshot.Next()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func (w *welcomeWindow) raise() {
	w.window.Show()
	w.window.RequestFocus()
}

func (w *welcomeWindow) status() control.Window {
	return control.Window{Kind: "welcome", Title: w.window.Title(), Visible: true, Lines: []string{w.content.State()}}
}

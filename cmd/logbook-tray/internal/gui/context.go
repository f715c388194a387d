package gui

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/ui/contextwindow"
)

// contextWindow is an open context window.
type contextWindow struct {
	id       uint64
	window   fyne.Window
	content  *contextwindow.Window
	openedIn time.Duration // from the click to the window being on the screen
}

// maxContexts bounds the open context windows: the one opened first makes way.
const maxContexts = 12

// openAlert shows the context of an alert and marks it as seen. clicked is when
// the user asked for it.
func (g *GUI) openAlert(id uint64, clicked time.Time) error {
	a, ok := g.o.Alerts.Get(id)
	if !ok {
		return noAlert(id)
	}
	g.o.Alerts.Seen(id)
	if i := slices.IndexFunc(g.contexts, func(c *contextWindow) bool { return c.id == id }); i >= 0 {
		c := g.contexts[i]
		c.content.Update(a)
		c.raise()
		return nil
	}
	if len(g.contexts) >= maxContexts {
		g.contexts[0].close()
	}
	c := g.newContext(a)
	g.contexts = append(g.contexts, c)
	c.raise()
	c.openedIn = time.Since(clicked)
	return nil
}

func (g *GUI) newContext(a alert.Alert) *contextWindow {
	c := &contextWindow{id: a.ID, window: g.app.NewWindow(display.Line(a.Title, 80) + " – context")}
	c.content = contextwindow.New(a, contextwindow.Options{
		Store: g.o.Store, Fonts: g.fonts, Text: g.o.Text, JSON: g.o.JSON, OpenEditor: g.o.OpenEditor,
		Mute: g.o.Mute, Mutes: g.o.Mutes.List, Unmute: g.unmute, Why: g.o.Why,
		Dismiss: func(a alert.Alert) {
			g.o.Alerts.Dismiss(a.ID)
			c.close()
		},
		OpenLog: func(r *core.Record) {
			g.openLog()
			g.logContent.Reveal(r)
		},
		Close: c.close,
	})
	c.window.SetPadded(false)
	c.window.SetContent(c.content.Object())
	c.window.Resize(fyne.NewSize(1000, 680))
	c.window.SetOnClosed(func() {
		g.contexts = slices.DeleteFunc(g.contexts, func(other *contextWindow) bool { return other == c })
	})
	return c
}

func (c *contextWindow) raise() {
	c.window.Show()
	c.window.RequestFocus()
	c.window.Canvas().Focus(c.content.List())
}

func (c *contextWindow) close() { c.window.Close() }

// updateContexts shows the counts of the alerts as they are now.
func (g *GUI) updateContexts() {
	for _, c := range g.contexts {
		if a, ok := g.o.Alerts.Get(c.id); ok {
			c.content.Update(a)
		}
	}
}

func (c *contextWindow) status() control.Window {
	w := control.Window{
		Kind: "context", Title: c.window.Title(), Visible: true, Alert: c.id,
		Rows: len(c.content.Records()), OpenedIn: c.openedIn.String(),
	}
	for _, r := range c.content.Records() {
		w.Records = append(w.Records, r.Message())
	}
	if r := c.content.Selected(); r != nil {
		w.Selected = r.Message()
	}
	return w
}

package gui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/ui/statuswindow"
)

// statusWindow is the open status window.
type statusWindow struct {
	window  fyne.Window
	content *statuswindow.Window
}

var statusSize = fyne.NewSize(960, 560)

// openStatus shows the status window, in front of the others.
func (g *GUI) openStatus() {
	if g.status != nil {
		g.status.raise()
		return
	}
	s := &statusWindow{window: g.app.NewWindow("logbook-tray – status")}
	s.content = statuswindow.New(statuswindow.Options{
		State: g.o.Status, Dispatch: g.dispatch, Test: g.o.TestHandler, Reload: g.o.Reload,
		ShowRejected: g.openRejected, OpenConfig: g.o.OpenConfig, Close: s.window.Close,
	})
	s.window.SetContent(s.content.Object())
	s.content.AddShortcuts(s.window.Canvas())
	s.window.Resize(statusSize)
	ctx, cancel := context.WithCancel(g.ctx)
	g.work.Go(func() { s.content.Run(ctx) })
	s.window.SetOnClosed(func() {
		cancel()
		g.status = nil
	})
	g.status = s
	s.raise()
}

func (s *statusWindow) raise() {
	s.window.Show()
	s.window.RequestFocus()
}

func (s *statusWindow) status() control.Window {
	lines := s.content.Lines()
	return control.Window{Kind: "status", Title: s.window.Title(), Visible: true, Rows: len(lines), Lines: lines}
}

package gui

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/ui/rejectedwindow"
)

// rejectedWindow is the open window of the rejected messages of a source.
type rejectedWindow struct {
	source  string
	window  fyne.Window
	content *rejectedwindow.Window
}

var rejectedSize = fyne.NewSize(820, 560)

// openRejected shows the rejected messages of a source, in front of the other windows. There
// is one such window: that of another source makes way.
func (g *GUI) openRejected(source string) {
	if g.rejected != nil && g.rejected.source == source {
		g.rejected.raise()
		return
	}
	if g.rejected != nil {
		g.rejected.window.Close()
	}
	r := &rejectedWindow{source: source, window: g.app.NewWindow("logbook-tray – rejected messages")}
	o := g.o.Rejected(source)
	o.Dispatch, o.Close = g.dispatch, r.window.Close
	r.content = rejectedwindow.New(o)
	r.window.SetContent(r.content.Object())
	r.content.AddShortcuts(r.window.Canvas())
	r.window.Resize(rejectedSize)
	ctx, cancel := context.WithCancel(g.ctx)
	g.work.Go(func() { r.content.Run(ctx) })
	r.window.SetOnClosed(func() {
		cancel()
		if g.rejected == r {
			g.rejected = nil
		}
	})
	g.rejected = r
	r.raise()
}

func (r *rejectedWindow) raise() {
	r.window.Show()
	r.window.RequestFocus()
	r.window.Canvas().Focus(r.content.List())
}

func (r *rejectedWindow) status() control.Window {
	lines := r.content.Lines()
	_, _, body := r.content.Shown()
	return control.Window{Kind: "rejected", Title: r.window.Title(), Visible: true, Rows: len(lines), Lines: lines, Selected: body}
}

// Package gui opens the windows and the tray icon of the program. It is the only
// place that imports the toolkit's driver; what is inside the windows is made in ui/.
package gui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver/desktop"

	"github.com/logbook-tray/logbook-tray/assets"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/logwindow"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/rejectedwindow"
	"github.com/logbook-tray/logbook-tray/ui/statuswindow"
	"github.com/logbook-tray/logbook-tray/ui/style"
	"github.com/logbook-tray/logbook-tray/ui/tray"
	"github.com/logbook-tray/logbook-tray/ui/welcomewindow"
)

// AppID is the program's id on the desktop, the name of its desktop file.
const AppID = "io.github.logbook_tray.LogbookTray"

// Options connects the windows to the program behind them.
type Options struct {
	Store  *model.Store
	Alerts *alert.List
	// TrayState returns what the tray shows. It is called from any goroutine.
	TrayState func() tray.State
	// Mutes are what is held back, Mute holds more back until a time, zero for as
	// long as nobody ends it.
	Mutes *mute.Stack
	Mute  func(m mute.Match, label string, until time.Time)
	// Dropped returns how many records were lost on the way here.
	Dropped func() uint64
	// Text and JSON return what is copied of a record.
	Text, JSON func(*core.Record) string
	// Why says what the rules do with a record: of each handler, and why. It must not block.
	Why func(*core.Record) string
	// OpenEditor opens a place in the source.
	OpenEditor func(core.Site)
	// Status returns what the status window shows, TestHandler tries a handler, Reload reads
	// the configuration again. They are called from any goroutine and may block.
	Status      func() statuswindow.State
	TestHandler func(ctx context.Context, name string) error
	Reload      func(context.Context) error
	// Rejected returns what the window of the rejected messages of a source works with: all
	// but Dispatch and Close.
	Rejected func(source string) rejectedwindow.Options
	// Snippets returns what programs have to add, Problem why their records cannot come; ""
	// if they can.
	Snippets func() []welcomewindow.Snippet
	Problem  func() string
	// Try makes an error of the program's own go the way of all records. It must not block.
	Try func()
	// Welcome says that nobody has used the program yet as far as is known.
	Welcome bool
	// OpenConfig opens the configuration file in an editor. It must not block.
	OpenConfig func()
	// EmptyText is shown in the log window while no record has come.
	EmptyText string
	// ShowLog opens the log window at the start.
	ShowLog bool
}

// GUI is the part of the program that the user sees. Its methods may be called
// from any goroutine once [GUI.Run] has started it.
type GUI struct {
	o     Options
	app   fyne.App
	fonts *glyph.Fonts
	tray  *tray.Tray
	work  sync.WaitGroup  // goroutines that Run waits for
	ctx   context.Context //nolint:containedctx // ends with Run; for the goroutines of windows

	quitting chan struct{} // closed by quit
	quitOnce sync.Once

	// What follows belongs to the toolkit's goroutine.
	log        fyne.Window
	logContent *logwindow.Window
	logVisible bool
	contexts   []*contextWindow // in the order in which they were opened
	status     *statusWindow    // nil: closed
	rejected   *rejectedWindow  // nil: closed
	welcome    *welcomeWindow   // nil: closed
}

// New returns a GUI. It must be called on the main goroutine, which [GUI.Run]
// then needs.
func New(o Options) *GUI {
	prepareStorage()
	g := &GUI{o: o, app: app.NewWithID(AppID), fonts: glyph.NewFonts(true), quitting: make(chan struct{})}
	g.app.SetIcon(assets.AppIcon())
	g.app.Settings().SetTheme(style.NewTheme(""))
	return g
}

// prepareStorage makes the folders and the file that the toolkit expects to be there
// and complains about otherwise. What cannot be made is left to that complaint.
func prepareStorage() {
	if cache, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(cache, 0o700)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return
	}
	dir := filepath.Join(config, "fyne", AppID)
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, "preferences.json"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return // it is there
	}
	_, _ = f.WriteString("{}\n")
	_ = f.Close()
}

// dispatch runs f on the toolkit's goroutine, later. Once the program quits it drops f:
// the toolkit would run it here and now, on the wrong goroutine.
func (g *GUI) dispatch(f func()) {
	select {
	case <-g.quitting:
	default:
		fyne.Do(f) //nolint:forbidigo // the one place: everything else is handed this function
	}
}

// Run shows tray and windows until ctx ends or the user quits. It must be called on the
// main goroutine. The error says that no window can be opened.
func (g *GUI) Run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	g.ctx = ctx
	defer g.work.Wait()
	defer cancel()
	defer func() {
		// The toolkit panics where it cannot open a window.
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v; %s\n%s", ErrNoDisplay, v, useHeadless, debug.Stack())
		}
	}()
	if desk, ok := g.app.(desktop.App); ok {
		g.tray = tray.New(tray.Options{App: desk, Dispatch: g.dispatch, Icons: icons(), Do: g.do, State: g.o.TrayState})
		g.tray.Show()
	}
	g.app.Lifecycle().SetOnStarted(func() { g.started(ctx) })
	g.app.Run()
	if g.logContent != nil {
		return g.logContent.Close()
	}
	return nil
}

// started is called on the toolkit's goroutine once that runs.
func (g *GUI) started(ctx context.Context) {
	if g.tray != nil {
		g.work.Go(func() { g.tray.Run(ctx) })
	}
	g.work.Go(func() { g.follow(ctx) })
	g.work.Go(func() {
		<-ctx.Done()
		g.quit()
	})
	switch {
	case g.o.ShowLog:
		g.openLog()
	case g.o.Welcome && !g.app.Preferences().Bool(welcomed):
		g.openWelcome()
	}
}

// follow brings the tray and open context windows up to date with the alerts.
func (g *GUI) follow(ctx context.Context) {
	changes, stop := g.o.Alerts.Subscribe()
	defer stop()
	mutes, stopMutes := g.o.Mutes.Subscribe()
	defer stopMutes()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-mutes:
		}
		g.Changed()
		g.dispatch(g.updateContexts)
	}
}

// Changed says that what the tray shows has changed.
func (g *GUI) Changed() {
	if g.tray != nil {
		g.tray.Changed()
	}
}

func icons() map[tray.Icon]fyne.Resource {
	return map[tray.Icon]fyne.Resource{
		tray.IconNormal:  assets.TrayIcon(assets.Normal),
		tray.IconUnseen:  assets.TrayIcon(assets.Unseen),
		tray.IconMuted:   assets.TrayIcon(assets.Muted),
		tray.IconProblem: assets.TrayIcon(assets.Disconnected),
	}
}

// do carries out what was chosen in the tray's menu.
func (g *GUI) do(item tray.Item) {
	switch item.Action {
	case tray.OpenLog:
		g.openLog()
	case tray.OpenAlert:
		_ = g.openAlert(item.Alert, time.Now()) // an alert that is gone is gone from the menu too, in a moment
	case tray.OpenNewest:
		g.openNewest()
	case tray.OpenStatus:
		g.openStatus()
	case tray.OpenWelcome:
		g.openWelcome()
	case tray.MarkAllSeen:
		g.o.Alerts.SeenAll()
	case tray.MuteAll:
		g.o.Mute(mute.Match{}, "", item.Expiry.Until(time.Now()))
	case tray.Unmute:
		g.unmute(item.Mute)
	case tray.UnmuteAll:
		g.unmute(0)
	case tray.Quit:
		g.quit()
	case tray.None:
	}
}

// unmute ends a mute, or all of them with id 0. What they held back is summed up in a
// notification, which may take its time.
func (g *GUI) unmute(id uint64) {
	g.work.Go(func() {
		if id == 0 {
			g.o.Mutes.Clear()
			return
		}
		_, _ = g.o.Mutes.Pop(id) // one that has ended by itself is ended
	})
}

func (g *GUI) openNewest() {
	for _, a := range g.o.Alerts.List() {
		if a.State == alert.New {
			_ = g.openAlert(a.ID, time.Now()) // it was in the list just now
			return
		}
	}
	g.openLog()
}

// OpenLog shows the log window, in front of the others.
func (g *GUI) OpenLog() { g.dispatch(g.openLog) }

// OpenAlert shows the context window of an alert, in front of the others. The error
// says that there is no such alert.
func (g *GUI) OpenAlert(id uint64) error {
	clicked := time.Now()
	if _, ok := g.o.Alerts.Get(id); !ok {
		return noAlert(id)
	}
	g.dispatch(func() { _ = g.openAlert(id, clicked) }) // checked just before
	return nil
}

func noAlert(id uint64) error {
	return fmt.Errorf("there is no alert %d; see: logbook-tray alerts list", id)
}

var logSize = fyne.NewSize(1100, 700)

func (g *GUI) openLog() {
	if g.log == nil {
		g.log = g.app.NewWindow("logbook-tray")
		g.logContent = logwindow.New(logwindow.Options{
			Store: g.o.Store, Dispatch: g.dispatch, Fonts: g.fonts, Text: g.o.Text, JSON: g.o.JSON,
			OpenEditor: g.o.OpenEditor, Dropped: g.o.Dropped, EmptyText: g.o.EmptyText,
		})
		g.log.SetPadded(false)
		g.log.SetContent(g.logContent.Object())
		g.logContent.AddShortcuts(g.log.Canvas())
		g.log.Resize(logSize)
		// Closing hides: the program lives in the tray, and the filter stays.
		g.log.SetCloseIntercept(func() {
			g.logVisible = false
			g.log.Hide()
		})
	}
	g.logVisible = true
	g.log.Show()
	g.log.RequestFocus()
	g.logContent.FocusList()
}

// quit ends Run. It may be called from any goroutine.
func (g *GUI) quit() {
	g.quitOnce.Do(func() { close(g.quitting) })
	// Not the Quit of the app, which closes windows: they may be gone already when a
	// signal has ended the loop by the toolkit's own way.
	fyne.Do(g.stop) //nolint:forbidigo // dispatch drops what comes now
}

// Quitting is closed when Run has been told to end.
func (g *GUI) Quitting() <-chan struct{} { return g.quitting }

// answerTime is how long the toolkit's goroutine may take to say what is open.
const answerTime = 3 * time.Second

// ErrBusy says that the windows do not answer.
var ErrBusy = errors.New("the windows do not answer")

// Windows lists the open windows and what they show.
func (g *GUI) Windows() ([]control.Window, error) {
	answer := make(chan []control.Window, 1)
	g.dispatch(func() { answer <- g.windows() })
	select {
	case list := <-answer:
		return list, nil
	case <-time.After(answerTime):
		return nil, ErrBusy
	}
}

func (g *GUI) windows() []control.Window {
	var list []control.Window
	if g.logContent != nil {
		s := g.logContent.Status()
		list = append(list, control.Window{Kind: "log", Title: g.log.Title(), Visible: g.logVisible, Rows: s.Shown})
	}
	for _, c := range g.contexts {
		list = append(list, c.status())
	}
	if g.status != nil {
		list = append(list, g.status.status())
	}
	if g.rejected != nil {
		list = append(list, g.rejected.status())
	}
	if g.welcome != nil {
		list = append(list, g.welcome.status())
	}
	return slices.Clip(list)
}

// stop ends the toolkit's loop. What the toolkit does when it has stopped, which is to save its
// preferences, is done before: it would hand it to another goroutine, which hands it back to
// the loop that is just ending, and panics or waits for ever if it comes too late.
func (g *GUI) stop() {
	if l, ok := g.app.Lifecycle().(interface {
		OnStopped() func()
		SetOnStoppedHookExecuted(f func())
	}); ok {
		if f := l.OnStopped(); f != nil {
			f()
		}
		l.SetOnStoppedHookExecuted(nil)
	}
	g.app.Driver().Quit()
}

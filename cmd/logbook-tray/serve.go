package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/gui"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/ui/tray"
	"github.com/logbook-tray/logbook-tray/ui/welcomewindow"
)

// trayOptions are the flags of the tray app.
type trayOptions struct {
	show bool
	exit func(int) // ends the process at once
}

// selfLogger returns the logger of the program itself. Its records go to stderr from
// the given level on, and to also; they go nowhere else, so that a handler that fails
// cannot make itself fail again.
func selfLogger(stderr io.Writer, level core.Level, also core.Handler) *core.Logger {
	self := core.NewLogger("logbook-tray")
	self.SetHandlers(
		core.Binding{Handler: also, Bubble: true},
		core.Binding{Handler: handler.NewStream(stderr, handler.StreamOptions{}), Level: level, Bubble: true},
		core.Binding{}, // a blackhole
	)
	return self
}

// late is a handler that is set after it was bound. Records before that are lost.
type late struct {
	to func(context.Context, *core.Record) error
}

// Handle implements core.Handler.
func (l *late) Handle(ctx context.Context, r *core.Record) error {
	if l.to == nil {
		return nil
	}
	return l.to(ctx, r)
}

// options returns what both ways to run the program have in common.
func (g *globals) options(cmd *cobra.Command, mode string, self *core.Logger) (app.Options, error) {
	v, _ := buildVersion()
	o := app.Options{
		Mode: mode, Version: v, Config: g.config, Kinds: kinds, Self: self,
		Stderr: cmd.ErrOrStderr(), Color: isTerminal(cmd.ErrOrStderr()),
	}
	var err error
	if o.State, err = app.DefaultState(); err != nil {
		return o, err
	}
	if g.config == "" {
		path, err := app.DefaultConfig()
		if err != nil {
			return o, err
		}
		o.Config, o.Default = path, true
	}
	return o, nil
}

func newHeadless(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "headless",
		Short: "Do the same without a display",
		Long: `Do the same without a display: receive, route and notify. Notifications still go
to the desktop where there is a session bus. What happens to the program itself is
logged on stderr. SIGHUP reloads the configuration; SIGINT and SIGTERM end it in
good order: what was accepted is handled first.`,
		Example: "  logbook-tray headless\n  logbook-tray headless --config ci.yaml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runHeadless(cmd, g) },
	}
}

func runHeadless(cmd *cobra.Command, g *globals) (err error) {
	var toStore late
	self := selfLogger(cmd.ErrOrStderr(), core.LevelInfo, &toStore)
	o, err := g.options(cmd, "headless", self)
	if err != nil {
		return err
	}
	o.OpenAlert = func(id uint64) {
		self.Info("alert {id} was clicked; see: logbook-tray alerts show {id}", core.Kw("id", id))
	}
	o.OpenLog = func() {
		self.Info("a notification was clicked that stands for several alerts; see: logbook-tray alerts list")
	}
	listener, err := g.listen()
	if err != nil {
		return err
	}
	a, err := app.New(o)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	toStore.to = a.Store.Handle
	inst := &app.Instance{App: a}
	self.Info("ready")
	err = serve(cmd.Context(), listener, inst)
	self.Info("stopping")
	closeApp(self, a)
	return err
}

// closeApp ends the pipeline and says what became of the records. What fails on the way
// out, such as a last notification, is logged: it is no failure of the program.
func closeApp(self *core.Logger, a *app.App) {
	if err := a.Close(); err != nil {
		self.Warn("{error}", core.Kw("error", err.Error()))
	}
	received, dispatched := a.Counts()
	self.Info("stopped: {received} records received, {dispatched} handled", core.Kw("received", received), core.Kw("dispatched", dispatched))
}

// listen takes the control socket and makes this process the running instance.
func (g *globals) listen() (*control.Listener, error) {
	path, err := g.socketPath()
	if err != nil {
		return nil, err
	}
	l, err := control.Listen(path)
	if errors.Is(err, control.ErrRunning) {
		return nil, fmt.Errorf("%w; see: logbook-tray status", err)
	}
	return l, err
}

// serve answers the control socket and reloads on SIGHUP until ctx ends.
func serve(ctx context.Context, l *control.Listener, inst *app.Instance) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, inst) }()
	for {
		select {
		case <-hup:
			_ = inst.Reload(ctx) // logged, and kept for the status
		case err := <-served:
			return err
		}
	}
}

// runTray runs the tray app, or raises the window of the one that runs.
func runTray(cmd *cobra.Command, g *globals, o *trayOptions) error {
	ctx := cmd.Context()
	listener, err := g.listen()
	if errors.Is(err, control.ErrRunning) {
		return raise(ctx, g)
	}
	if err != nil {
		return err
	}
	if err := gui.CheckDisplay(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	var toStore late
	self := selfLogger(cmd.ErrOrStderr(), core.LevelWarning, &toStore)
	settings, err := g.options(cmd, "tray", self)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return newDesktop(self, &toStore, o).run(ctx, settings, listener)
}

// raise shows the window of the instance that runs already.
func raise(ctx context.Context, g *globals) error {
	c, err := g.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Show(ctx)
}

// desktop ties the program and its windows together.
type desktop struct {
	self    *core.Logger
	toStore *late
	o       *trayOptions

	app *app.App
	gui *gui.GUI

	firstStart bool // there is no configuration
}

func newDesktop(self *core.Logger, toStore *late, o *trayOptions) *desktop {
	return &desktop{self: self, toStore: toStore, o: o}
}

func (d *desktop) run(ctx context.Context, settings app.Options, listener *control.Listener) error {
	// Callbacks can come before the windows are there; they wait for this.
	ready := make(chan struct{})
	settings.OpenAlert = func(id uint64) {
		<-ready
		_ = d.gui.OpenAlert(id) // an alert that is gone meanwhile
	}
	settings.OpenLog = func() {
		<-ready
		d.gui.OpenLog()
	}
	settings.Changed = func() {
		select {
		case <-ready:
			d.gui.Changed()
		default:
		}
	}
	_, missing := os.Stat(settings.Config)
	d.firstStart = errors.Is(missing, fs.ErrNotExist)
	a, err := app.New(settings)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.app = a
	d.toStore.to = a.Store.Handle
	d.gui = gui.New(d.windows(ctx))
	close(ready)

	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, &app.Instance{App: a, Shown: d.gui}) }()
	finish := sync.OnceValue(func() error {
		cancel()
		err := <-served
		closeApp(d.self, a)
		return err
	})
	returned := make(chan struct{})
	go d.watchEnd(returned, finish)
	err = d.gui.Run(ctx)
	close(returned)
	return errors.Join(err, finish())
}

// hangTime is how long the toolkit may take to end.
const hangTime = 5 * time.Second

// watchEnd ends the program in good order if the toolkit does not return when it was
// told to quit. It can wait for ever for a function that it has queued for its own loop
// just after that had ended (seen with Fyne 2.8.1 on a busy machine).
func (d *desktop) watchEnd(returned <-chan struct{}, finish func() error) {
	select {
	case <-returned:
		return
	case <-d.gui.Quitting():
	}
	select {
	case <-returned:
	case <-time.After(hangTime):
		code := exitOK
		if err := finish(); err != nil {
			d.self.Error("{error}", core.Kw("error", err.Error()))
			code = exitFailed
		}
		d.o.exit(code)
	}
}

func (d *desktop) windows(ctx context.Context) gui.Options {
	a := d.app
	return gui.Options{
		Store: a.Store, Alerts: a.Alerts, TrayState: d.trayState,
		Mutes: a.Mutes, Mute: a.Mute, Why: func(r *core.Record) string { return whyText(a.Explain(r), "") },
		Status: d.status, Rejected: d.rejected, TestHandler: a.Test, Reload: a.Reload, OpenConfig: func() { go d.openConfig(ctx) },
		Snippets: func() []welcomewindow.Snippet { return snippets(a.Listeners()) }, Problem: func() string { return a.PipelineStatus().Problem() }, Try: d.try,
		Welcome: d.firstStart,
		Dropped: d.dropped, Text: recordText, JSON: recordJSON, EmptyText: d.emptyText(), ShowLog: d.o.show,
		OpenEditor: func(s core.Site) {
			go func() {
				if err := gui.OpenEditor(ctx, s); err != nil {
					d.self.Warn("{error}", core.Kw("error", err.Error()))
				}
			}()
		},
	}
}

// emptyText is what the log window says while no record has come: where they are
// waited for.
func (d *desktop) emptyText() string {
	var where []string
	for _, s := range d.app.PipelineStatus().Subscribers {
		if s.Detail != "" {
			where = append(where, s.Name+": "+s.Detail)
		}
	}
	return strings.Join(append([]string{"Waiting for records"}, where...), " · ")
}

// try sends an error of the program's own the way of all records.
func (d *desktop) try() {
	go func() {
		if err := d.app.Try(); err != nil {
			d.self.Warn("{error}", core.Kw("error", err.Error()))
		}
	}()
}

func (d *desktop) dropped() uint64 {
	var n uint64
	for _, s := range d.app.PipelineStatus().Subscribers {
		n += s.Counters["dropped"]
	}
	return n
}

func (d *desktop) trayState() tray.State {
	a := d.app
	s := tray.State{Unseen: a.Alerts.Unseen(), Problem: a.Problem()}
	s.MutedUntil, s.Muted = a.Muted()
	for _, m := range a.Mutes.List() {
		s.Mutes = append(s.Mutes, tray.Mute{ID: m.ID, Label: m.Label, Until: m.Until, Held: m.Held})
	}
	if s.Problem == "" {
		s.Problem = a.PipelineStatus().Problem()
	}
	for _, al := range a.Alerts.List() {
		if len(s.Alerts) == tray.MaxAlerts {
			break
		}
		s.Alerts = append(s.Alerts, tray.Alert{
			ID: al.ID, Title: al.Title, Text: al.Body, Count: al.Count, Last: al.Last, Seen: al.State != alert.New,
			Failed: len(al.Failures) > 0,
		})
	}
	return s
}

// recordText returns a record as it is copied as text.
func recordText(r *core.Record) string {
	text, _ := format.Default().Append(nil, r) // on an error there is what could be made
	return string(text)
}

// recordJSON returns a record as Logbook's JSON.
func recordJSON(r *core.Record) string {
	text, err := wire.Append(nil, r)
	if err != nil {
		return ""
	}
	return string(text)
}

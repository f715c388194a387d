// Package app is the program without its windows: the pipeline, the records that the
// log window shows, the alerts, the mutes, the notifications, and what the
// control socket answers. The tray app and the headless one are made from it.
package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/assets"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/config/keyring"
	"github.com/logbook-tray/logbook-tray/core/expression"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue/rejected"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// Options are what an [App] is made from.
type Options struct {
	// Mode is "tray" or "headless", Version the program's version, for the status.
	Mode, Version string
	// Config is the path of the configuration file. If Default is true and there
	// is no such file, the built-in configuration is used, until the file appears.
	Config  string
	Default bool
	// Kinds returns the types that the file can name. They may use the App's parts.
	Kinds func(*App) pipeline.Kinds
	// Self logs what happens to the program itself.
	Self *core.Logger
	// Stderr is where mistakes in the configuration are shown.
	Stderr io.Writer
	// Color colours them.
	Color bool
	// State is the path of the state database, which keeps the alerts across
	// restarts; "" keeps them in memory only. Rejected messages are kept beside it, see
	// [RejectedDir]; with "" they are not.
	State string
	// OpenAlert is called when the user has clicked on a notification, with the
	// alert's ID; OpenLog when it stood for more than one alert. nil where nobody
	// can do anything with it. They must not
	// block.
	OpenAlert func(id uint64)
	OpenLog   func()
	// Changed is called when something that the tray shows may have changed. It
	// must not block.
	Changed func()
}

// App is the running program. Its methods are safe for concurrent use.
type App struct {
	o       Options
	started time.Time

	Store    *model.Store
	Alerts   *alert.List
	Mutes    *mute.Stack
	Routes   Routes
	Notifier platform.Notifier
	Self     *core.Logger

	pipeline *pipeline.Pipeline
	state    *sqlitestore.Store // nil: in memory only
	rejected *rejected.Store    // nil: none are kept
	work     sync.WaitGroup
	ctx      context.Context //nolint:containedctx // the lifetime of the goroutines
	stop     context.CancelFunc
	tests    atomic.Int64 // how many handlers were tested

	reloading sync.Mutex // one reload at a time
	standing  *standing  // what sections of the file ask for

	mu      sync.Mutex // guards what follows
	problem string     // why the last reload was refused
	loaded  string     // the sum of the configuration in force, see Sum
}

// New reads the configuration and starts everything. With mistakes in the
// configuration they are shown on stderr, and the error says so.
func New(o Options) (*App, error) {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	tree, ds, err := o.load()
	if err != nil {
		return nil, err
	}
	s := readSections(tree) // mistakes are found again, with all the others
	ctx, cancel := context.WithCancel(context.Background())
	a := &App{
		ctx: ctx, stop: cancel,
		o: o, started: time.Now(), Self: o.Self,
		Store: model.NewStore(model.StoreOptions{Records: s.Window.Records, Bytes: int64(s.Window.Bytes)}),
	}
	a.openState(context.Background())
	a.openRejected(s.Rejected.limits())
	a.Notifier = platform.New(a.notifierOptions())
	a.Mutes = mute.NewStack(a.muteEnded)
	a.restoreMutes(context.Background())
	a.restoreInhibitions(context.Background())
	p, more := pipeline.New(a.pipelineOptions(), tree)
	if err := a.show(tree, append(ds, more...)); err != nil || p == nil {
		cancel()
		return nil, errors.Join(err, a.Notifier.Close(), a.closeState())
	}
	a.pipeline = p
	a.standing = newStanding(a.Mutes)
	a.applySections(tree)
	a.work.Go(func() { a.watch(ctx, known(tree)) })
	a.work.Go(func() { a.Mutes.Run(ctx) })
	if a.rejected != nil {
		a.work.Go(func() { a.rejected.Run(ctx) })
	}
	if a.state != nil {
		a.work.Go(func() { a.state.Run(ctx, a.Alerts) })
		a.work.Go(func() { a.Routes.keep(ctx, a.state.SaveInhibitions, a.notKept) })
		a.work.Go(func() { a.Mutes.Keep(ctx, a.state, mute.KeepOptions{OnError: a.notKept}) })
	}
	// Clicks on notifications of an earlier run are understood from here on. What is
	// wrong with notifications is said when there is one to show.
	a.work.Go(func() { _ = platform.Connect(ctx, a.Notifier) })
	return a, nil
}

// Check returns what the configuration would make, and all mistakes in it, without
// opening a socket.
func Check(o Options) (d pipeline.Description, tree *config.Tree, ds config.Diagnostics, err error) {
	tree, ds, err = o.dry(func(_ *App, po pipeline.Options, tree *config.Tree) (more config.Diagnostics, _ error) {
		d, more = pipeline.Check(po, tree)
		return more, nil
	})
	return d, tree, ds, err
}

// Deliver hands r to one handler of the configuration and waits until it is
// delivered.
func Deliver(ctx context.Context, o Options, name string, r *core.Record) (*config.Tree, config.Diagnostics, error) {
	return o.dry(func(_ *App, po pipeline.Options, tree *config.Tree) (config.Diagnostics, error) {
		return pipeline.Deliver(ctx, po, tree, name, r)
	})
}

// dry calls f with the configuration and with parts that nothing runs on.
func (o Options) dry(f func(*App, pipeline.Options, *config.Tree) (config.Diagnostics, error)) (*config.Tree, config.Diagnostics, error) {
	tree, ds, err := o.load()
	if err != nil {
		return nil, nil, err
	}
	a := &App{o: o, Alerts: alert.NewList(alert.Options{}), Mutes: mute.NewStack(nil), Self: o.Self}
	a.Notifier = platform.New(platform.Options{})
	more, err := f(a, a.pipelineOptions(), tree)
	return tree, append(ds, more...).Sorted(), errors.Join(err, a.Notifier.Close())
}

// openState opens the state database. Without one the program works all the same,
// and alerts are forgotten at its end.
func (a *App) openState(ctx context.Context) {
	a.Alerts = alert.NewList(alert.Options{})
	if a.o.State == "" {
		return
	}
	store, err := sqlitestore.Open(ctx, a.o.State, sqlitestore.Options{OnError: a.notKept})
	if err != nil {
		a.notKept(err)
		return
	}
	list, err := store.Load(ctx, alert.Options{})
	if err != nil {
		a.notKept(errors.Join(err, store.Close()))
		return
	}
	a.state, a.Alerts = store, list
}

// notKept says that the state database does not do its work.
func (a *App) notKept(err error) {
	a.Self.Warn("alerts, mutes and inhibitions are not kept across a restart: {error}", core.Kw("error", err.Error()))
}

// restoreMutes brings back the mutes of an earlier run that have not ended.
func (a *App) restoreMutes(ctx context.Context) {
	if a.state == nil {
		return
	}
	if err := a.takeMutes(ctx, a.state); err != nil {
		a.notKept(err)
	}
}

// restoreInhibitions brings back what holds others back since an earlier run.
func (a *App) restoreInhibitions(ctx context.Context) {
	a.Routes.watched()
	if a.state == nil {
		return
	}
	list, err := a.state.LoadInhibitions(ctx)
	if err != nil {
		a.notKept(err)
	}
	a.Routes.take(list)
}

// takeMutes puts the mutes that a database has on the stack.
func (a *App) takeMutes(ctx context.Context, from *sqlitestore.Store) error {
	list, err := from.LoadMutes(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if err := compile(&list[i].Match); err != nil { // the language has changed; it mutes nothing
			a.Self.Warn("the mute {label} has no effect: {error}", core.Kw("label", list[i].Label), core.Kw("error", err.Error()))
		}
	}
	a.Mutes.Restore(list)
	return nil
}

func (a *App) closeState() error {
	if a.state == nil {
		return nil
	}
	return a.state.Close()
}

func (o *Options) load() (*config.Tree, config.Diagnostics, error) {
	options := config.Options{Keyring: fromKeyring}
	tree, ds, err := config.Load(o.Config, options)
	if errors.Is(err, fs.ErrNotExist) && o.Default {
		tree, ds = config.Default(options)
		return tree, ds, nil
	}
	return tree, ds, err
}

// keyringTime is how long the keyring may take: the user may have to unlock it.
const keyringTime = time.Minute

func fromKeyring(name string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), keyringTime)
	defer cancel()
	return keyring.Get(ctx, name)
}

func (a *App) pipelineOptions() pipeline.Options {
	var top []core.Binding
	if a.Store != nil {
		top = append(top, core.Binding{Name: "window", Handler: a.Store, Bubble: true})
	}
	return pipeline.Options{
		Kinds: a.o.Kinds(a), Top: top, Self: a.Self,
		Sections:      Sections,
		CompileFilter: expression.Compile, CompileText: expression.CompileText,
	}
}

// ErrConfig says that there are mistakes in the configuration; they were shown.
var ErrConfig = errors.New("the configuration has mistakes")

// show prints diagnostics and returns an error if there are mistakes among them.
func (a *App) show(tree *config.Tree, ds config.Diagnostics) error {
	if len(ds) == 0 {
		return nil
	}
	if err := tree.Fprint(a.o.Stderr, ds.Sorted(), a.o.Color); err != nil {
		return fmt.Errorf("show the mistakes in the configuration: %w", err)
	}
	if ds.HasErrors() {
		return fmt.Errorf("%w: %w", ErrConfig, ds.Err())
	}
	return nil
}

func (a *App) notifierOptions() platform.Options {
	icon := assets.AppIcon().Content()
	image, err := png.Decode(bytes.NewReader(icon))
	if err != nil {
		image = nil // the icon of the desktop file remains
	}
	var memory platform.Memory
	if a.state != nil {
		memory = a.state
	}
	return platform.Options{
		AppName: "logbook-tray", Image: image, PNG: icon, Memory: memory,
		OnAction: a.Activated, OnDismiss: a.Dismissed,
		OnState: func(err error) {
			if err != nil {
				a.Self.Warn("notifications do not work: {error}", core.Kw("error", err.Error()))
				return
			}
			a.Self.Notice("notifications work again")
		},
	}
}

// Dismissed does what is to be done when the user has closed the notification of an alert.
func (a *App) Dismissed(id uint64) { a.Alerts.Seen(id) }

// Activated does what the user asked for with a notification, of whichever service.
func (a *App) Activated(v notifiers.Activation) {
	al, ok := a.Alerts.Get(v.ID)
	switch {
	case !ok: // a digest, a summary, or an alert that was dismissed
		if a.o.OpenLog != nil {
			a.o.OpenLog()
		}
	case v.Action == notifiers.ActionMute:
		a.MuteAlert(al, mute.OneHour.Until(time.Now()))
	default:
		a.Alerts.Seen(v.ID)
		if a.o.OpenAlert != nil {
			a.o.OpenAlert(v.ID)
		}
	}
}

// Mute holds back what m is about until a time, zero for as long as nobody ends it. A
// label of "" is made of m. What is critical passes, except for a mute of one error.
func (a *App) Mute(m mute.Match, label string, until time.Time) {
	if label == "" {
		label = muteLabel(&m)
	}
	a.Mutes.Push(mute.Mute{Label: label, Match: m, Until: until})
	a.o.Changed()
}

// MuteAlert holds back the error of an alert until a time, see [App.Mute], and marks the
// alert as seen.
func (a *App) MuteAlert(al alert.Alert, until time.Time) {
	a.Alerts.Seen(al.ID)
	a.Mute(mute.Match{Fingerprint: al.Fingerprint}, al.Title, until)
}

const everything = "everything"

// muteEnded tells in one notification what a mute has held back.
func (a *App) muteEnded(m mute.Mute) {
	a.o.Changed()
	n, ok := notifiers.Summary(m)
	if !ok {
		return
	}
	n.ID = a.Alerts.NewID()
	ctx, cancel := context.WithTimeout(context.Background(), notifiers.DefaultTimeout)
	defer cancel()
	if err := a.Notifier.Notify(ctx, n); err != nil {
		a.Self.Warn("could not sum up what was muted: {error}", core.Kw("error", err.Error()))
	}
}

// known returns the content of the file that tree was made from; none if it is the
// built-in configuration.
func known(tree *config.Tree) []byte {
	if tree.Path() == "" {
		return nil
	}
	return tree.Source()
}

// watch reloads the configuration when its file has become another one than known.
func (a *App) watch(ctx context.Context, known []byte) {
	if a.o.Config == "" {
		return
	}
	err := config.Watch(ctx, a.o.Config, known, func([]byte) {
		_ = a.Reload(ctx) // shown, logged and kept for the status
	})
	if err != nil {
		a.Self.Warn("the configuration is not read again when it changes: {error}", core.Kw("error", err.Error()))
	}
}

// Reload reads the configuration again. With mistakes in it the old rules stay, and
// the error lists the mistakes with their lines.
func (a *App) Reload(context.Context) error {
	err := a.reload()
	a.mu.Lock()
	a.problem = ""
	if err != nil {
		a.problem = err.Error()
	}
	a.mu.Unlock()
	if err != nil {
		a.Self.Error("the configuration was not loaded, the old rules stay: {error}", core.Kw("error", err.Error()))
	} else {
		a.Self.Notice("the configuration was loaded again")
	}
	a.o.Changed()
	return err
}

func (a *App) reload() error {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	tree, ds, err := a.o.load()
	if err != nil {
		return err
	}
	if ds.HasErrors() {
		return a.mistakes(tree, ds)
	}
	more, err := a.pipeline.Reload(tree)
	if more.HasErrors() {
		return a.mistakes(tree, append(ds, more...))
	}
	a.applySections(tree)
	return err
}

// applySections does what the sections of a file without mistakes ask for.
func (a *App) applySections(tree *config.Tree) {
	if a.ctx.Err() != nil {
		return // closed meanwhile
	}
	s := readSections(tree)
	a.mu.Lock()
	a.loaded = Sum(known(tree))
	a.mu.Unlock()
	a.standing.apply(a.ctx, tree.Root, s)
	if a.rejected != nil {
		a.rejected.Limit(s.Rejected.limits())
	}
	a.o.Changed()
}

// mistakes returns diagnostics as an error that shows them all, with excerpts.
func (a *App) mistakes(tree *config.Tree, ds config.Diagnostics) error {
	var b bytes.Buffer
	if err := tree.Fprint(&b, ds.Sorted(), false); err != nil {
		return err
	}
	return fmt.Errorf("%w:\n%s", ErrConfig, bytes.TrimRight(b.Bytes(), "\n"))
}

// Close stops the subscribers, dispatches what they have accepted, and lets go of
// everything.
func (a *App) Close() error {
	err := a.pipeline.Close()
	a.stop() // after the pipeline: the last alerts are still written
	a.reloading.Lock()
	a.standing.stop()
	a.reloading.Unlock()
	a.work.Wait()
	return errors.Join(err, a.Notifier.Close(), a.closeState())
}

// DefaultState returns the path of the user's state database.
func DefaultState() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the state database: %w", err)
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "logbook-tray", "state.db"), nil
}

// DefaultConfig returns the path of the user's configuration file.
func DefaultConfig() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration: %w", err)
	}
	return filepath.Join(dir, "logbook-tray", "config.yaml"), nil
}

package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/logbook-tray/logbook-tray/assets"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/boxcar"
	"github.com/logbook-tray/logbook-tray/notifiers/external"
	"github.com/logbook-tray/logbook-tray/notifiers/growl"
	"github.com/logbook-tray/logbook-tray/notifiers/notifo"
	"github.com/logbook-tray/logbook-tray/notifiers/speech"
)

// notifierKinds are the handlers that make alerts. All of them share one list of
// alerts, so that an error that several of them tell about is one alert, and one
// stack of mutes.
func notifierKinds(a *app.App) []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("notification", "a desktop notification that leads to the context", plain[notificationOptions], newNotification(a)),
		handlerKind("sound", "a short sound for each burst of errors", plain[soundOptions], newSound(a)),
		handlerKind("speech", "reads errors aloud", plain[speechOptions], newSpeech(a)),
		handlerKind("external_notification", "runs a program for each notification", plain[programOptions], newProgramNotifier(a)),
		handlerKind("growl", "a notification through Growl, Snarl and what else speaks GNTP", plain[growlOptions], newGrowl(a)),
		handlerKind("boxcar", "the requests of Logbook's BoxcarHandler, for a server of one's own", plain[boxcarOptions], newBoxcar(a)),
		handlerKind("notifo", "the requests of Logbook's NotifoHandler, for a server of one's own", plain[notifoOptions], newNotifo(a)),
	}
}

// notifying are the options of all notifiers.
type notifying struct {
	RecordLimit int           `yaml:"record_limit"`
	RecordDelta time.Duration `yaml:"record_delta"`
	Cap         int           `yaml:"cap"`
	CapDelta    time.Duration `yaml:"cap_delta"`
	Fingerprint string        `yaml:"fingerprint"`
	Title       string        `yaml:"title"`
	Text        string        `yaml:"text"`
	Timeout     time.Duration `yaml:"timeout"`
	QueueSize   int           `yaml:"queue_size"`
	grouping
}

// The bounds of notifiers where a file says nothing. A storm of errors is taken up
// while the first one is being shown.
const defaultNotifierQueue = 20_000

// notify makes the handler for a notifier, which build makes. It owns the notifier,
// unless that is the desktop's.
func (o *notifying) notify(env *pipeline.Env, a *app.App, build func() (notifiers.Notifier, error)) (core.Handler, error) {
	settings, err := o.options(env, a)
	if err != nil {
		return nil, err
	}
	n, err := build()
	if err != nil {
		return nil, err
	}
	by, err := o.groupBy(env)
	if err != nil {
		return nil, closeNotifier(n, a, err)
	}
	settings.CloseNotifier = n != notifiers.Notifier(a.Notifier)
	waiting := queueing{QueueSize: o.QueueSize}
	if waiting.QueueSize == 0 {
		waiting.QueueSize = defaultNotifierQueue
	}
	behind, err := waiting.options()
	if err != nil {
		return nil, closeNotifier(n, a, err)
	}
	h := newAsync(env, notifiers.NewHandler(n, settings), behind, notificationCounters)
	if program, ok := n.(*external.Notifier); ok {
		h.detail = func() string {
			run := program.Last()
			return lastRun(run.At, run.Took, run.Output)
		}
	}
	return o.group(env, h, by), nil
}

// closeNotifier lets go of a notifier that a mistake was found after, unless it is the
// desktop's.
func closeNotifier(n notifiers.Notifier, a *app.App, mistake error) error {
	if c, ok := n.(io.Closer); ok && n != notifiers.Notifier(a.Notifier) {
		return errors.Join(mistake, c.Close())
	}
	return mistake
}

func (o *notifying) options(env *pipeline.Env, a *app.App) (notifiers.Options, error) {
	settings := notifiers.Options{
		Limit:  limit.Options{Limit: o.RecordLimit, Delta: o.RecordDelta, Cap: o.Cap, CapDelta: o.CapDelta},
		Alerts: a.Alerts, Mutes: a.Mutes, Timeout: o.Timeout, OnDelivery: a.DeliveredBy(env.Name),
		OnError: func(err error) {
			env.Self.Warn("{name}: {error}", core.Kw("name", env.Name), core.Kw("error", err.Error()))
		},
	}
	var ferr, terr, berr error
	settings.Fingerprint, ferr = fingerprint(env, o.Fingerprint)
	settings.Title, terr = formatter(o.Title)
	settings.Text, berr = formatter(o.Text)
	return settings, errors.Join(atField("fingerprint", ferr), atField("title", terr), atField("text", berr))
}

func notificationCounters(h *notifiers.Handler) map[string]uint64 {
	s := h.Stats()
	return map[string]uint64{
		"records": s.Records, "shown": s.Shown, "limited": s.RolledUp + s.Digested + s.Held, "muted": s.Muted, "context": s.Context,
		"delivered": s.Delivered, "undelivered": s.Failed,
	}
}

// fingerprint returns the fingerprint of a name, or that of an expression.
func fingerprint(env *pipeline.Env, source string) (limit.Fingerprint, error) {
	if f, err := limit.ParseFingerprint(source); err == nil {
		return f, nil
	}
	return env.Text(source)
}

// formatter returns a formatter for a format string; nil for none.
func formatter(template string) (notifiers.Formatter, error) {
	if template == "" {
		return nil, nil //nolint:nilnil // the default
	}
	return format.NewString(template, format.Options{NoException: true})
}

// notifierOf returns a notifier, or none at all with an error.
func notifierOf[N notifiers.Notifier](n N, err error) (notifiers.Notifier, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

type notificationOptions struct {
	notifying

	Sound soundChoice `yaml:"sound"`
}

func newNotification(a *app.App) func(*pipeline.Env, *notificationOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *notificationOptions) (core.Handler, error) {
		return o.notify(env, a, func() (notifiers.Notifier, error) { return withSound(env, a, o.Sound), nil })
	}
}

type speechOptions struct {
	notifying

	Rate  int    `yaml:"rate"`
	Voice string `yaml:"voice"`
}

func newSpeech(a *app.App) func(*pipeline.Env, *speechOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *speechOptions) (core.Handler, error) {
		return o.notify(env, a, func() (notifiers.Notifier, error) {
			n, err := notifierOf(speech.New(speech.Options{
				Rate: o.Rate, Voice: o.Voice, Quiet: quiet(a), Changes: a.Mutes.Subscribe, OnError: warner(env),
			}))
			return n, blame(err, "rate", "rate", "voice", "voice", speech.ErrNoSpeaker.Error(), "type")
		})
	}
}

type programOptions struct {
	notifying

	Arguments   []string          `yaml:"arguments,required"`
	StdinFormat string            `yaml:"stdin_format"`
	Dir         string            `yaml:"dir,path"`
	Env         map[string]string `yaml:"env"`
}

func newProgramNotifier(a *app.App) func(*pipeline.Env, *programOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *programOptions) (core.Handler, error) {
		if len(o.Arguments) == 0 {
			return nil, config.At("arguments", "must not be empty: name a program")
		}
		settings := external.Options{Program: o.Arguments[0], Dir: o.Dir, Env: environment(o.Env), Timeout: o.Timeout}
		for _, argument := range o.Arguments[1:] {
			f, err := format.NewString(argument, format.Options{NoException: true})
			if err != nil {
				return nil, config.At("arguments", "%q: %w", argument, err)
			}
			settings.Args = append(settings.Args, f)
		}
		var err error
		if settings.Stdin, err = formatter(o.StdinFormat); err != nil {
			return nil, config.At("stdin_format", "%w", err)
		}
		return o.notify(env, a, func() (notifiers.Notifier, error) {
			n, err := notifierOf(external.New(settings))
			return n, atField("arguments", err)
		})
	}
}

type growlOptions struct {
	notifying

	ApplicationName string        `yaml:"application_name"`
	Address         string        `yaml:"address"`
	Password        config.Secret `yaml:"password"`
	Encrypt         bool          `yaml:"encrypt"`
	Icon            string        `yaml:"icon,path"`
}

func newGrowl(a *app.App) func(*pipeline.Env, *growlOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *growlOptions) (core.Handler, error) {
		icon := assets.AppIcon().Content()
		if o.Icon != "" {
			var err error
			if icon, err = readIcon(o.Icon); err != nil {
				return nil, config.At("icon", "%w", err)
			}
		}
		return o.notify(env, a, func() (notifiers.Notifier, error) {
			n, err := notifierOf(growl.New(growl.Options{
				AppName: o.ApplicationName, Address: o.Address, Password: o.Password.Reveal(), Encrypt: o.Encrypt, Icon: icon,
				OnAction: a.Activated, OnDismiss: a.Dismissed,
			}))
			return n, blame(err, "address", "address", "encryption", "encrypt")
		})
	}
}

// maxIcon is the size of the largest icon that is sent, in bytes.
const maxIcon = 1 << 20

var errIcon = errors.New("an icon must be a regular file of 1 MiB at most")

func readIcon(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxIcon {
		return nil, errIcon
	}
	return os.ReadFile(path)
}

type boxcarOptions struct {
	pushing

	Email    string        `yaml:"email,required"`
	Password config.Secret `yaml:"password,required"`
	URL      string        `yaml:"url,required"`
}

func newBoxcar(a *app.App) func(*pipeline.Env, *boxcarOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *boxcarOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(boxcar.New(boxcar.Options{Email: o.Email, Password: o.Password.Reveal(), Server: o.URL, Client: client}))
			return n, blame(err, "server", "url")
		})
	}
}

type notifoOptions struct {
	pushing

	ApplicationName string        `yaml:"application_name"`
	Username        string        `yaml:"username,required"`
	Secret          config.Secret `yaml:"secret,required"`
	HideLevel       bool          `yaml:"hide_level"`
	URL             string        `yaml:"url,required"`
}

func newNotifo(a *app.App) func(*pipeline.Env, *notifoOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *notifoOptions) (core.Handler, error) {
		return o.push(env, a, func(client *http.Client) (notifiers.Notifier, error) {
			n, err := notifierOf(notifo.New(notifo.Options{
				AppName: o.ApplicationName, Username: o.Username, Secret: o.Secret.Reveal(), HideLevel: o.HideLevel,
				Server: o.URL, Client: client,
			}))
			return n, blame(err, "server", "url")
		})
	}
}

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/assets"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/platform"
	"github.com/logbook-tray/logbook-tray/notifiers/sound"
)

type soundOptions struct {
	notifying

	Warning  string        `yaml:"warning,path"`
	Error    string        `yaml:"error,path"`
	Critical string        `yaml:"critical,path"`
	Burst    time.Duration `yaml:"burst"`
}

func newSound(a *app.App) func(*pipeline.Env, *soundOptions) (core.Handler, error) {
	return func(env *pipeline.Env, o *soundOptions) (core.Handler, error) {
		for _, option := range []struct{ name, path string }{
			{"warning", o.Warning}, {"error", o.Error}, {"critical", o.Critical},
		} {
			if option.path == "" {
				continue
			}
			if err := sound.Check(option.path); err != nil {
				return nil, config.At(option.name, "%w", err)
			}
		}
		return o.notify(env, a, func() (notifiers.Notifier, error) {
			n, err := notifierOf(newPlayer(env, a, o.Burst, func() (sound.Files, error) {
				files, err := ownSounds()
				files.Warning = orElse(o.Warning, files.Warning)
				files.Error = orElse(o.Error, files.Error)
				files.Critical = orElse(o.Critical, files.Critical)
				return files, err
			}))
			return n, blame(err, sound.ErrNoPlayer.Error(), "type")
		})
	}
}

func newPlayer(env *pipeline.Env, a *app.App, burst time.Duration, files func() (sound.Files, error)) (*sound.Notifier, error) {
	return sound.New(sound.Options{
		Files: files, Burst: burst, Quiet: quiet(a), OnError: warner(env),
	})
}

// warner returns a function that says what went wrong with a handler.
func warner(env *pipeline.Env) func(error) {
	return func(err error) {
		env.Self.Warn("{name}: {error}", core.Kw("name", env.Name), core.Kw("error", err.Error()))
	}
}

// ownSounds returns the sounds that are part of the program as files, in the user's
// cache.
func ownSounds() (f sound.Files, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return f, err
	}
	unpack := func(name string) string {
		path, e := sound.Unpack(filepath.Join(cache, "logbook-tray", "sounds"), name, assets.Sound(name))
		err = errors.Join(err, e)
		return path
	}
	f = sound.Files{
		Warning: unpack(assets.SoundWarning), Error: unpack(assets.SoundError), Critical: unpack(assets.SoundCritical),
	}
	return f, err
}

// quiet returns a function that says whether something was muted after it was handed
// to a notifier that takes its time. A mute of one error is not known here.
func quiet(a *app.App) func(*notifiers.Notification) bool {
	return func(n *notifiers.Notification) bool {
		if n.Record == nil {
			return false
		}
		for _, m := range a.Mutes.List() {
			passes := n.Level >= core.LevelCritical && !m.Critical
			if !passes && m.Match.Matches(n.Record, "") {
				return true
			}
		}
		return false
	}
}

// soundChoice is the option sound of a notification.
type soundChoice struct {
	given bool
	own   bool // the program's own sounds
	sound notifiers.Sound
}

// UnmarshalText reads true, false, the name of a sound, or the path of a file.
func (c *soundChoice) UnmarshalText(text []byte) error {
	c.given = true
	switch s := string(text); {
	case s == "true":
		c.own = true
	case s == "false":
		c.sound.Silent = true
	case filepath.IsAbs(s):
		c.sound.File = s
		return sound.Check(s)
	case !isSoundName(s):
		return errSoundName
	default:
		c.sound.Name = s
	}
	return nil
}

var errSoundName = errors.New("must be true, false, a name such as bell or dialog-error, or the absolute path of a WAV file")

// isSoundName reports whether s can be a name of the sound naming specification.
func isSoundName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return s != ""
}

// audible is the desktop's notifier with a sound of the user's choice, which it plays
// itself where the notification service cannot.
type audible struct {
	notifiers.Notifier

	choice soundChoice
	files  func() (sound.Files, error)
	open   func() (*sound.Notifier, error)
	warn   func(error)

	mu     sync.Mutex      // guards what follows
	told   bool            // that there is no sound, and why
	player *sound.Notifier // nil as long as nothing was to be played
}

// withSound returns the desktop's notifier as the option asks for it.
func withSound(env *pipeline.Env, a *app.App, choice soundChoice) notifiers.Notifier {
	if !choice.given {
		return a.Notifier
	}
	n := &audible{Notifier: a.Notifier, choice: choice, files: sync.OnceValues(ownSounds), warn: warner(env)}
	if path := choice.sound.File; path != "" {
		n.files = func() (sound.Files, error) { return sound.Files{Warning: path, Error: path, Critical: path}, nil }
	}
	n.open = func() (*sound.Notifier, error) { return newPlayer(env, a, 0, n.files) }
	return n
}

// Notify shows a notification, and has it heard. That there is no sound is no reason to
// fail.
func (n *audible) Notify(ctx context.Context, of notifiers.Notification) error {
	of.Sound = n.choice.sound
	own := n.choice.own || of.Sound.File != ""
	if own {
		files, err := n.files()
		n.tell(err)
		of.Sound.File = files.For(of.Level)
	}
	if err := n.Notifier.Notify(ctx, of); err != nil || !own || platform.PlaysSounds(n.Notifier) {
		return err
	}
	if p := n.opened(); p != nil {
		n.tell(p.Notify(ctx, of))
	}
	return nil
}

// opened returns the player; nil if there is none.
func (n *audible) opened() *sound.Notifier {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.player == nil && !n.told {
		player, err := n.open()
		if err != nil {
			n.told = true
			n.warn(err)
			return nil
		}
		n.player = player
	}
	return n.player
}

// tell warns once.
func (n *audible) tell(err error) {
	if err == nil {
		return
	}
	n.mu.Lock()
	told := n.told
	n.told = true
	n.mu.Unlock()
	if !told {
		n.warn(err)
	}
}

// Close ends the player. The desktop's notifier is not this one's to close.
func (n *audible) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.player == nil {
		return nil
	}
	return n.player.Close()
}

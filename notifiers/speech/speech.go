// Package speech reads notifications aloud, through the speaker that the system
// has: say on macOS, spd-say or espeak-ng on free desktops, the speech interface of
// Windows. What comes while it speaks is summed up: "3 errors in shop".
package speech

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

const (
	maxWaiting = 100              // notifications that wait to be spoken
	maxText    = 200              // characters of a message that are spoken
	speakTime  = 30 * time.Second // for one sentence
)

// ErrNoSpeaker is returned by [New] on a system without a known speaker.
var ErrNoSpeaker = errors.New("no program to speak with")

// Options are the settings of a [Notifier]. The zero value is useful.
type Options struct {
	// Rate is the speed in words a minute, from 80 to 450; 0 means the speaker's own.
	Rate int
	// Voice is the name of a voice; "" means the speaker's own.
	Voice string
	// Quiet, if not nil, is asked whether a notification is not to be spoken of just
	// now: before each sentence, and while one is spoken, which ends early once all that
	// it is about is quiet.
	Quiet func(*notifiers.Notification) bool
	// Changes, if not nil, returns a channel that gets a value when Quiet may answer
	// otherwise, and a function that ends that; Subscribe of a stack of mutes is one.
	Changes func() (changes <-chan struct{}, cancel func())
	// OnError, if not nil, is told about sentences that could not be spoken. It is
	// called by the notifier's goroutine.
	OnError func(error)
}

// Notifier speaks. Notify does not wait for it; one sentence is spoken at a
// time, by a goroutine that Close ends. It is safe for concurrent use.
type Notifier struct {
	opts  Options
	speak func(ctx context.Context, text string) error
	wake  chan struct{}

	life context.Context //nolint:containedctx // ends with Close
	end  context.CancelFunc
	work sync.WaitGroup // the notifier's goroutines

	mu       sync.Mutex
	waiting  []notifiers.Notification
	speaking []notifiers.Notification // what the sentence that is being spoken is about
	skip     context.CancelFunc       // ends it; nil for none
}

var (
	_ notifiers.Notifier = (*Notifier)(nil)
	_ io.Closer          = (*Notifier)(nil)
)

// New returns a notifier that speaks through the program of this system. The error
// wraps [ErrNoSpeaker] if there is none, and says what to install.
func New(o Options) (*Notifier, error) {
	if o.Rate != 0 && (o.Rate < 80 || o.Rate > 450) {
		return nil, fmt.Errorf("speech: rate: want 80 to 450 words a minute, have %d", o.Rate)
	}
	command, err := find(runtime.GOOS, exec.LookPath, &o)
	if err != nil {
		return nil, err
	}
	return start(o, func(ctx context.Context, text string) error {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // one of find's
		cmd.Stdin = strings.NewReader(text)
		cmd.WaitDelay = time.Second
		hide(cmd)
		if out, err := cmd.CombinedOutput(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("speak with %s: %w: %s", command[0], err, display.Line(string(out), 100))
		}
		return nil
	}), nil
}

// start returns a notifier that speaks through a function.
func start(o Options, speak func(context.Context, string) error) *Notifier {
	n := &Notifier{opts: o, speak: speak, wake: make(chan struct{}, 1)}
	n.life, n.end = context.WithCancel(context.Background())
	n.work.Go(n.run)
	if o.Quiet != nil && o.Changes != nil {
		n.work.Go(n.follow)
	}
	return n
}

// follow ends what is being spoken when all of it has become quiet.
func (n *Notifier) follow() {
	changes, cancel := n.opts.Changes()
	defer cancel()
	for {
		select {
		case <-n.life.Done():
			return
		case <-changes:
		}
		n.mu.Lock()
		about, skip := n.speaking, n.skip
		n.mu.Unlock()
		if skip != nil && len(n.loud(about)) == 0 {
			skip()
		}
	}
}

// loud returns those of the notifications that may be spoken of.
func (n *Notifier) loud(of []notifiers.Notification) []notifiers.Notification {
	if n.opts.Quiet == nil {
		return of
	}
	var loud []notifiers.Notification
	for i := range of {
		if !n.opts.Quiet(&of[i]) {
			loud = append(loud, of[i])
		}
	}
	return loud
}

// windowsScript reads the text from its input, where nothing in it is evaluated.
const windowsScript = `Add-Type -AssemblyName System.Speech; ` +
	`$s = New-Object System.Speech.Synthesis.SpeechSynthesizer; ` +
	`[Console]::InputEncoding = [Text.Encoding]::UTF8; `

// find returns the command that speaks what it reads from its input.
func find(system string, look func(string) (string, error), o *Options) ([]string, error) {
	if err := checkVoice(o.Voice); err != nil {
		return nil, err
	}
	for _, c := range commands(system, o) {
		if path, err := look(c[0]); err == nil {
			return append([]string{path}, c[1:]...), nil
		}
	}
	hint := "install espeak-ng or speech-dispatcher"
	if system == "windows" || system == "darwin" {
		hint = "the one of the system is missing"
	}
	return nil, fmt.Errorf("speech: %w: %s", ErrNoSpeaker, hint)
}

// checkVoice refuses what is no name of a voice, which could be read as an option or
// as a part of a script.
func checkVoice(voice string) error {
	bad := func(r rune) bool {
		return r < ' ' || strings.ContainsRune("'\"`$;|&<>‘’‚‛“”„", r)
	}
	if strings.HasPrefix(voice, "-") || strings.ContainsFunc(voice, bad) {
		return fmt.Errorf("speech: voice: %q is no name of a voice", voice)
	}
	return nil
}

// commands lists the commands of a system, the best first.
func commands(system string, o *Options) [][]string {
	option := func(name, value string) []string {
		if value == "" || value == "0" {
			return nil
		}
		return []string{name, value}
	}
	rate := strconv.Itoa(o.Rate)
	switch system {
	case "darwin":
		c := append([]string{"say"}, option("-r", rate)...)
		return [][]string{append(append(c, option("-v", o.Voice)...), "-f", "-")}
	case "windows":
		script := windowsScript
		if o.Rate != 0 { // from words a minute to -10..10, about 180 being 0
			script += fmt.Sprintf("$s.Rate = %d; ", max(-10, min(10, (o.Rate-180)/20)))
		}
		if o.Voice != "" {
			script += "$s.SelectVoice('" + o.Voice + "'); "
		}
		return [][]string{{"powershell", "-NoProfile", "-NonInteractive", "-Command", script + "$s.Speak([Console]::In.ReadToEnd())"}}
	}
	espeak := append(option("-s", rate), option("-v", o.Voice)...)
	spd := []string{"spd-say", "--wait", "--pipe-mode"}
	if o.Rate != 0 { // to -100..100
		spd = append(spd, "-r", strconv.Itoa(max(-100, min(100, (o.Rate-180)/2))))
	}
	return [][]string{
		append(append([]string{"espeak-ng"}, espeak...), "--stdin"),
		append(append([]string{"espeak"}, espeak...), "--stdin"),
		append(spd, option("-y", o.Voice)...),
	}
}

// Notify has a notification spoken. An update replaces one that waits; when too many
// wait, the oldest is left out.
func (n *Notifier) Notify(_ context.Context, of notifiers.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.life.Err() != nil {
		return errors.New("the speaker is closed")
	}
	for i := range n.waiting {
		if n.waiting[i].ID == of.ID {
			n.waiting[i] = of
			return nil
		}
	}
	if len(n.waiting) == maxWaiting {
		n.waiting = append(n.waiting[:0], n.waiting[1:]...)
	}
	n.waiting = append(n.waiting, of)
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return nil
}

// Skip ends the sentence that is being spoken, and forgets what waits.
func (n *Notifier) Skip() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = nil
	if n.skip != nil {
		n.skip()
	}
}

// Close ends the sentence that is being spoken and the notifier's goroutines.
func (n *Notifier) Close() error {
	n.mu.Lock() // so that Notify knows
	n.end()
	n.mu.Unlock()
	n.work.Wait()
	return nil
}

func (n *Notifier) run() {
	for {
		select {
		case <-n.life.Done():
			return
		case <-n.wake:
		}
		for n.next() {
		}
	}
}

// next speaks what waits and reports whether there was anything.
func (n *Notifier) next() bool {
	n.mu.Lock()
	waiting := n.waiting
	n.waiting = nil
	if len(waiting) == 0 || n.life.Err() != nil {
		n.mu.Unlock()
		return false
	}
	ctx, cancel := context.WithTimeout(n.life, speakTime)
	defer cancel()
	n.skip, n.speaking = cancel, waiting
	n.mu.Unlock()

	if about := n.loud(waiting); len(about) > 0 {
		if err := n.speak(ctx, Sentence(about)); err != nil && n.opts.OnError != nil {
			n.opts.OnError(err)
		}
	}
	n.mu.Lock()
	n.skip, n.speaking = nil, nil
	n.mu.Unlock()
	return true
}

// Sentence returns what is said about notifications: the text of a single one, and
// for several how many there are of which level in which channel.
func Sentence(of []notifiers.Notification) string {
	if len(of) == 1 {
		n := &of[0]
		text := strings.TrimSpace(n.Title + ". " + display.Line(n.Text(maxText), maxText))
		return strings.ReplaceAll(text, "\n", ". ")
	}
	type kind struct {
		level   core.Level
		channel string
	}
	var kinds []kind
	counts := make(map[kind]int)
	for i := range of {
		k := kind{level: of[i].Level}
		if of[i].Record != nil && !of[i].Digest {
			k.channel = of[i].Record.Channel
		}
		if counts[k] == 0 {
			kinds = append(kinds, k)
		}
		counts[k]++
	}
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = fmt.Sprintf("%d %s", counts[k], noun(k.level, counts[k]))
		if k.channel != "" {
			parts[i] += " in " + display.Line(k.channel, 60)
		}
	}
	return strings.Join(parts, ", ") + "."
}

func noun(l core.Level, count int) string {
	word := "message"
	switch {
	case l >= core.LevelCritical:
		word = "critical error"
	case l >= core.LevelError:
		word = "error"
	case l >= core.LevelWarning:
		word = "warning"
	}
	if count != 1 {
		word += "s"
	}
	return word
}

package notifiers

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
)

// Notification is what a user gets to see. Title, Body and Note are plain text,
// without control characters and marks that set the direction of text; a
// notifier escapes them as its service needs.
type Notification struct {
	// ID is the alert's. A notification with the ID of one that is shown
	// replaces it.
	ID uint64
	// Title is one line.
	Title string
	// Body is the text; it may have several lines and be of any length. It does
	// not say how often the record came: that is Note.
	Body string
	// Note is about repeats, such as "12 times in 60 s"; "" for the first.
	// [Notification.Text] puts both together.
	Note string
	// Level is that of the record; the highest for a digest.
	Level core.Level
	// Count is how often it happened.
	Count int
	// Digest says that the notification stands for several errors that were
	// too many to show each. There is no alert with its ID.
	Digest bool
	// Record is the record, the newest one if there are several.
	Record *core.Record
	// Context holds the records that led up to the first one, and that one
	// itself, see [alert.Alert]; nil for a digest.
	Context []*core.Record
	// Actions are what the user can do with it.
	Actions []Action
	// Sound says how it is heard, where the service plays sounds. What updates a
	// notification is not heard again.
	Sound Sound
}

// Sound is how a notification is heard. The zero value leaves that to the service, and
// to the level.
type Sound struct {
	// Silent takes the sound away.
	Silent bool
	// Name is a name of the freedesktop sound naming specification, such as "bell".
	Name string
	// File is the absolute path of a WAV file; it comes before Name.
	File string
}

// Action is something that the user can do with a notification.
type Action struct {
	// Key names the action to the program, Label to the user. The key "default"
	// stands for a click on the notification itself.
	Key, Label string
}

// The actions of an alert.
const (
	ActionDefault = "default" // a click on the notification itself: show the context
	ActionContext = "context" // show the context
	ActionMute    = "mute"    // hold back this error for an hour
)

// DefaultActions returns the actions that a [Handler] offers unless told
// otherwise.
func DefaultActions() []Action {
	return []Action{
		{Key: ActionDefault, Label: "Show context"},
		{Key: ActionContext, Label: "Show context"},
		{Key: ActionMute, Label: "Mute 1 h"},
	}
}

// Activation is what the user did with a notification.
type Activation struct {
	// ID is that of the notification.
	ID uint64
	// Action is the key of the action.
	Action string
	// Token allows a program to raise a window: the value of XDG_ACTIVATION_TOKEN on
	// Wayland, of DESKTOP_STARTUP_ID on X11. "" where the service gives none. The
	// toolkit of this program's windows does not take one: on X11 it raises them without,
	// and on Wayland it asks for a token of its own, which the compositor may refuse.
	Token string
}

// Text returns the body and the note, in at most limit characters: the body is
// cut for it, with an ellipsis, so that the note is never lost. 0 means no
// limit.
func (n *Notification) Text(limit int) string {
	note := ""
	if n.Note != "" {
		note = "(" + n.Note + ")"
		if n.Body != "" {
			note = " " + note
		}
		if strings.Contains(n.Body, "\n") {
			note = "\n" + strings.TrimLeft(note, " ")
		}
	}
	if limit <= 0 {
		return n.Body + note
	}
	return display.Cut(n.Body, max(limit-utf8.RuneCountInString(note), 0)) + note
}

// ErrPartly is wrapped by the errors of notifiers that have shown a notification, but
// not all that belongs to it, such as a file: it counts as delivered.
var ErrPartly = errors.New("it is shown, but not all of it")

// Notifier shows notifications. Notify may block as long as ctx allows and may be
// called concurrently. A second call with the same ID updates what is
// shown, where the service can do that.
type Notifier interface {
	Notify(ctx context.Context, n Notification) error
}

// Dismisser is implemented by notifiers that can take away what they show.
type Dismisser interface {
	// Dismiss takes away the notification with this ID, if it is shown.
	Dismiss(ctx context.Context, id uint64) error
}

// Func is a function that serves as a [Notifier].
type Func func(ctx context.Context, n Notification) error

// Notify calls f.
func (f Func) Notify(ctx context.Context, n Notification) error { return f(ctx, n) }

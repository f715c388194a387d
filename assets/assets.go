// Package assets holds the pictures and sounds that are part of the program. They are
// made by packaging/icons and packaging/sounds; see there for how to change them.
//
// The pictures have colours of their own, so that they can be told from light and dark panels
// alike, and do not follow the theme.
package assets

import (
	"embed"
	"fmt"
)

//go:embed icons/app-128.png icons/tray-*.png sounds/*.wav
var files embed.FS

// Picture is a PNG file in memory. It is a fyne.Resource, without this package knowing
// the toolkit. Its zero value is empty.
type Picture struct {
	name    string
	content []byte
}

// Name returns the name of the file, which no other picture has.
func (p Picture) Name() string { return p.name }

// Content returns the file. The caller must not change it.
func (p Picture) Content() []byte { return p.content }

// AppIcon returns the icon of the program, for windows and notifications: 128 by 128
// pixels.
func AppIcon() Picture { return picture("app-128.png") }

// State is what the icon in the tray tells.
type State int

const (
	// Normal says that there is nothing that the user has not seen.
	Normal State = iota
	// Unseen says that at least one error was not looked at. The icon has a red mark.
	Unseen
	// Muted says that notifications are held back. The icon is grey, with a pause sign.
	Muted
	// Disconnected says that records do not get through: a subscriber cannot listen or
	// has lost its peer. The icon is grey, with an orange cross.
	Disconnected
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Normal:
		return "normal"
	case Unseen:
		return "unseen"
	case Muted:
		return "muted"
	case Disconnected:
		return "disconnected"
	default:
		return fmt.Sprintf("State(%d)", int(s))
	}
}

// TrayIcon returns the picture of a state for the tray, 88 by 88 pixels: four for each of
// the 22 that most panels have. It panics if there is no such state.
func TrayIcon(s State) Picture { return picture("tray-" + s.String() + ".png") }

func picture(name string) Picture {
	content, err := files.ReadFile("icons/" + name)
	if err != nil {
		panic("assets: " + err.Error()) // the file is part of the program
	}
	return Picture{name: "logbook-tray-" + name, content: content}
}

// The names of the sounds, one for each class of level.
const (
	SoundWarning  = "warning"
	SoundError    = "error"
	SoundCritical = "critical"
)

// Sound returns the sound of this name, a WAV file of less than a second. The caller
// must not change it. It panics if there is no such sound.
func Sound(name string) []byte {
	content, err := files.ReadFile("sounds/" + name + ".wav")
	if err != nil {
		panic("assets: " + err.Error()) // the file is part of the program
	}
	return content
}

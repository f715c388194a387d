package desktop

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// message is a notification as it is handed to the system.
type message struct {
	id          uint64
	title, body string
	level       core.Level
	loud        bool
	actions     []notifiers.Action
}

// maxButtons is how many buttons a toast of Windows has at most.
const maxButtons = 5

// toast returns m as Windows has it, see
// https://learn.microsoft.com/windows/apps/develop/notifications/app-notifications/toast-schema.
// icon is the path of a picture, "" for none.
//
// All on one line, and without quotes, dollars or backticks in what comes from a record:
// where the direct way fails it stands in a script of PowerShell, where they would
// mean something.
func (m *message) toast(icon string) string {
	var b strings.Builder
	duration := "short"
	if m.level >= core.LevelError {
		duration = "long"
	}
	b.WriteString(`<toast activationType="foreground" launch="` + quote(arguments(m.id, notifiers.ActionDefault)) +
		`" duration="` + duration + `"><visual><binding template="ToastGeneric">`)
	if icon != "" {
		b.WriteString(`<image placement="appLogoOverride" src="` + quote(icon) + `"/>`)
	}
	b.WriteString(`<text>` + quote(m.title) + `</text><text>` + quote(m.body) + `</text></binding></visual>`)
	switch {
	case !m.loud:
		b.WriteString(`<audio silent="true"/>`)
	case m.level >= core.LevelCritical:
		b.WriteString(`<audio src="ms-winsoundevent:Notification.Reminder"/>`)
	default:
		b.WriteString(`<audio src="ms-winsoundevent:Notification.Default"/>`)
	}
	b.WriteString(`<actions>`)
	buttons := 0
	for _, a := range m.actions {
		if a.Key == notifiers.ActionDefault || buttons == maxButtons {
			continue
		}
		buttons++
		b.WriteString(`<action activationType="foreground" content="` + quote(a.Label) + `" arguments="` + quote(arguments(m.id, a.Key)) + `"/>`)
	}
	b.WriteString(`</actions></toast>`)
	return b.String()
}

// quote returns s as text or an attribute of XML.
func quote(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // to memory
	return strings.NewReplacer("$", "&#36;", "`", "&#96;", "“", "&#8220;", "”", "&#8221;", "„", "&#8222;").Replace(b.String())
}

// The names of the arguments of a click.
const (
	alertArgument  = "alert"
	actionArgument = "action"
)

// arguments are what Windows hands back when a toast or one of its buttons was clicked.
func arguments(id uint64, action string) string {
	return url.Values{alertArgument: {strconv.FormatUint(id, 10)}, actionArgument: {action}}.Encode()
}

// activation reads arguments. ok is false if they are none of ours.
func activation(text string) (a notifiers.Activation, ok bool) {
	v, err := url.ParseQuery(text)
	if err != nil {
		return a, false
	}
	a.ID, err = strconv.ParseUint(v.Get(alertArgument), 10, 64)
	a.Action = v.Get(actionArgument)
	return a, err == nil && a.Action != ""
}

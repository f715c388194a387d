package notifiers

import (
	"fmt"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/limit"
)

// titleMax is how many characters a title has at most.
const titleMax = 200

// Title is Logbook's make_title: "channel: Level".
func Title(r *core.Record) string {
	if r.Channel == "" {
		return r.Level.Title()
	}
	return r.Channel + ": " + r.Level.Title()
}

// Text is Logbook's make_text: the message; the exception where that is empty.
func Text(r *core.Record) string {
	if m := r.Message(); m != "" || r.Exception == nil {
		return m
	}
	if r.Exception.Message == "" {
		return r.Exception.ShortName()
	}
	return r.Exception.ShortName() + ": " + r.Exception.Message
}

// texts returns the title and the body for a record, harmless to show. A format
// that fails gives what text it could make, or the default.
func (h *Handler) texts(r *core.Record) (title, body string) {
	title, body = formatted(h.opts.Title, r, Title), formatted(h.opts.Text, r, Text)
	return display.Line(title, titleMax), display.Clean(body)
}

func formatted(f Formatter, r *core.Record, otherwise func(*core.Record) string) string {
	if f == nil {
		return otherwise(r)
	}
	text, err := f.Append(nil, r)
	if err != nil && len(text) == 0 {
		return otherwise(r)
	}
	return string(text)
}

// notification makes what is shown for an event, from what the alert is by now. ok
// is false for an update that nobody needs: its alert was seen.
func (h *Handler) notification(e limit.Event) (n Notification, ok bool) {
	if e.Kind == limit.Digest {
		return h.digest(e), true
	}
	a, known := h.opts.Alerts.Get(e.Alert)
	switch {
	case !known: // pushed off the list meanwhile
		title, body := h.texts(e.Record)
		a = alert.Alert{ID: e.Alert, Newest: e.Record, Count: e.Window, First: e.First, Last: e.Last, Title: title, Body: body}
	case a.State != alert.New && e.Kind == limit.Rollup:
		return Notification{}, false
	case a.State != alert.New:
		h.opts.Alerts.SetState(a.ID, alert.New)
	}
	return Notification{
		ID: a.ID, Title: a.Title, Body: a.Body, Note: note(e, a.Count, h.opts.Limit.Delta), Level: a.Newest.Level,
		Count: a.Count, Record: a.Newest, Context: a.Context, Actions: h.opts.Actions,
	}, true
}

// note says how often: in the window, if that is what the event tells, and
// altogether.
func note(e limit.Event, count int, delta time.Duration) string {
	switch {
	case count <= 1:
		return ""
	case e.Kind == limit.Show || e.Window <= 1:
		return times(count)
	case e.Window >= count:
		return times(count) + " in " + span(delta)
	}
	return fmt.Sprintf("%s in %s, %s in all", times(e.Window), span(delta), strconv.Itoa(count))
}

func (h *Handler) digest(e limit.Event) Notification {
	if !e.Update || h.digestID.Load() == 0 {
		h.digestID.Store(h.opts.Alerts.NewID())
	}
	title, body := h.texts(e.Record)
	n := Notification{
		ID: h.digestID.Load(), Title: "1 more record", Body: title + "\n" + body, Level: e.Level,
		Count: e.Window, Digest: true, Record: e.Record,
	}
	if e.Window > 1 {
		n.Title = strconv.Itoa(e.Window) + " more records"
		n.Note = fmt.Sprintf("%d different ones in %s; this is the latest", e.Kinds, span(e.Last.Sub(e.First)))
	}
	return n
}

func times(n int) string { return strconv.Itoa(n) + " times" }

// span writes a duration for people: "60 s", "5 min", "2 h".
func span(d time.Duration) string {
	switch {
	case d > 2*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	case d > 2*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%d s", max(1, (d+time.Second/2)/time.Second))
}

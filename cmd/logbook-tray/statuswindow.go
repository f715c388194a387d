package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/gui"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/statuswindow"
)

// status returns what the status window shows.
func (d *desktop) status() statuswindow.State {
	p := d.app.PipelineStatus()
	s := statuswindow.State{
		Summary: fmt.Sprintf("%s records received, %s handled, running for %s",
			model.Number(p.Totals["received"]), model.Number(p.Totals["dispatched"]), runningFor(time.Since(d.app.Started()))),
		Problem: d.app.Problem(), Config: d.app.Config(),
	}
	s.Summary += d.heldBack()
	kept := d.app.RejectedStats().Sources
	for _, one := range p.Subscribers {
		part := sourcePart(one)
		part.Kept = kept[one.Name] > 0
		s.Sources = append(s.Sources, part)
	}
	inhibitions := d.app.Routes.Inhibitions()
	for _, one := range p.Handlers {
		part := handlerPart(one)
		if list := inhibited(one.Name, inhibitions); len(list) > 0 {
			part.Detail, part.Peers = "", append(part.Peers, list...)
		}
		s.Handlers = append(s.Handlers, part)
	}
	return s
}

// heldBack says what notifications are not shown just now.
func (d *desktop) heldBack() string {
	var text string
	switch until, muted := d.app.Muted(); {
	case muted && until.IsZero():
		text = "; everything is muted"
	case muted:
		text = "; everything is muted until " + until.Local().Format("15:04")
	default:
		if n := len(d.app.Mutes.List()); n > 0 {
			text = fmt.Sprintf("; mutes: %d", n)
		}
	}
	if n := d.app.Alerts.Undelivered(); n > 0 {
		text += fmt.Sprintf("; alerts not delivered: %d", n)
	}
	return text
}

// runningFor returns a time to the minute, once there is one: a text that changes each
// second says no more.
func runningFor(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

func sourcePart(s pipeline.SubscriberStatus) statuswindow.Part {
	p := statuswindow.Part{
		Name: s.Name, Type: s.Type, State: s.State, Detail: s.Detail, Error: s.Error,
	}
	counters := maps.Clone(s.Counters)
	var why []string
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		if reason, ok := strings.CutPrefix(name, rejectedFor); ok {
			why = append(why, reason+" "+model.Number(counters[name]))
			delete(counters, name)
		}
	}
	if len(why) > 0 {
		p.Rejected = "rejected: " + strings.Join(why, ", ")
	}
	p.Counters = counterList(counters, "received", "dispatched", "rejected", "dropped")
	switch queue.State(s.State) {
	case queue.StateFailed:
		p.Condition = statuswindow.Bad
	case queue.StateConnecting, queue.StateLost, queue.StateClosed:
		p.Condition = statuswindow.Waiting
	case queue.StateListening, queue.StateConnected:
	}
	peers := shownPeers(s)
	slices.SortStableFunc(peers, func(a, b pipeline.Peer) int { return cmp.Compare(gone(a), gone(b)) })
	for i, peer := range peers {
		if i == maxPeers {
			p.Peers = append(p.Peers, fmt.Sprintf("and %d more", len(peers)-maxPeers))
			break
		}
		p.Peers = append(p.Peers, peerText(peer))
	}
	return p
}

// gone is 0 for a peer that is connected, and 1 for another.
func gone(p pipeline.Peer) int {
	if p.State == string(queue.StateConnected) {
		return 0
	}
	return 1
}

func peerText(p pipeline.Peer) string {
	text := strings.TrimSpace(p.Address + " " + p.State)
	if p.Messages > 0 {
		text += ", " + model.Number(p.Messages) + " messages"
	}
	if p.Error != "" {
		text += ": " + p.Error
	}
	return text
}

// maxPeers is how many peers of a source the status window names.
const maxPeers = 4

func handlerPart(h pipeline.HandlerStatus) statuswindow.Part {
	p := statuswindow.Part{
		Name: h.Name, Type: h.Type, Depth: h.Depth, State: h.State, Detail: h.Detail, Error: h.Error,
		Testable: h.Type != "null",
		Counters: append([]statuswindow.Counter{
			{Name: "seen", Value: h.Seen}, {Name: "filtered", Value: h.Filtered}, {Name: "taken", Value: h.Taken}, {Name: "failed", Value: h.Failed},
		}, counterList(h.Counters)...),
	}
	if !h.NextTry.IsZero() {
		p.Peers = append(p.Peers, "next try at "+moment(h.NextTry))
	}
	switch h.State {
	case string(queue.AsyncFailing):
		p.Condition = statuswindow.Bad
	case string(queue.AsyncRetrying):
		p.Condition = statuswindow.Waiting
	}
	return p
}

// inhibited says what a handler holds back, and why.
func inhibited(handler string, list []control.Inhibition) (texts []string) {
	for _, i := range list {
		if i.Handler == handler {
			texts = append(texts, fmt.Sprintf("%d held back by %q until %s", i.Held, display.Line(i.Cause, 60), moment(i.Until)))
		}
	}
	if len(texts) > maxPeers {
		texts = append(texts[:maxPeers], fmt.Sprintf("and %d more", len(texts)-maxPeers))
	}
	return texts
}

// counterList returns counters, those named first.
func counterList(m map[string]uint64, first ...string) []statuswindow.Counter {
	var list []statuswindow.Counter
	for _, name := range first {
		list = append(list, statuswindow.Counter{Name: name, Value: m[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(first, name) && name != "bytes" {
			list = append(list, statuswindow.Counter{Name: name, Value: m[name]})
		}
	}
	return list
}

// openConfig opens the configuration file in an editor. If there is none yet, the
// built-in rules are written there first, as a start.
func (d *desktop) openConfig(ctx context.Context) {
	path := d.app.Config()
	if err := writeDefault(path); err != nil {
		d.self.Warn("{error}", core.Kw("error", err.Error()))
		return
	}
	if err := gui.OpenEditor(ctx, core.Site{File: path}); err != nil {
		d.self.Warn("{error}", core.Kw("error", err.Error()))
	}
}

// writeDefault writes the built-in configuration to path if there is no file.
func writeDefault(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the configuration: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the configuration: %w", err)
	}
	_, err = f.Write(config.DefaultSource())
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the configuration: %w", err), os.Remove(path))
	}
	return nil
}

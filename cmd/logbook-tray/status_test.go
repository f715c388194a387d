package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func TestStatusSaysWhatIsHeldBackAndWhatIsGoingToBeEscalated(t *testing.T) {
	at := time.Date(2026, 11, 21, 15, 4, 0, 0, time.Local)
	s := control.Status{
		Muted: true, MutedUntil: &at, Alerts: control.Alerts{Total: 3, Unseen: 2, Undelivered: 1},
		Mutes: []control.Mute{
			{ID: 2, Label: "quiet hours", Owner: "quiet hours", Until: at, Held: 12, Errors: 3},
			{ID: 1, Label: "channel shop\x1b[31m"},
		},
		Inhibitions: []control.Inhibition{{Handler: "desktop", Cause: "database is down", Until: at, Held: 7}},
		Rejected:    control.Rejects{Kept: 3, Error: "rejected messages are counted and not kept: no space left on device"},
		Escalations: []control.Escalation{{
			Handler: "phone", After: "10m0s", Escalated: 4, Waiting: []control.WaitingAlert{{Alert: 9, Due: at}},
		}},
	}
	var b strings.Builder
	if err := printStatus(&b, s); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "configuration: \n")
	want := `MUTED until 2026-11-21 15:04:00
records held: 0   alerts: 3, 2 of them new
NOT DELIVERED: of 1 new alerts somebody was not told; see: logbook-tray alerts list
messages that were no records: 3 kept; see: logbook-tray rejected
NOT KEPT: rejected messages are counted and not kept: no space left on device

subscribers

stack, top first

muted, newest first
  quiet hours       2026-11-21 15:04:00  held=12 errors=3
  channel shop[31m  forever              held=0 errors=0

inhibited
  desktop  by "database is down"  until 2026-11-21 15:04:00  held=7

escalations
  phone      after 10m0s             escalated=4 failed=0 waiting=1
    alert 9  at 2026-11-21 15:04:00  
`
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.MutedUntil = nil
	b.Reset()
	if err := printStatus(&b, s); err != nil || !strings.Contains(b.String(), "MUTED until it is ended; see: logbook-tray mute list\n") {
		t.Errorf("muted without an end: %v\n%s", err, b.String())
	}
}

func TestStatusSaysWhatEachPeerHasSent(t *testing.T) {
	peers := []pipeline.Peer{
		{Address: "127.0.0.1:4711", State: "lost", Messages: 12, Bytes: 3400},
		{Address: "process 99", State: "connected", Messages: 7, Bytes: 70},
		{Address: "127.0.0.1", State: "failed", Error: "it has no key"},
	}
	source := pipeline.SubscriberStatus{Name: "in", Report: pipeline.Report{State: "connected", Peers: peers}}
	var b strings.Builder
	printSubscribers(&b, []pipeline.SubscriberStatus{source})
	want := `
subscribers
  in                connected                          
    127.0.0.1:4711  lost       bytes=3400 messages=12  
    process 99      connected  bytes=70 messages=7     
    127.0.0.1       failed                             it has no key
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shown := []string{"process 99 connected, 7 messages", "127.0.0.1:4711 lost, 12 messages", "127.0.0.1 failed: it has no key"}
	if diff := cmp.Diff(shown, sourcePart(source).Peers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	alone := source
	alone.Peers, alone.Error = peers[2:], peers[2].Error
	if got := sourcePart(alone); got.Peers[0] != "127.0.0.1 failed" || got.Error != "it has no key" {
		t.Errorf("what is wrong with the only peer is said as %q and %q", got.Peers[0], got.Error)
	}
	source.Peers = slices.Repeat(peers, 20)
	b.Reset()
	printSubscribers(&b, []pipeline.SubscriberStatus{source})
	if lines := strings.Split(b.String(), "\n"); len(lines) != 55 || !strings.Contains(b.String(), "    and 10 more; see: logbook-tray status --format json") {
		t.Errorf("%d lines:\n%s", len(lines), b.String())
	}
}

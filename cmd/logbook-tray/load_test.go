//go:build linux

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

func TestALoadIsReceivedWholeAndMeasured(t *testing.T) {
	home := e2e.MakeHome(t)
	address := freeAddress(t)
	configure(t, home, "listen:\n  - {name: zeromq, type: zeromq, uri: \""+address+"\", mode: pull}\n")
	p := newProgram(t, e2e.HomeEnv(home))
	proc := p.start("headless")
	var r loadReport
	if err := json.Unmarshal([]byte(p.run("load", address, "--rate", "0", "--count", "20000", "--size", "300", "--format", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Sent != 20_000 || !r.Instance || r.Received != 20_000 || r.Dispatched != 20_000 || r.Rejected+r.Dropped != 0 || r.Lost != 0 {
		t.Errorf("report: %+v", r)
	}
	if l := r.Latency; l.Samples == 0 || l.Median <= 0 || l.Median > l.P99 || l.P99 > l.Max {
		t.Errorf("latency: %+v", l)
	}
	if got := p.run("load", address, "--rate", "1000", "--count", "100", "--errors", "10"); !strings.Contains(got, "sent      100  in ") || !strings.Contains(got, "lost      0\n") {
		t.Errorf("as a text: %s", got)
	}
	// The last three errors, although other records came after and between them.
	var errors []string
	for line := range strings.Lines(p.run("tail", "--level", "error", "--filter", `message contains "load"`, "--backlog", "3", "--count", "3")) {
		_, text, _ := strings.Cut(line, "load ")
		number, _, _ := strings.Cut(text, " ")
		errors = append(errors, number)
	}
	if got := strings.Join(errors, " "); got != "79 89 99" {
		t.Errorf("tail prints the errors %s", got)
	}
	p.stopped(proc)
}

func TestALoadThatNobodyTakesIsRefused(t *testing.T) {
	p := newProgram(t, e2e.HomeEnv(e2e.MakeHome(t)))
	if got := p.fails(1, "load", freeAddress(t), "--wait", "100ms"); !strings.Contains(got, "nobody listens on ") {
		t.Errorf("it says %q", got)
	}
	if got := p.fails(2, "load", "--rate", "-1"); !strings.Contains(got, "a load needs") {
		t.Errorf("it says %q", got)
	}
}

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// badly listens at addresses that nobody else has, with sources of which each is going to
// get something that is no record. tell is added to their options.
func badly(t *testing.T) (addresses map[string]string, config func(tell string) string) {
	t.Helper()
	addresses = map[string]string{}
	for _, name := range []string{"frames", "grams", "web", "zmq", "sys"} {
		addresses[name] = strings.TrimPrefix(freeAddress(t), "tcp://")
	}
	return addresses, func(tell string) string {
		return fmt.Sprintf(`listen:
  - {name: frames, type: socket, address: %q%[6]s}
  - {name: grams, type: datagram, address: %[2]q%[6]s}
  - {name: web, type: http, address: %[3]q%[6]s}
  - {name: zmq, type: zeromq, uri: "tcp://%[4]s", mode: pull%[6]s}
  - {name: sys, type: syslog, network: tcp, address: %[5]q%[6]s}
handlers: []
`, addresses["frames"], addresses["grams"], addresses["web"], addresses["zmq"], addresses["sys"], tell)
	}
}

// writeTo sends bytes to an address, and says no more.
func writeTo(t *testing.T, network, address string, parts ...string) {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, part := range parts {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
}

// framed puts the length in front of a message.
func framed(message string) string {
	return string(frame.AppendLength(nil, len(message))) + message
}

func post(t *testing.T, address, kind, body string) {
	t.Helper()
	resp, err := http.Post("http://"+address+"/records", kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode < 400 {
		t.Errorf("%q was taken: %s, %v", body, resp.Status, err)
	}
}

func (p *program) rejected(args ...string) (list []control.Rejected) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.run(append([]string{"rejected", "--format", "json"}, args...)...)), &list); err != nil {
		p.t.Fatal(err)
	}
	return list
}

// awaitRejected waits until so many rejected messages are kept.
func (p *program) awaitRejected(n int) {
	p.t.Helper()
	e2e.Eventually(p.t, fmt.Sprintf("%d rejected messages", n), func() bool { return len(p.rejected()) == n })
}

// strange is a record as nothing logs it that is known.
const strange = `{"how_bad": "error", "what": "a strange program speaks"}`

func TestWhatIsNoRecordIsKeptForEverySource(t *testing.T) {
	p, home := bare(t)
	at, config := badly(t)
	configure(t, home, config(""))
	proc := p.start("headless")

	writeTo(t, "tcp", at["frames"], framed("!!cutelog!!format=msgpack"), framed("\xc1 no MessagePack"), framed("\x93\x01\x02\x03"))
	p.awaitRejected(2)
	writeTo(t, "tcp", at["frames"], framed(strings.Repeat("y", 300))[:3], framed(strings.Repeat("y", 300))[3:50]) // cut short
	p.awaitRejected(3)
	writeTo(t, "udp", at["grams"], framed("(no pickle"))
	p.awaitRejected(4)
	post(t, at["web"], "application/json", strange)
	post(t, at["web"], "application/x-www-form-urlencoded", "a=%zz")
	p.awaitRejected(6)
	python(t, "garbage.py", "tcp://"+at["zmq"])
	writeTo(t, "tcp", at["sys"], "6 <13>ok", "999999999 <13>a message with a count that is too large\n")
	p.awaitRejected(11)

	type brief struct{ Source, Type, Reason, Text string }
	got := map[string][]brief{}
	for _, e := range p.rejected() {
		got[e.Source] = append(got[e.Source], brief{e.Source, e.Type, e.Reason, e.Text})
		if e.Source != "zmq" && e.Peer == "" || e.Time.IsZero() || e.ID == 0 {
			t.Errorf("incomplete: %+v", e)
		}
	}
	for source, want := range map[string][]brief{
		"frames": {
			{"frames", "socket", "malformed", `\x00\x00\x01,` + strings.Repeat("y", 46)},
			{"frames", "socket", "not an object", `\x93\x01\x02\x03`},
			{"frames", "socket", "malformed", `\xc1 no MessagePack`},
		},
		"grams": {{"grams", "datagram", "malformed", `\x00\x00\x00\n(no pickle`}},
		"web":   {{"web", "http", "malformed", "a=%zz"}, {"web", "http", "unknown shape", strange}},
	} {
		if diff := cmp.Diff(want, got[source]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
	if len(got["zmq"]) != 4 || len(got["sys"]) != 1 || !strings.HasPrefix(got["sys"][0].Text, "999999999 <13>a message") {
		t.Errorf("zmq: %q\nsys: %q", got["zmq"], got["sys"])
	}
	s, pl := p.status()
	if s.Rejected.Kept != 11 || pl.Totals["rejected"] != 11 {
		t.Errorf("kept %+v, counted %v", s.Rejected, pl.Totals)
	}
	want := `WARNING: logbook-tray: web: rejected a message: unknown shape (keys: how_bad, what); see: logbook-tray rejected show 5`
	if !strings.Contains(proc.Output(), want) || !strings.Contains(p.tail(), strings.TrimPrefix(want, "WARNING: ")) {
		t.Errorf("not reported: %s\n%s", want, proc.Output())
	}
	p.stopped(proc)
}

func TestRejectedMessagesOutliveTheProgramAndBecomeRecords(t *testing.T) {
	p, home := bare(t)
	at, config := badly(t)
	configure(t, home, config(""))
	killed := p.start("headless")
	const evil = "{\"\x1b]0;evil\x07\":"
	post(t, at["web"], "application/json", strange)
	post(t, at["web"], "application/json", evil)
	writeTo(t, "tcp", at["frames"], framed(strange))
	p.awaitRejected(3)
	killed.Signal(t, syscall.SIGKILL)
	killed.Wait(t)

	// Without an instance they are read from the disk.
	list := p.rejected()
	if len(list) != 3 || list[0].Source != "frames" || list[1].Text != `{"\x1b]0;evil\x07":` {
		t.Fatalf("after a kill: %+v", list)
	}
	show := p.run("rejected", "show", "2")
	for _, want := range []string{"source:  web (http)\n", "reason:  malformed\n", "size:    13 bytes\n\n"} {
		if !strings.Contains(show, want) {
			t.Errorf("shown without %q:\n%q", want, show)
		}
	}
	if dump := "00000000  7b 22 1b 5d 30 3b 65 76  69 6c 07 22 3a           |{\".]0;evil.\":|\n"; !strings.HasSuffix(show, dump) {
		t.Errorf("shown as\n%s", show)
	}
	if raw := p.run("rejected", "show", "2", "--raw"); raw != evil {
		t.Errorf("the bytes are %q", raw)
	}
	if text := p.run("rejected", "--source", "frames"); !strings.Contains(text, "frames  unknown shape  56    "+strange+"\n") || strings.Contains(text, "web") {
		t.Errorf("listed:\n%s", text)
	}
	if text := p.run("rejected", "--limit", "1", "--reason", "malformed"); strings.Count(text, "\n") != 2 {
		t.Errorf("listed:\n%s", text)
	}

	// With the old rules they are what they were.
	proc := p.start("headless")
	if got := p.fails(1, "rejected", "retry", "1"); got != "1: record rejected: unknown shape: keys: how_bad, what\n" {
		t.Errorf("a retry without other rules says %q", got)
	}
	configure(t, home, config(", map: {level: how_bad, message: what}"))
	e2e.Eventually(t, "the new rules", func() bool { return strings.Contains(proc.Output(), "the configuration was loaded again") })
	if got := p.run("rejected", "retry", "1"); got != "1 is a record now: ERROR: : a strange program speaks\n" {
		t.Errorf("a retry says %q", got)
	}
	if got := p.fails(1, "rejected", "retry", "--all"); got != "2: record rejected: malformed: no value at byte 13\n" {
		t.Errorf("a retry of all says %q", got)
	}
	if left := p.rejected(); len(left) != 1 || left[0].ID != 2 {
		t.Errorf("left: %+v", left)
	}
	var records []map[string]any
	for line := range strings.Lines(p.run("tail", "--format", "json", "--backlog", "2", "--count", "2", "--filter", `extra.retried == true`)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	if len(records) != 2 || records[0]["message"] != "a strange program speaks" || records[0]["level"] != 14.0 {
		t.Errorf("records: %v", records)
	}

	// A source that is gone cannot read anything.
	configure(t, home, "listen: []\nhandlers: []\n")
	e2e.Eventually(t, "the sources to go", func() bool { _, pl := p.status(); return len(pl.Subscribers) == 0 })
	if got := p.fails(1, "rejected", "retry", "2"); !strings.HasPrefix(got, `2: there is no source "web"`) {
		t.Errorf("without its source a retry says %q", got)
	}
	if got := p.run("rejected", "clear", "2"); got != "removed: 1\n" || len(p.rejected()) != 0 {
		t.Errorf("clear says %q", got)
	}
	p.stopped(proc)
}

func TestAFloodOfGarbageIsCountedAndKeptInPart(t *testing.T) {
	p, home := bare(t)
	at, config := badly(t)
	configure(t, home, config("")+"rejected: {max_count: 5}\n")
	proc := p.start("headless")
	c, err := net.Dial("tcp", at["frames"])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const flood = 100_000
	if _, err := c.Write([]byte(strings.Repeat(framed(strange), flood) + framed(`{"channel": "x", "level": 14, "msg": "behind the flood"}`))); err != nil {
		t.Fatal(err)
	}
	e2e.Eventually(t, "the record behind the flood", func() bool { return strings.Contains(p.tail(), "behind the flood") })
	e2e.Eventually(t, "what is kept to be written", func() bool { s, _ := p.status(); return s.Rejected.Kept == 5 && p.rejected()[0].ID == 20 })
	s, pl := p.status()
	if pl.Totals["rejected"] != flood || s.Rejected.Limited != flood-20 {
		t.Errorf("counted %v, %+v", pl.Totals, s.Rejected)
	}
	if n := strings.Count(proc.Output(), "rejected"); n != 2 { // a line, and what it says to be done
		t.Errorf("reported %d times:\n%s", n/2, proc.Output())
	}
	p.stopped(proc)
	if want := "frames: rejected "; strings.Count(proc.Output(), want) > 2 {
		t.Errorf("reported more than at its begin and its end:\n%s", proc.Output())
	}
}

func TestAPlaceThatCannotBeWrittenToIsToldOnceAndHoldsNobodyUp(t *testing.T) {
	p, home := bare(t)
	at, config := badly(t)
	configure(t, home, config(""))
	state := filepath.Join(home, ".local", "state", "logbook-tray")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "rejected"), nil, 0o600); err != nil { // no directory
		t.Fatal(err)
	}
	proc := p.start("headless")
	for range 5 {
		post(t, at["web"], "application/json", strange)
	}
	e2e.Eventually(t, "the failures", func() bool { s, _ := p.status(); return s.Rejected.Failed == 5 })
	s, pl := p.status()
	if pl.Totals["rejected"] != 5 || !strings.Contains(s.Rejected.Error, "rejected messages are counted and not kept: mkdir") {
		t.Errorf("counted %v, %+v", pl.Totals, s.Rejected)
	}
	if n := strings.Count(proc.Output(), "counted and not kept"); n != 1 {
		t.Errorf("told %d times:\n%s", n, proc.Output())
	}
	p.stopped(proc)
}

func TestCommandsAboutRejectedMessagesSayWhatIsWrong(t *testing.T) {
	p, _ := bare(t)
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"rejected show":                       {2, "give the number of one message, as 'logbook-tray rejected' shows it"},
		"rejected show x":                     {2, `"x" is not the number of a message`},
		"rejected show 7":                     {1, "there is no rejected message 7; see: logbook-tray rejected"},
		"rejected clear 7":                    {1, "there is no rejected message 7; see: logbook-tray rejected"},
		"rejected show 7 --raw --format json": {2, "--raw and --format json do not go together"},
		"rejected retry":                      {2, "give the numbers of messages, as 'logbook-tray rejected' shows them, or --all"},
		"rejected retry 7 --all":              {2, "give the numbers of messages, as 'logbook-tray rejected' shows them, or --all"},
		"rejected retry 7 --source web":       {2, "--source and --reason go with --all"},
		"rejected retry 7":                    {1, "logbook-tray is not running: start it with 'logbook-tray' or 'logbook-tray headless'"},
		"rejected clear 7 --reason empty":     {2, "--source and --reason do not go with the numbers of messages"},
		"rejected --limit -1":                 {2, "--limit must not be negative"},
		"rejected list":                       {2, `unknown command or argument "list"`},
	} {
		if got, _, _ := strings.Cut(p.fails(want.code, strings.Fields(args)...), "\n"); got != "logbook-tray: "+want.says {
			t.Errorf("%s: says %q, want %q", args, got, want.says)
		}
	}
	for args, want := range map[string]string{
		"rejected":               "No rejected messages are kept.\n",
		"rejected --source web":  "No such message is kept.\n",
		"rejected --format json": "[]\n",
		"rejected clear":         "removed: 0\n",
	} {
		if got := p.run(strings.Fields(args)...); got != want {
			t.Errorf("%s: prints %q, want %q", args, got, want)
		}
	}
}

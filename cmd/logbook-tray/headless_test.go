//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// bare returns a program without a bus and a display, and its home.
func bare(t *testing.T) (*program, string) {
	t.Helper()
	home := e2e.MakeHome(t)
	return newProgram(t, e2e.HomeEnv(home)), home
}

func TestHeadlessWorksWithoutABusAndSaysSo(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, listening(address))
	proc := p.start("headless")
	python(t, "server.py", address)
	e2e.Eventually(t, "the alert", func() bool { return len(p.alerts()) == 1 })
	want := "WARNING: logbook-tray: notifications do not work: no D-Bus session bus: DBUS_SESSION_BUS_ADDRESS is not set, and the user's runtime directory has no bus"
	e2e.Eventually(t, "the warning", func() bool { return strings.Contains(proc.Output(), want) })
	if got := p.fails(1, "alerts", "open", "1"); got != "logbook-tray: this instance is headless and has no windows; see: logbook-tray alerts show 1\n" {
		t.Errorf("opening a window says %q", got)
	}
	text := p.run("alerts", "show", "1")
	for _, message := range append(ledUpTo, "PaymentDeclined: card declined – Zoë 💳") {
		if !strings.Contains(text, message) {
			t.Errorf("alerts show lacks %q:\n%s", message, text)
		}
	}
	p.stopped(proc)
}

func TestAStopInTheMiddleOfAStreamLosesNothingThatWasAccepted(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p, home := bare(t)
			address := freeAddress(t)
			configure(t, home, listening(address))
			proc := p.start("headless")
			sender := e2e.Start(t, p.env, p.path, "demo", address, "--loop", "--storm", "20000", "--speed", "1000")
			e2e.Eventually(t, "records to come in", func() bool {
				_, pl := p.status()
				return pl.Totals["received"] > 5000
			})
			proc.Signal(t, signal)
			if code := proc.Wait(t); code != 0 {
				t.Errorf("exit code %d\n%s", code, proc.Output())
			}
			sender.Signal(t, syscall.SIGKILL) // it would go on to wait for a receiver
			sender.Wait(t)
			last := regexp.MustCompile(`stopped: (\d+) records received, (\d+) handled`).FindStringSubmatch(proc.Output())
			if last == nil || last[1] != last[2] {
				t.Errorf("received and handled differ: %v\n%s", last, proc.Output())
			}
		})
	}
}

func TestASubscriberSurvivesTheRestartOfItsServer(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, fmt.Sprintf("listen: []\nsubscribe:\n  - {name: server, type: zeromq, uri: %q}\nhandlers: []\n", address))
	proc := p.start("headless") // the server is absent
	if _, pl := p.status(); pl.Subscribers[0].State != "connecting" {
		t.Errorf("state %q before the server is there, want connecting", pl.Subscribers[0].State)
	}
	for _, run := range []string{"first", "second"} {
		p.run("send", address, "--bind", "--wait", "20s", run+" run")
		e2e.Eventually(t, "the record of the "+run+" run", func() bool {
			return strings.Contains(p.tail(), run+" run")
		})
		e2e.Eventually(t, "the loss of the server", func() bool {
			_, pl := p.status()
			return pl.Subscribers[0].State == "lost" || pl.Subscribers[0].State == "connecting"
		})
	}
	p.stopped(proc)
}

// tail returns the records that the instance holds.
func (p *program) tail() string {
	held, _ := p.status()
	return p.run("tail", "--backlog", "1000", "--count", strconv.Itoa(held.Records.Held))
}

func TestAReloadKeepsTheOldRulesWhenTheNewOnesAreWrong(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	path := configure(t, home, listening(address))
	proc := p.start("headless")

	configure(t, home, strings.Replace(listening(address), "bubble", "buble", 1))
	e2e.Eventually(t, "the mistake to show", func() bool {
		s, _ := p.status()
		return strings.Contains(s.Problem, `unknown key "buble"`)
	})
	want := path + `:7:5: error: unknown key "buble" in handler "desktop"
    7 |     buble: true
      |     ^^^^^
  hint: did you mean "bubble"?`
	if got := p.fails(1, "reload"); !strings.Contains(got, want) {
		t.Errorf("reload says\n%s\nwant\n%s", got, want)
	}
	p.run("send", address, "still here")
	e2e.Eventually(t, "a record by the old rules", func() bool {
		_, pl := p.status()
		return pl.Totals["dispatched"] == 1 && pl.Handlers[0].Seen == 1
	})

	configure(t, home, listening(address)+"  - {name: second, type: \"null\", level: error}\n")
	e2e.Eventually(t, "the new rules", func() bool {
		s, pl := p.status()
		return s.Problem == "" && len(pl.Handlers) == 3
	})
	if _, pl := p.status(); pl.Totals["received"] != 1 || pl.Handlers[0].Seen != 1 {
		t.Errorf("what did not change was made anew: %+v", pl)
	}
	proc.Signal(t, syscall.SIGHUP)
	e2e.Eventually(t, "the reload by SIGHUP", func() bool {
		return strings.Count(proc.Output(), "the configuration was loaded again") >= 2
	})
	p.stopped(proc)
}

func TestAPortInUseIsSaidAndTriedAgain(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, listening(address))
	other := e2e.Start(t, p.env, p.path, "tail", "--pull", address)
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "tcp://"), ":")
	e2e.Eventually(t, "the other program to listen", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(address, "tcp://"))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	proc := p.start("headless")
	want := fmt.Sprintf("listen on %s: address already in use; find the program with: ss -ltnp 'sport = :%s'", address, port)
	if _, pl := p.status(); pl.Subscribers[0].State != "failed" || pl.Subscribers[0].Error != want {
		t.Errorf("state %s, error %q\nwant failed, %q", pl.Subscribers[0].State, pl.Subscribers[0].Error, want)
	}
	other.Stop(t)
	e2e.Eventually(t, "the port to be taken", func() bool {
		_, pl := p.status()
		return pl.Subscribers[0].State == "listening"
	})
	p.stopped(proc)
}

func TestGarbageIsCountedAndStopsNobody(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, listening(address))
	proc := p.start("headless")
	python(t, "garbage.py", address)
	e2e.Eventually(t, "the good record behind the garbage", func() bool {
		_, pl := p.status()
		return pl.Totals["dispatched"] == 1
	})
	_, pl := p.status()
	if pl.Totals["rejected"] != 4 || pl.Totals["received"] != 5 {
		t.Errorf("counters %v, want 5 received and 4 of them rejected (the 100 MB one does not get in)", pl.Totals)
	}
	p.stopped(proc)
}

func TestStartingWithoutADisplaySaysWhatToDo(t *testing.T) {
	p, _ := bare(t)
	want := "logbook-tray: no display: neither DISPLAY nor WAYLAND_DISPLAY is set; run 'logbook-tray headless' where there is no desktop\n"
	if got := p.fails(1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.env = append(p.env, "DISPLAY=:4711")
	want = "logbook-tray: no display: no X server answers at DISPLAY=:4711; run 'logbook-tray headless' where there is no desktop\n"
	if got := p.fails(1); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMistakesInTheConfigurationAreShownAllAtOnce(t *testing.T) {
	p, home := bare(t)
	path := configure(t, home, `listen:
  - {type: zeromk, uri: "tcp://127.0.0.1:5556"}
handlers:
  - type: fingers_crossed
    action_level: eror
    handler: {type: notification, record_delta: soon}
`)
	got := p.fails(1, "check")
	for _, want := range []string{
		path + `:2:12: error: unknown type "zeromk" of a subscriber`, `did you mean "zeromq"?`,
		path + `:5:19: error: `, `did you mean "error"?`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("check lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(p.fails(1, "headless"), "panic") {
		t.Error("headless panics")
	}
}

func TestAConfigurationThatCannotBeReadIsSaid(t *testing.T) {
	p, home := bare(t)
	if err := os.WriteFile(filepath.Join(home, ".config", "logbook-tray"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, ".config", "logbook-tray", "config.yaml")
	want := "logbook-tray: read configuration: open " + path + ": not a directory\n"
	if got := p.fails(1, "headless"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want = "logbook-tray: read configuration: open nowhere.yaml: no such file or directory\n"
	if got := p.fails(1, "check", "nowhere.yaml"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	p, _ := bare(t)
	notRunning := "logbook-tray: logbook-tray is not running: start it with 'logbook-tray' or 'logbook-tray headless'\n"
	address := freeAddress(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"status", 1, notRunning},
		{"alerts list", 1, notRunning},
		{"tail", 1, notRunning},
		{"bogus", 2, "logbook-tray: unknown command or argument \"bogus\"\nSee: logbook-tray --help\n"},
		{"status --format xml", 2, "logbook-tray: invalid argument \"xml\" for \"--format\" flag: unknown format \"xml\", use text or json\nSee: logbook-tray status --help\n"},
		{"send --level loud x", 2, "logbook-tray: unknown level \"loud\" (one of notset, trace, debug, info, notice, warning, error, critical)\nSee: logbook-tray send --help\n"},
		{"alerts show three", 2, "logbook-tray: \"three\" is not the number of an alert\nSee: logbook-tray alerts show --help\n"},
		{"send " + address + " --wait 100ms x", 1, "logbook-tray: nobody listens on " + address + " (waited 100ms): start logbook-tray, or name another address\n"},
	} {
		if got := p.fails(c.code, strings.Fields(c.args)...); got != c.want {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
}

func TestCheckPrintsTheStackOfTheBuiltInConfiguration(t *testing.T) {
	p, _ := bare(t)
	want := `the built-in configuration (there is no file) is valid.

subscribers
  zeromq
  socket
  unix (socket)
  datagram
  http
stack, top first
  desktop (fingers_crossed), bubbles
    desktop/notification (notification)
`
	if diff := cmp.Diff(want, p.run("check")); diff != "" {
		t.Error(diff)
	}
}

func TestExplainSaysWhatEveryHandlerWouldDo(t *testing.T) {
	p, home := bare(t)
	path := configure(t, home, `handlers:
  - {name: errors, type: stderr, level: error, bubble: true}
  - {name: shop, type: stderr, filter: 'channel startsWith "shop"'}
  - {name: rest, type: "null"}
`)
	in := `{"channel": "shop.cart", "level": 14, "msg": "boom", "message": "boom", "args": [], "kwargs": {}, "extra": {}, "time": "2026-11-21T12:00:00Z", "heavy_initialized": true}
{"channel": "db", "level": 10, "msg": "tick", "message": "tick", "args": [], "kwargs": {}, "extra": {}, "time": "2026-11-21T12:00:00Z", "heavy_initialized": true}
`
	out := e2e.Run(t, p.env, strings.NewReader(in), p.path, "explain", path)
	var got []string
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); strings.HasPrefix(line, "  ") {
			got = append(got, f[0]+" "+f[1])
		} else {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		"ERROR shop.cart: boom", "errors bubbled", "shop took", "rest unreached",
		"DEBUG db: tick", "errors level", "shop filter", "rest blackhole",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, out)
	}
}

func TestAStateDirectoryThatCannotBeWrittenIsSaid(t *testing.T) {
	p, home := bare(t)
	configure(t, home, listening(freeAddress(t)))
	if err := os.WriteFile(filepath.Join(home, ".local"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	proc := p.start("headless")
	want := "WARNING: logbook-tray: alerts, mutes and inhibitions are not kept across a restart: open the database of alerts: mkdir " +
		filepath.Join(home, ".local") + ": not a directory\n"
	e2e.Eventually(t, "the warning "+want, func() bool { return strings.Contains(proc.Output(), want) })
	p.stopped(proc)
}

func TestExecTurnsOutputIntoRecordsAndPassesTheExitCodeOn(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, listening(address))
	proc := p.start("headless")
	script := `echo "ready on port 8000"; echo '{"level": "error", "msg": "from JSON", "time": "2026-11-21T12:00:00Z"}'
echo "Traceback (most recent call last):
  File \"x.py\", line 1, in <module>
ValueError: boom" >&2; exit 7`
	cmd := exec.Command(p.path, "exec", "--to", address, "--channel", "srv", "--", "sh", "-c", script)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("exit code %d (%v), want 7\n%s", cmd.ProcessState.ExitCode(), err, out)
	}
	if !strings.Contains(string(out), "ready on port 8000") || !strings.Contains(string(out), "ValueError: boom") {
		t.Errorf("the output is not shown:\n%s", out)
	}
	e2e.Eventually(t, "three records", func() bool {
		_, pl := p.status()
		return pl.Totals["dispatched"] == 3
	})
	for _, want := range []string{"srv: ready on port 8000", "from JSON", "ValueError: boom"} {
		if got := p.tail(); !strings.Contains(got, want) {
			t.Errorf("no record with %q:\n%s", want, got)
		}
	}
	p.stopped(proc)
}

func TestExecRunsTheProgramEvenIfNobodyListens(t *testing.T) {
	p, _ := bare(t)
	address := freeAddress(t)
	out := p.fails(3, "exec", "--to", address, "--wait", "100ms", "--", "sh", "-c", "echo one; echo two; exit 3")
	if want := "logbook-tray: 2 records were dropped: nobody listens on " + address + "\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	want := "logbook-tray: run nowhere: exec: \"nowhere\": executable file not found in $PATH\n"
	if got := p.fails(1, "exec", "--to", address, "--", "nowhere"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMutesAreListedWithWhatTheyHeldBack(t *testing.T) {
	p, home := bare(t)
	address := freeAddress(t)
	configure(t, home, listening(address))
	proc := p.start("headless")
	if got := p.run("mute", "list"); got != "Nothing is muted.\n" {
		t.Errorf("at first: %q", got)
	}
	p.run("mute", "2d", "--channel", "shop")
	p.run("mute", "tomorrow", "--source", "elsewhere")
	for _, channel := range []string{"shop.cart", "shop", "shopping"} {
		p.run("send", address, "--level", "error", "--channel", channel, "boom")
	}
	var mutes []control.Mute
	e2e.Eventually(t, "two records to be held back", func() bool {
		mutes = nil
		if err := json.Unmarshal([]byte(p.run("mute", "list", "--format", "json")), &mutes); err != nil {
			t.Fatal(err)
		}
		return len(mutes) == 2 && mutes[1].Held == 2
	})
	if mutes[0].Held != 0 || mutes[1].Label != "channel shop" || mutes[1].Errors != 2 {
		t.Errorf("mutes %+v", mutes)
	}
	p.stopped(proc) // mutes outlive the program
	proc = p.start("headless")
	if got := p.run("mute", "list"); !strings.Contains(got, "channel shop") || !strings.Contains(got, "source elsewhere") {
		t.Errorf("after a restart: %q", got)
	}
	if got := p.fails(1, "unmute", "77"); got != "logbook-tray: there is no mute 77; see: logbook-tray mute list\n" {
		t.Errorf("unmute 77: %q", got)
	}
	mutes = nil
	if err := json.Unmarshal([]byte(p.run("mute", "list", "--format", "json")), &mutes); err != nil || len(mutes) != 2 {
		t.Fatalf("after a restart: %+v, %v", mutes, err)
	}
	p.run("unmute", strconv.FormatUint(mutes[1].ID, 10))
	p.run("unmute")
	if got := p.run("mute", "list"); got != "Nothing is muted.\n" {
		t.Errorf("at last: %q", got)
	}
	p.stopped(proc)
}

func TestEveryCommandHasAManualPageAndAnExample(t *testing.T) {
	p, home := bare(t)
	p.run("man", "--dir", home)
	pages, err := filepath.Glob(filepath.Join(home, "logbook-tray*.1"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "EXAMPLE") && !strings.Contains(page, "completion") {
			t.Errorf("%s has no example", filepath.Base(page))
		}
	}
}

func TestPythonsStandardLoggingNeedsNoConfiguration(t *testing.T) {
	p, _ := bare(t)
	proc := p.start("headless")
	python(t, "stdlib.py")
	e2e.Eventually(t, "a record by each of the three handlers", func() bool {
		_, pl := p.status()
		return pl.Totals["dispatched"] == 3
	})
	text := p.tail()
	for _, name := range []string{"SocketHandler", "DatagramHandler", "HTTPHandler"} {
		if !strings.Contains(text, "WARNING: stdlib: by "+name) {
			t.Errorf("no record by %s:\n%s", name, text)
		}
	}
	p.stopped(proc)
}

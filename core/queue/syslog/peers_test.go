package syslog_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// patient joins lines that come as late as they do on a machine that has too much to do.
const patient = 2 * time.Second

// python runs a program.
func python(tb testing.TB, program string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "/usr/bin/python3", append([]string{"-c", program}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		tb.Fatal(err)
	}
}

const logbook = `
import socket, sys
from logbook import Logger, SyslogHandler
network, address, name = sys.argv[1:4]
if not network.startswith("unix"):
    host, port = address.rsplit(":", 1)
    address = (host, int(port))
kind = socket.SOCK_STREAM if network == "tcp" else socket.SOCK_DGRAM
h = SyslogHandler(name or None, address=address, facility="local3", socktype=kind)
log = Logger("My Shop" if name == "" else "shop")
with h.applicationbound():
    log.warn("sold out: {0}", "tea ☃")
    try:
        {}["order"]
    except KeyError:
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("failed")
    log.error("first\n\n  second\nthird")
    for i in range(100):
        log.info("record {0}", i)
    log.info("end") # so that the one before does not wait for more
h.close()
`

func TestRecordsOfLogbooksSyslogHandlerArriveWhole(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		for _, name := range []string{"", "app"} {
			t.Run(network+"/"+name, func(t *testing.T) {
				r, s := server(t, syslog.Options{Network: network, Join: patient})
				python(t, logbook, network, r.Addr().String(), name)
				channel, prefix := "My Shop", ""
				if name != "" {
					channel, prefix = name, "shop: "
				} else if strings.HasPrefix(network, "unix") {
					channel, prefix = "", "My Shop: " // there, Logbook sends no name
				}
				if got := next(t, s); got.Message() != prefix+"sold out: tea ☃" || got.Level != core.LevelWarning || got.Channel != channel ||
					got.Extra.Get("facility") != "local3" {
					t.Errorf("%q %+v", got.Message(), got)
				}
				got := next(t, s)
				if got.Exception.ShortName() != "ZeroDivisionError" || got.Exception.Message != "division by zero" ||
					!strings.HasPrefix(got.Message(), prefix+"failed\nTraceback") || got.Level != core.LevelError ||
					!strings.Contains(got.Exception.Traceback, "KeyError: 'order'\n\nDuring handling of the above exception") {
					t.Errorf("%q %+v", got.Message(), got.Exception)
				}
				if got := next(t, s).Message(); got != prefix+"first\n\n  second\nthird" {
					t.Errorf("%q", got)
				}
				for i := range 100 {
					if got := next(t, s).Message(); got != fmt.Sprint(prefix, "record ", i) {
						t.Fatalf("got %q, want number %d", got, i)
					}
				}
			})
		}
	}
}

func TestMessagesOfLoggerArrive(t *testing.T) {
	cases := []struct {
		network string
		args    []string
	}{
		{"udp", []string{"--rfc3164", "--udp"}},
		{"udp", []string{"--rfc5424", "--udp"}},
		{"tcp", []string{"--rfc3164", "--tcp"}},
		{"tcp", []string{"--rfc5424", "--tcp"}},
		{"tcp", []string{"--rfc3164", "--tcp", "--octet-count"}},
		{"tcp", []string{"--rfc5424", "--tcp", "--octet-count"}},
		{"unixgram", []string{"--socket-errors=on", "--socket"}},
		{"unix", []string{"--socket-errors=on", "--socket"}},
		{"unixgram", []string{"--socket-errors=on", "--rfc5424", "--socket"}},
	}
	for _, c := range cases {
		t.Run(c.network+strings.Join(c.args, ""), func(t *testing.T) {
			r, s := server(t, syslog.Options{Network: c.network, Join: patient})
			modern := strings.Contains(strings.Join(c.args, " "), "5424")
			args := append([]string{"--priority", "local3.err", "--tag", "backup", "--id=77"}, c.args...)
			if strings.HasPrefix(c.network, "unix") {
				args = append(args, r.Addr().String())
			} else {
				_, port, _ := net.SplitHostPort(r.Addr().String())
				args = append(args, "--server", "127.0.0.1", "--port", port)
			}
			if modern {
				args = append(args, "--msgid", "ID7", "--sd-id", "disk@32473", "--sd-param", `name="sda \"1\""`, "--sd-param", `full="98"`)
			}
			cmd := exec.CommandContext(t.Context(), "logger", args...)
			cmd.Stdin = strings.NewReader("disk is full ☃\n" + strings.Repeat("x", 900) + "\n" + `{"level": "critical", "message": "of JSON", "time": "2026-11-20T12:00:00Z"}` + "\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := next(t, s)
			if got.Message() != "disk is full ☃" || got.Channel != "backup" || got.Level != core.LevelError || got.Extra.Get("facility") != "local3" ||
				got.Process.ID != 77 || time.Since(got.Time).Abs() > time.Hour {
				t.Errorf("%q %+v", got.Message(), got)
			}
			if modern {
				disk, _ := got.Extra.Get("disk@32473").(map[string]any)
				if disk["name"] != `sda "1"` || disk["full"] != "98" || got.Extra.Get("msgid") != "ID7" {
					t.Errorf("%+v", got.Extra)
				}
			}
			if got := next(t, s).Message(); got != strings.Repeat("x", 900) {
				t.Errorf("%q", got)
			}
			if got := next(t, s); got.Message() != "of JSON" || got.Level != core.LevelCritical || got.Channel != "backup" {
				t.Errorf("%q %+v", got.Message(), got)
			}
		})
	}
}

const traceback = `Traceback (most recent call last):
  File "a.py", line 1, in <module>
    x()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 2, in <module>
ValueError: b: c`

func TestATracebackThatIsSentLineByLineIsOneRecord(t *testing.T) {
	for _, framing := range []string{"--rfc5424", "--rfc3164"} {
		r, s := server(t, syslog.Options{Network: "tcp", Join: patient})
		_, port, _ := net.SplitHostPort(r.Addr().String())
		cmd := exec.CommandContext(t.Context(), "logger", "--tcp", framing, "--server", "127.0.0.1", "--port", port, "--tag", "job", "--priority", "user.notice")
		cmd.Stdin = strings.NewReader("starting\nfailed\n" + traceback + "\n" + traceback + "\nnext\n  indented\nend\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var got []string
		for range 5 {
			rec := next(t, s)
			got = append(got, rec.Message())
			if strings.Contains(rec.Message(), "Traceback") != (rec.Exception != nil) {
				t.Errorf("%q %+v", rec.Message(), rec.Exception)
			}
		}
		if want := "starting|failed\n" + traceback + "|" + traceback + "|next|  indented"; strings.Join(got, "|") != want {
			t.Errorf("%s: got %q\nwant %q", framing, got, want)
		}
	}
}

// docker returns what the syslog driver of Docker sends for a line of a container. There is no
// Docker on a machine that tests run on: the formats are those of its source, and so is what
// is in front of a message on a stream (nothing) and behind it (a line feed, also in a
// datagram).
func docker(format, tag, line string) string {
	switch format {
	case "rfc5424":
		return fmt.Sprintf("<27>1 2026-11-20T21:01:52+01:00 host %s 1234 %s - %s\n", tag, tag, line)
	case "rfc5424micro":
		return fmt.Sprintf("<27>1 2026-11-20T21:01:52.894908+01:00 host %s 1234 %s - %s\n", tag, tag, line)
	case "rfc3164":
		return fmt.Sprintf("<27>Nov 20 21:01:52 host %s[1234]: %s\n", tag, line)
	}
	return fmt.Sprintf("<27>Nov 20 21:01:52 %s[1234]: %s\n", tag, line)
}

func TestMessagesOfDockersSyslogDriverArrive(t *testing.T) {
	tags := []string{
		"0123456789ab", "docker/0123456789ab", "shop",
		"registry.example.com:5000/team/shop:1.25/shop_web_1/0123456789ab", // {{.ImageName}}/{{.Name}}/{{.ID}}: too long for RFC 5424
	}
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		for _, format := range []string{"default", "rfc3164", "rfc5424", "rfc5424micro"} {
			t.Run(network+"/"+format, func(t *testing.T) {
				r, s := server(t, syslog.Options{Network: network, Zone: time.FixedZone("", 3600), Join: patient})
				c := dial(t, r)
				write := func(text string) {
					t.Helper()
					if _, err := c.Write([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				for _, tag := range tags {
					write(docker(format, tag, "hello: from a container ☃"))
					for line := range strings.SplitSeq(traceback, "\n") {
						write(docker(format, tag, line))
					}
					write(docker(format, tag, "{\"level\": \"warning\", \"msg\": \"of slog\", \"time\": \"2026-11-20T12:00:00Z\"}"))
				}
				for _, tag := range tags {
					got := next(t, s)
					if got.Message() != "hello: from a container ☃\n"+traceback || got.Exception.ShortName() != "ValueError" ||
						got.Channel != tag || got.Process.ID != 1234 || got.Level != core.LevelError ||
						got.Time.Format("01-02 15:04:05") != "11-20 20:01:52" || got.Extra.Get("facility") != "daemon" {
						t.Errorf("%q %+v", got.Message(), got)
					}
					if got := next(t, s); got.Message() != "of slog" || got.Level != core.LevelWarning || got.Channel != tag {
						t.Errorf("%q %+v", got.Message(), got)
					}
				}
			})
		}
	}
}

const toRsyslog = `
import logging, logging.handlers, sys
h = logging.handlers.SysLogHandler(sys.argv[1], facility="local3")
h.setFormatter(logging.Formatter("shop[77]: %(message)s"))
log = logging.getLogger()
log.addHandler(h)
log.error("sold out: %s", "tea ☃")
try:
    {}["order"]
except KeyError:
    log.exception("failed")
for i in range(200):
    log.error("record %d", i)
log.error("end") # so that the one before does not wait for more
`

func TestMessagesThatRsyslogForwardsArrive(t *testing.T) {
	for name, c := range map[string]struct{ network, action string }{
		"udp":                       {"udp", `protocol="udp"`},
		"udp, RFC 5424":             {"udp", `protocol="udp" template="RSYSLOG_SyslogProtocol23Format"`},
		"tcp":                       {"tcp", `protocol="tcp"`},
		"tcp, RFC 5424":             {"tcp", `protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"`},
		"tcp, RFC 5424, octets":     {"tcp", `protocol="tcp" template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"`},
		"tcp, forward format":       {"tcp", `protocol="tcp" template="RSYSLOG_ForwardFormat"`},
		"tcp, forward format, both": {"tcp", `protocol="tcp" template="RSYSLOG_ForwardFormat" TCP_Framing="octet-counted"`},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := server(t, syslog.Options{Network: c.network, Join: patient})
			_, port, _ := net.SplitHostPort(r.Addr().String())
			in := services.StartRsyslog(t, fmt.Sprintf(`port="%s" %s`, port, c.action))
			python(t, toRsyslog, in)
			got := next(t, s)
			if got.Message() != "sold out: tea ☃" || got.Channel != "shop" || got.Process.ID != 77 || got.Level != core.LevelError ||
				got.Extra.Get("facility") != "local3" || got.Extra.Get("host") == "" || time.Since(got.Time).Abs() > time.Hour {
				t.Errorf("%q %+v", got.Message(), got)
			}
			got = next(t, s)
			if got.Exception.ShortName() != "KeyError" || !strings.HasPrefix(got.Message(), "failed\nTraceback (most recent call last):\n  File") {
				t.Errorf("%q %+v", got.Message(), got.Exception)
			}
			for i := range 200 {
				if got := next(t, s).Message(); got != fmt.Sprint("record ", i) {
					t.Fatalf("got %q, want number %d", got, i)
				}
			}
		})
	}
}

func TestRsyslogWaitsForUsAndLosesNothing(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "tcp"})
	_, port, _ := net.SplitHostPort(r.Addr().String())
	if err := s.Close(); err != nil { // nobody listens at first
		t.Fatal(err)
	}
	in := services.StartRsyslog(t, fmt.Sprintf(`port="%s" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"`, port))
	python(t, toRsyslog, in)
	_, s = server(t, syslog.Options{Network: "tcp", Address: "127.0.0.1:" + port, Join: patient})
	if got := next(t, s).Message(); got != "sold out: tea ☃" {
		t.Errorf("%q", got)
	}
	next(t, s)
	for i := range 200 {
		if got := next(t, s).Message(); got != fmt.Sprint("record ", i) {
			t.Fatalf("got %q, want number %d", got, i)
		}
	}
}

func TestAMessageDoesNotWaitForTheNextForLong(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "unixgram"})
	c := dial(t, r)
	if _, err := c.Write([]byte("<11>1 2026-11-20T21:03:47.283014Z vm a 5 - - alone")); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s).Message(); got != "alone" {
		t.Errorf("%q", got)
	}
}

func TestWithoutJoiningEachLineIsARecord(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "tcp", Join: -1})
	c := dial(t, r)
	stream, err := os.ReadFile("testdata/logbook-tcp.stream")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(stream); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"app.db: tcp 1", "app.db: tcp 2", "with newline"} {
		if got := next(t, s).Message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatWaitsForMoreLinesIsNotLostOnClose(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "tcp", Join: time.Hour})
	stream, err := os.ReadFile("testdata/logbook-tcp.stream")
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, r)
	if _, err := c.Write(stream); err != nil {
		t.Fatal(err)
	}
	var got []string
	first := make(chan struct{})
	running := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, rec *core.Record) error {
		if got = append(got, rec.Message()); len(got) == 1 {
			close(first)
		}
		return nil
	})})
	<-first
	if err := errors.Join(s.Close(), running.Stop()); err != nil {
		t.Fatal(err)
	}
	if want := "app.db: tcp 1|app.db: tcp 2\nwith newline"; strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
}

func TestTheOrderIsThatInWhichTheyCame(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "unixgram"})
	c := dial(t, r)
	for i := range 3000 { // more than may wait
		if _, err := fmt.Fprintf(c, "<11>p%d[%d]: %d", i%7, i%3, i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3000 {
		if got := next(t, s).Message(); got != fmt.Sprint(i) {
			t.Fatalf("got %q, want %d", got, i)
		}
	}
	if st := s.Stats(); st.Rejected != 0 || st.Received != 3000 {
		t.Errorf("%+v", st)
	}
}

func TestWhatIsPutTogetherIsBounded(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "tcp", Join: time.Hour})
	c := dial(t, r)
	go func() {
		line := []byte("<11>1 2026-11-20T21:03:47.283014Z vm a 5 - - " + strings.Repeat("x", 1000) + "\n")
		for range 1000 {
			if _, err := c.Write(line); err != nil {
				return
			}
		}
	}()
	if got := next(t, s).Message(); len(got) < 200<<10 || len(got) > 300<<10 {
		t.Errorf("%d bytes", len(got))
	}
}

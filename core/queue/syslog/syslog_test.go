package syslog_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func server(tb testing.TB, o syslog.Options) (*syslog.Receiver, *queue.Subscriber) {
	tb.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
		if strings.HasPrefix(o.Network, "unix") {
			o.Address = filepath.Join(tb.TempDir(), "log")
		}
	}
	r, err := syslog.NewReceiver(o)
	if err != nil {
		tb.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r, s
}

func next(tb testing.TB, s *queue.Subscriber) *core.Record {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		tb.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

func dial(tb testing.TB, r *syslog.Receiver) net.Conn {
	tb.Helper()
	c, err := net.Dial(r.Addr().Network(), r.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestAMessageBecomesARecord(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "unixgram", Zone: time.UTC})
	c := dial(t, r)
	year := time.Now().UTC().Year()
	cases := []struct {
		raw            string
		level          core.Level
		channel, text  string
		host, facility string
		pid            int
		at             string
	}{
		{"<14>1 2026-11-20T21:01:52.894908Z vm app 28144 ID7 - a message", core.LevelInfo, "app", "a message", "vm", "user", 28144, "2026-11-20T21:01:52.894908Z"},
		{"<165>1 2026-11-20T21:01:52+01:00 vm - - - [ex@1 a=\"b \\\"c\\\"\"] \ufeffhé", core.LevelNotice, "", "hé", "vm", "local4", 0, "2026-11-20T20:01:52Z"},
		{"<14>id: 1 2026-11-20T21:01:52.898279Z vm - None - - ident\x00", core.LevelInfo, "id", "ident", "vm", "user", 0, "2026-11-20T21:01:52.898279Z"},
		{"<14>1 2026-11-20T21:01:52Z vm - 5 -  no data", core.LevelInfo, "", "no data", "vm", "user", 5, "2026-11-20T21:01:52Z"},
		{"<34>Oct 11 22:14:15 mymachine su[230]: failed for root", core.LevelCritical, "su", "failed for root", "mymachine", "auth", 230, fmt.Sprintf("%d-10-11T22:14:15Z", year)},
		{"<13>Nov  1 01:02:03 cron: local", core.LevelNotice, "cron", "local", "", "user", 0, fmt.Sprintf("%d-11-01T01:02:03Z", year)},
		{"<11>app.db: of Logbook\x00", core.LevelError, "app.db", "of Logbook", "", "user", 0, ""},
		{"<12>of Python, without a tag\x00", core.LevelWarning, "", "of Python, without a tag", "", "user", 0, ""},
		{"<11>error: not a tag", core.LevelError, "", "error: not a tag", "", "user", 0, ""},
		{"no priority", core.LevelNotice, "", "no priority", "", "user", 0, ""},
		{"<999>what", core.LevelNotice, "", "<999>what", "", "user", 0, ""},
		{"<30>docker[7]: {\"level\": \"error\", \"message\": \"inner\", \"time\": \"2026-11-20T12:00:00Z\"}", core.LevelError, "docker", "inner", "", "daemon", 7, "2026-11-20T12:00:00Z"},
	}
	for _, c2 := range cases {
		if _, err := c.Write([]byte(c2.raw)); err != nil {
			t.Fatal(err)
		}
		got := next(t, s)
		at := got.Time.Format(time.RFC3339Nano)
		if c2.at == "" {
			at = ""
		}
		if got.Level != c2.level || got.Channel != c2.channel || got.Message() != c2.text || got.Extra.Get("host") != c2.host ||
			got.Extra.Get("facility") != c2.facility || got.Process.ID != c2.pid || at != c2.at {
			t.Errorf("%q:\n got %v %q %q %v %v %d %v", c2.raw, got.Level, got.Channel, got.Message(), got.Extra, got.Process, got.Process.ID, got.Time)
		}
	}
}

func TestStructuredDataIsInExtra(t *testing.T) {
	r, s := server(t, syslog.Options{Network: "unixgram"})
	c := dial(t, r)
	if _, err := c.Write([]byte(`<14>1 2026-11-20T21:01:52Z vm app - ID7 [ex@1 a="b \"c\"" d="e"][f@2] x`)); err != nil {
		t.Fatal(err)
	}
	got := next(t, s)
	ex, _ := got.Extra.Get("ex@1").(map[string]any)
	if ex["a"] != `b "c"` || ex["d"] != "e" || got.Extra.Get("msgid") != "ID7" || got.Message() != "x" {
		t.Errorf("%v %q", got.Extra, got.Message())
	}
}

const logging = `
import logging, logging.handlers, socket, sys
network, address = sys.argv[1], sys.argv[2]
kind = socket.SOCK_DGRAM if network in ("udp", "unixgram") else socket.SOCK_STREAM
if not network.startswith("unix"):
    host, port = address.rsplit(":", 1)
    address = (host, int(port))
h = logging.handlers.SysLogHandler(address, socktype=kind)
log = logging.getLogger("shop")
log.addHandler(h)
log.warning("sold out: %s", "tea ☃")
try:
    {}["order"]
except KeyError:
    log.exception("failed")
for i in range(200):
    log.error("record %d", i)
h.close()
`

func TestRecordsOfPythonsSysLogHandlerArrive(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			r, s := server(t, syslog.Options{Network: network})
			cmd := exec.Command("/usr/bin/python3", "-c", logging, network, r.Addr().String())
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			if got := next(t, s); got.Message() != "sold out: tea ☃" || got.Level != core.LevelWarning {
				t.Errorf("%+v", got)
			}
			if got := next(t, s); got.Exception.ShortName() != "KeyError" || !strings.HasPrefix(got.Message(), "failed\nTraceback") {
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

func TestMessagesOfLoggerArriveInBothFramings(t *testing.T) {
	for name, args := range map[string][]string{
		"RFC 5424, octet counts": {"--rfc5424", "--octet-count"},
		"RFC 5424, line feeds":   {"--rfc5424"},
		"RFC 3164, line feeds":   {"--rfc3164"},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := server(t, syslog.Options{Network: "tcp"})
			_, port, _ := net.SplitHostPort(r.Addr().String())
			args = append(args, "--tcp", "--server", "127.0.0.1", "--port", port, "--priority", "local3.err", "--tag", "backup", "--id=77", "disk is full")
			if out, err := exec.Command("logger", args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := next(t, s)
			if got.Message() != "disk is full" || got.Channel != "backup" || got.Level != core.LevelError || got.Extra.Get("facility") != "local3" ||
				got.Process.ID != 77 || time.Since(got.Time).Abs() > time.Hour {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestStreamsAreCutAsTheirSenderDoes(t *testing.T) {
	cases := map[string]string{
		"octet counts":       "7 <11>a\nb8 <11>ccc\n\n6 <11>dd",
		"NUL":                "<11>a\nb\x00<11>ccc\x00<11>dd",
		"line feeds":         "<11>ab\r\n\n<11>ccc\n<11>dd",
		"both":               "7 <11>a\nb<11>ccc\n6 <11>dd",
		"counts afterwards":  "<11>ab\n7 <11>ccc<11>dd\n",
		"wrong octet counts": "6 <11>ab7 <11>ccc6 <11>ddx",
	}
	for name, stream := range cases {
		t.Run(name, func(t *testing.T) {
			r, s := server(t, syslog.Options{Network: "tcp"})
			c := dial(t, r)
			if _, err := c.Write([]byte(stream)); err != nil {
				t.Fatal(err)
			}
			_ = c.(*net.TCPConn).CloseWrite()
			var got string
			for range 3 {
				got += strings.ReplaceAll(next(t, s).Message(), "\n", "") + "|"
			}
			if got != "ab|ccc|dd|" {
				t.Errorf("got %q", got)
			}
			_, _ = c.Read(make([]byte, 1)) // until it is closed
			if st := s.Stats(); name == "wrong octet counts" && st.Rejected > 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestListeningWhereItIsNotAllowedSaysWhatToDo(t *testing.T) {
	taken := map[string]string{}
	for _, network := range []string{"udp", "tcp", "unix", "unixgram"} {
		r, _ := server(t, syslog.Options{Network: network})
		taken[network] = r.Addr().String()
	}
	_, udp, _ := net.SplitHostPort(taken["udp"])
	_, tcp, _ := net.SplitHostPort(taken["tcp"])
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const public = ": other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1"
	for _, c := range []struct{ network, address, want string }{
		{"udp", ":0", "listen on udp :0" + public},
		{"udp", "0.0.0.0:5514", "listen on udp 0.0.0.0:5514" + public},
		{"tcp", "192.0.2.1:5514", "listen on tcp 192.0.2.1:5514" + public},
		{"udp", taken["udp"], "listen on udp " + taken["udp"] + ": address already in use; find the program with: ss -lnup 'sport = :" + udp + "'"},
		{"tcp", taken["tcp"], "listen on tcp " + taken["tcp"] + ": address already in use; find the program with: ss -lntp 'sport = :" + tcp + "'"},
		{"unix", taken["unix"], "listen on unix " + taken["unix"] + ": address already in use; find the program with: ss -lxp src " + taken["unix"]},
		{"unixgram", taken["unixgram"], "listen on unixgram " + taken["unixgram"] + ": address already in use; find the program with: ss -lxp src " + taken["unixgram"]},
		{"unix", file, "listen on unix " + file + ": a file that is no socket is in the way"},
		{"unixgram", "/no/such/dir/log", "listen on unixgram /no/such/dir/log: no such file or directory; the directory must exist"},
		{"ip", "127.0.0.1", `unknown network "ip" (udp, tcp, unixgram or unix)`},
	} {
		r, err := syslog.NewReceiver(syslog.Options{Network: c.network, Address: c.address})
		if err == nil {
			_ = r.Close()
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %s:\n got %v\nwant %s", c.network, c.address, err, c.want)
		}
	}
}

func TestTheSocketOfAProgramThatHasDiedIsTakenOver(t *testing.T) {
	for _, network := range []string{"unix", "unixgram"} {
		path := filepath.Join(t.TempDir(), "log")
		left, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		_ = left.Close() // the file stays
		r, s := server(t, syslog.Options{Network: network, Address: path})
		if _, err := dial(t, r).Write([]byte("<11>app: taken over\n")); err != nil {
			t.Fatal(err)
		}
		if got := next(t, s).Message(); got != "taken over" {
			t.Errorf("%q", got)
		}
	}
}

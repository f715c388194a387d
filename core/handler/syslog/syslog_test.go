package syslog_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/syslog"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ExampleNew() {
	h, err := syslog.New(syslog.Options{ApplicationName: "shop", Facility: "local0"}) // the daemon of the system
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = h.Close() }()
	remove := core.Install(core.Binding{Handler: h, Level: core.LevelWarning, Bubble: true})
	_ = remove()
	// Output:
}

func newHandler(t *testing.T, o syslog.Options) *syslog.Handler {
	t.Helper()
	h, err := syslog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func rec(level core.Level, msg string) *core.Record {
	r := &core.Record{Channel: "testlogger", Level: level, Msg: msg, Time: time.Date(2026, 11, 20, 21, 3, 41, 769068000, time.UTC), Process: core.Process{ID: 4711}}
	r.Message()
	return core.NewReceived(r, core.Source{Name: "test"}, r.Time)
}

func handle(t *testing.T, h core.Handler, rs ...*core.Record) {
	t.Helper()
	for _, r := range rs {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSyslogHandler also covers seed bug 37 in part: network messages ended
// with a NUL, and addresses could only be IPv4.
func TestSyslogHandler(t *testing.T) {
	for _, app := range []string{"", "Testing"} {
		for _, tt := range []struct {
			name      string
			transport syslog.Transport
			daemon    func(t *testing.T) *daemon
			local     bool
		}{
			{"udp", "", func(t *testing.T) *daemon { return datagrams(t, "udp", "127.0.0.1:0") }, false},
			{"udp over IPv6", "", func(t *testing.T) *daemon { return datagrams(t, "udp", "[::1]:0") }, false},
			{"tcp", syslog.TCP, func(t *testing.T) *daemon { return streams(t, "tcp", "127.0.0.1:0", nil) }, false},
			{"unix datagram", "", func(t *testing.T) *daemon { return datagrams(t, "unixgram", filepath.Join(t.TempDir(), "log")) }, true},
			{"unix stream", "", func(t *testing.T) *daemon { return streams(t, "unix", filepath.Join(t.TempDir(), "log"), nil) }, true},
		} {
			t.Run(tt.name+" "+app, func(t *testing.T) {
				d := tt.daemon(t)
				h := newHandler(t, syslog.Options{ApplicationName: app, Address: d.address, Transport: tt.transport, Hostname: "host"})
				handle(t, h, rec(core.LevelWarning, "Syslog is weird"))
				want := "<12>1 2026-11-20T21:03:41.769068Z host testlogger 4711 - - Syslog is weird\n"
				switch {
				case tt.local && app == "":
					want = "<12>testlogger: Syslog is weird\x00"
				case tt.local:
					want = "<12>Testing:testlogger: Syslog is weird\x00"
				case app != "":
					want = "<12>1 2026-11-20T21:03:41.769068Z host Testing 4711 - - testlogger: Syslog is weird\n"
				}
				if got := d.waitFor(t, want[len(want)-1:]); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

func one(t *testing.T, o syslog.Options, r *core.Record) string {
	t.Helper()
	d := datagrams(t, "udp", "127.0.0.1:0")
	o.Address, o.Hostname = d.address, "host"
	handle(t, newHandler(t, o), r)
	return d.wait(t, func(got []string) bool { return len(got) > 0 })[0]
}

// TestSyslogAsPython: append_nul and ident.
func TestSyslogAsPython(t *testing.T) {
	o := syslog.Options{Protocol: syslog.BSD, Ident: "id: ", Facility: "local7"}
	if got := one(t, o, rec(core.LevelError, "two\nlines")); got != "<187>id: testlogger: two\nlines\x00" {
		t.Errorf("got %q", got)
	}
	o.Framing = syslog.FramingNone
	if got := one(t, o, rec(core.LevelError, "a NUL \x00 in it")); got != "<187>id: testlogger: a NUL \uFFFD in it" {
		t.Errorf("got %q", got)
	}
}

// Seed bug 38: TRACE was a warning.
func TestSyslogSeverities(t *testing.T) {
	for level, want := range map[core.Level]int{
		core.LevelTrace: 7, core.LevelDebug: 7, core.LevelInfo: 6, core.LevelNotice: 5, core.LevelWarning: 4,
		core.LevelError: 3, core.LevelCritical: 2, core.LevelNotSet: 4, 37: 4,
	} {
		if got := syslog.Severity(level); got != want {
			t.Errorf("%v: %d, want %d", level, got, want)
		}
	}
}

func TestSyslogStructuredData(t *testing.T) {
	r := rec(core.LevelInfo, "größer")
	r.Extra = core.Extra("order id", 4711, `a="]`, "q\" b\\ c] \n größer")
	o := syslog.Options{ApplicationName: "shop", MessageID: "ID47", BOM: true, StructuredData: syslog.ExtraData("extra@32473"), Framing: syslog.FramingNone}
	want := `<14>1 2026-11-20T21:03:41.769068Z host shop 4711 ID47 [extra@32473 order_id="4711" a___="q\" b\\ c\]   größer"] ` + "\ufefftestlogger: größer"
	if got := one(t, o, r); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r.Extra = core.Extra("structured_data", map[string]any{"foo@12345": map[string]any{"fizz": "buzz", "bar": "baz"}, "a": nil})
	o.StructuredData = syslog.CookbookData
	if got := one(t, o, r); !strings.Contains(got, ` ID47 [a][foo@12345 bar="baz" fizz="buzz"] `) {
		t.Errorf("got %q", got)
	}
}

func TestSyslogHeaderFieldsAreClean(t *testing.T) {
	r := rec(core.LevelInfo, "x")
	r.Channel = "my größer channel " + strings.Repeat("x", 60)
	r.Process.ID = 0
	got := one(t, syslog.Options{}, r)
	if f := strings.Fields(got); len(f) != 8 || len(f[3]) != 48 || !strings.HasPrefix(f[3], "my_gr") || f[4] != "-" {
		t.Errorf("got %q", got)
	}
	r.Channel = "" // Logbook: "None: "
	if got := one(t, syslog.Options{}, r); !strings.HasSuffix(got, " host - - - - x\n") {
		t.Errorf("got %q", got)
	}
}

// Messages of several lines: one each with LF, one for all otherwise.
func TestSyslogMultiLine(t *testing.T) {
	d := streams(t, "tcp", "127.0.0.1:0", nil)
	r := rec(core.LevelError, "first\n\nsecond")
	r.Exception = &core.Exception{Traceback: "Traceback:\n  File x"}
	handle(t, newHandler(t, syslog.Options{Address: d.address, Transport: syslog.TCP, Hostname: "h"}), r)
	const head = "<11>1 2026-11-20T21:03:41.769068Z h testlogger 4711 - - "
	want := head + "first\n" + head + "second\n" + head + "Traceback:\n" + head + "  File x\n"
	if got := d.waitFor(t, "File x\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	d = streams(t, "tcp", "127.0.0.1:0", nil)
	handle(t, newHandler(t, syslog.Options{Address: d.address, Transport: syslog.TCP, Hostname: "h", Framing: syslog.FramingOctets}), r, rec(core.LevelInfo, "x"))
	text := head + "first\n\nsecond\nTraceback:\n  File x"
	want = strconv.Itoa(len(text)) + " " + text
	if got := d.waitFor(t, " x"); !strings.HasPrefix(got, want) || !regexp.MustCompile(`File x\d+ <14>1 .* x$`).MatchString(got) {
		t.Errorf("got %q, want %q and more", got, want)
	}
}

func TestSyslogOverTLS(t *testing.T) {
	server, client := certificate(t)
	d := streams(t, "tcp", "127.0.0.1:0", server)
	h := newHandler(t, syslog.Options{Address: d.address, Transport: syslog.TLS, TLS: client})
	handle(t, h, rec(core.LevelInfo, "secret"))
	if got := d.waitFor(t, "secret"); !regexp.MustCompile(`^\d+ <14>1 `).MatchString(got) {
		t.Errorf("got %q", got)
	}
	for range 10 { // what TLS itself has to say is no goodbye
		handle(t, h, rec(core.LevelInfo, "secret"))
	}
	handle(t, h, rec(core.LevelInfo, "end"))
	d.waitFor(t, "end")
	if got := d.all(); len(got) != 1 {
		t.Errorf("%d connections", len(got))
	}
	d.hangUp()
	reconnected := func(got []string) bool { return len(got) > 1 && strings.HasSuffix(got[1], "again") }
	d.wait(t, func(got []string) bool {
		if err := h.Handle(t.Context(), rec(core.LevelInfo, "again")); err != nil {
			t.Fatal(err)
		}
		return reconnected(got)
	})
	untrusting := newHandler(t, syslog.Options{Address: d.address, Transport: syslog.TLS})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](untrusting.Handle(t.Context(), rec(core.LevelInfo, "x"))); !ok {
		t.Error("sent to a server that nobody vouches for")
	}
}

// Seed bug 37: the address was overwritten with our own, so that TCP never
// reconnected. No record is lost when the server has hung up in between.
func TestSyslogReconnects(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		o := syslog.Options{Transport: syslog.TCP}
		if network == "unix" {
			address, o.Transport = filepath.Join(t.TempDir(), "log"), syslog.Unix
		}
		d := streams(t, network, address, nil)
		o.Address = d.address
		h := newHandler(t, o)
		for i := range 3 {
			handle(t, h, rec(core.LevelInfo, fmt.Sprint("message ", i)))
			d.wait(t, func(got []string) bool { return len(got) == i+1 && strings.Contains(got[i], "message") })
			d.hangUp()
		}
		for i, got := range d.all() {
			if !strings.Contains(got, fmt.Sprint("message ", i)) {
				t.Errorf("%s: connection %d got %q", network, i, got)
			}
		}
	}
}

// A daemon that is restarted has a new socket under the old name.
func TestSyslogReconnectsToARestartedDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	d := datagrams(t, "unixgram", path)
	h := newHandler(t, syslog.Options{Address: path})
	handle(t, h, rec(core.LevelInfo, "before"))
	d.waitFor(t, "before\x00")
	d.close()
	if err := syscall.Unlink(path); err != nil {
		t.Fatal(err)
	}
	d = datagrams(t, "unixgram", path)
	handle(t, h, rec(core.LevelInfo, "after"))
	d.waitFor(t, "after\x00")
}

func TestSyslogLeavesAMissingDaemonAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	h := newHandler(t, syslog.Options{Address: path})
	err := h.Handle(t.Context(), rec(core.LevelInfo, "x"))
	if !errors.Is(err, syscall.ENOENT) || !strings.HasPrefix(err.Error(), "send to syslog at "+path+": ") {
		t.Errorf("error %v", err)
	}
	datagrams(t, "unixgram", path)
	if err := h.Handle(t.Context(), rec(core.LevelInfo, "x")); !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), "next attempt in ") {
		t.Errorf("at once after: %v", err)
	}
}

func TestSyslogCutsWhatIsTooLong(t *testing.T) {
	got := one(t, syslog.Options{}, rec(core.LevelInfo, strings.Repeat("ö", 100_000)))
	if len(got) > syslog.DefaultDatagramSize+1 || len(got) < syslog.DefaultDatagramSize-2 || !strings.HasSuffix(got, "ö\n") {
		t.Errorf("%d bytes, end %q", len(got), got[len(got)-5:])
	}
}

func TestSyslogClosed(t *testing.T) {
	h := newHandler(t, syslog.Options{Address: "127.0.0.1:1"})
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(context.Background(), rec(core.LevelInfo, "x")); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestSyslogOptionsThatAreWrong(t *testing.T) {
	for want, o := range map[string]syslog.Options{
		`syslog: unknown facility "spam"`:                             {Facility: "spam"},
		`syslog: transport "smoke": want unix, udp, tcp or tls`:       {Transport: "smoke"},
		`syslog: protocol "rfc3339": want bsd or rfc5424`:             {Protocol: "rfc3339"},
		`syslog: framing "x": want nul, lf, octets or none`:           {Framing: "x"},
		`syslog: framing "octets" does not go with transport "udp"`:   {Address: "localhost", Framing: syslog.FramingOctets},
		`syslog: framing "none" does not go with transport "tcp"`:     {Address: "localhost", Transport: syslog.TCP, Framing: syslog.FramingNone},
		`syslog: address "/dev/log": want a host for transport "tcp"`: {Address: "/dev/log", Transport: syslog.TCP},
		`syslog: address "": want a host for transport "udp"`:         {Transport: syslog.UDP},
	} {
		if _, err := syslog.New(o); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

func TestConformance(t *testing.T) {
	udp, tcp := datagrams(t, "udp", "127.0.0.1:0"), streams(t, "tcp", "127.0.0.1:0", nil)
	local := datagrams(t, "unixgram", filepath.Join(t.TempDir(), "log"))
	for name, o := range map[string]syslog.Options{
		"udp": {Address: udp.address}, "local": {Address: local.address},
		"tcp": {Address: tcp.address, Transport: syslog.TCP, Framing: syslog.FramingOctets, StructuredData: syslog.ExtraData("extra")},
	} {
		t.Run(name, func(t *testing.T) {
			logtest.TestHandlerConformance(t, func(t *testing.T) core.Handler { return newHandler(t, o) })
		})
	}
	err := logtest.TestHandlerFailure(t, func(t *testing.T) core.Handler {
		return newHandler(t, syslog.Options{Address: "127.0.0.1:1", Transport: syslog.TCP})
	})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
}

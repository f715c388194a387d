package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
)

// python is an interpreter of the system; its standard library is enough.
const python = "/usr/bin/python3"

func server(tb testing.TB, o socket.Options) (*socket.Receiver, *queue.Subscriber) {
	tb.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	r, err := socket.NewReceiver(o)
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

func soon(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func next(tb testing.TB, s *queue.Subscriber) *core.Record {
	tb.Helper()
	r, err := s.Recv(soon(tb))
	if err != nil {
		tb.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

func await(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx := soon(tb)
	for tick := time.NewTicker(2 * time.Millisecond); !condition(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatalf("waited in vain for: %s", what)
		}
	}
}

func dial(tb testing.TB, r *socket.Receiver) net.Conn {
	tb.Helper()
	c, err := net.Dial(r.Addr().Network(), r.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func write(tb testing.TB, c net.Conn, data string) {
	tb.Helper()
	if _, err := c.Write([]byte(data)); err != nil {
		tb.Fatal(err)
	}
}

// framed puts the length in front of a message.
func framed(message string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(message)))) + message
}

const logging = `
import logging, logging.handlers, sys
host, port = sys.argv[1], int(sys.argv[2]) if sys.argv[2] else None
` + patient + `
h = Patient(host, port)
log = logging.getLogger("shop.cart")
log.addHandler(h)
log.setLevel(1)
log.warning("sold out: %s", "tea ☃", extra={"customer": 4711})
try:
    {}["order"]
except KeyError:
    log.exception("failed")
for i in range(int(sys.argv[3])):
    log.debug("record %d", i)
h.close()
`

func TestRecordsOfPythonsSocketHandlerArriveInOrderAndNoneIsLost(t *testing.T) {
	const count = 5000
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			o := socket.Options{Network: network}
			if network == "unix" {
				o.Address = filepath.Join(t.TempDir(), "s")
			}
			r, s := server(t, o)
			host, port := r.Addr().String(), ""
			if network == "tcp" {
				host, port, _ = net.SplitHostPort(host)
			}
			cmd := exec.Command(python, "-c", logging, host, port, fmt.Sprint(count))
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			first := next(t, s)
			if first.Channel != "shop.cart" || first.Level != core.LevelWarning || first.Message() != "sold out: tea ☃" ||
				first.Extra.Get("customer") != int64(4711) || first.Process.ID != cmd.Process.Pid || first.Source.Peer == "" {
				t.Errorf("%+v", first)
			}
			if failed := next(t, s); failed.Exception == nil || failed.Exception.ShortName() != "KeyError" {
				t.Errorf("%+v", failed)
			}
			for i := range count {
				if got := next(t, s).Message(); got != fmt.Sprint("record ", i) {
					t.Fatalf("got %q, want number %d", got, i)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			await(t, "the peer is gone", func() bool { return s.Status().State == queue.StateListening })
		})
	}
}

func TestTheFirstBytesTellWhatIsSent(t *testing.T) {
	cases := []struct {
		name, stream string
		want         []string
	}{
		{"JSON lines", `{"msg": "a", "level": "info", "time": "2026-11-20T12:00:00Z"}` + "\n\r\n" + `{"msg": "b", "level": "error", "time": "2026-11-20T12:00:00Z"}` + "\r\n", []string{"INFO a", "ERROR b"}},
		{"plain lines", "hello\nWARNING: disk is full\nno line feed", []string{"INFO hello", "WARNING WARNING: disk is full", "INFO no line feed"}},
		{"JSON frames", framed(`{"msg": "a", "level": "info", "time": "2026-11-20T12:00:00Z"}`), []string{"INFO a"}},
		{
			"cutelog", framed("!!cutelog!!format=json") + framed(`{"name": "x", "level": "warning", "msg": "a", "created": 1.5}`) + framed("!!cutelog!!benchmark"),
			[]string{"WARNING a"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, s := server(t, socket.Options{})
			conn := dial(t, r)
			for i := range len(c.stream) { // split at every byte
				write(t, conn, c.stream[i:i+1])
			}
			_ = conn.Close()
			var got []string
			for range c.want {
				r := next(t, s)
				got = append(got, r.Level.String()+" "+r.Message())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if st := s.Stats(); st.Rejected != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestConnectionsSwitchTheirFormatAsWithCutelog(t *testing.T) {
	files, err := filepath.Glob("../../wire/testdata/cutelog/*.stream")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			stream, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, s := server(t, socket.Options{})
			c := dial(t, r)
			write(t, c, string(stream))
			_ = c.(*net.TCPConn).CloseWrite()
			if got := next(t, s); got.Channel != "app.db" || got.Message() != "hello" || got.Level != core.LevelInfo {
				if !strings.Contains(file, "utf8") {
					t.Errorf("%+v", got)
				}
			}
			await(t, "the end", func() bool { return len(r.Status().Peers) == 0 })
		})
	}
}

func TestABadMessageCostsNoMoreThanItsConnection(t *testing.T) {
	cases := []struct {
		name, stream, reason string
		rejected             uint64
	}{
		{"broken pickle", framed("\x80\x04garbage") + framed("x"), "malformed", 2},
		{"a frame of 2 GB", "\x00" + "\x7f\xff\xff\xff" + "x", "", 0},
		{"a line without end", strings.Repeat("x", 5000), "too large", 1},
		{"a frame cut short", framed("hello")[:6], "malformed", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, s := server(t, socket.Options{MaxMessageSize: 4000})
			bad := dial(t, r)
			write(t, bad, c.stream)
			_ = bad.(*net.TCPConn).CloseWrite()
			if err := bad.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := bad.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("the connection is not closed: %v", err)
			}
			await(t, "the connection is forgotten", func() bool { return len(s.Status().Peers) == 0 })
			good := dial(t, r)
			write(t, good, "still here\n")
			if got := next(t, s).Message(); got != "still here" {
				t.Errorf("got %q", got)
			}
			if st := s.Stats(); c.reason != "" && (st.Rejected != c.rejected || st.Reasons[c.reason] != c.rejected) {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestAWebClientIsSentAway(t *testing.T) {
	r, s := server(t, socket.Options{})
	c := dial(t, r)
	write(t, c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	await(t, "the reason", func() bool { return s.Status().Err != nil })
	if err := s.Status().Err; !strings.Contains(err.Error(), "it speaks HTTP") {
		t.Error(err)
	}
	if st := s.Stats(); st.Received != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTenThousandConnectsInARowLeaveNothingBehind(t *testing.T) {
	count := 10_000
	if testing.Short() {
		count = 500
	}
	r, s := server(t, socket.Options{})
	for i := range count {
		c := dial(t, r)
		if i%100 == 0 {
			write(t, c, "x\n")
			if got := next(t, s).Message(); got != "x" {
				t.Fatal(got)
			}
		}
		_ = c.Close()
	}
	await(t, "all are gone", func() bool { return len(r.Status().Peers) == 0 })
}

func TestSilentPeersAreSentAway(t *testing.T) {
	r, s := server(t, socket.Options{FirstTimeout: 50 * time.Millisecond})
	talks, silent := dial(t, r), dial(t, r)
	write(t, talks, "hello\n")
	if got := next(t, s).Message(); got != "hello" {
		t.Fatal(got)
	}
	if n, err := silent.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the silent one: %d, %v", n, err)
	}
	await(t, "the one who talks is left", func() bool { return len(r.Status().Peers) == 1 })
}

func TestTooManyPeersAreSentAway(t *testing.T) {
	r, s := server(t, socket.Options{MaxConnections: 1})
	first := dial(t, r)
	write(t, first, "hello\n")
	if got := next(t, s).Message(); got != "hello" {
		t.Fatal(got)
	}
	if n, err := dial(t, r).Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the second one: %d, %v", n, err)
	}
	if st := r.Status(); len(st.Peers) != 1 || !strings.HasSuffix(st.Detail, "; 1 peers refused") {
		t.Errorf("%+v", st)
	}
}

func TestOneWhoComesForEachRecordIsLetInThoughTheOthersAreSeenToGoLater(t *testing.T) {
	const count = 300
	r, s := server(t, socket.Options{MaxConnections: 2})
	go func() {
		for i := range count {
			c, err := net.Dial("tcp", r.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			_, err = fmt.Fprintf(c, "record %d\n", i)
			if err := errors.Join(err, c.Close()); err != nil {
				t.Error(err)
			}
		}
	}()
	got := map[string]bool{}
	for range count {
		got[next(t, s).Message()] = true
	}
	if st := r.Status(); len(got) != count || strings.Contains(st.Detail, "refused") {
		t.Errorf("%d records, %+v", len(got), st)
	}
}

func TestWhatWasSentBeforeCloseIsDispatched(t *testing.T) {
	const count = 20_000
	r, s := server(t, socket.Options{})
	got := make(chan string, count)
	c := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		got <- r.Message()
		return nil
	})})
	conn := dial(t, r)
	var all bytes.Buffer
	for i := range count {
		fmt.Fprintf(&all, "record %d\n", i)
	}
	write(t, conn, all.String())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if len(got) != count {
		t.Errorf("%d of %d", len(got), count)
	}
	if _, err := s.Recv(t.Context()); !errors.Is(err, queue.ErrClosed) {
		t.Error(err)
	}
}

func TestASenderWaitsForASlowReader(t *testing.T) {
	r, s := server(t, socket.Options{})
	c := dial(t, r)
	line := strings.Repeat("x", 1000) + "\n"
	sent := 0
	for { // nobody receives
		if err := c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(line)); err != nil {
			break
		}
		if sent++; sent > 1_000_000 {
			t.Fatal("the sender is never stopped")
		}
	}
	_ = c.(*net.TCPConn).CloseWrite()
	for range sent {
		if got := next(t, s).Message(); len(got) != 1000 {
			t.Fatalf("%d bytes", len(got))
		}
	}
}

func TestWhatIsInTheWayOfListeningIsExplained(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	r, s := server(t, socket.Options{})
	server(t, socket.Options{Network: "unix", Address: path})
	_, port, _ := net.SplitHostPort(r.Addr().String())
	cases := []struct {
		network, address, want string
	}{
		{"tcp", r.Addr().String(), "address already in use; find the program with: ss -lntp 'sport = :" + port + "'"},
		{"tcp", "0.0.0.0:0", "other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1"},
		{"tcp", "192.0.2.1:9020", "other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1"},
		{"unix", path, "address already in use; find the program with: ss -lxp src " + path},
		{"unix", file, "a file that is no socket is in the way"},
		{"unix", filepath.Join(dir, "no", "s"), "no such file or directory; the directory must exist"},
	}
	for _, c := range cases {
		_, err := socket.NewReceiver(socket.Options{Network: c.network, Address: c.address})
		if want := "listen on " + c.network + " " + c.address + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if st := s.Status(); st.State != queue.StateListening {
		t.Errorf("%+v", st)
	}
}

func TestASocketThatADeadProgramLeftIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	r, s := server(t, socket.Options{Network: "unix", Address: path})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("mode %v", info.Mode())
	}
	write(t, dial(t, r), "hello\n")
	if got := next(t, s); got.Message() != "hello" || got.Source.Peer != "unix" {
		t.Errorf("%+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestALineThatNamesNoChannelHasThatOfTheSource(t *testing.T) {
	r, s := server(t, socket.Options{Channel: "shop"})
	c := dial(t, r)
	write(t, c, `{"level": "error", "msg": "no name"}`+"\n"+`{"level": "error", "msg": "named", "logger": "own"}`+"\nplain\n")
	for _, want := range []string{"shop: no name", "own: named", "shop: plain"} {
		if r := next(t, s); r.Channel+": "+r.Message() != want {
			t.Errorf("got %s: %s, want %s", r.Channel, r.Message(), want)
		}
	}
}

package datagram_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/datagram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func server(tb testing.TB, o datagram.Options) (*datagram.Receiver, *queue.Subscriber) {
	tb.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	r, err := datagram.NewReceiver(o)
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

func dial(tb testing.TB, r *datagram.Receiver) net.Conn {
	tb.Helper()
	c, err := net.Dial(r.Addr().Network(), r.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

const logging = `
import logging, logging.handlers, sys
h = logging.handlers.DatagramHandler(sys.argv[1], int(sys.argv[2]) if sys.argv[2] else None)
log = logging.getLogger("shop.cart")
log.addHandler(h)
log.warning("sold out: %s", "tea ☃", extra={"customer": 4711})
for i in range(int(sys.argv[3])):
    log.error("record %d", i)
`

func TestRecordsOfPythonsDatagramHandlerArrive(t *testing.T) {
	for _, network := range []string{"udp", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			o := datagram.Options{Network: network}
			count := 100
			if network == "unixgram" {
				o.Address = filepath.Join(t.TempDir(), "s")
				count = 5000 // more than anybody holds: the sender waits
			}
			r, s := server(t, o)
			host, port := r.Addr().String(), ""
			if network == "udp" {
				host, port, _ = net.SplitHostPort(host)
			}
			cmd := exec.Command("/usr/bin/python3", "-c", logging, host, port, fmt.Sprint(count))
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			first := next(t, s)
			if first.Channel != "shop.cart" || first.Level != core.LevelWarning || first.Message() != "sold out: tea ☃" || first.Extra.Get("customer") != int64(4711) || first.Source.Peer == "" {
				t.Errorf("%+v", first)
			}
			for i := range count {
				if got := next(t, s).Message(); got != fmt.Sprint("record ", i) {
					t.Fatalf("got %q, want number %d", got, i)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestADatagramIsToldByItsFirstBytes(t *testing.T) {
	r, s := server(t, datagram.Options{Channel: "udp"})
	c := dial(t, r)
	json := `{"level": "error", "message": "a", "time": "2026-11-20T12:00:00Z"}`
	for _, d := range []string{json, json + "\n" + json + "\n", "WARNING: one\ntwo\n", "\x00\x00", "", "{not json"} {
		if _, err := c.Write([]byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for range 5 {
		r := next(t, s)
		got = append(got, r.Channel+" "+r.Level.String()+" "+r.Message())
	}
	if diff := cmp.Diff([]string{"udp ERROR a", "udp ERROR a", "udp ERROR a", "udp WARNING WARNING: one\ntwo", "udp INFO {not json"}, got); diff != "" {
		t.Error(diff)
	}
	if st := s.Stats(); st.Rejected != 2 {
		t.Errorf("%+v", st)
	}
}

func TestMessagesOfSyslogAreUnderstood(t *testing.T) {
	r, s := server(t, datagram.Options{Network: "unixgram", Address: filepath.Join(t.TempDir(), "s")})
	files, err := filepath.Glob("../syslog/testdata/messages/*.dgram")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	c := dial(t, r)
	for _, file := range files {
		message, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
		if got := next(t, s); got.Extra.Get("facility") == "" {
			t.Errorf("%s: %+v", file, got)
		}
	}
	for message, want := range map[string]string{
		"<11>shop[7]: sold out\x00":                                 "ERROR shop: sold out",
		"<165>1 2026-11-20T21:01:52Z vm shop 7 ID [ex@1 a=\"b\"] é": "NOTICE shop: é",
		`<30>docker[7]: {"level": "error", "message": "inner"}`:     "ERROR docker: inner",
		"<999>what": "INFO : <999>what",
		"<b>bold":   "INFO : <b>bold",
	} {
		if _, err := c.Write([]byte(message)); err != nil {
			t.Fatal(err)
		}
		if r := next(t, s); r.Level.String()+" "+r.Channel+": "+r.Message() != want {
			t.Errorf("%s is %v %q %q", message, r.Level, r.Channel, r.Message())
		}
	}
}

func TestDatagramsThatNobodyTakesAreCounted(t *testing.T) {
	const count = 6000
	r, s := server(t, datagram.Options{})
	c := dial(t, r)
	for i := range count {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if i%200 == 0 {
			time.Sleep(5 * time.Millisecond) // so that the system drops none
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for s.Stats().Dropped == 0 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	received := 0
	c1 := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(context.Context, *core.Record) error {
		received++
		return nil
	})})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c1.Stop(); err != nil {
		t.Error(err)
	}
	if st := s.Stats(); st.Dropped == 0 || st.Dropped+uint64(received) != count {
		t.Errorf("%d received, %d dropped", received, st.Dropped)
	}
}

package riemann

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ExampleNew() {
	h, err := New(Options{Address: "riemann.example.com:5555"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// One message for ten records, and for an error at once.
	memory := handler.NewMemory(handler.MemoryOptions{Target: h, Capacity: 10})
	defer func() { _ = memory.Close() }()
	remove := core.Install(core.Binding{Handler: memory, Bubble: true})
	defer func() { _ = remove() }()
	// Output:
}

// server is a Riemann that keeps what it gets.
type server struct {
	address string
	refuse  string // what it says against every message
	once    bool   // it hangs up after each message

	mu       sync.Mutex
	messages [][]string // the events of each
}

func start(t *testing.T, s *server) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			wg.Go(func() { s.serve(c); _ = c.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return s
}

func (s *server) serve(c net.Conn) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		var events []string
		_ = fields(body, func(_ int, _ uint64, v []byte) { events = append(events, describe(v)) })
		s.mu.Lock()
		s.messages = append(s.messages, events)
		s.mu.Unlock()
		answer := appendUint(make([]byte, 4), msgOK, 1)
		if s.refuse != "" {
			answer = appendText(appendUint(make([]byte, 4), msgOK, 0), msgError, s.refuse)
		}
		binary.BigEndian.PutUint32(answer, uint32(len(answer)-4))
		if _, err := c.Write(answer); err != nil || s.once {
			return
		}
	}
}

// describe shows the fields of an event by their numbers.
func describe(event []byte) string {
	var parts []string
	_ = fields(event, func(field int, n uint64, v []byte) {
		text := string(v)
		switch field {
		case eventTime, eventTimeMicros:
			text = fmt.Sprint(n)
		case eventTTL, eventMetric:
			text = fmt.Sprint(math.Float32frombits(binary.LittleEndian.Uint32(v)))
		}
		parts = append(parts, fmt.Sprintf("%d=%s", field, text))
	})
	return strings.Join(parts, " ")
}

func (s *server) all() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string(nil), s.messages...)
}

func connect(t *testing.T, s *server) *Handler {
	t.Helper()
	h, err := New(Options{Address: s.address, Host: "web1", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func rec(level core.Level, msg string) *core.Record {
	r := &core.Record{Channel: "shop", Level: level, Msg: msg, Time: time.Unix(1700000000, 5000).UTC(), Process: core.Process{ID: 7}}
	r.Message()
	return core.NewReceived(r, core.Source{Name: "test"}, r.Time)
}

func TestRiemannHandlerHappyPath(t *testing.T) {
	s := start(t, new(server))
	h := connect(t, s)
	failed := rec(core.LevelError, "x")
	failed.Exception = core.NewException(errors.New("division by zero"))
	for _, r := range []*core.Record{rec(core.LevelInfo, "paid"), failed, rec(core.LevelCritical, "gr\xf6\xdfe")} {
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	const head, tail = "1=1700000000 2=%s 3=shop.7 4=web1 5=%s 7=log 7=%s", " 8=60 10=1700000000000005 15=1"
	want := [][]string{
		{fmt.Sprintf(head, "ok", "paid", "INFO") + tail},
		{fmt.Sprintf(head, "error", "division by zero", "ERROR") + tail},
		{fmt.Sprintf(head, "error", "gr\uFFFDe", "CRITICAL") + tail},
	}
	if diff := cmp.Diff(want, s.all()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRiemannHandlerFlush(t *testing.T) {
	s := start(t, new(server))
	m := handler.NewMemory(handler.MemoryOptions{Target: connect(t, s), Capacity: 2, FlushLevel: core.LevelCritical})
	for _, msg := range []string{"one", "two", "three"} {
		if err := m.Handle(t.Context(), rec(core.LevelError, msg)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.all(); len(got) != 1 || len(got[0]) != 2 || len(m.Buffered()) != 1 {
		t.Errorf("messages %q, %d records are held", got, len(m.Buffered()))
	}
}

func TestAConnectionThatTheServerClosedIsReplaced(t *testing.T) {
	s := start(t, &server{once: true})
	h := connect(t, s)
	for range 3 {
		if err := h.Handle(t.Context(), rec(core.LevelInfo, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.all()); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func TestWhatTheServerRefusesIsAnError(t *testing.T) {
	s := start(t, &server{refuse: "no room"})
	h := connect(t, s)
	for range 2 {
		err := h.Handle(t.Context(), rec(core.LevelInfo, "x"))
		if err == nil || err.Error() != "send to riemann at "+s.address+": the server refused the events: no room" {
			t.Errorf("error %v", err)
		}
	}
	if n := len(s.all()); n != 2 {
		t.Errorf("%d messages, want 2: what is refused is not sent again", n)
	}
}

func TestRiemannHandlerIncorrectOptions(t *testing.T) {
	if _, err := New(Options{Address: "nowhere"}); err == nil || !strings.Contains(err.Error(), `address "nowhere"`) {
		t.Errorf("error %v", err)
	}
}

func TestConformance(t *testing.T) {
	s := start(t, new(server))
	logtest.TestHandlerConformance(t, func(t *testing.T) core.Handler { return connect(t, s) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody is there
	err = logtest.TestHandlerFailure(t, func(t *testing.T) core.Handler { return connect(t, &server{address: l.Addr().String()}) })
	if err == nil {
		t.Error("no error without a server")
	}
	h := connect(t, s)
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), rec(core.LevelInfo, "x")); !errors.Is(err, handler.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(appendUint(nil, msgOK, 1))
	f.Add(appendText(appendUint(nil, msgOK, 0), msgError, "no room"))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		ok := false
		err := fields(b, func(field int, n uint64, _ []byte) {
			if field == msgOK {
				ok = n != 0
			}
		})
		if (readAnswer(b) == nil) != (err == nil && ok) {
			t.Errorf("answer %x: %v", b, readAnswer(b))
		}
	})
}

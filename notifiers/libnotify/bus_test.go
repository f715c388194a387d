package libnotify_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A bus of our own, without any service to start.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%SOCKET%</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startBus starts a private bus and returns its address and a function that ends it.
func startBus(t testing.TB) (address string, stop func()) {
	t.Helper()
	return startBusAt(t, filepath.Join(t.TempDir(), "s"))
}

func startBusAt(t testing.TB, socket string) (address string, stop func()) {
	t.Helper()
	config := socket + ".conf"
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(busConfig, "%SOCKET%", socket)), 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(socket)
	cmd := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start dbus-daemon (Debian: apt install dbus): %v", err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("address of the bus: %v", err)
	}
	return strings.TrimSpace(line), stop
}

// shownCall is one call of Notify, as the service got it.
type shownCall struct {
	App      string
	Replaces uint32
	Icon     string
	Summary  string
	Body     string
	Actions  []string
	Hints    map[string]dbus.Variant
	Expires  int32
	Number   uint32
}

// server is a notification service of the test's own.
type server struct {
	t    testing.TB
	conn *dbus.Conn

	mu     sync.Mutex
	caps   []string
	name   string
	last   uint32
	calls  []shownCall
	closed []uint32
	open   map[uint32]bool
	limit  int           // of open notifications; 0 for none
	before func()        // called in Notify before it answers
	asked  int           // calls of GetCapabilities
	hang   chan struct{} // if not nil, Notify waits for it to be closed
}

const (
	notifications = "org.freedesktop.Notifications"
	objectPath    = dbus.ObjectPath("/org/freedesktop/Notifications")
)

var allCaps = []string{"actions", "body", "body-markup", "icon-static", "persistence", "sound"}

func startServer(t testing.TB, address string, caps ...string) *server {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, conn: conn, caps: caps, name: "fake", open: make(map[uint32]bool)}
	if err := conn.Export(s, objectPath, notifications); err != nil {
		t.Fatal(err)
	}
	reply, err := conn.RequestName(notifications, dbus.NameFlagDoNotQueue)
	if err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v, %v", notifications, reply, err)
	}
	t.Cleanup(s.stop)
	return s
}

func (s *server) stop() { _ = s.conn.Close() }

// GetCapabilities is the service's.
func (s *server) GetCapabilities() ([]string, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.caps, nil
}

// GetServerInformation is the service's.
func (s *server) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name, "test", "1.0", "1.2", nil
}

// Notify is the service's.
func (s *server) Notify(app string, replaces uint32, icon, summary, body string, actions []string, hints map[string]dbus.Variant, expires int32) (uint32, *dbus.Error) {
	s.mu.Lock()
	hang, before := s.hang, s.before
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	s.mu.Lock()
	if s.limit > 0 && len(s.open) >= s.limit && !s.open[replaces] {
		s.mu.Unlock()
		return 0, dbus.NewError(notifications+".MaxNotificationsExceeded", []any{"Exceeded maximum number of notifications"})
	}
	number := replaces
	if number == 0 {
		s.last++
		number = s.last
	}
	s.open[number] = true
	s.calls = append(s.calls, shownCall{app, replaces, icon, summary, body, actions, hints, expires, number})
	s.mu.Unlock()
	if before != nil {
		before()
	}
	return number, nil
}

// CloseNotification is the service's.
func (s *server) CloseNotification(number uint32) *dbus.Error {
	s.mu.Lock()
	s.closed = append(s.closed, number)
	delete(s.open, number)
	s.mu.Unlock()
	s.emit("NotificationClosed", number, uint32(3))
	return nil
}

func (s *server) emit(signal string, values ...any) {
	if err := s.conn.Emit(objectPath, notifications+"."+signal, values...); err != nil && !errors.Is(err, dbus.ErrClosed) {
		s.t.Error(err)
	}
}

func (s *server) all() []shownCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]shownCall(nil), s.calls...)
}

// set changes how the service behaves.
func (s *server) set(f func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

func (s *server) closedNumbers() []uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint32(nil), s.closed...)
}

func (s *server) lastCall() shownCall {
	calls := s.all()
	if len(calls) == 0 {
		s.t.Fatal("the service was not called")
	}
	return calls[len(calls)-1]
}

// wait waits until a condition holds.
func wait(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

package e2e

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Bus is a private session bus.
type Bus struct {
	// Address is the value of DBUS_SESSION_BUS_ADDRESS for those who use it.
	Address string
	process *Process
}

// busConfig is a session bus that starts no service by itself: a test has the
// notification daemon that it starts, or none.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// StartBus starts a session bus that nobody else uses.
func StartBus(t testing.TB) *Bus {
	t.Helper()
	dir := tempDir(t)
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, filepath.Join(dir, "bus")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := new(Bus)
	b.process, b.Address = startAnnounced(t, nil, "dbus-daemon", "--nofork", "--nopidfile", "--config-file="+config, "--print-address=3")
	return b
}

// Stop ends the bus before its test is over, as when the user logs out.
func (b *Bus) Stop(t testing.TB) {
	t.Helper()
	b.process.Stop(t)
}

// Connect returns a connection of its own to the bus. It is closed when the test is
// over.
func (b *Bus) Connect(t testing.TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(b.Address)
	if err != nil {
		t.Fatalf("connect to the session bus: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// WaitForName waits until somebody on the bus owns a well-known name.
func (b *Bus) WaitForName(t testing.TB, name string) {
	t.Helper()
	conn := b.Connect(t)
	Eventually(t, "an owner of "+name, func() bool {
		var owned bool
		err := conn.BusObject().CallWithContext(t.Context(), "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
		return err == nil && owned
	})
}

// tempDir returns a directory with a path that is short enough for a Unix socket,
// which the names of tests are not.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e") //nolint:usetesting // t.TempDir is too long, see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startAnnounced starts a program that writes one line to descriptor 3 when it is
// ready, and returns that line.
func startAnnounced(t testing.TB, env []string, program string, args ...string) (*Process, string) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	p := start(t, env, []*os.File{write}, program, args...)
	_ = write.Close() // the program has its own; without ours its end is the end of the pipe
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		<-p.Done()
		t.Fatalf("%s ended before it was ready:\n%s", program, p.Output())
	}
	return p, strings.TrimSpace(line)
}

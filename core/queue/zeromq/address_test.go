package zeromq_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func TestWrongAddressesAreErrorsThatSayWhatIsWrong(t *testing.T) {
	cases := []struct {
		uri  string
		side zeromq.Side
		want string
	}{
		{"127.0.0.1:5556", "", `wrong address "127.0.0.1:5556": it needs a transport in front, such as tcp://127.0.0.1:5556`},
		{"http://127.0.0.1:5556", "", `wrong address "http://127.0.0.1:5556": unknown transport "http" (one of tcp, ipc, inproc)`},
		{"tcp://127.0.0.1", "", `wrong address "tcp://127.0.0.1": want tcp://HOST:PORT`},
		{"tcp://127.0.0.1:http", "", `wrong address "tcp://127.0.0.1:http": the port must be a number from 1 to 65535`},
		{"tcp://127.0.0.1:0", zeromq.Connect, `wrong address "tcp://127.0.0.1:0": the port must be a number from 1 to 65535`},
		{"tcp://127.0.0.1:99999", "", `wrong address "tcp://127.0.0.1:99999": the port must be a number from 1 to 65535`},
		{"tcp://:5556", "", `wrong address "tcp://:5556": no host; use 127.0.0.1 for this computer alone`},
		{"tcp://*:5556", zeromq.Connect, `wrong address "tcp://*:5556": * is for the side that listens`},
		{"ipc://", "", `wrong address "ipc://": nothing follows ipc://`},
		{"ipc:///no/such/directory/s", "", "listen on ipc:///no/such/directory/s: no such file or directory; the directory must exist"},
		{"ipc:///tmp/" + strings.Repeat("x", 200), "", "listen on ipc:///tmp/" + strings.Repeat("x", 200) + ": file name too long; the path of a socket has 107 bytes at most"},
		{"tcp://192.0.2.1:5556", "", "listen on tcp://192.0.2.1:5556: other computers can reach this address: set curve keys, or use 127.0.0.1"},
		{"tcp://*:5556", "", "listen on tcp://*:5556: other computers can reach this address: set curve keys, or use 127.0.0.1"},
		{"tcp://no-such-host.invalid:5556", "", `listen on tcp://no-such-host.invalid:5556: host "no-such-host.invalid" cannot be resolved: no such host`},
	}
	for _, c := range cases {
		_, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{c.uri}, Side: c.side})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.uri, err, c.want)
		}
	}
	_, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{"tcp://192.0.2.1:5556"}, AllowPlain: true})
	if want := "listen on tcp://192.0.2.1:5556: this computer has no address 192.0.2.1"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestAPortInUseTellsHowToFindTheProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	uri := "tcp://127.0.0.1:" + port
	want := "listen on " + uri + ": address already in use; find the program with: ss -ltnp 'sport = :" + port + "'"
	if _, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}}); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err := zeromq.NewSender(zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Pub}); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestAUnixSocketIsTakenOverFromTheDeadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	uri := "ipc://" + path
	r, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}})
	if err != nil {
		t.Fatal(err)
	}
	want := "listen on " + uri + ": address already in use; find the program with: ss -lxp src " + path
	if _, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}}); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	receiver(t, zeromq.Options{Addresses: []string{uri}})
}

func TestWhatIsNoAbandonedSocketIsLeftWhereItIs(t *testing.T) {
	dir := t.TempDir()
	file, busy, datagrams := filepath.Join(dir, "file"), filepath.Join(dir, "busy"), filepath.Join(dir, "datagrams")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: busy}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for err == nil { // nobody accepts, and at last no more can wait
		var c net.Conn
		if c, err = net.Dial("unix", busy); err == nil {
			defer c.Close()
		}
	}
	c, err := net.ListenPacket("unixgram", datagrams)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	inUse := "address already in use; find the program with: ss -lxp src "
	for path, want := range map[string]string{
		file: "a file that is no socket is in the way", busy: inUse + busy, datagrams: inUse + datagrams,
	} {
		uri := "ipc://" + path
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}}); err == nil || err.Error() != "listen on "+uri+": "+want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if _, err := zeromq.NewSender(zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Pub}); err == nil {
			t.Errorf("%s: a sender takes it", path)
		}
		if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s is no longer there: %v", path, err)
		}
	}
}

func TestAHostThatCannotBeResolvedIsShownInTheStatus(t *testing.T) {
	r := receiver(t, zeromq.Options{Addresses: []string{"tcp://no-such-host.invalid:5000"}, Pattern: zeromq.Sub})
	await(t, "the reason", func() bool { return r.Status().Err != nil })
	st := r.Status()
	want := `connect to tcp://no-such-host.invalid:5000: host "no-such-host.invalid" cannot be resolved: no such host; trying again`
	if st.Err.Error() != want || st.State != queue.StateConnecting {
		t.Errorf("%q %v", st.State, st.Err)
	}
}

func TestWrongOptionsAreErrors(t *testing.T) {
	cases := []struct {
		o    zeromq.Options
		want string
	}{
		{zeromq.Options{}, "no address: give one such as tcp://127.0.0.1:5556"},
		{zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Pattern: "rep"}, `a receiver cannot be "rep" (sub or pull)`},
		{zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Side: "left"}, `unknown side "left" (bind or connect)`},
		{
			zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Curve: &zeromq.Curve{Secret: "short"}},
			"curve: the secret key has 5 characters instead of 40",
		},
		{
			zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}, Curve: &zeromq.Curve{}},
			"curve: no secret key; make a pair with: logbook-tray keygen",
		},
	}
	for _, c := range cases {
		if _, err := zeromq.NewReceiver(c.o); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

package services

import (
	"context"
	"net"
	"path/filepath"
	"testing"
)

// StartRsyslog starts an rsyslog that is gone when the test is over, and returns the Unix socket
// for datagrams that it listens on. It forwards what it gets to this computer, with the
// parameters of its omfwd that action has, such as `port="5514" protocol="tcp"`, and tries
// again for ever.
func StartRsyslog(t testing.TB, action string) (socket string) {
	t.Helper()
	found(t, "/usr/sbin/rsyslogd")
	dir := t.TempDir()
	socket = filepath.Join(dir, "in")
	b := &Broker{
		Dir:    dir,
		launch: func() (*process, error) { return launch("rsyslog", dir, action) },
		ready: func(ctx context.Context) error {
			var d net.Dialer
			c, err := d.DialContext(ctx, "unixgram", socket)
			if err == nil {
				err = c.Close()
			}
			return err
		},
	}
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	return socket
}

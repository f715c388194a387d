package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// StartFerretDB starts a FerretDB that is gone when the test is over: the nearest to a
// MongoDB that can be had here, see packaging/ferretdb for what it lacks. It is built
// first, which takes half a minute when nothing of it is in Go's cache.
func StartFerretDB(t testing.TB) *Broker {
	t.Helper()
	return StartFerretDBIn(t, t.TempDir())
}

// StartFerretDBIn is [StartFerretDB] with a directory for what it keeps.
func StartFerretDBIn(t testing.TB, dir string) *Broker {
	t.Helper()
	return ferretdb(t, dir, mongoReady)
}

// StartFerretDBTLS is [StartFerretDB] with TLS and nothing else. Clients trust it with the
// file ca.pem in its directory.
func StartFerretDBTLS(t testing.TB) *Broker {
	t.Helper()
	return ferretdbTLS(t, WriteCertificates(t))
}

// StartFerretDBMutualTLS is [StartFerretDBTLS] that wants a certificate of clients, such as
// client.pem and client-key.pem in its directory.
func StartFerretDBMutualTLS(t testing.TB) *Broker {
	t.Helper()
	dir := WriteCertificates(t)
	return ferretdbTLS(t, dir, "-clients", filepath.Join(dir, "ca.pem"))
}

// StartFerretDBExpired is [StartFerretDBTLS] with a certificate that has expired.
func StartFerretDBExpired(t testing.TB) *Broker {
	t.Helper()
	dir := t.TempDir()
	if err := writeCertificates(dir, true); err != nil {
		t.Fatal(err)
	}
	return ferretdbTLS(t, dir)
}

func ferretdbTLS(t testing.TB, dir string, options ...string) *Broker {
	t.Helper()
	options = append(options, "-cert", filepath.Join(dir, "server.pem"), "-key", filepath.Join(dir, "server-key.pem"))
	return ferretdb(t, dir, tlsReady, options...)
}

func ferretdb(t testing.TB, dir string, ready func(port int) func(context.Context) error, options ...string) *Broker {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the brokers are started by programs of Linux")
	}
	if err := built(); err != nil {
		t.Fatal(err)
	}
	return started(t, dir, func(port int) *Broker {
		args := append([]string{"ferretdb", dir, strconv.Itoa(port)}, options...)
		return &Broker{launch: func() (*process, error) { return launch(args...) }, ready: ready(port)}
	})
}

// built builds FerretDB, once for this program.
var built = sync.OnceValue(func() error { //nolint:gochecknoglobals // like the cache of the build
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return errors.New("the place of the sources is unknown")
	}
	out, err := exec.Command(filepath.Join(filepath.Dir(file), "build-ferretdb")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("build FerretDB: %w: %s", err, out)
	}
	return nil
})

// mongoReady is a check that somebody listens: FerretDB opens its databases before that.
func mongoReady(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		var c net.Conn
		c, err := d.DialContext(ctx, "tcp", address(port))
		if err == nil {
			err = c.Close()
		}
		return err
	}
}

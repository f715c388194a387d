package syslog_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// daemon is a syslog server that keeps all it gets, as it gets it.
type daemon struct {
	address string

	mu    sync.Mutex
	got   []string // datagrams, or what each connection has sent so far
	conns []net.Conn
	close func()
}

func (d *daemon) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.got...)
}

// wait returns what has come when it is done.
func (d *daemon) wait(t *testing.T, done func(got []string) bool) []string {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		if got := d.all(); done(got) {
			return got
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain; got %q", d.all())
		}
	}
}

// waitFor waits until what has come ends with a text.
func (d *daemon) waitFor(t *testing.T, end string) string {
	t.Helper()
	got := d.wait(t, func(got []string) bool { return len(got) > 0 && strings.HasSuffix(got[len(got)-1], end) })
	return got[len(got)-1]
}

func datagrams(t *testing.T, network, address string) *daemon {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{address: c.LocalAddr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1<<17)
		for {
			n, _, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			d.mu.Lock()
			d.got = append(d.got, string(b[:n]))
			d.mu.Unlock()
		}
	})
	d.close = func() { _ = c.Close(); wg.Wait() }
	t.Cleanup(d.close)
	return d
}

func streams(t *testing.T, network, address string, config *tls.Config) *daemon {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	d := &daemon{address: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			i := len(d.conns)
			d.conns, d.got = append(d.conns, c), append(d.got, "")
			d.mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(appender{d, i}, c) })
		}
	})
	d.close = func() { _ = l.Close(); d.hangUp(); wg.Wait() }
	t.Cleanup(d.close)
	return d
}

type appender struct {
	d *daemon
	i int
}

func (a appender) Write(p []byte) (int, error) {
	a.d.mu.Lock()
	defer a.d.mu.Unlock()
	a.d.got[a.i] += string(p)
	return len(p), nil
}

// hangUp closes the connections there are.
func (d *daemon) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		_ = c.Close()
	}
}

func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}

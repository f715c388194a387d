package socket_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign("authority", time.Now().Add(time.Hour))
	return a
}

func (a *authority) sign(name string, until time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a.cert == nil, BasicConstraintsValid: true,
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) pair(until time.Time) []tls.Certificate {
	a.t.Helper()
	cert, key := a.sign("peer", until)
	return []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// secure returns a server that wants certificates of clients, and a sender to it.
func secure(t *testing.T, a *authority, server, client time.Time) (*queue.Subscriber, *socket.Sender) {
	t.Helper()
	r, err := socket.NewReceiver(socket.Options{Address: "127.0.0.1:0", TLS: &tls.Config{
		Certificates: a.pair(server), ClientCAs: a.pool(), ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}})
	if err != nil {
		t.Fatal(err)
	}
	sub := queue.NewSubscriber(r, queue.Options{})
	s, err := socket.NewSender(socket.SenderOptions{Address: r.Addr().String(), Lines: true, TLS: &tls.Config{
		RootCAs: a.pool(), Certificates: a.pair(client), MinVersion: tls.VersionTLS13,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), sub.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Log(err)
		}
	})
	return sub, s
}

func TestRecordsComeThroughTLSWithCertificatesOfBothEnds(t *testing.T) {
	valid := time.Now().Add(time.Hour)
	sub, s := secure(t, newAuthority(t), valid, valid)
	for range 3 {
		if err := s.Send(t.Context(), []byte(`{"level": "error", "message": "hello"}`)); err != nil {
			t.Fatal(err)
		}
		if got := next(t, sub).Message(); got != "hello" {
			t.Error(got)
		}
	}
}

func TestAnExpiredCertificateIsNamedAtBothEnds(t *testing.T) {
	valid, expired := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	t.Run("of the server", func(t *testing.T) {
		sub, s := secure(t, newAuthority(t), expired, valid)
		err := s.Send(t.Context(), []byte("{}"))
		if err == nil || !strings.Contains(err.Error(), "certificate has expired") || s.Status().Err == nil || s.Status().State != queue.StateConnecting {
			t.Errorf("%v; %+v", err, s.Status())
		}
		await(t, "what the server says", func() bool { return sub.Status().Err != nil })
		if err := sub.Status().Err; !strings.Contains(err.Error(), "bad certificate") && !strings.Contains(err.Error(), "expired") {
			t.Error(err)
		}
	})
	t.Run("of the client", func(t *testing.T) {
		sub, s := secure(t, newAuthority(t), valid, expired)
		await(t, "an error of sending", func() bool { return s.Send(t.Context(), []byte("{}")) != nil || s.Status().State == queue.StateLost })
		await(t, "what the server says", func() bool { return sub.Status().Err != nil })
		if err := sub.Status().Err; !strings.Contains(err.Error(), "certificate has expired") {
			t.Error(err)
		}
		if n := sub.Stats(); n.Received != 0 {
			t.Errorf("%+v", n)
		}
	})
}

func TestAPlainPeerIsToldFromOneThatSpeaksTLS(t *testing.T) {
	valid := time.Now().Add(time.Hour)
	sub, s := secure(t, newAuthority(t), valid, valid)
	plain, err := net.Dial("tcp", strings.TrimPrefix(s.String(), "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	write(t, plain, `{"level": "error", "message": "hello"}`+"\n")
	await(t, "what the server says", func() bool { return sub.Status().Err != nil })
	if err := sub.Status().Err; !strings.Contains(err.Error(), "first record does not look like a TLS handshake") {
		t.Error(err)
	}
}

func TestASenderNoticesThatItsPeerHasGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := socket.NewSender(socket.SenderOptions{Address: l.Addr().String(), Lines: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 3 { // every record arrives although each connection takes one only
		if i > 0 {
			await(t, "the sender to notice", func() bool { return s.Status().State == queue.StateLost })
		}
		if err := s.Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 2)); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		_ = c.Close()
	}
}

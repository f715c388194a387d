package services

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// writeCertificates writes a new authority, ca.pem, and a server's certificate for
// 127.0.0.1 and localhost, server.pem and server-key.pem, that is valid until an hour
// ago if it has expired; and those of clients: client.pem and client-key.pem, and
// expired.pem and expired-key.pem. That of nobody, stranger.pem and stranger-key.pem, is
// signed by itself.
func writeCertificates(dir string, expired bool) error {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if expired {
		server.NotBefore, server.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make an authority: %w", err)
	}
	client := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "tray"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	old := *client
	old.NotAfter = time.Now().Add(-time.Hour)
	return errors.Join(
		writePEM(dir, "ca.pem", "CERTIFICATE", der),
		writeCertificate(dir, "server", server, authority, key),
		writeCertificate(dir, "client", client, authority, key),
		writeCertificate(dir, "expired", &old, authority, key),
		writeCertificate(dir, "stranger", client, client, nil),
	)
}

// writeCertificate writes a certificate and its key. It is signed by the authority, or by
// itself if that has no key.
func writeCertificate(dir, name string, template, authority *x509.Certificate, signer *ecdsa.PrivateKey) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	if signer == nil {
		signer = key
	}
	der, err1 := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), signer)
	keyDER, err2 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	return errors.Join(writePEM(dir, name+".pem", "CERTIFICATE", der), writePEM(dir, name+"-key.pem", "PRIVATE KEY", keyDER))
}

// WriteCertificates returns a directory with an authority, and the certificates of a server
// and of clients: ca.pem, and NAME.pem and NAME-key.pem of server, client, expired and
// stranger, the last of which is not of that authority.
func WriteCertificates(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := writeCertificates(dir, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writePEM(dir, name, kind string, der []byte) error {
	return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// ListenExpired returns the address of somebody who speaks TLS with a certificate that has
// expired, of an authority that is returned, until the test is over.
func ListenExpired(t testing.TB) (address string, authority *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	if err := writeCertificates(dir, true); err != nil {
		t.Fatal(err)
	}
	certificate, err1 := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"))
	ca, err2 := os.ReadFile(filepath.Join(dir, "ca.pem"))
	l, err3 := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	authority = x509.NewCertPool()
	authority.AppendCertsFromPEM(ca)
	var server sync.WaitGroup
	server.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if secure, ok := c.(*tls.Conn); ok {
				_ = secure.SetDeadline(time.Now().Add(10 * time.Second))
				_ = secure.HandshakeContext(context.Background()) // the other end refuses
			}
			_ = c.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); server.Wait() })
	return l.Addr().String(), authority
}

package handshake_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/internal/handshake"
)

func TestAnErrorOfTLSSaysWhatToDo(t *testing.T) {
	for say, err := range map[string]error{
		"tls_ca":                  &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"must be renewed":         &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired}},
		"for another name":        &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a"}}, Host: "b"}},
		"does not speak TLS":      tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
		"certificate is not good": &tls.CertificateVerificationError{Err: errors.New("certificate is not good")},
	} {
		got := handshake.Explain(fmt.Errorf("connect: %w", err))
		if !strings.Contains(got.Error(), say) || !handshake.Refused(got) {
			t.Errorf("%v, want %s", got, say)
		}
	}
	if err := errors.New("connection refused"); handshake.Refused(err) || handshake.Explain(err) != err { //nolint:errorlint // the same one
		t.Error("another error is not let be")
	}
}

// certificate returns a certificate that signs itself.
func certificate(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// meet returns what a client hears of a server that wants its certificate: at once, or from
// TLS 1.3 on when it reads.
func meet(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	var serving sync.WaitGroup
	serving.Go(func() {
		_ = tls.Server(a, server).HandshakeContext(t.Context()) // the client is told
		_ = a.Close()
	})
	defer serving.Wait()
	defer func() { _ = b.Close() }()
	c := tls.Client(b, client)
	_, err := c.Read(make([]byte, 1))
	return err
}

func TestWhatAServerSaysOfOurCertificateSaysWhatToDo(t *testing.T) {
	ours, foreign := certificate(t, "ours", time.Now().Add(time.Minute)), certificate(t, "foreign", time.Now().Add(time.Minute))
	expired := certificate(t, "ours", time.Now().Add(-time.Minute))
	trusted := x509.NewCertPool()
	trusted.AddCert(ours.Leaf)
	trusted.AddCert(expired.Leaf)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for want, certificate := range map[string]*tls.Certificate{
			"name the files of one that it trusts (tls_cert, tls_key)": {},
			"authority that the server does not know":                  &foreign,
			"has expired": &expired,
		} {
			err := meet(t, &tls.Config{
				Certificates: []tls.Certificate{ours}, ClientCAs: trusted, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: version, MaxVersion: version,
			}, &tls.Config{
				RootCAs: trusted, ServerName: "localhost", MinVersion: version,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil },
			})
			if got := handshake.Explain(err); got == nil || !strings.Contains(got.Error(), want) || !handshake.Refused(got) {
				t.Errorf("%s: %v, want %s", tls.VersionName(version), got, want)
			}
		}
	}
}

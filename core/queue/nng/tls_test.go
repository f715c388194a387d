//go:build linux

package nng_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/nng"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// certified returns the settings of an end that shows a certificate of a directory of
// [services.WriteCertificates], and trusts only its authority.
func certified(t *testing.T, dir, name string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c := &tls.Config{RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	if name != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return c
}

const localTLS = "tls+tcp://127.0.0.1:0"

// named returns an address by the name that is in the certificate of the server.
func named(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }

func TestRecordsComeOverTLSInBothDirections(t *testing.T) {
	dir := services.WriteCertificates(t)
	server, client := certified(t, dir, "server"), certified(t, dir, "client")
	r := receiver(t, nng.Options{Addresses: []string{localTLS}, Pattern: nng.Pull, TLS: server})
	send(t, sender(t, nng.Options{Addresses: r.Addresses(), TLS: client}), "to the one who listens")
	if got := body(t, r); got != "to the one who listens" {
		t.Error(got)
	}
	s := sender(t, nng.Options{Addresses: []string{localTLS}, Side: nng.Listen, TLS: server})
	r = receiver(t, nng.Options{Addresses: s.Addresses(), Pattern: nng.Pull, Side: nng.Dial, TLS: client})
	send(t, s, strings.Repeat("x", 1_000_000))
	if got := body(t, r); len(got) != 1_000_000 {
		t.Error(len(got))
	}
	if a := r.Status().Peers[0].Address; a != s.Addresses()[0] || !strings.HasPrefix(a, "tls+tcp://127.0.0.1:") {
		t.Error(a)
	}
}

func TestNngcatPushesAndPullsOverTLS(t *testing.T) {
	dir := services.WriteCertificates(t)
	server := certified(t, dir, "server")
	secure := []string{"--cacert", filepath.Join(dir, "ca.pem"), "--cert", filepath.Join(dir, "client.pem"), "--key", filepath.Join(dir, "client-key.pem")}
	r := receiver(t, nng.Options{Addresses: []string{localTLS}, Pattern: nng.Pull, TLS: server})
	nngcat(t, append(secure, "--push0", "--dial", named(r.Addresses()[0]), "--data", sample)...)
	if got := decoded(t, r).Message(); got != "declined" {
		t.Error(got)
	}
	s := sender(t, nng.Options{Addresses: []string{localTLS}, Side: nng.Listen, TLS: server})
	send(t, s, sample)
	got := nngcat(t, append(secure, "--pull0", "--dial", named(s.Addresses()[0]), "--raw", "--count", "1", "--recv-timeout", "60")...)
	if got.String() != sample {
		t.Errorf("%q", got)
	}
}

// nngcat is the server: what it is told with --cert and --key is its certificate.
func TestNngcatListensOverTLS(t *testing.T) {
	dir := services.WriteCertificates(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "tls+tcp://" + l.Addr().String()
	_ = l.Close() // nngcat does not say which port it has chosen
	s := sender(t, nng.Options{Addresses: []string{address}, TLS: certified(t, dir, "")})
	send(t, s, sample)
	got := nngcat(t, "--pull0", "--listen", address, "--raw", "--count", "1", "--recv-timeout", "60",
		"--cert", filepath.Join(dir, "server.pem"), "--key", filepath.Join(dir, "server-key.pem"))
	if got.String() != sample {
		t.Errorf("%q", got)
	}
}

func TestWhoHasNoGoodCertificateIsTurnedAwayAndBothEndsSayWhy(t *testing.T) {
	dir := services.WriteCertificates(t)
	told := make(chan queue.Peer, 1000)
	r := receiver(t, nng.Options{
		Addresses: []string{localTLS}, Pattern: nng.Pull, TLS: certified(t, dir, "server"), OnPeer: func(p queue.Peer) { told <- p },
	})
	for name, want := range map[string]string{
		"": "name the files of one that it trusts (tls_cert, tls_key)", "expired": "(tls_cert", "stranger": "(tls_cert",
	} {
		s := sender(t, nng.Options{Addresses: r.Addresses(), TLS: certified(t, dir, name), Linger: -1})
		await(t, "the sender to know why", func() bool {
			st := s.Status()
			return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), want)
		})
		if p := <-told; p.State != queue.StateFailed || !strings.Contains(p.Err, "certificate") {
			t.Errorf("%q: %+v", name, p)
		}
		_ = s.Close()
		for len(told) > 0 {
			<-told
		}
	}
	if st := r.Status(); st.State != queue.StateListening || !strings.Contains(st.Detail, "peers turned away") || st.Peers[0].State != queue.StateFailed {
		t.Errorf("%+v", st)
	}
}

func TestAServerThatIsNotTheOneIsNotSentTo(t *testing.T) {
	dir := services.WriteCertificates(t)
	other := receiver(t, nng.Options{Addresses: []string{localTLS}, Pattern: nng.Pull, TLS: certified(t, services.WriteCertificates(t), "server")})
	plain := receiver(t, nng.Options{Pattern: nng.Pull})
	expired, authority := services.ListenExpired(t)
	for address, want := range map[string]string{
		other.Addresses()[0]: "signed by an authority that is not known here: name the file of that authority (tls_ca)",
		strings.Replace(plain.Addresses()[0], "tcp:", "tls+tcp:", 1): "the server does not speak TLS at this port",
		"tls+tcp://" + expired: "has expired and must be renewed there",
	} {
		client := certified(t, dir, "client")
		if strings.HasSuffix(address, expired) {
			client.RootCAs = authority
		}
		s := sender(t, nng.Options{Addresses: []string{address}, TLS: client, Linger: -1})
		await(t, want, func() bool {
			st := s.Status()
			return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), want)
		})
	}
}

func TestOpensslSeesTheCertificateOfTheListener(t *testing.T) {
	dir := services.WriteCertificates(t)
	r := receiver(t, nng.Options{Addresses: []string{localTLS}, Pattern: nng.Pull, TLS: certified(t, dir, "server")})
	cmd := exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", strings.TrimPrefix(r.Addresses()[0], "tls+tcp://"), "-CAfile", filepath.Join(dir, "ca.pem"),
		"-cert", filepath.Join(dir, "client.pem"), "-key", filepath.Join(dir, "client-key.pem"), "-verify_hostname", "localhost", "-verify_return_error")
	out, err := cmd.CombinedOutput() // its input has ended, and so does it
	if err != nil || !strings.Contains(string(out), "Verify return code: 0 (ok)") {
		t.Errorf("%v: %s", err, out)
	}
	cmd = exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", strings.TrimPrefix(r.Addresses()[0], "tls+tcp://"), "-tls1_1")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("TLS 1.1 is spoken: %s", out)
	}
}

func TestNobodyListensForOthersOverTLSWithoutTheirCertificates(t *testing.T) {
	server := certified(t, services.WriteCertificates(t), "server")
	open := server.Clone()
	open.ClientAuth = tls.NoClientCert
	if _, err := nng.NewReceiver(nng.Options{Addresses: []string{"tls+tcp://0.0.0.0:0"}, TLS: open}); err == nil {
		t.Error("others can reach it")
	}
	if _, err := nng.NewReceiver(nng.Options{Addresses: []string{localTLS}}); err == nil || !strings.Contains(err.Error(), "TLS needs a certificate") {
		t.Error(err)
	}
	r, err := nng.NewReceiver(nng.Options{Addresses: []string{"tls+tcp://0.0.0.0:0"}, TLS: server})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

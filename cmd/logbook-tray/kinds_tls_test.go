//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	brokers "github.com/logbook-tray/logbook-tray/packaging/services"
)

// tlsOptions returns the options of TLS with a certificate of a client in a directory of
// [brokers.WriteCertificates]; "" is none.
func tlsOptions(dir, client string) string {
	options := `, tls_ca: "` + filepath.Join(dir, "ca.pem") + `"`
	if client != "" {
		options += `, tls_cert: "` + filepath.Join(dir, client+".pem") + `", tls_key: "` + filepath.Join(dir, client+"-key.pem") + `"`
	}
	return options
}

// wanting are brokers that want certificates, and the options for them.
func wanting(t *testing.T) map[*brokers.Broker]string {
	t.Helper()
	out := map[*brokers.Broker]string{}
	for options, b := range map[string]*brokers.Broker{
		`type: redis, uri: "rediss://`:                      brokers.StartRedisMutualTLS(t),
		`type: nats, stream: LOGS, uri: "tls://`:            brokers.StartNATSMutualTLS(t),
		`type: mqtt, uri: "mqtts://`:                        brokers.StartMosquittoMutualTLS(t),
		`type: mongodb, queue: certified, uri: "mongodb://`: brokers.StartFerretDBMutualTLS(t),
	} {
		out[b] = options + b.Addr() + `"`
	}
	return out
}

func TestABrokerThatWantsACertificateGetsItOrSaysWhatIsWrong(t *testing.T) {
	try := func(dir, options string) {
		name, _, _ := strings.Cut(options, ",")
		t.Run(name, func(t *testing.T) {
			carry(t, name, options+tlsOptions(dir, "client"))
			refuses(t, dir, options)
		})
	}
	for b, options := range wanting(t) {
		try(b.Dir, options)
	}
	var rabbit brokers.Shared
	if code := rabbit.Main(tests(func() {
		try(rabbit.RabbitMQ(t).Dir, `type: amqp, uri: "amqps://guest:guest@`+rabbit.MutualTLS(t)+`//"`)
	})).Run(); code != 0 {
		t.Error(code)
	}
}

// wrongCertificates are those of clients that will not do, and what is said about them; "" is
// none.
func wrongCertificates() map[string]string {
	return map[string]string{
		"":         "name the files of one that it trusts (tls_cert, tls_key)",
		"expired":  "(tls_cert", // some say no more than that it is not good
		"stranger": "(tls_cert",
	}
}

// refuses checks that both directions say what is wrong with the certificate.
func refuses(t *testing.T, dir, options string) {
	t.Helper()
	for client, want := range wrongCertificates() {
		r := runKinds(t, "subscribe: [{name: from, "+options+tlsOptions(dir, client)+"}]\nhandlers: [{name: to, linger: 1ms, "+options+tlsOptions(dir, client)+"}]")
		r.log(t, core.LevelError, "no tea")
		for who, state := range map[string]string{"from": "failed", "to": "failing"} {
			r.says(t, who, state, want)
		}
		_ = r.Close() // the record is lost
	}
}

// says waits until the status of a source or handler is in a state, with an error.
func (r *running) says(t *testing.T, who, state, want string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Errorf("want %s and %q: %+v", state, want, r.report(who))
		}
	}()
	eventually(t, func() bool { st := r.report(who); return st.State == state && strings.Contains(st.Error, want) })
}

func TestSocketsAndSyslogWithCertificatesOfBothEnds(t *testing.T) {
	dir := brokers.WriteCertificates(t)
	for kind, options := range map[string]string{"socket": "tls: true", "syslog": "transport: tls"} {
		port := freePort(t)
		from := runKinds(t, fmt.Sprintf(`listen:
  - {name: from, type: %s, network: tcp, address: "127.0.0.1:%d", tls_cert: %[3]s/server.pem, tls_key: %[3]s/server-key.pem, tls_client_ca: %[3]s/ca.pem}
`, kind, port, dir))
		eventually(t, func() bool { return from.report("from").State == "listening" })
		handler := fmt.Sprintf(`handlers: [{name: to, type: %s, address: "127.0.0.1:%d", %s, timeout: 20s`, kind, port, options)
		to := runKinds(t, handler+tlsOptions(dir, "client")+"}]")
		to.log(t, core.LevelError, "no tea")
		eventually(t, func() bool { return len(from.messages()) == 1 })
		to.end(t)
		for client, want := range wrongCertificates() {
			to := runKinds(t, handler+tlsOptions(dir, client)+"}]")
			eventually(t, func() bool {
				to.log(t, core.LevelError, "no tea") // it only hears of it when it has sent something
				return strings.Contains(to.report("to").Error, want)
			})
			_ = to.Close()
		}
		if got := from.messages(); len(got) != 1 {
			t.Errorf("%s: %q", kind, got)
		}
		from.end(t)
	}
}

func TestNNGWithCertificatesOfBothEnds(t *testing.T) {
	dir := brokers.WriteCertificates(t)
	uri := fmt.Sprintf("tls+tcp://127.0.0.1:%d", freePort(t))
	from := runKinds(t, fmt.Sprintf(`listen: [{name: from, type: nng, mode: pull, uri: "%s", tls_cert: %[2]s/server.pem, tls_key: %[2]s/server-key.pem, tls_client_ca: %[2]s/ca.pem}]`, uri, dir))
	defer from.end(t)
	eventually(t, func() bool { return from.report("from").State == "listening" })
	handler := `handlers: [{name: to, type: nng, uri: "` + uri + `", timeout: 20s, linger: 1ms`
	to := runKinds(t, handler+tlsOptions(dir, "client")+"}]")
	to.log(t, core.LevelError, "no tea")
	eventually(t, from.got("no tea"))
	to.end(t)
	for client, want := range wrongCertificates() {
		to := runKinds(t, handler+tlsOptions(dir, client)+"}]")
		to.log(t, core.LevelError, "no tea")
		to.says(t, "to", "failing", want)
		_ = to.Close() // the record is lost
	}
	if st := from.report("from"); !strings.Contains(st.Detail, "peers turned away") || len(from.messages()) != 1 {
		t.Errorf("%+v %q", st, from.messages())
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// copied copies a certificate with its key, as who renews one does.
func copied(t *testing.T, dir, from, to string) {
	t.Helper()
	for _, end := range []string{".pem", "-key.pem"} {
		write(t, filepath.Join(dir, "new"), read(t, filepath.Join(dir, from+end)))
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, to+end)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARenewedCertificateIsShownFromTheNextConnectionOn(t *testing.T) {
	dir := brokers.WriteCertificates(t)
	copied(t, dir, "expired", "mine")
	var names sync.Map
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM([]byte(read(t, filepath.Join(dir, "ca.pem"))))
	certificate, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		names.Store(r.TLS.PeerCertificates[0].Subject.CommonName, true)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: authority, ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	defer server.Close()
	r := runKinds(t, `handlers: [{name: to, type: http, url: "`+server.URL+`", method: POST`+tlsOptions(dir, "mine")+`}]`)
	defer r.end(t)
	r.log(t, core.LevelError, "no tea")
	r.says(t, "to", "failing", "our certificate (tls_cert) has expired")
	copied(t, dir, "client", "mine")
	r.log(t, core.LevelError, "no tea")
	eventually(t, func() bool { _, known := names.Load("tray"); return known })
	eventually(t, func() bool { return r.report("to").Counters["delivered"] == 1 })

	// So it is with servers.
	copied(t, dir, "stranger", "mine")
	port := freePort(t)
	listening := runKinds(t, fmt.Sprintf(`listen: [{name: from, type: http, address: "127.0.0.1:%d", tls_cert: %[2]s/mine.pem, tls_key: %[2]s/mine-key.pem}]`, port, dir))
	defer listening.end(t)
	eventually(t, func() bool { return listening.report("from").State == "listening" })
	for _, name := range []string{"tray", "localhost"} {
		c, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // it is looked at
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != name {
			t.Errorf("it shows the certificate of %s, not that of %s", got, name)
		}
		_ = c.Close()
		copied(t, dir, "server", "mine")
	}
}

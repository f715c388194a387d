package web_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/web"
)

// certificate makes one for this computer, and the file that clients trust it by.
func certificate(tb testing.TB) (config *tls.Config, file string) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tray"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	file = filepath.Join(tb.TempDir(), "cert.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, file
}

const secureLogging = `
import logging, logging.handlers, ssl, sys
h = logging.handlers.HTTPHandler(sys.argv[1], "/", method="POST", secure=True, credentials=("tray", "secret"),
    context=ssl.create_default_context(cafile=sys.argv[2]))
log = logging.getLogger("shop")
log.addHandler(h)
try:
    {}["order"]
except KeyError:
    log.exception("failed")
`

func TestRecordsOfPythonsHTTPHandlerArriveOverTLS(t *testing.T) {
	config, file := certificate(t)
	r, s := server(t, web.Options{TLS: config, Token: "secret"})
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", secureLogging, r.Addr().String(), file)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); got.Message() != "failed" || got.Channel != "shop" || got.Level != core.LevelError ||
		got.Exception.ShortName() != "KeyError" || got.Exception.Message != "order" {
		t.Errorf("%q %+v %+v", got.Message(), got, got.Exception)
	}
}

// curl runs it and returns the body of the answer and its status.
func curl(tb testing.TB, stdin string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "curl", append([]string{"--silent", "--show-error", "--max-time", "20", "--write-out", "%{http_code}"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("curl %q: %v: %s", args, err, out)
	}
	return string(out)
}

func TestWhatCurlSendsArrives(t *testing.T) {
	config, file := certificate(t)
	r, s := server(t, web.Options{TLS: config, Token: "secret"})
	url := r.String() + "/records"
	secure := []string{"--cacert", file, "--header", "Authorization: Bearer secret"}
	record := func(n int) string { return fmt.Sprintf(`{"level": "error", "message": "m%d"}`, n) }
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, record(5)+"\n"+record(6)+"\n")
	_ = z.Close()
	var got []string
	collecting := make(chan struct{})
	go func() {
		defer close(collecting)
		for range 12 {
			got = append(got, next(t, s).Message())
		}
	}()
	for _, c := range []struct {
		stdin, want string
		args        []string
	}{
		{"", "ok\n200", []string{"--cacert", file, r.String() + "/health"}},
		{"", "wrong or missing token: send the header \"Authorization: Bearer TOKEN\"\n401", []string{"--cacert", file, "--data", record(0), url}},
		{"", "204", append([]string{"--data", record(1), url}, secure...)},
		{"[" + record(2) + "," + record(3) + "]", "204", append([]string{"--json", "@-", url}, secure...)},
		{record(4), "204", append([]string{"--upload-file", "-", url}, secure...)},
		{packed.String(), "204", append([]string{"--data-binary", "@-", "--header", "Content-Encoding: gzip", url}, secure...)},
		{"", "204", append([]string{"--data-urlencode", "message=m7 & more", "--data", "level=error", url}, secure...)},
		{"", "204", append([]string{"--get", "--data-urlencode", "message=m8", "--data", "level=error", url}, secure...)},
		{"", "204", []string{"--cacert", file, "--user", "tray:secret", "--data", record(9), url}},
		{"", "the array of records is not JSON: unexpected end of JSON input\n400", append([]string{"--data", "[1,", url}, secure...)},
		{
			strings.Join([]string{record(10), "nonsense", "", record(11), "7", record(12)}, "\n"),
			`{"accepted":3,"taken":[0,2,4],"rejected":[` +
				`{"index":1,"error":"record rejected: malformed: no value at byte 0"},` +
				`{"index":3,"error":"record rejected: not an object"}]}` + "\n422",
			append([]string{"--data-binary", "@-", url}, secure...),
		},
	} {
		if got := curl(t, c.stdin, c.args...); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.args, got, c.want)
		}
	}
	<-collecting
	want := []string{"m1", "m2", "m3", "m4", "m5", "m6", "m7 & more", "m8", "m9", "m10", "m11", "m12"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatIsSentAgainIsNotTakenTwice(t *testing.T) {
	r, s := server(t, web.Options{})
	url := r.String() + "/records"
	key := []string{"Idempotency-Key", "k1"}
	good, bad := `{"level": "info", "message": "once"}`, `{"level": "info", "message": "once"}`+"\n7"
	if status, text := ask(t, "POST", url, "[", key...); status != 400 {
		t.Error(status, text)
	}
	var wg sync.WaitGroup
	for range 10 { // the one that failed took nothing: the first of these counts
		wg.Go(func() {
			if status, text := ask(t, "POST", url, good, key...); status != 204 || text != "" {
				t.Error(status, text)
			}
		})
	}
	wg.Wait()
	want := `{"accepted":1,"taken":[0],"rejected":[{"index":1,"error":"record rejected: not an object"}]}`
	for range 2 {
		if status, text := ask(t, "POST", url, bad, "Idempotency-Key", "k2"); status != 422 || text != want {
			t.Error(status, text)
		}
	}
	if status, _ := ask(t, "POST", url, strings.Replace(good, "once", "last", 1)); status != 204 {
		t.Error(status)
	}
	for _, want := range []string{"once", "once", "last"} {
		if got := next(t, s).Message(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if st := s.Status().Detail; !strings.HasSuffix(st, "10 sent again") {
		t.Errorf("%s", st)
	}
	if status, text := ask(t, "POST", url, good, "Idempotency-Key", strings.Repeat("k", 200)); status != 400 || text != "the Idempotency-Key has 200 bytes: send 128 at most" {
		t.Error(status, text)
	}
}

func TestTheRequestsThatAreRememberedAreBounded(t *testing.T) {
	r, s := server(t, web.Options{})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	send := func(key string) (again bool) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.String(), strings.NewReader(`{"level": "info", "message": "x"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", key)
		resp, err := client.Do(req)
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp, err)
		}
		_ = resp.Body.Close()
		if again = resp.Header.Get("Idempotency-Replayed") == "true"; !again {
			next(t, s)
		}
		return again
	}
	for i := range 5000 {
		send(fmt.Sprint(i))
	}
	if !send("4999") || send("0") {
		t.Error("the last one is not known, or the first one still is")
	}
}

func TestARecordOfOneMegabyteArrives(t *testing.T) {
	r, s := server(t, web.Options{})
	text := strings.Repeat("größer ", 150_000)
	if status, answer := ask(t, "POST", r.String(), `{"level": "info", "message": "`+text+`"}`); status != 204 {
		t.Fatal(status, answer)
	}
	if got := next(t, s).Message(); got != text {
		t.Errorf("%d bytes", len(got))
	}
}

func TestABodyThatGrowsWhenItIsUnpackedCostsNoMemory(t *testing.T) {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	zeros := make([]byte, 1<<20)
	for range 32 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	r, _ := server(t, web.Options{MaxBody: 1 << 20})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if status, text := ask(t, "POST", r.String(), b.String(), "Content-Encoding", "gzip"); status != 413 {
		t.Errorf("%d %s", status, text)
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 16 {
		t.Errorf("%d MiB", n)
	}
}

func TestClientsThatSendSlowlyAreDisconnected(t *testing.T) {
	r, s := server(t, web.Options{HeaderTimeout: 50 * time.Millisecond, BodyTimeout: 100 * time.Millisecond, MaxConnections: 20})
	for _, start := range []string{
		"", "POST /records HTTP/1.1\r\nHost: 127.0.0.1\r\nX-a: b\r\n", // and so on
		"POST /records HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
	} {
		c, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, start); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%q: %v", start, err)
		}
		_ = c.Close()
	}
	if status, text := ask(t, "POST", r.String(), `{"level": "info", "message": "still here"}`); status != 204 {
		t.Fatal(status, text)
	}
	if got := next(t, s).Message(); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestMoreClientsThanAllowedAreSentAway(t *testing.T) {
	r, s := server(t, web.Options{MaxConnections: 3})
	var held []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", r.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatal(line, err)
		}
		held = append(held, c)
	}
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || os.IsTimeout(err) {
		t.Errorf("%d %v", n, err)
	}
	_ = held[0].Close()
	for deadline := time.Now().Add(20 * time.Second); ; { // until the server has seen that it is gone
		resp, err := http.Post(r.String(), "application/json", strings.NewReader(`{"level": "info", "message": "room"}`))
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if got := next(t, s).Message(); got != "room" {
		t.Errorf("%q", got)
	}
}

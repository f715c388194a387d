package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler/mail"
)

// python returns a Python that has aiosmtpd: LOGBOOK_PYTHON, or the system's.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("LOGBOOK_PYTHON")
	if path == "" {
		path = "/usr/bin/python3"
	}
	if out, err := exec.CommandContext(t.Context(), path, "-c", "import aiosmtpd").CombinedOutput(); err != nil {
		skip := t.Skipf
		if os.Getenv("CI") != "" {
			skip = t.Fatalf // packaging/setup has installed it
		}
		skip("this test needs aiosmtpd: apt install python3-aiosmtpd (%v: %s)", err, out)
	}
	return path
}

// TestMailToAiosmtpd sends through a server that is not ours, with STARTTLS and a
// password.
func TestMailToAiosmtpd(t *testing.T) {
	program := python(t)
	_, client, der, key := certificate(t)
	certFile, keyFile := writePEM(t, der, key)
	port := freePort(t)
	cmd := exec.CommandContext(t.Context(), program, "testdata/server.py", certFile, keyFile, strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("server said %q: %v", lines.Text(), lines.Err())
	}

	o := mail.Options{
		From: "shop@example.com", To: []string{"ops@example.com", "dev@example.com"}, TLS: client,
		Servers: []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}, Username: "me", Password: "wrong",
	}
	h, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), rec(core.LevelError, "x")); err == nil || !strings.Contains(err.Error(), "535") {
		t.Errorf("wrong password: %v", err)
	}
	o.Password = "secret"
	if h, err = mail.New(o); err != nil {
		t.Fatal(err)
	}
	if err := h.Handle(t.Context(), rec(core.LevelError, ".a line with a dot\n.größer")); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() {
		t.Fatal("no mail arrived")
	}
	var got struct {
		From, Data string
		To         []string
		TLS        bool
	}
	if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	m := parse(t, received{data: got.Data})
	if got.From != "shop@example.com" || strings.Join(got.To, " ") != "ops@example.com dev@example.com" || !got.TLS {
		t.Errorf("envelope %+v", got)
	}
	if m.subject != mail.DefaultSubject || !strings.Contains(m.body, "\n.a line with a dot\n.größer") {
		t.Errorf("subject %q, body\n%s", m.subject, m.body)
	}
}

func writePEM(t *testing.T, der []byte, key *ecdsa.PrivateKey) (certFile, keyFile string) {
	t.Helper()
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, b := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

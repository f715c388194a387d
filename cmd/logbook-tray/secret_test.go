//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// startKeyring starts the real keyring of GNOME on a bus of its own, unlocked.
func startKeyring(t *testing.T, env []string) *e2e.Process {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("open sesame"), 0o600); err != nil {
		t.Fatal(err)
	}
	return e2e.Start(t, env, "sh", "-c", `exec gnome-keyring-daemon --foreground --unlock --components=secrets <"$0"`, password)
}

func TestASecretOfTheKeyringReachesItsServiceAndNothingElse(t *testing.T) {
	bus := e2e.StartBus(t)
	home := e2e.MakeHome(t)
	p := newProgram(t, append(e2e.HomeEnv(home), "DBUS_SESSION_BUS_ADDRESS="+bus.Address))
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { got <- req.Header.Get("Authorization") }))
	defer server.Close()
	file := configure(t, home, `
handlers:
  - {name: phone, type: ntfy, url: "`+server.URL+`/alerts", token: {keyring: ntfy}}
`)

	if said := p.fails(1, "secret", "delete", "ntfy"); !strings.Contains(said, "keyring") {
		t.Errorf("without a keyring it says %q", said)
	}
	startKeyring(t, p.env)
	bus.WaitForName(t, "org.freedesktop.secrets")
	want := file + ":3:"
	if said := p.fails(1, "check"); !strings.Contains(said, want) || !strings.Contains(said, "logbook-tray secret set NAME") {
		t.Errorf("while the keyring has no such secret, check says %q, want %q and what to do in it", said, want)
	}

	const secret = "tk_very_secret"
	e2e.Run(t, p.env, strings.NewReader(secret+"\n"), p.path, "secret", "set", "ntfy")
	if said := p.run("check"); strings.Contains(said, secret) {
		t.Errorf("check tells the secret: %s", said)
	}
	p.run("notify-test", "phone")
	if header := <-got; header != "Bearer "+secret {
		t.Errorf("the service got %q", header)
	}
	p.run("secret", "delete", "ntfy")
	p.fails(1, "check")
	if said := p.fails(2, "secret", "set"); !strings.Contains(said, "name one secret") {
		t.Errorf("without a name it says %q", said)
	}
	if said := p.fails(1, "secret", "set", "ntfy"); !strings.Contains(said, "there is no secret on the standard input") {
		t.Errorf("with nothing on its input it says %q", said)
	}
}

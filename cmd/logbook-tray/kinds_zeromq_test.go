package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// keygen runs the command.
func keygen(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := newKeygen()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestKeygenKeepsTheSecretKeyInAFileOfItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tray.key")
	public, err := keygen(t, "--secret", path)
	if err != nil || zeromq.CheckKey(strings.TrimSuffix(public, "\n")) != nil {
		t.Fatal(public, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Error(info, err)
	}
	if _, err := keygen(t, "--secret", path); err == nil || !strings.HasPrefix(err.Error(), "write the secret key: open ") {
		t.Errorf("a key was overwritten: %v", err)
	}
	text, err := keygen(t, "--format", "json")
	var keys struct{ Public, Secret string }
	if err := json.Unmarshal([]byte(text), &keys); err != nil || zeromq.CheckKey(keys.Public) != nil || zeromq.CheckKey(keys.Secret) != nil {
		t.Error(text, err)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestWhatHappensToPeersIsLoggedOnOurOwnChannel(t *testing.T) {
	dir := t.TempDir()
	pair := func() (public, secret string) {
		public, secret, err := zeromq.NewCurveKeypair()
		if err != nil {
			t.Fatal(err)
		}
		return public, secret
	}
	server, serverSecret := pair()
	friend, friendSecret := pair()
	stranger, strangerSecret := pair()
	write(t, filepath.Join(dir, "key"), serverSecret)
	write(t, filepath.Join(dir, "clients"), "# those who may\n"+friend+" the shop\n")

	var own running // collects
	self := core.NewLogger("logbook-tray")
	self.SetHandlers(core.Binding{Handler: handlerFunc(func(r *core.Record) {
		own.mu.Lock()
		defer own.mu.Unlock()
		own.seen = append(own.seen, r.Clone())
	})})
	tree, ds := config.Parse(filepath.Join(dir, "config.yaml"), []byte(strings.ReplaceAll(`listen:
  - {name: in, type: zeromq, uri: "tcp://127.0.0.1:*", mode: pull, curve_secret_key: {file: DIR/key}, curve_client_keys_file: DIR/clients}
`, "DIR", dir)), config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	a := &app.App{Alerts: alert.NewList(alert.Options{}), Mutes: mute.NewStack(nil)}
	p, ds := pipeline.New(pipeline.Options{Kinds: kinds(a), Self: self}, tree)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	defer p.Close()
	var uri string
	eventually(t, func() bool {
		_, after, ok := strings.Cut(p.Status().Subscribers[0].Detail, "listening on ")
		uri = after
		return ok
	})
	logged := func(level core.Level, text string) func() bool {
		return func() bool {
			own.mu.Lock()
			defer own.mu.Unlock()
			return slices.ContainsFunc(own.seen, func(r *core.Record) bool { return r.Level == level && strings.Contains(r.Message(), text) })
		}
	}
	send := func(secret string) *zeromq.Sender {
		s, err := zeromq.NewSender(zeromq.Options{Addresses: []string{uri}, Curve: &zeromq.Curve{Secret: secret, ServerKey: server}, Linger: -1})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	wrong := send(strangerSecret)
	defer wrong.Close()
	eventually(t, logged(core.LevelInfo, "in: failed 127.0.0.1 key "+stranger+": its key is not among those that may connect"))
	third, thirdSecret := pair()
	write(t, filepath.Join(dir, "clients"), "# those who may\n"+friend+" the shop\n"+third+" the blog\n")
	added := send(thirdSecret) // the file is read again
	eventually(t, logged(core.LevelDebug, "in: connected 127.0.0.1:"))
	if err := added.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, logged(core.LevelInfo, "in: lost 127.0.0.1:"))
	own.mu.Lock()
	own.seen = nil
	own.mu.Unlock()
	right := send(friendSecret)
	eventually(t, logged(core.LevelDebug, "in: connected 127.0.0.1:"))
	for range 3 {
		if err := right.Send(t.Context(), []byte("{}")); err != nil {
			t.Error(err)
		}
	}
	received := func() pipeline.Peer {
		for _, peer := range p.Status().Subscribers[0].Peers {
			if peer.Messages > 0 {
				return peer
			}
		}
		return pipeline.Peer{}
	}
	eventually(t, func() bool { return received().Messages == 3 })
	if peer := received(); peer.Bytes != 6 || peer.State != "connected" || !strings.HasPrefix(peer.Address, "127.0.0.1:") {
		t.Errorf("%+v", peer)
	}
	if err := right.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, logged(core.LevelInfo, "in: lost "+received().Address+" (messages: 3, bytes: 6)"))
}

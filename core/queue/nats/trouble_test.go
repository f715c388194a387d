package nats_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	ours "github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// configured starts a server with more settings.
func configured(t *testing.T, settings string) *services.Broker {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	return services.StartNATS(t, "--config", path)
}

// streams returns the streams of a server, for a test to do something with.
func streams(t *testing.T, b *services.Broker) jetstream.JetStream {
	t.Helper()
	c, err := nats.Connect("nats://" + b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestAStreamThatIsFullIsSaidAndSendingGoesOnWhenItHasRoom(t *testing.T) {
	b := services.StartNATS(t)
	js := streams(t, b)
	full := jetstream.StreamConfig{Name: "LOGS", Subjects: []string{"logging"}, MaxMsgs: 3, Discard: jetstream.DiscardNew}
	if _, err := js.CreateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	to := sender(t, kept(b))
	for i := range 10 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	brokertest.Failed(t, to, "the stream is full: let it have more")
	if to.Sent() != 3 || to.Lost() != 0 {
		t.Errorf("%d sent, %d lost", to.Sent(), to.Lost())
	}
	full.MaxMsgs = 100
	if _, err := js.UpdateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	s := receive(t, kept(b))
	for i := range 10 {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i || brokertest.Marked(r) {
			t.Errorf("%q, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
		}
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == 10 && to.Status().State == queue.StateConnected })
}

func TestAServerWithoutRoomForStreamsSaysSo(t *testing.T) {
	b := configured(t, "jetstream: {max_file_store: 20KB}\n")
	o := kept(b)
	o.Linger = -1
	to, err := ours.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	padding := strings.Repeat("x", 2000)
	for range 30 {
		brokertest.Send(t, to, []byte(`{"channel":"c","level":11,"msg":"`+padding+`"}`))
	}
	brokertest.Failed(t, to, "the server has no room for more: ")
	if n := to.Sent(); n == 0 || n == 30 {
		t.Errorf("%d sent", n)
	}
}

func TestWhatMayNotBeDoneIsSaid(t *testing.T) {
	b := configured(t, `authorization: {users: [
		{user: writer, password: hush, permissions: {subscribe: "_INBOX.>"}}
		{user: reader, password: hush, permissions: {publish: "_INBOX.>"}}
	]}
`)
	o := options(b)
	o.URI = "nats://writer:hush@" + b.Addr()
	brokertest.Failed(t, subscriber(t, o), `the user "writer" may not do this: give it permission`)
	o.URI, o.Linger = "nats://reader:hush@"+b.Addr(), -1
	to, err := ours.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	brokertest.Send(t, to, brokertest.Numbered(1))
	brokertest.Failed(t, to, `the user "reader" may not do this: give it permission`)
	if n := to.Sent(); n != 0 {
		t.Errorf("%d sent", n)
	}
}

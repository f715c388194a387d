package nats_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/nats"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// losing returns the URI of a server some of whose messages do not arrive: those for which
// lost, which is told their text, says so.
func losing(t *testing.T, b *services.Broker, lost func(body string) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", b.Addr())
			if err != nil {
				_ = client.Close()
				continue
			}
			serving.Go(func() {
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
			serving.Go(func() {
				pass(client, server, lost)
				_ = client.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return "nats://" + l.Addr().String()
}

// pass passes on what a server says, without the messages that are lost.
func pass(client io.Writer, server io.Reader, lost func(body string) bool) {
	in := bufio.NewReader(server)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		if words := strings.Fields(string(line)); len(words) > 1 && (words[0] == "MSG" || words[0] == "HMSG") {
			size, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return
			}
			body := make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			if lost(string(bytes.TrimSpace(body))) {
				continue
			}
			line = append(line, body...)
		}
		if _, err := client.Write(line); err != nil {
			return
		}
	}
}

// once loses the first message in which there is a text.
func once(text string) func(string) bool {
	var done sync.Once
	return func(body string) (lost bool) {
		if strings.Contains(body, text) {
			done.Do(func() { lost = true })
		}
		return lost
	}
}

func TestARequestWithoutAnAnswerIsMadeAgain(t *testing.T) {
	for _, answer := range []string{"stream not found", "io.nats.jetstream.api.v1.stream_create_response", "io.nats.jetstream.api.v1.consumer_create_response"} {
		b := services.StartNATS(t)
		o := kept(b)
		o.URI = losing(t, b, once(answer))
		s := receive(t, o)
		brokertest.Send(t, sender(t, kept(b)), brokertest.Numbered(1))
		if r := brokertest.Next(t, s); r.Message() != "1" || brokertest.Marked(r) {
			t.Errorf("%s: %q, marked %v", answer, r.Message(), brokertest.Marked(r))
		}
	}
}

func TestARecordWhoseConfirmationIsLostIsPublishedAgainAndKeptOnce(t *testing.T) {
	b := services.StartNATS(t)
	s := receive(t, kept(b))
	o := kept(b)
	o.URI, o.Timeout = losing(t, b, once(`"seq":1`)), 3*time.Second
	to := sender(t, o)
	for i := range 3 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == 3 })
	brokertest.Send(t, to, brokertest.Numbered(3))
	for i := range 4 {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i || brokertest.Marked(r) {
			t.Errorf("%q, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
		}
	}
}

func TestAConsumerThatIsMuteFromTheBeginningIsReplaced(t *testing.T) {
	b := services.StartNATS(t)
	o := kept(b)
	o.Timeout = 2 * time.Second
	var mu sync.Mutex
	made := 0
	o.URI = losing(t, b, func(body string) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.Contains(body, "io.nats.jetstream.api.v1.consumer_create_response") {
			made++
			return false
		}
		return made == 1 && (strings.Contains(body, "Idle Heartbeat") || strings.Contains(body, `"msg":`))
	})
	s := receive(t, o)
	mute, err := streams(t, b).Consumer(t.Context(), "LOGS", nats.DefaultDurable)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Send(t, sender(t, kept(b)), brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	info, err := streams(t, b).Consumer(t.Context(), "LOGS", nats.DefaultDurable)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Await(t, "the acknowledgement", s, func() bool {
		now, err := info.Info(t.Context())
		return err == nil && now.NumAckPending == 0 && now.AckFloor.Consumer == 1
	})
	if info.CachedInfo().Created.Equal(mute.CachedInfo().Created) {
		t.Error("it is the same consumer")
	}
}

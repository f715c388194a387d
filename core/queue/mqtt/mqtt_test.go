package mqtt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/mqtt"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those of a test, which waits for a broker longer than for the next attempt.
func options(b *services.Broker) mqtt.Options {
	return mqtt.Options{URI: "mqtt://" + b.Addr(), ReconnectMax: 500 * time.Millisecond, Linger: services.Patience}
}

func subscriber(t *testing.T, o mqtt.Options) *queue.Subscriber {
	t.Helper()
	return brokertest.Subscribing(t, mqtt.NewReceiver, o)
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o mqtt.Options) *queue.Subscriber {
	t.Helper()
	return brokertest.Receiving(t, mqtt.NewReceiver, o)
}

func sender(t *testing.T, o mqtt.Options) *mqtt.Sender {
	t.Helper()
	return brokertest.Started(t, mqtt.NewSender, o)
}

// reach describes the transport over a broker of Debian.
func reach(b *services.Broker) brokertest.Transport {
	with := func(e brokertest.End) mqtt.Options {
		o := options(b)
		o.Linger, o.ReconnectMin, o.ReconnectMax, o.OnPeer = e.Linger, e.ReconnectMin, e.ReconnectMax, e.OnPeer
		return o
	}
	return brokertest.Transport{
		Broker:   b,
		Receiver: func(e brokertest.End) (queue.Receiver, error) { return mqtt.NewReceiver(with(e)) },
		Sender:   func(e brokertest.End) (brokertest.Sender, error) { return mqtt.NewSender(with(e)) },
	}
}

// Mosquitto writes to its disk when it ends.
func TestTransport(t *testing.T) {
	brokertest.Run(t, brokertest.Promise{Keeps: true, Orderly: true}, func(t *testing.T) brokertest.Transport {
		b := services.StartMosquitto(t)
		// The broker keeps nothing for a session before there is one.
		if err := receive(t, options(b)).Close(); err != nil {
			t.Fatal(err)
		}
		return reach(b)
	})
}

// Mosquitto writes to its disk now and then. What it has confirmed since, and not delivered,
// is lost when it is killed, which nobody can help: but what it has not confirmed is not.
func TestAfterACrashOfTheBrokerWhatWasNotConfirmedArrivesAndNothingTwiceUnmarked(t *testing.T) {
	count := brokertest.Count(8_000, 50_000)
	b := services.StartMosquitto(t, "autosave_interval 500", "autosave_on_changes true")
	from, to := receive(t, options(b)), sender(t, options(b))
	brokertest.SendAll(t, to, 0, count)
	seen := make(map[string]bool, count)
	for received := 0; !seen[strconv.Itoa(count-1)]; received++ {
		if received == count/3 {
			b.Kill()
			brokertest.Await(t, "the loss to be seen", from, func() bool { return from.Status().State == queue.StateLost && to.Status().Err != nil })
			confirmed := int(to.Sent()) //nolint:gosec // a count
			defer func() {
				for i := confirmed; i < count; i++ {
					if !seen[strconv.Itoa(i)] {
						t.Fatalf("%d of %d was not confirmed, and has not come", i, count)
					}
				}
				t.Logf("Mosquitto has lost %d records", count-len(seen))
			}()
			b.Restart(t)
		}
		r := brokertest.Next(t, from)
		if seen[r.Message()] && !brokertest.Marked(r) {
			t.Fatalf("%s came twice, and is not marked", r.Message())
		}
		seen[r.Message()] = true
	}
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count) })
}

func TestWhatCameInWhileItWasAwayIsReceivedLater(t *testing.T) {
	o := options(services.StartMosquitto(t))
	first := receive(t, o)
	to := sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	if r := brokertest.Next(t, first); r.Message() != "0" {
		t.Error(r.Message())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, receive(t, o)); r.Message() != "1" || brokertest.Marked(r) {
		t.Errorf("%q, marked %v", r.Message(), brokertest.Marked(r))
	}
}

func TestASessionMayEndWithItsConnection(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.SessionExpiry = -1
	if err := receive(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	to := sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	s := receive(t, o)
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestAcknowledgementsGoInTheOrderOfTheMessages(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.Prefetch = 3
	r, err := mqtt.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	brokertest.Await(t, "the connection", r, func() bool { return r.Status().State == queue.StateConnected })
	to := sender(t, o)
	for i := range 6 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	var got []queue.Message
	receive := func(until int) {
		t.Helper()
		for buf := make([]queue.Message, 1); len(got) < until; {
			n, err := r.Receive(brokertest.Patience(t), buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
	}
	receive(3) // no more come ahead of their acknowledgement
	got[2].Ack(nil)
	got[1].Ack(nil)
	brokertest.Await(t, "all to be sent", to, func() bool { return to.Sent() == 6 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := r.Receive(ctx, make([]queue.Message, 1)); n != 0 {
		t.Errorf("%d more came, %v", n, err)
	}
	got[0].Ack(nil)
	receive(6)
	for i, m := range got {
		if m.Record.Message() != strconv.Itoa(i) {
			t.Errorf("%d is %q", i, m.Record.Message())
		}
		if i >= 3 {
			m.Ack(nil)
		}
	}
}

func TestTopicsMayHaveWildcards(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.Topics = []string{"logs/+/cart", "audit/#"}
	s := receive(t, o)
	want := []string{"logs/shop/cart", "audit", "audit/a/b"}
	for _, o.Topic = range append([]string{"metrics/cpu", "logs/shop/basket"}, want...) {
		to := sender(t, o)
		brokertest.Send(t, to, fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%s"}`, o.Topic))
		brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	}
	for _, topic := range want {
		if r := brokertest.Next(t, s); r.Message() != topic {
			t.Errorf("got %q, want %q", r.Message(), topic)
		}
	}
}

func TestTopicsThatTheSessionHadBeforeAreLeftOut(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.ClientID, o.Topics = "desk", []string{"old"}
	if err := receive(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	o.Topics = []string{"new"}
	s := receive(t, o)
	for _, o.Topic = range []string{"old", "new"} {
		to := sender(t, o)
		brokertest.Send(t, to, fmt.Appendf(nil, `{"channel":"c","level":11,"msg":"%s"}`, o.Topic))
		brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	}
	if r := brokertest.Next(t, s); r.Message() != "new" {
		t.Error(r.Message())
	}
	if d := s.Status().Detail; !strings.Contains(d, "1 messages with other topics") {
		t.Error(d)
	}
}

func TestThoseOfAGroupShareTheRecordsAndOthersGetAll(t *testing.T) {
	o := options(services.StartMosquitto(t))
	all := receive(t, o)
	o.Group = "trays"
	var members []*queue.Subscriber
	for i := range 2 {
		o.ClientID = fmt.Sprintf("desk-%d", i)
		members = append(members, receive(t, o))
	}
	brokertest.Share(t, sender(t, o), all, members)
}

func TestASecondClientOfTheSameNameIsSaid(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.ReconnectMin, o.ReconnectMax = time.Minute, time.Minute // they would throw out each other
	s := receive(t, o)
	receive(t, o)
	brokertest.Await(t, "the loss", s, func() bool {
		st := s.Status()
		return st.State == queue.StateLost && strings.Contains(st.Err.Error(), `another client may have the client ID "logbook-tray-`)
	})
}

// pretend listens as a broker that reads a packet and answers, as often as there are answers,
// and returns its URI.
func pretend(t *testing.T, answers ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over, served := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(served)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for _, answer := range answers {
			if _, err := c.Read(make([]byte, 4096)); err != nil {
				t.Error(err)
			}
			if _, err := c.Write([]byte(answer)); err != nil {
				t.Error(err)
			}
		}
		<-over
	}()
	t.Cleanup(func() { _ = l.Close(); close(over); <-served })
	return "mqtt://" + l.Addr().String()
}

// Packets of a broker.
const (
	welcome    = "\x20\x03\x00\x00\x00"
	subscribed = "\x90\x04\x00\x01\x00\x01"
)

func TestWhatABrokerSaysIsTold(t *testing.T) {
	for _, test := range []struct {
		want    string
		state   queue.State // empty: it depends on who is faster
		answers []string
	}{
		{"does not speak MQTT 5", queue.StateFailed, []string{"\x20\x03\x00\x84\x00"}},
		{"Banned", queue.StateFailed, []string{"\x20\x03\x00\x8a\x00"}},
		{"busy", queue.StateConnecting, []string{"\x20\x03\x00\x89\x00"}},
		{"subscribe to logging: Not authorized", queue.StateFailed, []string{welcome, "\x90\x04\x00\x01\x00\x87"}},
		{"another client has the same client ID", queue.StateFailed, []string{welcome, subscribed + "\xe0\x01\x8e"}},
		{"the broker shuts down", "", []string{welcome, subscribed + "\xe0\x01\x8b"}},
		{"too large", queue.StateConnecting, []string{"\x20\xff\xff\xff\x7f"}},
		{"too large", queue.StateConnecting, []string{"\x20\xff\xff\xff\xff\xff"}},
		{"too large", "", []string{welcome, subscribed + "\x30\xff\xff\xff\x7f"}},
	} {
		s := subscriber(t, mqtt.Options{URI: pretend(t, test.answers...), ReconnectMin: time.Minute, ReconnectMax: time.Minute})
		brokertest.Await(t, test.want, s, func() bool {
			st := s.Status()
			return (test.state == "" || st.State == test.state) && st.Err != nil && strings.Contains(st.Err.Error(), test.want)
		})
	}
}

func TestRetainedMessagesAreNotAskedFor(t *testing.T) {
	b := services.StartMosquitto(t)
	e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", "-c", publish, strconv.Itoa(b.Port), "retained")
	o := options(b)
	s := receive(t, o)
	brokertest.Send(t, sender(t, o), brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestARecordThatIsTooLargeForTheBrokerDoesNotHoldUpTheOthers(t *testing.T) {
	o := options(services.StartMosquitto(t, "max_packet_size 10000"))
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, bytes.Repeat([]byte("x"), 20_000))
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	if st := to.Status(); to.Lost() != 1 || st.Err == nil || !strings.Contains(st.Err.Error(), "the broker takes 10000") {
		t.Errorf("%d lost, %+v", to.Lost(), st)
	}
}

func TestAMessageThatIsTooLargeForUsIsLeftOutByTheBroker(t *testing.T) {
	o := options(services.StartMosquitto(t))
	o.MaxMessageSize = 1 << 10
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, bytes.Repeat([]byte("x"), 200_000))
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestWhatTheBrokerRefusesIsSaid(t *testing.T) {
	b := services.StartMosquittoPassword(t, "tray", "secret")
	right := "mqtt://tray:secret@" + b.Addr()
	secured, expired := services.StartMosquittoTLS(t, false), services.StartMosquittoTLS(t, true)
	trusted := brokertest.Trusting(t, expired, "")
	for want, o := range map[string]mqtt.Options{
		`the user "tray" or its password is wrong`: {URI: "mqtt://tray:hush@" + b.Addr()},
		`the user "" or its password is wrong`:     {URI: "mqtt://" + b.Addr()},
		`signed by unknown authority`:              {URI: "mqtts://" + secured.Addr()},
		`certificate has expired`:                  {URI: "mqtts://" + expired.Addr(), TLS: trusted},
	} {
		to, err := mqtt.NewSender(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []interface{ Status() queue.Status }{subscriber(t, o), to} {
			brokertest.Await(t, want, s, func() bool {
				st := s.Status()
				return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), want)
			})
			if text := fmt.Sprint(s.Status(), s); strings.Contains(text, "hush") || strings.Contains(text, "secret") {
				t.Errorf("there is a password in %s", text)
			}
		}
		if err := to.Close(); err != nil {
			t.Error(err)
		}
	}
	s := receive(t, mqtt.Options{URI: right})
	brokertest.Send(t, sender(t, mqtt.Options{URI: right}), brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestWhatMayNotBePublishedIsSaid(t *testing.T) {
	acl := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(acl, []byte("topic readwrite other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := options(services.StartMosquitto(t, "acl_file "+acl))
	o.Linger = -1
	to, err := mqtt.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = to.Close() }()
	brokertest.Send(t, to, brokertest.Numbered(1))
	brokertest.Failed(t, to, `the user "" may not publish there: give it permission: publish to logging: `)
}

func TestABrokerThatIsFullIsSaidAndTheRecordKept(t *testing.T) {
	o := mqtt.Options{URI: pretend(t, welcome, "\x40\x04\x00\x01\x97\x00"), Linger: -1, ReconnectMin: time.Minute, ReconnectMax: time.Minute}
	to, err := mqtt.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Send(t, to, brokertest.Numbered(1))
	brokertest.Failed(t, to, "the broker has no room for more: have what it holds received, or raise its limits: publish to logging: ")
	if err := to.Close(); err == nil || to.Lost() != 1 || to.Sent() != 0 {
		t.Errorf("%v; %d sent, %d lost", err, to.Sent(), to.Lost())
	}
}

// Mosquitto says that it has taken what there is no room for, so that nobody can tell.
func TestAFullQueueOfASessionHoldsNobodyUp(t *testing.T) {
	const room, count = 100, 500
	o := options(services.StartMosquitto(t, "max_queued_messages "+strconv.Itoa(room)))
	if err := receive(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	to := sender(t, o)
	brokertest.SendAll(t, to, 0, count)
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
	s := receive(t, o)
	brokertest.Send(t, to, brokertest.Numbered(count))
	for i := 0; ; i++ {
		n := brokertest.Number(t, brokertest.Next(t, s))
		if n == count {
			if i < room || i == count {
				t.Errorf("%d of %d came with room for %d", i, count, room)
			}
			break
		}
		if n != i {
			t.Fatalf("got %d, want %d", n, i)
		}
	}
	if st := s.Status(); st.State != queue.StateConnected || st.Err != nil {
		t.Errorf("%+v", st)
	}
}

func TestTLS(t *testing.T) {
	b := services.StartMosquittoTLS(t, false)
	o := options(b)
	o.URI = "mqtts://" + b.Addr()
	o.TLS = brokertest.Trusting(t, b, "")
	s, to := receive(t, o), sender(t, o)
	brokertest.SendAll(t, to, 0, 1000)
	for i := range 1000 {
		if r := brokertest.Next(t, s); r.Message() != strconv.Itoa(i) {
			t.Fatalf("got %q, want %d", r.Message(), i)
		}
	}
}

func TestCloseDoesNotWaitForABrokerThatSaysNothing(t *testing.T) {
	brokertest.ClosesAtOnce(t, func(address string) (*mqtt.Receiver, error) {
		return mqtt.NewReceiver(mqtt.Options{URI: "mqtt://" + address, Timeout: services.Patience})
	})
}

func TestWrongOptionsAreErrorsWithoutThePassword(t *testing.T) {
	for _, o := range []mqtt.Options{
		{},
		{URI: "http://localhost"},
		{URI: "mqtt://"},
		{URI: "mqtt://tray:hush@localhost/topic"},
		{URI: "mqtt://tray:hush hush@local host:x"},
		{URI: "mqtt://tray:hush@localhost", Topics: []string{"a/#/b"}},
		{URI: "mqtt://tray:hush@localhost", Topics: []string{"a/b+"}},
		{URI: "mqtt://tray:hush@localhost", Topics: []string{"$share/a/b"}},
		{URI: "mqtt://tray:hush@localhost", Topic: "a/+"},
		{URI: "mqtt://tray:hush@localhost", Topic: "$SYS/a"},
		{URI: "mqtt://tray:hush@localhost", Group: "a/b"},
		{URI: "mqtt://tray:hush@localhost", ClientID: "\x00"},
		{URI: "mqtt://tray:hush@localhost", Prefetch: 70_000},
	} {
		_, err := mqtt.NewReceiver(o)
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "not valid") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// publish publishes records as a server would: Logbook's, with the client of Eclipse.
const publish = `
import json, sys
import logbook, paho.mqtt.client as paho

client = paho.Client(protocol=paho.MQTTv5)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()

class Handler(logbook.Handler):
    def emit(self, record):
        text = json.dumps(record.to_dict(json_safe=True))
        client.publish("logging", text, qos=1, retain=len(sys.argv) > 2).wait_for_publish(60)

log = logbook.Logger("shop")
with Handler(level=logbook.TRACE).threadbound():
    if len(sys.argv) > 2:
        log.info("retained")
    else:
        for level in ("trace", "debug", "info", "notice", "warning", "error", "critical"):
            getattr(log, level)("{0} für {1} ☃", level, "日本", extra={"order": 4711, "tags": ["a", None, 1.5]})
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("it broke")
        log.info("x" * 1000000)
client.disconnect()
client.loop_stop()
`

func TestWhatPythonPublishesIsReceived(t *testing.T) {
	b := services.StartMosquitto(t)
	s := receive(t, options(b))
	e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", "-c", publish, strconv.Itoa(b.Port))
	for i, level := range core.Levels() {
		r := brokertest.Next(t, s)
		want := map[string]any{"order": int64(4711), "tags": []any{"a", nil, 1.5}}
		if r.Level != level || r.Channel != "shop" || r.Message() != strings.ToLower(level.String())+" für 日本 ☃" {
			t.Errorf("%d: %v %q %q", i, r.Level, r.Channel, r.Message())
		}
		if diff := cmp.Diff(want, r.Extra.Map()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", level, diff)
		}
	}
	if r := brokertest.Next(t, s); r.Exception == nil || r.Exception.Name != "builtins.ZeroDivisionError" && r.Exception.Name != "exceptions.ZeroDivisionError" ||
		r.Exception.Message != "division by zero" || !strings.Contains(r.Exception.Traceback, "in <module>") {
		t.Errorf("%+v", r.Exception)
	}
	if r := brokertest.Next(t, s); len(r.Message()) != 1_000_000 {
		t.Errorf("%d bytes", len(r.Message()))
	}
}

// subscribe prints the records that it receives, and says when it is ready for them.
const subscribe = `
import json, sys
import logbook, paho.mqtt.client as paho

left = int(sys.argv[2])

def message(client, userdata, m):
    global left
    r = logbook.LogRecord.from_dict(json.loads(m.payload))
    print(json.dumps([r.channel, r.level_name, len(r.message) if len(r.message) > 1000 else r.message, r.extra, r.exception_name, r.exception_message, m.qos]), flush=True)
    left -= 1
    if not left:
        client.disconnect()

client = paho.Client(protocol=paho.MQTTv5)
client.on_message = message
client.on_subscribe = lambda *args: print("ready", flush=True)
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe("logging", qos=1)
client.loop_forever()
`

func TestPythonReceivesWhatIsSent(t *testing.T) {
	b := services.StartMosquitto(t)
	levels := core.Levels()
	p := e2e.Start(t, os.Environ(), "/usr/bin/python3", "-c", subscribe, strconv.Itoa(b.Port), strconv.Itoa(len(levels)+1))
	to := sender(t, options(b))
	brokertest.Await(t, "the subscription", to, func() bool { return strings.HasPrefix(p.Output(), "ready\n") })
	encoded := func(r *core.Record) []byte {
		body, err := wire.Append(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	for _, level := range levels {
		brokertest.Send(t, to, encoded(&core.Record{
			Channel: "shop", Level: level, Msg: "{0} für 日本 ☃", Args: []any{level.String()}, Time: time.Now(), Extra: core.Extra("order", 4711),
			Exception: &core.Exception{Name: "builtins.ValueError", Message: "no tea"},
		}))
	}
	brokertest.Send(t, to, encoded(&core.Record{Channel: "shop", Level: core.LevelInfo, Msg: strings.Repeat("x", 1_000_000), Time: time.Now()}))
	if code := p.Wait(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	lines := strings.Split(p.Output(), "\n")[1:]
	for i := range len(levels) + 1 {
		var got []any
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			t.Fatal(err)
		}
		want := []any{"shop", "INFO", 1e6, map[string]any{}, nil, nil, 1.0}
		if i < len(levels) {
			name := levels[i].String()
			want = []any{"shop", name, name + " für 日本 ☃", map[string]any{"order": 4711.0}, "builtins.ValueError", "no tea", 1.0}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
	}
}

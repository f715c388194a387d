package redis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options are those for a Redis of this test alone.
func options(t *testing.T, mode redis.Mode, arguments ...string) (redis.Options, *services.Broker) {
	t.Helper()
	b := services.StartRedis(t, arguments...)
	return redis.Options{URI: "redis://" + b.Addr() + "/0", Mode: mode, ReconnectMax: time.Second}, b
}

// receive returns a subscriber that is connected.
func receive(t *testing.T, o redis.Options) *queue.Subscriber {
	t.Helper()
	s := subscriber(t, o)
	await(t, "the connection", func() bool { return s.Status().State == queue.StateConnected }, s)
	return s
}

func subscriber(t *testing.T, o redis.Options) *queue.Subscriber {
	t.Helper()
	r, err := redis.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sender(t *testing.T, o redis.Options) *redis.Sender {
	t.Helper()
	s, err := redis.NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client returns a connection of a test's own.
func client(t *testing.T, o redis.Options) *goredis.Client {
	t.Helper()
	parsed, err := goredis.ParseURL(o.URI)
	if err != nil {
		t.Fatal(err)
	}
	c := goredis.NewClient(parsed)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// patience bounds how long a test waits for something that should happen at once.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), services.Patience)
	t.Cleanup(cancel)
	return ctx
}

// next returns the message of the next record.
func next(t *testing.T, s *queue.Subscriber) string {
	t.Helper()
	r, err := s.Recv(patience(t))
	if err != nil {
		t.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r.Message()
}

// await polls a condition; who is asked for its status when it does not become true.
func await(t *testing.T, what string, condition func() bool, who interface{ Status() queue.Status }) {
	t.Helper()
	deadline := time.NewTimer(services.Patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s; %+v", what, who.Status())
		}
	}
}

// python runs a program to its end and returns what it has printed.
func python(t *testing.T, program string, args ...string) string {
	t.Helper()
	return e2e.Run(t, os.Environ(), nil, "/usr/bin/python3", append([]string{"-c", program}, args...)...)
}

const sendAll = `
import sys
from logbook import Logger
from logbook.queues import MessageQueueHandler
handler = MessageQueueHandler(sys.argv[1])
log = Logger("shop")
with handler.applicationbound():
    log.warn("sold out: {0}", "tea", extra={"customer": 4711})
    try:
        {}["order"]
    except KeyError:
        log.exception("Grüße aus Köln ☃")
    log.debug("x" * 1000000)
    for i in range(int(sys.argv[2])):
        log.info("record {0}", i)
handler.close()
`

const receiveAll = `
import sys
from logbook.queues import MessageQueueSubscriber
s = MessageQueueSubscriber(sys.argv[1])
for i in range(int(sys.argv[2])):
    r = s.recv(timeout=80)
    print(r.channel, r.level_name, r.message[:40])
`

// arrived checks the records of sendAll.
func arrived(t *testing.T, s *queue.Subscriber, count int) {
	t.Helper()
	first, err := s.Recv(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	if first.Channel != "shop" || first.Level != core.LevelWarning || first.Message() != "sold out: tea" ||
		first.Extra.Get("customer") != int64(4711) {
		t.Errorf("%+v", first)
	}
	failed, err := s.Recv(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	if failed.Exception == nil || failed.Exception.ShortName() != "KeyError" || failed.Message() != "Grüße aus Köln ☃" {
		t.Errorf("%+v %+v", failed, failed.Exception)
	}
	if got := next(t, s); len(got) != 1_000_000 {
		t.Errorf("%d bytes of 1 MB", len(got))
	}
	for i := range count {
		if got, want := next(t, s), fmt.Sprintf("record %d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestATapGetsEveryRecordAndTakesNoneAway(t *testing.T) {
	const count = 1000
	o, _ := options(t, redis.Tap)
	one, two := receive(t, o), receive(t, o)
	python(t, sendAll, o.URI, fmt.Sprint(count))
	arrived(t, one, count)
	arrived(t, two, count)
	if got := strings.Count(python(t, receiveAll, o.URI, fmt.Sprint(count+3)), "\n"); got != count+3 {
		t.Errorf("python got %d", got)
	}
	for _, s := range []*queue.Subscriber{one, two} {
		if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	keys, err := client(t, o).Keys(patience(t), "logbook-tray*").Result()
	if err != nil || len(keys) != 0 {
		t.Errorf("left behind: %q, %v", keys, err)
	}
	members, err := client(t, o).SMembers(patience(t), "_kombu.binding.logging").Result()
	if err != nil || len(members) != 1 {
		t.Errorf("bound: %q, %v", members, err)
	}
}

func TestATapThatWasKilledIsRemovedByTheNext(t *testing.T) {
	o, _ := options(t, redis.Tap)
	c := client(t, o)
	if err := c.SAdd(t.Context(), "_kombu.binding.logging", "logging\x06\x16\x06\x16logbook-tray.tap.dead", "logging\x06\x16\x06\x16logging").Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.LPush(t.Context(), "logbook-tray.tap.dead", "x").Err(); err != nil {
		t.Fatal(err)
	}
	s := receive(t, o)
	if n := c.Exists(t.Context(), "logbook-tray.tap.dead").Val(); n != 0 {
		t.Error("its list is still there")
	}
	if members := c.SMembers(t.Context(), "_kombu.binding.logging").Val(); len(members) != 2 {
		t.Errorf("bound: %q", members)
	}
	if err := sender(t, o).Send(patience(t), []byte(`{"channel":"c","level":11,"msg":"m"}`)); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); got != "m" {
		t.Error(got)
	}
}

const redisHandler = `
import sys
from logbook import Logger
from logbook.queues import RedisHandler
handler = RedisHandler(port=int(sys.argv[1]), extra_fields={"service": "shop"}, push_method=sys.argv[2], bubble=False)
if sys.argv[2] == "publish":
    handler.disable_buffering()
with handler.applicationbound():
    for i in range(300):
        Logger("c").error("record %d" % i, order=i)
handler.close()
`

func TestRecordsOfLogbooksRedisHandler(t *testing.T) {
	for _, c := range []struct {
		push   string
		mode   redis.Mode
		newest bool
	}{{"rpush", redis.List, false}, {"lpush", redis.List, true}, {"publish", redis.Channel, false}} {
		t.Run(c.push, func(t *testing.T) {
			o, b := options(t, c.mode)
			o.Newest = c.newest
			s := receive(t, o)
			python(t, redisHandler, fmt.Sprint(b.Port), c.push)
			for i := range 300 {
				r, err := s.Recv(patience(t))
				if err != nil {
					t.Fatal(err)
				}
				if want := fmt.Sprintf("record %d", i); r.Message() != want || r.Level != core.LevelError ||
					r.Extra.Get("service") != "shop" || r.Extra.Get("order") != int64(i) {
					t.Fatalf("want %q, got %+v", want, r)
				}
			}
		})
	}
}

func TestOurRecordsInTheFormOfRedisHandler(t *testing.T) {
	for _, o := range []redis.Options{{Mode: redis.List}, {Mode: redis.List, Newest: true}, {Mode: redis.Channel}} {
		with, _ := options(t, o.Mode)
		with.Newest = o.Newest
		s := receive(t, with)
		h := queue.NewHandler(sender(t, with), queue.HandlerOptions{
			Encode: redis.Encoder(core.Fields{{Key: "service", Value: "shop"}}), Timeout: services.Patience,
		})
		at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
		if err := h.Handle(patience(t), &core.Record{Level: core.LevelNotice, Msg: "{n} left", Kwargs: core.Fields{{Key: "n", Value: 2}}, Time: at}); err != nil {
			t.Fatal(err)
		}
		r, err := s.Recv(patience(t))
		if err != nil || r.Message() != "2 left" || r.Level != core.LevelNotice || !r.Time.Equal(at) || r.Extra.Get("service") != "shop" {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestWhatRedisRefusesIsSaid(t *testing.T) {
	o, b := options(t, redis.Tap, "--user", "tray", "on", ">secret", "~*", "&*", "+@all", "--requirepass", "other")
	o.URI = "redis://tray:hush@" + b.Addr() + "/0"
	s := subscriber(t, o)
	await(t, "the refusal", func() bool {
		st := s.Status()
		return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), `the user "tray" or its password is wrong`)
	}, s)
	impatient := o
	impatient.Linger = -1
	to, err := redis.NewSender(impatient)
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the refusal", func() bool {
		st := to.Status()
		return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), "password is wrong") && !strings.Contains(st.Err.Error(), "hush")
	}, to)
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	o.URI = "redis://" + b.Addr()
	brokertest.Failed(t, subscriber(t, o), `the user "default" or its password is wrong`)
	o.URI = "redis://tray:secret@" + b.Addr() + "/3"
	s = receive(t, o)
	if err := sender(t, o).Send(patience(t), []byte(`{"channel":"c","level":11,"msg":"m"}`)); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); got != "m" || strings.Contains(s.Name(), "secret") {
		t.Error(got, s.Name())
	}
}

func TestTLS(t *testing.T) {
	b := services.StartRedisTLS(t)
	o := redis.Options{URI: "rediss://" + b.Addr() + "/0"}
	untrusting := subscriber(t, o)
	await(t, "the refusal", func() bool {
		st := untrusting.Status()
		return st.State == queue.StateFailed && strings.Contains(st.Err.Error(), "certificate")
	}, untrusting)
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	o.TLS.RootCAs.AppendCertsFromPEM(ca)
	s := receive(t, o)
	if err := sender(t, o).Send(patience(t), []byte(`{"channel":"c","level":11,"msg":"m"}`)); err != nil {
		t.Fatal(err)
	}
	if got := next(t, s); got != "m" {
		t.Error(got)
	}
}

func TestAnAddressThatIsNoneIsAnErrorWithoutThePassword(t *testing.T) {
	for _, uri := range []string{"", "http://localhost", "redis://guest:hush hush@localhost", "redis://guest:hush@local host:x"} {
		_, err := redis.NewReceiver(redis.Options{URI: uri})
		if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "redis://user") {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

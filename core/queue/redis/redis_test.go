package redis_test

import (
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
	brokertest.Connected(t, s)
	return s
}

func subscriber(t *testing.T, o redis.Options) *queue.Subscriber {
	t.Helper()
	r, err := redis.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	return brokertest.Subscriber(t, r)
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

func TestATapGetsEveryRecordAndTakesNoneAway(t *testing.T) {
	k := python3(redis.Tap)(t)
	brokertest.KombuTaps(t, k)
	c := client(t, redis.Options{URI: k.URI})
	keys, err := c.Keys(t.Context(), "logbook-tray*").Result()
	if err != nil || len(keys) != 0 {
		t.Errorf("left behind: %q, %v", keys, err)
	}
	members, err := c.SMembers(t.Context(), "_kombu.binding.logging").Result()
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
	brokertest.Send(t, sender(t, o), []byte(`{"channel":"c","level":11,"msg":"m"}`))
	if got := brokertest.Next(t, s).Message(); got != "m" {
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
			brokertest.Python(t, redisHandler, fmt.Sprint(b.Port), c.push)
			for i := range 300 {
				r, err := s.Recv(brokertest.Patience(t))
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
		if err := h.Handle(brokertest.Patience(t), &core.Record{Level: core.LevelNotice, Msg: "{n} left", Kwargs: core.Fields{{Key: "n", Value: 2}}, Time: at}); err != nil {
			t.Fatal(err)
		}
		r, err := s.Recv(brokertest.Patience(t))
		if err != nil || r.Message() != "2 left" || r.Level != core.LevelNotice || !r.Time.Equal(at) || r.Extra.Get("service") != "shop" {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestWhatRedisRefusesIsSaid(t *testing.T) {
	o, b := options(t, redis.Tap, "--user", "tray", "on", ">secret", "~*", "&*", "+@all", "--requirepass", "other")
	o.URI = "redis://tray:hush@" + b.Addr() + "/0"
	s := subscriber(t, o)
	brokertest.Failed(t, s, `the user "tray" or its password is wrong`)
	impatient := o
	impatient.Linger = -1
	to, err := redis.NewSender(impatient)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Failed(t, to, `the user "tray" or its password is wrong`)
	if text := fmt.Sprint(s.Status(), to.Status()); strings.Contains(text, "hush") {
		t.Errorf("there is a password in %s", text)
	}
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	o.URI = "redis://" + b.Addr()
	brokertest.Failed(t, subscriber(t, o), `the user "default" or its password is wrong`)
	o.URI = "redis://tray:secret@" + b.Addr() + "/3"
	s = receive(t, o)
	brokertest.Send(t, sender(t, o), []byte(`{"channel":"c","level":11,"msg":"m"}`))
	if got := brokertest.Next(t, s).Message(); got != "m" || strings.Contains(s.Name(), "secret") {
		t.Error(got, s.Name())
	}
}

func TestTLS(t *testing.T) {
	b := services.StartRedisTLS(t)
	o := redis.Options{URI: "rediss://" + b.Addr() + "/0"}
	brokertest.Failed(t, subscriber(t, o), "certificate")
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	o.TLS.RootCAs.AppendCertsFromPEM(ca)
	s := receive(t, o)
	brokertest.Send(t, sender(t, o), []byte(`{"channel":"c","level":11,"msg":"m"}`))
	if got := brokertest.Next(t, s).Message(); got != "m" {
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

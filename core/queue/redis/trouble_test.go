package redis_test

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/kombu"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// modes are those in which Redis keeps something.
var modes = []redis.Mode{redis.Consume, redis.List, redis.Stream} //nolint:gochecknoglobals // it is not changed

func TestAListIsEmptiedWhileRedisHasNoRoom(t *testing.T) {
	const count = 100
	for _, of := range []redis.Options{{Mode: redis.Consume}, {Mode: redis.List}, {Mode: redis.List, Newest: true}} {
		o, b := options(t, of.Mode)
		o.Newest = of.Newest
		to, c := sender(t, o), client(t, o)
		brokertest.SendAll(t, to, 0, count)
		brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
		refusals["OOM"].refuse(t, c, b, to)
		s := receive(t, o)
		for i := range count {
			if r := brokertest.Next(t, s); brokertest.Number(t, r) != i {
				t.Fatalf("%s, want %d", r.Message(), i)
			}
		}
	}
}

// refusals are what makes a Redis take nothing more, and what makes it take records again.
var refusals = map[string]struct { //nolint:gochecknoglobals // it is not changed
	refuse func(*testing.T, *goredis.Client, *services.Broker, queue.Statuser)
	accept func(*testing.T, *goredis.Client)
	say    string
}{
	"MISCONF": {
		func(t *testing.T, c *goredis.Client, b *services.Broker, who queue.Statuser) {
			t.Helper()
			if err := os.RemoveAll(b.Dir); err != nil { // there is nowhere to write to
				t.Fatal(err)
			}
			set(t, c, "save", "3600 1000000")
			brokertest.Await(t, "a snapshot that fails", who, func() bool {
				_ = c.BgSave(t.Context()).Err() // one may be running
				return strings.Contains(c.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
			})
		},
		func(t *testing.T, c *goredis.Client) { t.Helper(); set(t, c, "stop-writes-on-bgsave-error", "no") },
		"cannot write to its disk: free the disk",
	},
	"OOM": {
		func(t *testing.T, c *goredis.Client, _ *services.Broker, _ queue.Statuser) {
			t.Helper()
			set(t, c, "maxmemory-policy", "noeviction")
			set(t, c, "maxmemory", "1")
		},
		func(t *testing.T, c *goredis.Client) { t.Helper(); set(t, c, "maxmemory", "0") },
		"no memory for more records",
	},
}

// set changes a setting of Redis.
func set(t *testing.T, c *goredis.Client, name, value string) {
	t.Helper()
	if err := c.ConfigSet(t.Context(), name, value).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsAcceptedWhileRedisTakesNothingIsSentWhenItDoes(t *testing.T) {
	const count, attempts = 500, 50
	for code, r := range refusals {
		for _, mode := range modes {
			t.Run(code+" "+string(mode), func(t *testing.T) {
				o, b := options(t, mode, "--appendonly", "no")
				var told atomic.Int32
				o.ReconnectMin, o.ReconnectMax, o.Linger = time.Millisecond, 10*time.Millisecond, services.Patience
				o.Window, o.OnPeer = 100, func(queue.Peer) { told.Add(1) }
				to, c := sender(t, o), client(t, o)
				brokertest.Send(t, to, brokertest.Numbered(0))
				brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
				r.refuse(t, c, b, to)
				brokertest.SendAll(t, to, 1, count) // more than it holds
				brokertest.Failed(t, to, r.say)
				brokertest.Await(t, "many attempts", to, func() bool { return refused(t, c, code) > attempts })
				brokertest.Failed(t, to, r.say)
				if n := told.Load(); n > 4 {
					t.Errorf("told %d times", n)
				}
				r.accept(t, c)
				brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
				o.OnPeer = nil
				s := receive(t, o)
				for i := range count {
					if m := brokertest.Next(t, s); brokertest.Number(t, m) != i || brokertest.Marked(m) {
						t.Fatalf("%s, marked %v, want %d", m.Message(), brokertest.Marked(m), i)
					}
				}
			})
		}
	}
}

// refused returns how often Redis has answered with an error.
func refused(t *testing.T, c *goredis.Client, code string) (count int) {
	t.Helper()
	_, rest, _ := strings.Cut(c.Info(t.Context(), "errorstats").Val(), "errorstat_"+code+":count=")
	_, _ = fmt.Sscan(rest, &count) // none
	return count
}

func TestATapOfARedisWhoseDiskIsFullSaysSo(t *testing.T) {
	o, b := options(t, redis.Tap, "--appendonly", "no")
	o.Linger = services.Patience
	s, to, c := receive(t, o), sender(t, o), client(t, o)
	full := refusals["MISCONF"]
	full.refuse(t, c, b, s)
	brokertest.Send(t, to, brokertest.Numbered(1))
	brokertest.Failed(t, to, full.say)
	brokertest.Failed(t, s, full.say)
	full.accept(t, c)
	brokertest.Connected(t, s)
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
}

func TestAUserOfAnACLNeedsTheKeysOfTheQueueAndOurs(t *testing.T) {
	o, b := options(t, redis.Tap, "--user", "tray", "on", ">hush", "resetkeys", "~logging*", "~_kombu.binding.logging", "~logbook-tray.*", "&logging", "-@all", "+@read", "+@write", "+@connection", "+@transaction", "+@pubsub")
	o.URI = "redis://tray:hush@" + b.Addr() + "/0"
	o.Queue = "logging"
	for _, mode := range []redis.Mode{redis.Tap, redis.Consume, redis.List, redis.Channel, redis.Stream} {
		o.Mode = mode
		s, to := receive(t, o), sender(t, o)
		brokertest.Send(t, to, brokertest.Numbered(1))
		if r := brokertest.Next(t, s); r.Message() != "1" || brokertest.Marked(r) {
			t.Errorf("%s: %s", mode, r.Message())
		}
		if st := to.Status(); st.Err != nil {
			t.Errorf("%+v", st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := client(t, redis.Options{URI: "redis://" + b.Addr()}).Del(t.Context(), "logging").Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAUserWhoMayNotIsToldWhat(t *testing.T) {
	const some = "resetkeys ~logging* ~_kombu.binding.logging ~logbook-tray.* &* +@all "
	for _, c := range []struct {
		mode           redis.Mode
		rights         string
		receiver, send string // what is said; nothing if that works
	}{
		{redis.Tap, "resetkeys ~logging* ~logbook-tray.* &* +@all", `SADD ["_kombu.binding.logging"`, `SADD ["_kombu.binding.logging"`},
		{redis.Consume, "resetkeys ~logging* ~_kombu.binding.logging &* +@all", `LRANGE ["logbook-tray.held.`, ""},
		{redis.Consume, some + "-blmove -lpush", "'blmove'", "'lpush'"},
		{redis.Consume, "~_kombu.binding.logging ~logbook-tray.* &* +@all", `LLEN ["logging"`, `LPUSH ["logging"`},
		{redis.List, some + "resetkeys ~logbook-tray.*", `LLEN ["logging"`, `RPUSH ["logging"`},
		{redis.Channel, some + "resetchannels", "listen to logging", `PUBLISH ["logging"`},
		{redis.Stream, "~logbook-tray.* &* +@all", `XGROUP ["logging"`, `XADD ["logging"`},
		{redis.Stream, "~* &* -@all +@connection +xgroup", "'xreadgroup'", "'multi'"},
	} {
		t.Run(string(c.mode)+" "+c.rights, func(t *testing.T) {
			o, b := options(t, c.mode, append([]string{"--user", "tray", "on", ">hush"}, strings.Fields(c.rights)...)...)
			o.URI, o.Queue, o.Linger = "redis://tray:hush@"+b.Addr()+"/0", "logging", -1
			s := subscriber(t, o)
			to, err := redis.NewSender(o)
			if err != nil {
				t.Fatal(err)
			}
			for who, want := range map[queue.Statuser]string{s: c.receiver, to: c.send} {
				if want != "" {
					brokertest.Send(t, to, []byte("hidden"))
					failed(t, who, want)
					continue
				}
				brokertest.Send(t, to, brokertest.Numbered(1))
				brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() > 0 })
				if st := who.Status(); st.State != queue.StateConnected || st.Err == nil || !strings.Contains(st.Err.Error(), "may arrive twice") {
					t.Errorf("%+v", st)
				}
			}
			_ = to.Close() // what it was not allowed to send is lost
		})
	}
}

// failed waits until who says which command or key it may not use.
func failed(t *testing.T, who queue.Statuser, want string) {
	t.Helper()
	brokertest.Await(t, want, who, func() bool {
		err := who.Status().Err
		return err != nil && strings.Contains(err.Error(), want)
	})
	text := who.Status().Err.Error()
	for _, part := range []string{want, `the user "tray" may not do this: allow it (ACL SETUSER)`, "NOPERM"} {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %s", text, part)
		}
	}
	if strings.Contains(text, "hidden") || strings.Contains(text, "hush") {
		t.Errorf("%s tells a secret", text)
	}
}

func TestARedisThatIsTooOldIsSaid(t *testing.T) {
	o, _ := options(t, redis.List, "--rename-command", "LMOVE", "OTHER-LMOVE", "--rename-command", "BLMOVE", "OTHER-BLMOVE")
	brokertest.Failed(t, subscriber(t, o), "this needs Redis 6.2 or later")
}

func TestAKeyOfSomethingElseIsSaid(t *testing.T) {
	for _, mode := range modes {
		o, _ := options(t, mode)
		o.Queue = "taken"
		c := client(t, o)
		if err := c.Set(t.Context(), "taken", "text", 0).Err(); err != nil {
			t.Fatal(err)
		}
		o.Linger = services.Patience
		s, to := subscriber(t, o), sender(t, o)
		brokertest.Send(t, to, brokertest.Numbered(1))
		brokertest.Failed(t, s, "something else under this name")
		brokertest.Failed(t, to, "something else under this name")
		if err := c.Del(t.Context(), "taken").Err(); err != nil {
			t.Fatal(err)
		}
		if r := brokertest.Next(t, s); r.Message() != "1" {
			t.Error(r.Message())
		}
	}
}

func TestWhatIsAcknowledgedDuringAnOutageDoesNotComeAgain(t *testing.T) {
	const count = 10
	for _, mode := range modes {
		o, b := options(t, mode)
		r, err := redis.NewReceiver(o)
		if err != nil {
			t.Fatal(err)
		}
		to := sender(t, o)
		for i := range count {
			brokertest.Send(t, to, brokertest.Numbered(i))
		}
		var open []queue.Message
		buf := make([]queue.Message, count)
		for len(open) < count {
			n, err := r.Receive(brokertest.Patience(t), buf)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, buf[:n]...)
		}
		b.Kill()
		brokertest.Await(t, "the loss", r, func() bool { return r.Status().State == queue.StateLost })
		for _, m := range open {
			m.Ack(nil)
		}
		b.Restart(t)
		brokertest.Connected(t, r)
		for _, who := range []queue.Receiver{r, nil} {
			if who == nil {
				if who, err = redis.NewReceiver(o); err != nil {
					t.Fatal(err)
				}
			}
			brokertest.Send(t, to, brokertest.Numbered(count))
			if _, err := who.Receive(brokertest.Patience(t), buf[:1]); err != nil || brokertest.Number(t, buf[0].Record) != count || brokertest.Marked(buf[0].Record) {
				t.Errorf("%s: %+v, %v", mode, buf[0].Record, err)
			}
			buf[0].Ack(nil)
			if err := who.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatAReceiverLeftAnotherOneTakesOver(t *testing.T) {
	o, _ := options(t, redis.Consume)
	c := client(t, o)
	// As one leaves it that was killed in the middle of its work.
	if err := c.SAdd(t.Context(), "logbook-tray.holders.logging", "logbook-tray.held.dead").Err(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		text, err := kombu.Append(nil, &kombu.Envelope{Body: brokertest.Numbered(i), DeliveryTag: strconv.Itoa(i)})
		if err != nil {
			t.Fatal(err)
		}
		list := "logbook-tray.held.dead"
		if i == 2 {
			list = "logging"
		}
		if err := c.LPush(t.Context(), list, text).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s := receive(t, o)
	for i := range 3 {
		if r := brokertest.Next(t, s); brokertest.Number(t, r) != i || brokertest.Marked(r) != (i < 2) {
			t.Errorf("%s, marked %v, want %d", r.Message(), brokertest.Marked(r), i)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if keys := c.Keys(t.Context(), "logbook-tray*").Val(); len(keys) != 0 && !slices.Equal(keys, []string{"logbook-tray.holders.logging"}) {
		t.Errorf("left behind: %q", keys)
	}
	if members := c.SMembers(t.Context(), "logbook-tray.holders.logging").Val(); len(members) != 0 {
		t.Errorf("left behind: %q", members)
	}
}

func TestItSpeaksTheThirdProtocol(t *testing.T) {
	o, _ := options(t, redis.Tap)
	brokertest.Connected(t, receive(t, o))
	brokertest.Connected(t, sender(t, o))
	ours := 0
	for line := range strings.Lines(client(t, o).ClientList(t.Context()).Val()) {
		if !strings.Contains(line, "name=logbook-tray") {
			continue
		}
		if ours++; !strings.Contains(line, "resp=3") {
			t.Error(line)
		}
	}
	if ours < 2 {
		t.Errorf("%d connections", ours)
	}
}

func TestItSpeaksTheSecondProtocolToARedisThatKnowsNoOther(t *testing.T) {
	for _, mode := range []redis.Mode{redis.Tap, redis.Consume, redis.List, redis.Channel, redis.Stream} {
		o, b := options(t, mode, "--requirepass", "hush", "--rename-command", "HELLO", "OTHER-HELLO")
		o.URI = "redis://:hush@" + b.Addr()
		s, to := receive(t, o), sender(t, o)
		brokertest.Send(t, to, brokertest.Numbered(1))
		if r := brokertest.Next(t, s); r.Message() != "1" {
			t.Errorf("%s: %s", mode, r.Message())
		}
		if list := client(t, o).ClientList(t.Context()).Val(); strings.Contains(list, "resp=3") {
			t.Error(list)
		}
	}
}

func TestCertificatesThatDoNotHoldAreSaid(t *testing.T) {
	b, plain := services.StartRedisTLS(t), services.StartRedis(t)
	expired, authority := services.ListenExpired(t)
	ca, err := os.ReadFile(filepath.Join(b.Dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	for _, c := range []struct {
		address string
		tls     *tls.Config
		want    string
	}{
		{b.Addr(), nil, "name the file of that authority (tls_ca)"},
		{expired, &tls.Config{RootCAs: authority}, "has expired"},
		{b.Addr(), &tls.Config{RootCAs: trusted, ServerName: "other.example"}, "for another name"},
	} {
		o := redis.Options{URI: "rediss://" + c.address + "/0", TLS: c.tls, ReconnectMax: time.Second, Linger: -1}
		brokertest.Failed(t, subscriber(t, o), c.want)
		brokertest.Failed(t, sender(t, o), c.want)
	}
	for uri, want := range map[string]string{
		"rediss://" + plain.Addr(): "does not answer as one that speaks TLS",
		"redis://" + b.Addr():      "that wants TLS (rediss:)",
	} {
		s := subscriber(t, redis.Options{URI: uri, Timeout: time.Second, ReconnectMax: time.Second})
		brokertest.Await(t, want, s, func() bool { st := s.Status(); return st.Err != nil && strings.Contains(st.Err.Error(), want) })
	}
}

const compressed = `
import sys, kombu
with kombu.Connection(sys.argv[1]) as c:
    q = c.SimpleQueue("logging")
    for how in "zlib", "bzip2", None:
        q.put({"channel": "c", "level": 11, "msg": how or "pickle"}, compression=how, serializer="json" if how else "pickle")
`

func TestCompressedAndPickledMessagesOfKombuAreRead(t *testing.T) {
	o, _ := options(t, redis.Tap)
	s := receive(t, o)
	brokertest.Python(t, compressed, o.URI)
	for _, want := range []string{"zlib", "bzip2", "pickle"} {
		if got := brokertest.Next(t, s).Message(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatIsTooLargeIsCountedAndDoesNotComeAgain(t *testing.T) {
	o, _ := options(t, redis.Consume)
	c := client(t, o)
	large, err := json.Marshal(map[string]any{"channel": "c", "level": 11, "msg": strings.Repeat("x", wire.DefaultMaxSize)})
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	if _, err := io.Copy(w, bytes.NewReader(large)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	envelope := func(compression string, body []byte) string {
		return fmt.Sprintf(`{"body": %q, "content-type": "application/json", "headers": {"compression": %q}, "properties": {"body_encoding": "base64", "delivery_tag": "t"}}`,
			base64.StdEncoding.EncodeToString(body), compression)
	}
	for _, text := range []string{
		envelope("", large), envelope("application/x-gzip", bomb.Bytes()), envelope("application/x-brotli", []byte("?")),
		"no envelope", `{"body": "%", "properties": {"body_encoding": "base64"}}`, envelope("", brokertest.Numbered(1)),
	} {
		if err := c.LPush(t.Context(), "logging", text).Err(); err != nil {
			t.Fatal(err)
		}
	}
	s := receive(t, o)
	if r := brokertest.Next(t, s); r.Message() != "1" {
		t.Error(r.Message())
	}
	if st := s.Stats(); st.Rejected != 5 || st.Reasons[wire.ReasonTooLarge] != 2 || st.Reasons[wire.ReasonMalformed] != 3 {
		t.Errorf("%+v", st)
	}
	if text := fmt.Sprint(s.Status()); !strings.Contains(text, "5 messages rejected") {
		t.Error(text)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if keys := c.Keys(t.Context(), "logbook-tray.held*").Val(); len(keys) != 0 {
		t.Errorf("left behind: %q", keys)
	}
}

package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
)

// vanishes is a consumer that reads and is never seen again.
const vanishes = `
import sys, redis
r = redis.Redis(port=int(sys.argv[1]))
got = r.xreadgroup(sys.argv[2], "python", {"logging": ">"}, count=int(sys.argv[3]))
print(sum(len(entries) for stream, entries in got))
`

func TestWhatAConsumerLeftThatHasDiedIsTakenOverAndMarked(t *testing.T) {
	const left, count = 700, 710 // more than is claimed at once
	for name, arguments := range map[string][]string{
		"now":           nil,
		"as before 6.2": {"--rename-command", "XAUTOCLAIM", "OTHER-AUTOCLAIM"},
	} {
		t.Run(name, func(t *testing.T) {
			o, b := options(t, redis.Stream, arguments...)
			o.ClaimAfter = 100 * time.Millisecond
			to, c := sender(t, o), client(t, o)
			if err := c.XGroupCreateMkStream(t.Context(), "logging", redis.DefaultGroup, "0").Err(); err != nil {
				t.Fatal(err)
			}
			for i := range count {
				brokertest.Send(t, to, brokertest.Numbered(i))
			}
			brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == count })
			if got := brokertest.Python(t, vanishes, fmt.Sprint(b.Port), redis.DefaultGroup, fmt.Sprint(left)); got != fmt.Sprintln(left) {
				t.Fatalf("it has read %s", got)
			}
			s := receive(t, o)
			seen, last := make(map[int]bool), map[bool]int{true: -1, false: left - 1}
			for range count {
				r := brokertest.Next(t, s)
				n, marked := brokertest.Number(t, r), brokertest.Marked(r)
				if seen[n] || marked != (n < left) || n != last[marked]+1 {
					t.Fatalf("%d, seen before %v, marked %v, after %d", n, seen[n], marked, last[marked])
				}
				seen[n], last[marked] = true, n
			}
			brokertest.Await(t, "the acknowledgements", s, func() bool {
				return c.XPending(t.Context(), "logging", redis.DefaultGroup).Val().Count == 0
			})
		})
	}
}

func TestWhatAConsumerIsStillAtIsLeftToIt(t *testing.T) {
	o, b := options(t, redis.Stream)
	s, to, c := receive(t, o), sender(t, o), client(t, o)
	if err := s.Close(); err != nil { // there is a group now
		t.Fatal(err)
	}
	brokertest.Send(t, to, brokertest.Numbered(0))
	brokertest.Await(t, "the confirmation", to, func() bool { return to.Sent() == 1 })
	brokertest.Python(t, vanishes, fmt.Sprint(b.Port), redis.DefaultGroup, "1")
	s = receive(t, o)
	brokertest.Send(t, to, brokertest.Numbered(1))
	if r := brokertest.Next(t, s); r.Message() != "1" || brokertest.Marked(r) {
		t.Errorf("%s, marked %v", r.Message(), brokertest.Marked(r))
	}
	if held := pending(t, c); len(held) != 1 && len(held) != 2 || held[0].Consumer != "python" {
		t.Errorf("%+v", held)
	}
}

// pending returns what is not acknowledged, the oldest first.
func pending(t *testing.T, c *goredis.Client) []goredis.XPendingExt {
	t.Helper()
	held, err := c.XPendingExt(t.Context(), &goredis.XPendingExtArgs{
		Stream: "logging", Group: redis.DefaultGroup, Start: "-", End: "+", Count: 10,
	}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func TestAReceiverShowsThatItIsStillAtWhatItHolds(t *testing.T) {
	o, _ := options(t, redis.Stream)
	o.ClaimAfter = 3 * time.Second
	r, err := redis.NewReceiver(o)
	if err != nil {
		t.Fatal(err)
	}
	to, c := sender(t, o), client(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	buf := make([]queue.Message, 1)
	if _, err := r.Receive(brokertest.Patience(t), buf); err != nil {
		t.Fatal(err)
	}
	var most time.Duration
	brokertest.Await(t, "a sign", r, func() bool {
		held := pending(t, c)
		if len(held) != 1 {
			t.Fatalf("%+v", held)
		}
		idle := held[0].Idle
		most = max(most, idle)
		return idle < most
	})
	buf[0].Ack(nil)
	brokertest.Await(t, "the acknowledgement", r, func() bool { return len(pending(t, c)) == 0 })
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestAUserWhoMayNotClaimReadsWhatIsNew(t *testing.T) {
	o, b := options(t, redis.Stream, "--user", "tray", "on", ">hush", "~*", "&*", "+@all", "-xautoclaim")
	o.URI = "redis://tray:hush@" + b.Addr() + "/0"
	s, to := receive(t, o), sender(t, o)
	brokertest.Send(t, to, brokertest.Numbered(0))
	if r := brokertest.Next(t, s); r.Message() != "0" {
		t.Error(r.Message())
	}
	brokertest.Await(t, "the remark", s, func() bool {
		st := s.Status()
		return st.State == queue.StateConnected && st.Err != nil && strings.Contains(st.Err.Error(), "what other consumers leave is not taken over") &&
			strings.Contains(st.Err.Error(), "xautoclaim")
	})
}

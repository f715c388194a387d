package redis_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// redisHandlerOn logs numbers with Logbook's RedisHandler: a third, then, when Redis is away,
// another, and the last when it is back. What it could not push it holds, and pushes at the
// end at the latest.
const redisHandlerOn = `
import sys, time
import redis
from logbook import Flags, Logger
from logbook.queues import RedisHandler

port, push, third = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) // 3
handler = RedisHandler(port=port, push_method=push, flush_threshold=50)
log = Logger("shop")

def answers():
    try:
        return redis.Redis(port=port).ping()
    except redis.ConnectionError:
        return False

def until(condition, *said):
    print(*said, flush=True)
    deadline = time.monotonic() + 80
    while not condition():
        assert time.monotonic() < deadline, said
        time.sleep(0.01)

with Flags(errors="silent"), handler.applicationbound():
    for i in range(third):
        log.info(str(i))
    until(lambda: not handler.queue, "logs")
    until(lambda: not answers(), "first")
    for i in range(third, 2 * third):
        log.info(str(i))
    until(answers, "second", len(handler.queue), "held")
    for i in range(2 * third, 3 * third):
        log.info(str(i))
handler.close()
print("third", flush=True)
`

func TestLogbooksRedisHandlerLosesNothingWhenRedisCrashes(t *testing.T) {
	for push, newest := range map[string]bool{"rpush": false, "lpush": true} {
		t.Run(push, func(t *testing.T) {
			count := brokertest.Count(3000, 48_000)
			o, b := options(t, redis.List)
			o.Newest = newest
			s := receive(t, o)
			p := e2e.Start(t, os.Environ(), "/usr/bin/python3", "-c", redisHandlerOn, fmt.Sprint(b.Port), push, fmt.Sprint(count))
			said := func(what string) {
				t.Helper()
				brokertest.Await(t, what, s, func() bool { return strings.Contains(p.Output(), what) })
			}
			came := 0
			receive := func(until int) {
				t.Helper()
				for came < until {
					r := brokertest.Next(t, s)
					switch n := brokertest.Number(t, r); {
					case n == came:
						came++
					case n > came || !brokertest.Marked(r):
						t.Fatalf("got %d, marked %v, want %d", n, brokertest.Marked(r), came)
					}
				}
			}
			receive(count / 3)
			said("first")
			b.Kill()
			brokertest.Await(t, "the loss", s, func() bool { return s.Status().State == queue.StateLost })
			said("held")
			b.Restart(t)
			receive(count)
			said("third")
			if code := p.Wait(t); code != 0 {
				t.Errorf("exit code %d: %s", code, p.Output())
			}
			brokertest.Connected(t, s)
		})
	}
}

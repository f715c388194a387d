package redis_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/redis"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// gathering returns options with which records wait for each other for longer than a test
// takes.
func gathering(t *testing.T, mode redis.Mode, threshold int) (redis.Options, *services.Broker) {
	t.Helper()
	o, b := options(t, mode)
	o.FlushThreshold, o.FlushTime, o.Linger = threshold, time.Hour, services.Patience
	return o, b
}

// length returns how many records are in a list.
func length(t *testing.T, o redis.Options) int64 {
	t.Helper()
	n, err := client(t, o).LLen(t.Context(), redis.DefaultKey).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRecordsAreGatheredUntilThereAreEnough(t *testing.T) {
	o, _ := gathering(t, redis.List, 5)
	to := sender(t, o)
	for i := range 4 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	other := o // who gathers nothing has long sent meanwhile
	other.FlushThreshold, other.Queue = 0, "other"
	prompt := sender(t, other)
	for i := range 20 {
		brokertest.Send(t, prompt, brokertest.Numbered(i))
		brokertest.Await(t, "a confirmation", prompt, func() bool { return prompt.Sent() == uint64(i)+1 }) //nolint:gosec // a small number
	}
	if n := length(t, o); n != 0 || to.Sent() != 0 {
		t.Errorf("%d of 4 records did not wait for the fifth", n)
	}
	brokertest.Send(t, to, brokertest.Numbered(4))
	brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == 5 })
	if n := length(t, o); n != 5 {
		t.Errorf("%d of 5 records", n)
	}
}

func TestARecordWaitsForOthersAsLongAsItMay(t *testing.T) {
	for _, mode := range []redis.Mode{redis.Consume, redis.List, redis.Channel, redis.Stream} {
		o, _ := gathering(t, mode, 1000)
		o.FlushTime = 50 * time.Millisecond
		s, to := receive(t, o), sender(t, o)
		for i := range 7 {
			brokertest.Send(t, to, brokertest.Numbered(i))
		}
		for i := range 7 {
			if r := brokertest.Next(t, s); brokertest.Number(t, r) != i {
				t.Errorf("%s: %s, want %d", mode, r.Message(), i)
			}
		}
	}
}

func TestWhatIsGatheredIsSentAtTheEnd(t *testing.T) {
	o, _ := gathering(t, redis.List, 1000)
	to := sender(t, o)
	for i := range 300 {
		brokertest.Send(t, to, brokertest.Numbered(i))
	}
	if err := to.Close(); err != nil || to.Sent() != 300 || to.Lost() != 0 || length(t, o) != 300 {
		t.Errorf("%v; %d sent, %d lost, %d there", err, to.Sent(), to.Lost(), length(t, o))
	}
}

func TestWhatIsGatheredOutlivesAnOutage(t *testing.T) {
	for name, c := range map[string]struct {
		count int
		end   func(*testing.T, *redis.Sender) // has it sent
	}{
		"enough": {4, func(t *testing.T, to *redis.Sender) {
			t.Helper()
			brokertest.Send(t, to, brokertest.Numbered(2))
			brokertest.Send(t, to, brokertest.Numbered(3))
		}},
		"closed": {2, func(t *testing.T, to *redis.Sender) {
			t.Helper()
			done := make(chan error, 1)
			go func() { done <- to.Close() }()
			t.Cleanup(func() {
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o, b := gathering(t, redis.List, 4)
			to := sender(t, o)
			brokertest.Connected(t, to)
			brokertest.Send(t, to, brokertest.Numbered(0))
			brokertest.Send(t, to, brokertest.Numbered(1))
			b.Kill()
			c.end(t, to)
			brokertest.Await(t, "the loss", to, func() bool { return to.Status().State == queue.StateLost })
			b.Restart(t)
			brokertest.Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(c.count) }) //nolint:gosec // a small number
			got, err := client(t, o).LRange(t.Context(), redis.DefaultKey, 0, -1).Result()
			if err != nil || len(got) != c.count {
				t.Fatalf("%d of %d, %v", len(got), c.count, err)
			}
			for i, text := range got {
				if text != string(brokertest.Numbered(i)) {
					t.Errorf("%d: %s", i, text)
				}
			}
		})
	}
}

const readList = `
import json, sys, redis
r = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
print(json.dumps([json.loads(text) for text in r.lrange("redis", 0, -1)]))
`

func TestPythonReadsWhatWasGathered(t *testing.T) {
	o, b := gathering(t, redis.List, 128)
	h := queue.NewHandler(sender(t, o), queue.HandlerOptions{
		Encode: redis.Encoder(core.Fields{{Key: "service", Value: "Köln ☃"}}), Timeout: services.Patience,
	})
	const count = 300
	for i := range count {
		if err := h.Handle(t.Context(), &core.Record{Level: core.LevelError, Msg: "record {0}", Args: []any{i}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	var got, want []map[string]any
	if err := json.Unmarshal([]byte(brokertest.Python(t, readList, fmt.Sprint(b.Port))), &got); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		want = append(want, map[string]any{"message": fmt.Sprintf("record %d", i), "level": "ERROR", "service": "Köln ☃"})
	}
	for _, r := range got {
		delete(r, "host")
		delete(r, "time")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%.2000s", d)
	}
}

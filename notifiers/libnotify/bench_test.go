package libnotify_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/libnotify"
)

// arrivals notes when each message got to the service.
type arrivals struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (a *arrivals) GetCapabilities() ([]string, *dbus.Error) { return allCaps, nil }

func (a *arrivals) Notify(_ string, _ uint32, _, _, body string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[body] = now
	return uint32(len(a.at)), nil
}

func (a *arrivals) len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

func startArrivals(b *testing.B, address string) *arrivals {
	b.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	a := &arrivals{at: make(map[string]time.Time)}
	if err := conn.Export(a, objectPath, notifications); err != nil {
		b.Fatal(err)
	}
	if _, err := conn.RequestName(notifications, dbus.NameFlagDoNotQueue); err != nil {
		b.Fatal(err)
	}
	return a
}

func benchRecord(line int, message string) *core.Record {
	r := &core.Record{Channel: "shop", Level: core.LevelError, Site: core.Site{File: "cart.py", Line: line}}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "bench"}, time.Now())
}

// BenchmarkRecordToDBus measures the time from the dispatch of a record to the call
// of Notify in the service, through a queue, with 1,000 other records a second
// beside it.
func BenchmarkRecordToDBus(b *testing.B) {
	address, _ := startBus(b)
	service := startArrivals(b, address)
	h := notifiers.NewHandler(libnotify.New(libnotify.Options{Address: address}), notifiers.Options{
		Limit: limit.Options{Cap: -1}, CloseNotifier: true,
	})
	async := queue.NewAsync(h, queue.AsyncOptions{})
	defer func() { _ = async.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = async.Handle(ctx, benchRecord(0, "beside"))
			}
		}
	})
	sent := make(map[string]time.Time)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	line := 0
	for b.Loop() {
		line++
		message := fmt.Sprint("error ", line)
		<-tick.C
		r := benchRecord(line, message)
		sent[message] = time.Now()
		if err := async.Handle(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
	wait(b, "all have arrived", func() bool { return service.len() >= len(sent) })
	var took []time.Duration
	for message, at := range sent {
		took = append(took, service.at[message].Sub(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkStorm measures what one of 100,000 equal errors costs.
func BenchmarkStorm(b *testing.B) {
	address, _ := startBus(b)
	s := startServer(b, address, allCaps...)
	for b.Loop() {
		before := len(s.all())
		h := notifiers.NewHandler(libnotify.New(libnotify.Options{Address: address}), notifiers.Options{CloseNotifier: true})
		for range 100_000 {
			if err := h.Handle(b.Context(), benchRecord(1, "declined")); err != nil {
				b.Fatal(err)
			}
		}
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
		a, _ := h.Alerts().Get(1)
		if calls := len(s.all()) - before; calls != 2 || a.Count != 100_000 {
			b.Fatalf("%d calls of Notify, count %d", calls, a.Count)
		}
	}
}

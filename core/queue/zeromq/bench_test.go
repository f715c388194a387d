package zeromq_test

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	zmq "github.com/pebbe/zmq4"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

//go:embed testdata/record.json
var sample []byte

// flood is the environment variable that turns the test binary into a sender:
// "URI COUNT".
const flood = "LOGBOOK_TRAY_FLOOD"

// floodMain sends COUNT copies of the sample record as fast as libzmq does.
func floodMain(task string) error {
	var uri string
	var count int
	if _, err := fmt.Sscan(task, &uri, &count); err != nil {
		return err
	}
	s, err := zmq.NewSocket(zmq.PUSH)
	if err != nil {
		return err
	}
	if err := s.Connect(uri); err != nil {
		return err
	}
	for range count {
		if _, err := s.SendBytes(sample, 0); err != nil {
			return err
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	return zmq.Term() // waits until everything is sent
}

// startFlood starts a sender in a process of its own.
func startFlood(tb testing.TB, uri string, count int) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), self) // cleanups run after the context
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", flood, uri, count))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := cmd.Wait(); err != nil {
			tb.Errorf("sender: %v", err)
		}
	})
}

// BenchmarkEndToEnd compares in one run what this package dispatches to an
// installed handler with what the wire allows (raw zmq4 that does nothing with
// the messages) and with python3-logbook. All three receive the same record
// from a sender in another process.
func BenchmarkEndToEnd(b *testing.B) {
	const count = 500_000
	for b.Loop() {
		raw := floodRaw(b, count)
		tray, allocs := floodTray(b, count)
		b.ReportMetric(raw, "raw-records/s")
		b.ReportMetric(tray, "tray-records/s")
		b.ReportMetric(tray/raw, "tray/raw")
		b.ReportMetric(allocs, "tray-allocs/record")
		if python, ok := floodPython(b, count/4); ok {
			b.ReportMetric(python, "python-records/s")
			b.ReportMetric(tray/python, "tray/python")
		}
	}
	b.ReportMetric(0, "ns/op")
}

func floodRaw(b *testing.B, count int) float64 {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, err := zmq.NewContext()
	if err != nil {
		b.Fatal(err)
	}
	s, err := ctx.NewSocket(zmq.PULL)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.SetRcvhwm(zeromq.DefaultReceiveQueue); err != nil {
		b.Fatal(err)
	}
	if err := s.Bind("tcp://127.0.0.1:*"); err != nil {
		b.Fatal(err)
	}
	uri, err := s.GetLastEndpoint()
	if err != nil {
		b.Fatal(err)
	}
	startFlood(b, uri, count)
	var start time.Time
	for i := range count {
		if _, err := s.RecvBytes(0); err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			start = time.Now()
		}
	}
	took := time.Since(start)
	_ = s.Close()
	_ = ctx.Term()
	return float64(count-1) / took.Seconds()
}

func floodTray(b *testing.B, count int) (perSecond, allocs float64) {
	b.Helper()
	r, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	window := make([]*core.Record, 50_000) // what the log window keeps
	var seen atomic.Int64
	var start time.Time
	all := make(chan time.Time, 1)
	s := queue.NewSubscriber(r, queue.Options{Name: "bench"})
	c := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(_ context.Context, r *core.Record) error {
		n := seen.Add(1)
		window[n%int64(len(window))] = r
		switch n {
		case 1:
			start = time.Now()
		case int64(count):
			all <- time.Now()
		}
		return nil
	})})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	startFlood(b, r.Addresses()[0], count)
	end := <-all
	runtime.ReadMemStats(&after)
	if err := c.Stop(); err != nil {
		b.Error(err)
	}
	if err := s.Close(); err != nil {
		b.Error(err)
	}
	if st := s.Stats(); st.Rejected > 0 {
		b.Fatalf("rejected: %v", st.Reasons)
	}
	return float64(count-1) / end.Sub(start).Seconds(), float64(after.Mallocs-before.Mallocs) / float64(count)
}

func floodPython(b *testing.B, count int) (float64, bool) {
	b.Helper()
	uri := "ipc://" + b.TempDir() + "/bench"
	cmd := exec.CommandContext(b.Context(), "/usr/bin/python3", "../../../packaging/bench/logbook_subscriber.py", uri, strconv.Itoa(count))
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Logf("python3-logbook cannot be measured: %v", err)
		return 0, false
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		b.Logf("python3-logbook cannot be measured: %v", err)
		_ = cmd.Wait()
		return 0, false
	}
	startFlood(b, uri, count)
	rest, err := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(rest)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return float64(count-1) / seconds, true
}

// BenchmarkSubscriber is the part of this package in BenchmarkEndToEnd.
func BenchmarkSubscriber(b *testing.B) {
	for b.Loop() {
		rate, allocs := floodTray(b, 1_000_000)
		b.ReportMetric(rate, "records/s")
		b.ReportMetric(allocs, "allocs/record")
	}
}

package socket_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
)

// flood is the environment variable that turns the test binary into a sender:
// "ADDRESS COUNT FILE".
const flood = "LOGBOOK_TRAY_FLOOD"

// floodMain sends COUNT copies of the frame in FILE as fast as it can.
func floodMain(task string) error {
	var address, file string
	var count int
	if _, err := fmt.Sscan(task, &address, &count, &file); err != nil {
		return err
	}
	message, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	const together = 100
	many := bytes.Repeat(message, together)
	for range count / together {
		if _, err := c.Write(many); err != nil {
			return err
		}
	}
	return c.Close()
}

func startFlood(tb testing.TB, address string, count int, file string) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), self) // cleanups run after the context
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", flood, address, count, file))
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

// BenchmarkSocketHandler compares in one run what this package dispatches to an installed
// handler with the receiver in the cookbook of Python's logging package. Both receive the
// same pickle, that of Python's SocketHandler, from a sender in another process.
func BenchmarkSocketHandler(b *testing.B) {
	const count = 400_000
	for name, file := range map[string]string{
		"plain":      "../../wire/testdata/stdlib-socket/py311-002-level_info.frame",
		"with-extra": "../../wire/testdata/stdlib-socket/py311-022-extra_simple.frame",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				tray, allocs := floodTray(b, count, file)
				b.ReportMetric(tray, "tray-records/s")
				b.ReportMetric(allocs, "tray-allocs/record")
				if python, ok := floodPython(b, count/8, file); ok {
					b.ReportMetric(python, "python-records/s")
					b.ReportMetric(tray/python, "tray/python")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkLines is the part of this package in BenchmarkSocketHandler, for lines of JSON.
func BenchmarkLines(b *testing.B) {
	file := b.TempDir() + "/line"
	line := `{"time":"2024-05-01T12:00:00.123456789Z","level":"INFO","source":{"function":"main.main","file":"/srv/shop/main.go","line":12},"msg":"listening","addr":":8080"}` + "\n"
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		rate, allocs := floodTray(b, 200_000, file)
		b.ReportMetric(rate, "records/s")
		b.ReportMetric(allocs, "allocs/record")
	}
	b.ReportMetric(0, "ns/op")
}

func floodTray(b *testing.B, count int, file string) (perSecond, allocs float64) {
	b.Helper()
	r, err := socket.NewReceiver(socket.Options{Address: "127.0.0.1:0"})
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
	startFlood(b, r.Addr().String(), count, file)
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

func floodPython(b *testing.B, count int, file string) (float64, bool) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), python, "../../../packaging/bench/socket_receiver.py", strconv.Itoa(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Logf("Python's receiver cannot be measured: %v", err)
		return 0, false
	}
	lines := bufio.NewReader(out)
	port, err := lines.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	startFlood(b, "127.0.0.1:"+strings.TrimSpace(port), count, file)
	rest, err := io.ReadAll(lines)
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(rest)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return float64(count-1) / seconds, true
}

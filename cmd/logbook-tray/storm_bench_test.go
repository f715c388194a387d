//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

const (
	stormErrors = 100_000
	stormTime   = 10 * time.Second
	stormConfig = `listen: [{type: zeromq, uri: "ADDRESS", mode: pull}]
handlers:
  - {name: desktop, type: fingers_crossed, handler: {name: shown, type: notification}}
`
)

// BenchmarkStorm runs the program beside a real notification daemon and logs 100,000 equal
// errors in 10 s. It fails unless there are two calls of Notify in a minute at most, the
// count is exact, memory is no more than after an earlier storm, and the processor idle when
// it is over. It takes a minute and a half.
func BenchmarkStorm(b *testing.B) {
	d := e2e.StartDesktop(b)
	address := freeAddress(b)
	configure(b, d.Home, strings.ReplaceAll(stormConfig, "ADDRESS", address))
	p := newProgram(b, d.Env())
	proc := p.start("headless")
	s, err := zeromq.NewSender(zeromq.Options{Addresses: []string{address}, Pattern: zeromq.Push})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	cold := memory(b, proc.PID(), "VmRSS")
	storm(b, s, 1, stormErrors) // after it everything that is bounded is as large as it gets
	e2e.Eventually(b, "the first storm is counted", func() bool { return counted(p, 1) == stormErrors })
	line := 1
	for b.Loop() {
		line++
		before, calls := memory(b, proc.PID(), "VmRSS"), len(d.Notifications.Calls())
		start := time.Now()
		storm(b, s, line, stormErrors)
		took := time.Since(start)
		e2e.Eventually(b, "all are counted", func() bool { return counted(p, line) == stormErrors })
		settled := time.Since(start)
		time.Sleep(time.Until(start.Add(70 * time.Second))) // the roll-up comes after a minute
		cpu := processorTime(b, proc.PID())
		const idle = 10 * time.Second
		time.Sleep(idle)
		cpu = processorTime(b, proc.PID()) - cpu
		after, peak := memory(b, proc.PID(), "VmRSS"), memory(b, proc.PID(), "VmHWM")
		all := d.Notifications.Calls()[calls:]
		perMinute := 0
		for i := range all {
			n := 0
			for _, later := range all[i:] {
				if later.At.Sub(all[i].At) < time.Minute {
					n++
				}
			}
			perMinute = max(perMinute, n)
		}
		b.ReportMetric(took.Seconds(), "s-storm")
		b.ReportMetric(settled.Seconds(), "s-until-counted")
		b.ReportMetric(float64(perMinute), "notify/min")
		b.ReportMetric(float64(len(all)), "notify")
		b.ReportMetric(cold, "MB-start")
		b.ReportMetric(before, "MB-before")
		b.ReportMetric(peak, "MB-peak")
		b.ReportMetric(after, "MB-after")
		b.ReportMetric(100*cpu.Seconds()/idle.Seconds(), "%cpu-after")
		if perMinute > 2 || after > before+32 || cpu > idle/20 {
			b.Errorf("%d calls of Notify in a minute, %.0f MB before and %.0f MB after it, %v of the processor in %v", perMinute, before, after, cpu, idle)
		}
		last := all[len(all)-1]
		if want := fmt.Sprint(stormErrors, " times"); !strings.Contains(last.Body, want) {
			b.Errorf("the last notification says %q, want %q", last.Body, want)
		}
	}
	b.StopTimer()
	p.stopped(proc)
}

// storm sends equal errors, ten a millisecond.
func storm(b *testing.B, s *zeromq.Sender, line, n int) {
	b.Helper()
	r := &core.Record{
		Channel: "shop.storm", Level: core.LevelError, Time: time.Now().UTC(), Site: core.Site{File: "cart.py", Line: line},
		Process: core.Process{ID: 4711, Name: "shop"},
	}
	r.SetMessage(fmt.Sprint("declined in line ", line))
	body, err := wire.Append(nil, r)
	if err != nil {
		b.Fatal(err)
	}
	start, each := time.Now(), stormTime/stormErrors
	for i := range n {
		if i%100 == 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * each)))
		}
		if err := s.Send(context.Background(), body); err != nil {
			b.Fatal(err)
		}
	}
}

// counted returns the count of the alert about a line.
func counted(p *program, line int) int {
	for _, a := range p.alerts() {
		if a.Message == fmt.Sprint("declined in line ", line) {
			return a.Count
		}
	}
	return 0
}

// memory returns what a process has in memory, in megabytes.
func memory(b *testing.B, pid int, what string) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == what+":" {
			kB, _ := strconv.Atoi(fields[1])
			return float64(kB) / 1024
		}
	}
	b.Fatalf("no %s of process %d", what, pid)
	return 0
}

// processorTime returns what a process has used of the processors.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a hundred ticks a second
}

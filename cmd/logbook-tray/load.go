package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
)

// loadOptions are the flags of the command load.
type loadOptions struct {
	uri      string
	rate     int
	size     int
	duration time.Duration
	count    int
	errors   int
	bind     bool
	wait     time.Duration
}

// loadReport is what a load has shown. Its JSON form is the output of
// "logbook-tray load --format json"; fields are only ever added.
type loadReport struct {
	Sent    int     `json:"sent"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rate"` // that was reached, records a second
	// Instance says that a running instance was asked what came of them; the rest is
	// about it. Records that others sent at the time count too.
	Instance   bool        `json:"instance"`
	Received   uint64      `json:"received"`
	Rejected   uint64      `json:"rejected"`
	Dropped    uint64      `json:"dropped"`
	Dispatched uint64      `json:"dispatched"`
	Lost       int         `json:"lost"` // sent, and neither received nor dropped by the instance
	Latency    loadLatency `json:"latency"`
}

// loadLatency is how long records took from being made until the instance showed them, in
// milliseconds.
type loadLatency struct {
	Samples int     `json:"samples"`
	Median  float64 `json:"median_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

func newLoad(g *globals) *cobra.Command {
	var o loadOptions
	var f outputFormat
	cmd := &cobra.Command{
		Use:   "load [URI]",
		Short: "Publish at a given rate and size, and report what was received, dropped, and the latency",
		Long: `Publish records over ZeroMQ at a given rate and size, to a listening logbook-tray
(` + defaultPushURI + ` unless a URI is given), and ask the running instance what it received, dropped and
handled, and how long a record took until it could be seen. The records are on the
level debug, so that they make no notification; --errors makes some of them errors.

It exits with 1 if a record was lost.`,
		Example: "  logbook-tray load\n  logbook-tray load --rate 10000 --duration 1m --size 700\n" +
			"  logbook-tray load --rate 0 --count 1000000 --format json",
		Args: maxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.uri = defaultPushURI
			if len(args) == 1 {
				o.uri = args[0]
			}
			if o.rate < 0 || o.size < 0 || o.count < 0 || o.errors < 0 || o.count == 0 && o.duration <= 0 {
				return usagef("a load needs a --duration or a --count, and nothing of it can be negative")
			}
			r, err := runLoad(cmd.Context(), g, &o)
			if err != nil {
				return err
			}
			if f.json() {
				err = writeJSON(cmd.OutOrStdout(), r)
			} else {
				err = printLoad(cmd.OutOrStdout(), r)
			}
			if err == nil && r.Lost > 0 {
				return exitError{exitFailed}
			}
			return err
		},
	}
	f.flag(cmd)
	cmd.Flags().IntVarP(&o.rate, "rate", "r", 10_000, "records a second (0: as fast as they are taken)")
	cmd.Flags().IntVarP(&o.size, "size", "s", 100, "length of the message in bytes, at least")
	cmd.Flags().DurationVarP(&o.duration, "duration", "d", 10*time.Second, "how long to publish")
	cmd.Flags().IntVarP(&o.count, "count", "n", 0, "publish this many records, however long it takes")
	cmd.Flags().IntVar(&o.errors, "errors", 0, "make each `N`th record an error (0: none)")
	cmd.Flags().BoolVar(&o.bind, "bind", false, "publish on a PUB socket bound to the URI, and wait for a subscriber")
	cmd.Flags().DurationVar(&o.wait, "wait", 3*time.Second, "how long to wait for somebody who listens")
	return cmd
}

// loadChannel is the channel of the records.
const loadChannel = "logbook-tray.load"

// runLoad publishes and measures.
func runLoad(ctx context.Context, g *globals, o *loadOptions) (r loadReport, err error) {
	p, err := newPublisher(o.uri, o.bind, o.wait)
	if err != nil {
		return r, err
	}
	m, err := newLoadMeter(ctx, g)
	if err != nil {
		return r, p.close(err)
	}
	defer m.close()
	start := time.Now()
	r.Sent, err = o.publish(ctx, p, start)
	r.Seconds = time.Since(start).Seconds()
	if err := p.close(err); err != nil {
		return r, err
	}
	r.Rate = float64(r.Sent) / r.Seconds
	return r, m.report(ctx, &r)
}

// sampleEvery is how many records come to one whose latency is measured.
func (o *loadOptions) sampleEvery() int { return max(o.rate/100, 1) }

// publish publishes the records and returns how many there were.
func (o *loadOptions) publish(ctx context.Context, p *publisher, start time.Time) (n int, err error) {
	text := strings.Repeat("x", o.size)
	for ; o.count == 0 || n < o.count; n++ {
		now := time.Now()
		if o.count == 0 && now.Sub(start) >= o.duration {
			break
		}
		if o.rate > 0 {
			// After the clock, not by pauses: what was late is caught up with.
			due := start.Add(time.Duration(float64(n) / float64(o.rate) * float64(time.Second)))
			if ahead := due.Sub(now); ahead > time.Millisecond {
				select {
				case <-ctx.Done():
					return n, ctx.Err()
				case <-time.After(ahead):
				}
			}
		}
		if err := p.publish(ctx, o.record(n, text)); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (o *loadOptions) record(n int, text string) *core.Record {
	r := &core.Record{Channel: loadChannel, Level: core.LevelDebug, Time: time.Now().UTC()}
	number := fmt.Sprintf("load %d ", n)
	r.Msg = number + text[:max(0, len(text)-len(number))]
	r.SetMessage(r.Msg)
	if o.errors > 0 && n%o.errors == o.errors-1 {
		r.Level = core.LevelError
	}
	if n%o.sampleEvery() == 0 {
		r.Extra.Set("sample", true)
	}
	return r
}

// loadMeter asks the running instance what came of the records. It is of no use, and
// harmless, if there is none.
type loadMeter struct {
	client *control.Client // nil: no running instance
	before map[string]uint64
	seen   chan time.Duration
	stop   context.CancelFunc
	done   chan error // ends with the stream of records
}

func newLoadMeter(ctx context.Context, g *globals) (*loadMeter, error) {
	c, err := g.client()
	if err != nil {
		return nil, err
	}
	m := &loadMeter{client: c, seen: make(chan time.Duration, 1<<16), done: make(chan error, 1)}
	m.before, err = m.totals(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		c.Close()
		return &loadMeter{}, nil
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	ctx, m.stop = context.WithCancel(ctx)
	connected := make(chan struct{})
	o := control.TailOptions{Filter: `channel == "` + loadChannel + `" && extra.sample == true`}
	go func() {
		defer close(m.done)
		m.done <- c.Tail(ctx, o, func() { close(connected) }, func(r *core.Record) error {
			select {
			case m.seen <- time.Since(r.Time):
			default: // more samples would not say more
			}
			return nil
		})
	}()
	select {
	case <-connected:
		return m, nil
	case err := <-m.done:
		m.stop()
		c.Close()
		return nil, err
	}
}

// totals returns the counters of all subscribers of the running instance.
func (m *loadMeter) totals(ctx context.Context) (map[string]uint64, error) {
	s, err := m.client.Status(ctx)
	if err != nil {
		return nil, err
	}
	p, err := pipelineStatus(s)
	return p.Totals, err
}

// How long the instance may do nothing before the rest counts as lost, and how often it is
// asked.
const (
	loadIdle = 3 * time.Second
	loadPoll = 50 * time.Millisecond
)

// report waits until the instance has received what was sent, or receives nothing any
// more, and says what it counted.
func (m *loadMeter) report(ctx context.Context, r *loadReport) error {
	if m.client == nil {
		return nil
	}
	last, progress := uint64(0), time.Now()
	tick := time.NewTicker(loadPoll)
	defer tick.Stop()
	for {
		totals, err := m.totals(ctx)
		if err != nil {
			return err
		}
		since := func(name string) uint64 { return totals[name] - m.before[name] }
		r.Instance = true
		r.Received, r.Rejected, r.Dropped, r.Dispatched = since("received"), since("rejected"), since("dropped"), since("dispatched")
		r.Lost = max(r.Sent-int(r.Received)-int(r.Dropped), 0) //nolint:gosec // counts
		if sum := r.Received + r.Dropped + r.Dispatched; sum != last {
			last, progress = sum, time.Now()
		}
		if r.Lost == 0 && r.Received <= r.Dispatched+r.Rejected || time.Since(progress) > loadIdle {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	r.Latency = latencyOf(m.seen)
	return nil
}

// latencyOf sums up the samples at hand.
func latencyOf(seen <-chan time.Duration) (l loadLatency) {
	var all []time.Duration
	for len(seen) > 0 {
		all = append(all, <-seen)
	}
	if len(all) == 0 {
		return l
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return loadLatency{Samples: len(all), Median: ms(all[len(all)/2]), P99: ms(all[len(all)*99/100]), Max: ms(all[len(all)-1])}
}

// close ends the connection to the instance.
func (m *loadMeter) close() {
	if m.client == nil {
		return
	}
	m.stop()
	for range m.done {
	}
	m.client.Close()
}

func printLoad(w io.Writer, r loadReport) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "sent\t%d\tin %.1f s: %.0f a second\n", r.Sent, r.Seconds, r.Rate)
	if !r.Instance {
		fmt.Fprintf(tw, "received\t?\tthere is no running instance to ask\n")
		return tw.Flush()
	}
	fmt.Fprintf(tw, "received\t%d\n", r.Received)
	fmt.Fprintf(tw, "handled\t%d\n", r.Dispatched)
	fmt.Fprintf(tw, "rejected\t%d\n", r.Rejected)
	fmt.Fprintf(tw, "dropped\t%d\n", r.Dropped)
	fmt.Fprintf(tw, "lost\t%d\n", r.Lost)
	l := r.Latency
	fmt.Fprintf(tw, "latency\t\tmedian %.2f ms, 99 %% under %.2f ms, at most %.2f ms (%d samples)\n", l.Median, l.P99, l.Max, l.Samples)
	return tw.Flush()
}

// Package peertest is what the tests of transports have in common that try them with Logbook
// and the logging package of Python as they are in Debian: a record of each level with all that
// a record has, one of a megabyte, and then numbers, in both directions. Only tests import it.
//
// A test says in Python how its handler or subscriber is made:
//
//	peertest.Logbook().Send(t, s, peertest.Peer{
//		Make: `handler = ZeroMQHandler(sys.argv[1], multi=True)`,
//		Args: []string{uri}, Count: 1000,
//	})
package peertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

// patience bounds how long a test waits for a record, or for a program of Python. It is long
// because the machine may be busy with other tests.
const patience = 90 * time.Second

// megabyte is how many letters the message of the large record has, of two bytes each.
const megabyte = 500_000

// inexact is how exact a time is that Python has as a number of seconds.
var inexact = cmpopts.EquateApproxTime(time.Microsecond) //nolint:gochecknoglobals // it is not changed

// Peer is the other end, a program of Python.
type Peer struct {
	// Make are statements that define handler, or for the one who receives receive, a function
	// that returns the next record. They see Args as sys.argv[1:].
	Make string
	// Args are the arguments of the program.
	Args []string
	// Large is how many letters the large record has; 0: so many that it has a megabyte. Less
	// than 0: there is none.
	Large int
	// Count is how many small records follow.
	Count int
	// End are statements at the end.
	End string
	// Loses are the names of what the transport does not carry, of the keys of the
	// [Package].
	Loses []string
	// Change, if not nil, changes what is expected of a record.
	Change func(want map[string]any)
	// Run, if not nil, is given the command that runs the program that sends, and returns what
	// receives from it, for a receiver that starts programs itself.
	Run func(args []string) *queue.Subscriber
	// Stdin, if not nil, is the standard input of the program that receives.
	Stdin *os.File
}

func (p *Peer) large() int {
	if p.Large == 0 {
		return megabyte
	}
	return max(p.Large, 0)
}

// Package is a package of Python that logs: what records it makes, and how a record of ours
// looks to it.
type Package struct {
	send, receive string
	levels        int
	read          func(told map[string]any) map[string]any
	view          func(r *core.Record) map[string]any
}

// Everything returns a record of each level with all that a record has.
func Everything() []*core.Record {
	var all []*core.Record
	for i, level := range core.Levels() {
		all = append(all, &core.Record{
			Channel: "shop.Köln", Level: level, Time: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
			Msg: "Grüße {0} ☃ 🛒 {n}\n\tnext", Args: []any{int64(i)}, Kwargs: core.Fields{{Key: "n", Value: int64(-i)}},
			Extra: core.Fields{
				{Key: "kunde", Value: "Jürgen"},
				{Key: "count", Value: int64(1 << 40)},
				{Key: "ratio", Value: 1.5},
				{Key: "none", Value: nil},
				{Key: "list", Value: []any{int64(1), "zwei", true}},
			},
			Exception: &core.Exception{
				Name: "builtins.KeyError", Message: "'ünknown'",
				Traceback: "Traceback (most recent call last):\n  File \"shop.py\", line 7, in buy\nKeyError: 'ünknown'",
			},
			Site:    core.Site{File: "/srv/shop.py", Line: 7, Function: "buy", Module: "shop"},
			Process: core.Process{ID: 4711, Name: "MainProcess"}, Thread: core.Thread{ID: 1 << 46, Name: "Thread-1"},
		})
	}
	return all
}

// Small returns the record of a number, which is its message.
func Small(n int) *core.Record {
	return &core.Record{Channel: "shop", Level: core.LevelInfo, Msg: "{0}", Args: []any{n}, Time: time.Now().UTC().Truncate(time.Microsecond)}
}

// Large returns a record with a message of so many letters of two bytes.
func Large(letters int) *core.Record {
	return &core.Record{Channel: "shop", Level: core.LevelDebug, Msg: strings.Repeat("ü", letters), Time: time.Now().UTC().Truncate(time.Microsecond)}
}

// Send has a program of Python send, and checks what comes to s. In the program, source is the
// text that has defined everything.
func (k Package) Send(t *testing.T, s *queue.Subscriber, p Peer) {
	t.Helper()
	told := filepath.Join(t.TempDir(), "told")
	source, err := json.Marshal(k.send) // which Python understands
	if err != nil {
		t.Fatal(err)
	}
	program := "import sys\ntold, large, count = sys.argv.pop(), int(sys.argv.pop()), int(sys.argv.pop())\n" +
		"source = " + string(source) + "\nexec(source)\n" + p.Make + "\neverything(handler, told, large, count)\n" + p.End
	args := append(append([]string{"-c", program}, p.Args...), strconv.Itoa(p.Count), strconv.Itoa(p.large()), told)
	var peer *process
	if p.Run != nil {
		s = p.Run(append([]string{python}, args...))
	} else {
		peer = run(t, args, nil)
	}
	records := make([]*core.Record, 0, k.levels)
	for range k.levels {
		records = append(records, next(t, s))
	}
	if p.large() > 0 {
		if got := len([]rune(next(t, s).Message())); got != p.large() {
			t.Errorf("%d letters of %d", got, p.large())
		}
	}
	started := time.Now()
	for i := range p.Count {
		if r := next(t, s); r.Message() != strconv.Itoa(i) {
			t.Fatalf("got %.60q, want %d; %+v", r.Message(), i, s.Stats())
		}
	}
	if p.Count > 0 {
		t.Logf("%d in %v", p.Count, time.Since(started).Round(time.Millisecond))
	}
	if peer != nil {
		peer.wait(t)
	} else if r, err := s.Recv(t.Context()); !errors.Is(err, queue.ErrClosed) { // it has ended
		t.Errorf("%+v, %v", r, err)
	}
	text, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	k.compare(t, p, strings.Split(strings.TrimSpace(string(text)), "\n"), records)
	if st := s.Stats(); st.Rejected != 0 || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

// compare compares records with what Python has told of them.
func (k Package) compare(t *testing.T, p Peer, lines []string, records []*core.Record) {
	t.Helper()
	if len(lines) != len(records) {
		t.Fatalf("Python has told of %d records: %q", len(lines), lines)
	}
	for i, r := range records {
		want, got := k.read(object(t, lines[i])), k.view(r)
		if p.Change != nil {
			p.Change(want)
		}
		for _, name := range p.Loses {
			delete(want, name)
			delete(got, name)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), inexact); d != "" {
			t.Errorf("%v (-python +ours):\n%s", r.Level, d)
		}
	}
}

// Receive has a program of Python receive, and checks what came. handler returns a handler
// that sends to it; it is given the first line that Make prints.
func (k Package) Receive(t *testing.T, p Peer, handler func(first string) core.Handler) {
	t.Helper()
	sent := Everything()
	program := "import sys\nlarge, count, levels = int(sys.argv.pop()), int(sys.argv.pop()), int(sys.argv.pop())\n" +
		k.receive + p.Make + "\neverything(receive, levels, large, count)\n" + p.End
	args := append(append([]string{"-c", program}, p.Args...), strconv.Itoa(len(sent)), strconv.Itoa(p.Count), strconv.Itoa(p.large()))
	peer := run(t, args, p.Stdin)
	h := handler(peer.line(t))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	send := func(r *core.Record) {
		t.Helper()
		if err := h.Handle(ctx, r); err != nil {
			t.Fatalf("%v; python: %s", err, &peer.stderr)
		}
	}
	for _, r := range sent {
		send(r)
	}
	if p.large() > 0 {
		send(Large(p.large()))
	}
	for i := range p.Count {
		send(Small(i))
	}
	for _, r := range sent {
		got, want := k.read(object(t, peer.line(t))), k.view(r)
		if p.Change != nil {
			p.Change(want)
		}
		for _, name := range p.Loses {
			delete(want, name)
			delete(got, name)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), inexact); d != "" {
			t.Errorf("%v (-ours +python):\n%s", r.Level, d)
		}
	}
	if p.large() > 0 {
		if got := peer.line(t); got != strconv.Itoa(p.large()) {
			t.Errorf("%s letters of %d", got, p.large())
		}
	}
	if got := peer.line(t); got != strconv.Itoa(p.Count) {
		t.Errorf("%s numbers of %d", got, p.Count)
	}
	peer.wait(t)
}

func next(t *testing.T, s *queue.Subscriber) *core.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		t.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

// object reads a line of JSON, with numbers as the decoder of records has them.
func object(t *testing.T, line string) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
	decoder.UseNumber()
	var d map[string]any
	if err := decoder.Decode(&d); err != nil {
		t.Fatalf("%v: %.200s", err, line)
	}
	plain(d)
	return d
}

// plain turns what the decoder calls numbers into what they are.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // it is one
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}

package rejected

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Limits].
const (
	DefaultMaxCount = 1000
	DefaultMaxSize  = 16 << 20
)

// Of the messages of one source with one reason, the first Burst are kept in each Window; all
// are counted.
const (
	Burst  = 20
	Window = time.Minute
)

// What waits to be written is bounded.
const (
	maxQueued      = 256
	maxQueuedBytes = 8 << 20
)

// maxBursts bounds how many sources and reasons are told apart.
const maxBursts = 1000

// What is kept of an error and of what a peer may choose is bounded, in bytes.
const (
	maxDetail = 1 << 10
	maxText   = 256
)

// Limits say how much is kept. The oldest go first.
type Limits struct {
	Disabled bool // nothing more is kept; what is there stays
	MaxCount int  // 0 means DefaultMaxCount
	MaxSize  int  // of all files, in bytes; 0 means DefaultMaxSize
}

func (l Limits) withDefaults() Limits {
	if l.MaxCount <= 0 {
		l.MaxCount = DefaultMaxCount
	}
	if l.MaxSize <= 0 {
		l.MaxSize = DefaultMaxSize
	}
	return l
}

// Options are the settings of a [Store]. The functions may be nil; they are called by the
// goroutine of [Store.Run].
type Options struct {
	// Dir is the directory of the files. It is made when there is something to be kept.
	Dir string
	// OnError is told once that messages cannot be kept, and nil when they can again.
	OnError func(error)
	// OnReport is told about rejected messages: for each source and reason about the first
	// at once, and then once in each [Window] in which there were more.
	OnReport func(Report)
}

// Report sums up messages of one source that were rejected for the same reason.
type Report struct {
	Source, Reason string
	Detail         string // of the message with the ID, or of the first
	Count          uint64
	ID             uint64 // of the last that was kept; 0 if none was
}

// Stats count what became of rejected messages.
type Stats struct {
	Rejected uint64 // all since the start
	// Limited were more than [Burst] of a kind, Dropped came faster than they could be
	// written, Failed could not be written.
	Limited, Dropped, Failed uint64
	Held                     int            // how many are kept now
	Size                     int            // of their files, in bytes
	Sources                  map[string]int // Held by the name of the source
	Err                      error
}

// Store keeps rejected messages in files. Its methods are safe for concurrent use.
type Store struct {
	o       Options
	queue   chan item
	wake    chan struct{} // capacity 1: there is a new burst, or other limits
	queued  atomic.Int64  // bytes of the bodies in queue
	dropped atomic.Uint64
	failed  atomic.Uint64

	mu       sync.Mutex // never held while a file is touched; guards what follows
	limits   Limits
	bursts   map[kind]*burst
	rejected uint64
	limited  uint64
	held     int
	size     int
	sources  map[string]int // held by the name of the source
	err      error

	files sync.Mutex // held while files are touched; guards what follows
	index []Entry    // the oldest first
	sizes []int      // of their files
	next  uint64
}

// kind is what messages are counted by.
type kind struct{ source, reason string }

// burst counts the messages of a kind within a window.
type burst struct {
	since      time.Time
	kept       int
	unreported uint64
	detail     string
	id         uint64 // of the last that was written
}

// item is a message on its way to the disk.
type item struct {
	entry Entry
	kind  kind
	first bool // of a burst: it is reported
	keep  bool
}

// Open returns a store with what an earlier run has kept. Nothing more is written until
// [Store.Run] runs. The error says that what is there cannot be read; the store works without
// it.
func Open(o Options, l Limits) (*Store, error) {
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	if o.OnReport == nil {
		o.OnReport = func(Report) {}
	}
	s := &Store{
		o: o, limits: l.withDefaults(), queue: make(chan item, maxQueued), wake: make(chan struct{}, 1), bursts: make(map[kind]*burst), sources: make(map[string]int), next: 1,
	}
	list, broken, err := scan(o.Dir)
	for _, name := range broken { // by a full disk, or by whoever was killed
		_ = os.Remove(name)
	}
	for _, e := range list {
		info, err := os.Stat(path(o.Dir, e.ID))
		if err != nil {
			continue
		}
		s.index, s.sizes, s.next = append(s.index, e), append(s.sizes, int(info.Size())), e.ID+1
		s.size += int(info.Size())
		s.sources[e.Source]++
	}
	s.held = len(s.index)
	return s, err
}

// Limit changes the limits. What is too much by the new ones is removed by [Store.Run].
func (s *Store) Limit(l Limits) {
	s.mu.Lock()
	s.limits = l.withDefaults()
	s.mu.Unlock()
	s.notify()
}

// notify makes Run look at the limits and the bursts.
func (s *Store) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // it is going to
	}
}

// Add counts a message that was rejected, and has it kept. sourceType is the kind of its
// source. It never blocks.
func (s *Store) Add(sourceType string, r queue.Rejection) {
	now := time.Now()
	s.mu.Lock()
	b, k, first := s.burst(kind{r.Source.Name, r.Reason}, now)
	s.rejected++
	b.unreported++
	keep := !s.limits.Disabled && b.kept < Burst
	if !keep && !first {
		if !s.limits.Disabled {
			s.limited++
		}
		s.mu.Unlock()
		return
	}
	if keep {
		b.kept++
	}
	detail := detailOf(r.Err)
	if first {
		b.detail = detail
	}
	most := min(MaxBody, s.limits.MaxSize/4)
	s.mu.Unlock()

	e := Entry{
		Time: now.UTC(), Source: cut(r.Source.Name, maxText), Type: sourceType, Peer: cut(r.Source.Peer, maxText), Reason: r.Reason,
		Detail: detail, Size: len(r.Body), Cut: r.Cut, Format: cut(r.Format, maxText),
	}
	if keep {
		e.Body = bytes.Clone(r.Body[:min(len(r.Body), most)])
		e.Kept = len(e.Body)
	}
	s.enqueue(item{entry: e, kind: k, first: first, keep: keep})
	if first {
		s.notify()
	}
}

func (s *Store) enqueue(it item) {
	n := int64(it.entry.Kept)
	if s.queued.Add(n) <= maxQueuedBytes {
		select {
		case s.queue <- it:
			return
		default:
		}
	}
	s.queued.Add(-n)
	if it.keep {
		s.dropped.Add(1)
	}
}

// burst returns the burst of a kind, and whether it is a new one. s.mu is held.
func (s *Store) burst(k kind, now time.Time) (b *burst, counted kind, fresh bool) {
	if b = s.bursts[k]; b == nil && len(s.bursts) >= maxBursts {
		k = kind{"", "other"}
		b = s.bursts[k]
	}
	if fresh = b == nil; fresh {
		b = &burst{since: now}
		s.bursts[k] = b
	}
	return b, k, fresh
}

// detailOf returns what an error says besides the reason.
func detailOf(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if rejected, ok := errors.AsType[*wire.RejectError](err); ok {
		text = rejected.Detail
	}
	return cut(text, maxDetail)
}

func cut(text string, n int) string {
	if len(text) > n {
		return strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}

// Run writes what was added, until ctx ends; then the rest. It is called once.
func (s *Store) Run(ctx context.Context) {
	timer := time.NewTimer(Window)
	defer timer.Stop()
	for {
		select {
		case it := <-s.queue:
			s.take(it)
		case <-s.wake:
			s.obey()
			timer.Reset(s.endWindows(time.Now()))
		case <-timer.C:
			timer.Reset(s.endWindows(time.Now()))
		case <-ctx.Done():
			s.finish()
			return
		}
	}
}

// finish writes what waits and reports what was not.
func (s *Store) finish() {
	for {
		select {
		case it := <-s.queue:
			s.take(it)
			continue
		default:
		}
		s.obey()
		s.endWindows(time.Now().Add(Window))
		return
	}
}

// take writes one message and reports it, if it is the first of its kind.
func (s *Store) take(it item) {
	s.queued.Add(-int64(it.entry.Kept))
	var id uint64
	if it.keep {
		id = s.keep(it.entry)
	}
	s.mu.Lock()
	b := s.bursts[it.kind]
	if b == nil { // it has waited for long
		s.mu.Unlock()
		return
	}
	if id != 0 {
		b.id, b.detail = id, it.entry.Detail
	}
	r := Report{Source: it.kind.source, Reason: it.kind.reason, Detail: b.detail, Count: b.unreported, ID: b.id}
	if it.first {
		b.unreported = 0
	}
	s.mu.Unlock()
	if it.first && r.Count > 0 {
		s.o.OnReport(r)
	}
}

// endWindows reports what has come in windows that are over, and returns the time until the
// next one is.
func (s *Store) endWindows(now time.Time) time.Duration {
	next := Window
	var reports []Report
	s.mu.Lock()
	for k, b := range s.bursts {
		left := Window - now.Sub(b.since)
		if left <= 0 {
			if b.unreported == 0 {
				delete(s.bursts, k)
				continue
			}
			reports = append(reports, Report{Source: k.source, Reason: k.reason, Detail: b.detail, Count: b.unreported, ID: b.id})
			b.since, b.kept, b.unreported = now, 0, 0
			left = Window
		}
		next = min(next, left)
	}
	s.mu.Unlock()
	for _, r := range reports {
		s.o.OnReport(r)
	}
	return next
}

// obey removes what is too much by the limits.
func (s *Store) obey() {
	s.files.Lock()
	err := s.makeRoom(0, 0)
	s.files.Unlock()
	if err != nil {
		s.outcome(err)
	}
}

// keep writes an entry and returns its ID; 0 if it could not.
func (s *Store) keep(e Entry) uint64 {
	id, err := s.write(e)
	if err != nil {
		s.failed.Add(1)
	}
	s.outcome(err)
	return id
}

func (s *Store) write(e Entry) (uint64, error) {
	text, err := encode(e)
	if err != nil {
		return 0, err
	}
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.makeRoom(1, len(text)); err != nil {
		return 0, err
	}
	e.ID = s.next
	err = write(s.o.Dir, e.ID, text)
	for errors.Is(err, fs.ErrExist) { // another instance writes here
		e.ID++
		err = write(s.o.Dir, e.ID, text)
	}
	if err != nil {
		return 0, err
	}
	s.next = e.ID + 1
	e.Start, e.Body = bytes.Clone(e.Body[:min(len(e.Body), startSize)]), nil
	s.index, s.sizes = append(s.index, e), append(s.sizes, len(text))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.size = len(s.index), s.size+len(text)
	s.sources[e.Source]++
	return e.ID, nil
}

// outcome tells about the first error, and about the end of it.
func (s *Store) outcome(err error) {
	s.mu.Lock()
	changed := (err == nil) != (s.err == nil)
	if err != nil {
		err = fmt.Errorf("rejected messages are counted and not kept: %w", err)
	}
	s.err = err
	s.mu.Unlock()
	if changed {
		s.o.OnError(err)
	}
}

// makeRoom removes the oldest until there is room for count messages of size bytes. s.files
// is held.
func (s *Store) makeRoom(count, size int) error {
	for {
		s.mu.Lock()
		over := s.held+count > s.limits.MaxCount || s.size+size > s.limits.MaxSize
		s.mu.Unlock()
		if !over || len(s.index) == 0 {
			return nil
		}
		if err := s.removeAt(0); err != nil {
			return err
		}
	}
}

// removeAt removes an entry. s.files is held.
func (s *Store) removeAt(i int) error {
	if err := remove(s.o.Dir, s.index[i].ID); err != nil {
		return err
	}
	size, source := s.sizes[i], s.index[i].Source
	s.index, s.sizes = slices.Delete(s.index, i, i+1), slices.Delete(s.sizes, i, i+1)
	s.mu.Lock()
	s.held, s.size = len(s.index), s.size-size
	if s.sources[source]--; s.sources[source] == 0 {
		delete(s.sources, source)
	}
	s.mu.Unlock()
	return nil
}

// List returns what is kept and selected by q, newest first, without bodies.
func (s *Store) List(q Query) []Entry {
	s.files.Lock()
	defer s.files.Unlock()
	return q.of(s.index)
}

// Get returns the message with this ID, with its body. The error is [ErrNotFound] if there is
// none.
func (s *Store) Get(id uint64) (Entry, error) { return Read(s.o.Dir, id) }

// Remove removes a message. The error is [ErrNotFound] if there is none.
func (s *Store) Remove(id uint64) error {
	s.files.Lock()
	defer s.files.Unlock()
	i := slices.IndexFunc(s.index, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return ErrNotFound
	}
	return s.removeAt(i)
}

// Clear removes what is selected by q, and returns how many there were.
func (s *Store) Clear(q Query) (int, error) {
	n := 0
	for _, e := range s.List(q) {
		switch err := s.Remove(e.ID); {
		case errors.Is(err, ErrNotFound): // somebody else was faster
		case err != nil:
			return n, err
		default:
			n++
		}
	}
	return n, nil
}

// Stats returns the counters. It waits for no disk.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Rejected: s.rejected, Limited: s.limited, Dropped: s.dropped.Load(), Failed: s.failed.Load(),
		Held: s.held, Size: s.size, Sources: maps.Clone(s.sources), Err: s.err,
	}
}

package handler

import (
	"slices"
	"strconv"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
)

// SingleKey is a key for [FingersCrossedOptions] that puts all records into one
// buffer, as Logbook does. It fits a handler that is bound for one request.
func SingleKey(*core.Record) string { return "" }

// DefaultKey is the key that keeps programs and their parts apart: the source a
// record came in by, the sender's host, the process, and the root of the
// channel ("shop" of "shop.cart"). The port of the sender is not part of
// it, since some clients open a connection for every record.
func DefaultKey(r *core.Record) string { return string(appendDefaultKey(nil, r)) }

func appendDefaultKey(dst []byte, r *core.Record) []byte {
	dst = append(dst, r.Source.Name...)
	dst = append(append(dst, 0), hostOf(r.Source.Peer)...)
	dst = strconv.AppendInt(append(dst, 0), int64(r.Process.ID), 10)
	dst = append(append(dst, 0), r.Process.Name...)
	root, _, _ := strings.Cut(r.Channel, ".")
	return append(append(dst, 0), root...)
}

// hostOf cuts the port off "127.0.0.1:5000"; other addresses stay.
func hostOf(peer string) string {
	colon := strings.LastIndexByte(peer, ':')
	if colon < 0 {
		return peer
	}
	if _, err := strconv.ParseUint(peer[colon+1:], 10, 16); err != nil {
		return peer
	}
	return peer[:colon]
}

func (f *FingersCrossed) appendKey(dst []byte, r *core.Record) []byte {
	if f.o.Key != nil {
		return append(dst, f.o.Key(r)...)
	}
	return appendDefaultKey(dst, r)
}

// free returns the state of a key whose records pass straight on, or nil.
func (f *FingersCrossed) free(key []byte) *crossedKey {
	if f.o.Reset {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.keys[string(key)]; k != nil && k.triggered {
		f.touch(k)
		return k
	}
	return nil
}

// use returns the state of a key and makes it the newest. Callers of this and
// what follows hold f.mu, where it is not said otherwise.
func (f *FingersCrossed) use(key []byte) *crossedKey {
	k := f.keys[string(key)]
	if k == nil {
		k = &crossedKey{key: string(key)}
		f.keys[k.key] = k
		f.link(k)
		return k
	}
	f.touch(k)
	return k
}

func (f *FingersCrossed) touch(k *crossedKey) {
	if k != f.newest {
		f.unlink(k)
		f.link(k)
	}
}

func (f *FingersCrossed) link(k *crossedKey) {
	k.older, k.newer = f.newest, nil
	if f.newest != nil {
		f.newest.newer = k
	}
	f.newest = k
	if f.oldest == nil {
		f.oldest = k
	}
}

func (f *FingersCrossed) unlink(k *crossedKey) {
	if k.newer != nil {
		k.newer.older = k.older
	} else {
		f.newest = k.older
	}
	if k.older != nil {
		k.older.newer = k.newer
	} else {
		f.oldest = k.newer
	}
}

// evict forgets the key that was not used for longest, with all it holds.
func (f *FingersCrossed) evict() *crossedKey {
	k := f.oldest
	f.discarded.Add(uint64(len(k.records)))
	f.take(k)
	f.unlink(k)
	delete(f.keys, k.key)
	return k
}

// add appends a record and makes room for it, in the key and in total. It
// returns the keys that had to go, for the caller to close without the lock.
func (f *FingersCrossed) add(k *crossedKey, e held) (gone []*crossedKey) {
	k.records = append(k.records, e)
	k.bytes += e.size
	f.records++
	f.bytes += e.size
	return f.trim(k)
}

// trim enforces the bounds, at the expense of k last. k is the newest.
func (f *FingersCrossed) trim(k *crossedKey) (gone []*crossedKey) {
	if f.o.BufferSize > 0 {
		for len(k.records) > f.o.BufferSize {
			f.discardOldest(k)
		}
	}
	for (len(f.keys) > f.o.MaxKeys || f.bytes > f.o.MaxBytes) && f.oldest != k {
		gone = append(gone, f.evict())
	}
	for f.bytes > f.o.MaxBytes && len(k.records) > 1 {
		f.discardOldest(k)
	}
	return gone
}

func (f *FingersCrossed) discardOldest(k *crossedKey) {
	e := k.records[0]
	k.records[0] = held{}
	k.records = k.records[1:]
	k.bytes -= e.size
	f.records--
	f.bytes -= e.size
	f.discarded.Add(1)
}

// take empties the buffer of k.
func (f *FingersCrossed) take(k *crossedKey) []held {
	batch := k.records
	f.records -= len(batch)
	f.bytes -= k.bytes
	k.records, k.bytes, k.undelivered = nil, 0, false
	return batch
}

// takeUndelivered takes what came back, up to the last severe record; records
// that came after that one stay.
func (f *FingersCrossed) takeUndelivered(k *crossedKey) []held {
	if !k.undelivered {
		return nil
	}
	batch := f.take(k)
	end := len(batch)
	for i, b := range slices.Backward(batch) {
		if b.record.Level >= f.o.ActionLevel {
			end = i + 1
			break
		}
	}
	for _, e := range batch[end:] {
		f.add(k, e) // it was there before, so that no key has to go
	}
	return batch[:end:end]
}

// putBack returns records that were not delivered to the front of their
// buffer, so that the key waits for a severe record again. It takes the lock.
func (f *FingersCrossed) putBack(k *crossedKey, failed []held) error {
	if len(failed) == 0 {
		return nil
	}
	f.mu.Lock()
	k = f.use([]byte(k.key)) // may have been evicted meanwhile
	for _, e := range failed {
		k.bytes += e.size
		f.bytes += e.size
	}
	f.records += len(failed)
	k.records = append(failed, k.records...)
	k.triggered, k.undelivered = false, true
	gone := f.trim(k)
	f.mu.Unlock()
	return closeKeys(gone)
}

func recordsOf(batch []held) []*core.Record {
	out := make([]*core.Record, len(batch))
	for i := range batch {
		out[i] = batch[i].record
	}
	return out
}

func (f *FingersCrossed) all() []*crossedKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]*crossedKey, 0, len(f.keys))
	for k := f.oldest; k != nil; k = k.newer {
		out = append(out, k)
	}
	return out
}

// Key returns the key of the buffer that r belongs to.
func (f *FingersCrossed) Key(r *core.Record) string {
	if f.o.Key != nil {
		return f.o.Key(r)
	}
	return DefaultKey(r)
}

// Keys returns the keys there are buffers for, the one used last first.
func (f *FingersCrossed) Keys() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, 0, len(f.keys))
	for k := f.newest; k != nil; k = k.older {
		out = append(out, k.key)
	}
	return out
}

// Buffered returns the records that are held for a key, oldest first.
func (f *FingersCrossed) Buffered(key string) []*core.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.keys[key]
	if k == nil {
		return nil
	}
	return recordsOf(k.records)
}

// Triggered reports whether records of this key pass straight on, because a
// severe one has come. With Reset that is never so.
func (f *FingersCrossed) Triggered(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.keys[key]
	return k != nil && k.triggered
}

// FingersCrossedStats tells what a [FingersCrossed] holds and has done.
type FingersCrossedStats struct {
	Keys        int    // buffers there are
	Records     int    // records in them
	Bytes       int64  // their memory, by estimate
	Escalations uint64 // batches that were delivered
	Discarded   uint64 // records that made way for newer ones
}

// Stats returns the current numbers.
func (f *FingersCrossed) Stats() FingersCrossedStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return FingersCrossedStats{
		Keys: len(f.keys), Records: f.records, Bytes: f.bytes,
		Escalations: f.escalations.Load(), Discarded: f.discarded.Load(),
	}
}

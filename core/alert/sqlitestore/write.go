package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/logbook-tray/logbook-tray/core/alert"
)

// Run writes the changes of list, which must be the one that Load has made, until
// ctx ends, and the last of them then. Changes within the time Options.Delay after
// a write are written together.
func (s *Store) Run(ctx context.Context, list *alert.List) {
	changes, cancel := list.Subscribe()
	defer cancel()
	pause := time.NewTimer(0)
	defer pause.Stop()
	s.sync(context.WithoutCancel(ctx), list)
	for {
		select {
		case <-ctx.Done():
			s.sync(context.WithoutCancel(ctx), list)
			return
		case <-changes:
		}
		s.sync(context.WithoutCancel(ctx), list)
		pause.Reset(s.opts.Delay)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
	}
}

// syncTimeout bounds one write.
const syncTimeout = 10 * time.Second

func (s *Store) sync(ctx context.Context, list *alert.List) {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	if err := s.Sync(ctx, list); err != nil && s.opts.OnError != nil {
		s.opts.OnError(err)
	}
}

// Sync writes what has changed in list since the last write, and takes off the list
// what is too old. It must not be called while Run runs.
func (s *Store) Sync(ctx context.Context, list *alert.List) error {
	oldest := time.Now().Add(-s.opts.MaxAge)
	alerts := slices.DeleteFunc(list.List(), func(a alert.Alert) bool {
		return a.Last.Before(oldest) && list.Dismiss(a.ID)
	})
	last := list.LastID()
	now := make(map[uint64]version, len(alerts))
	var unwritable []error // of alerts that no second attempt would help
	err := inTransaction(ctx, s.db, func(tx *sql.Tx) error {
		for i := range alerts {
			a := &alerts[i]
			now[a.ID] = versionOf(a)
			row, err := s.changed(a)
			if err != nil {
				unwritable = append(unwritable, fmt.Errorf("alert %d: %w", a.ID, err))
				continue
			}
			if err := row.write(ctx, tx); err != nil {
				return err
			}
		}
		for id := range s.saved {
			if _, ok := now[id]; !ok {
				if _, err := tx.ExecContext(ctx, "DELETE FROM alerts WHERE id = ?", id); err != nil {
					return err
				}
			}
		}
		if last == s.last {
			return nil
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO numbers (name, value) VALUES ('last_id', ?)", last)
		return err
	})
	if err != nil {
		return fmt.Errorf("store alerts: %w", err)
	}
	s.saved, s.last = now, last
	if len(unwritable) > 0 {
		return fmt.Errorf("store alerts: %w", errors.Join(unwritable...))
	}
	return nil
}

// row is an alert that is to be written; nil for none.
type row struct {
	*alert.Alert
	newest, context []byte // the context is nil if it is as it was
}

// changed returns what is to be written of an alert.
func (s *Store) changed(a *alert.Alert) (*row, error) {
	before, known := s.saved[a.ID]
	if known && before == versionOf(a) {
		return nil, nil //nolint:nilnil // nothing is to be written
	}
	r := &row{Alert: a}
	var err error
	if r.newest, err = encode(a.Newest); err != nil {
		return nil, err
	}
	if !known || before.omitted != a.Omitted {
		r.context, err = encode(a.Context...)
	}
	return r, err
}

func (r *row) write(ctx context.Context, tx *sql.Tx) error {
	if r == nil {
		return nil
	}
	if r.context == nil {
		_, err := tx.ExecContext(ctx, "UPDATE alerts SET state = ?, count = ?, last = ?, title = ?, body = ?, newest = ?, delivery = ? WHERE id = ?",
			r.State.String(), r.Count, r.Last.UnixNano(), r.Title, r.Body, r.newest, deliveryOf(r.Alert), r.ID)
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO alerts
		(id, fingerprint, state, count, omitted, first, last, title, body, newest, trigger_at, context, delivery)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Fingerprint, r.State.String(), r.Count, r.Omitted, r.First.UnixNano(), r.Last.UnixNano(),
		r.Title, r.Body, r.newest, slices.Index(r.Context, r.Trigger), r.context, deliveryOf(r.Alert))
	return err
}

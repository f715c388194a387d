package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/mute"
)

const mutesSchema = `
CREATE TABLE mutes (
	id          INTEGER PRIMARY KEY,
	place       INTEGER NOT NULL, -- 0 is the top of the stack
	label       TEXT NOT NULL,
	owner       TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	channel     TEXT NOT NULL,
	source      TEXT NOT NULL,
	critical    INTEGER NOT NULL,
	since       INTEGER, -- nanoseconds since 1970; NULL for never
	until       INTEGER,
	held        INTEGER NOT NULL,
	errors      INTEGER NOT NULL,
	first       INTEGER,
	last        INTEGER,
	newest      BLOB -- a record
);
PRAGMA user_version = 2;
`

const filtersSchema = `
ALTER TABLE mutes ADD COLUMN filter TEXT NOT NULL DEFAULT '';
PRAGMA user_version = 3;
`

var _ mute.Memory = (*Store)(nil)

// SaveMutes replaces what LoadMutes returns. Of what a [mute.Match].Func asks for only the
// Filter can be stored: a mute with a function that has none must not be among them, as
// it would hold back more than it did.
func (s *Store) SaveMutes(ctx context.Context, mutes []mute.Mute) error {
	err := inTransaction(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM mutes"); err != nil {
			return err
		}
		for place := range mutes {
			if err := writeMute(ctx, tx, place, &mutes[place]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store mutes: %w", err)
	}
	return nil
}

func writeMute(ctx context.Context, tx *sql.Tx, place int, m *mute.Mute) error {
	var newest []byte
	if m.Newest != nil {
		// Without it the mute is worth as much.
		newest, _ = encode(m.Newest)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO mutes
		(id, place, label, owner, fingerprint, channel, source, filter, critical, since, until, held, errors, first, last, newest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.ID, place, m.Label, m.Owner, m.Match.Fingerprint, m.Match.Channel, m.Match.Source, m.Match.Filter, m.Critical,
		nanoseconds(m.Since), nanoseconds(m.Until), m.Held, m.Errors, nanoseconds(m.First), nanoseconds(m.Last), newest)
	return err
}

// LoadMutes returns what SaveMutes has stored, in the same order. Filters are not
// compiled.
func (s *Store) LoadMutes(ctx context.Context) ([]mute.Mute, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT
		id, label, owner, fingerprint, channel, source, filter, critical, since, until, held, errors, first, last, newest
		FROM mutes ORDER BY place`)
	if err != nil {
		return nil, fmt.Errorf("load mutes: %w", err)
	}
	defer func() { _ = rows.Close() }() // only read from
	var mutes []mute.Mute
	for rows.Next() {
		m, err := scanMute(rows)
		if err != nil {
			return nil, fmt.Errorf("load mutes: %w", err)
		}
		mutes = append(mutes, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load mutes: %w", err)
	}
	return mutes, nil
}

func scanMute(rows *sql.Rows) (m mute.Mute, err error) {
	var since, until, first, last sql.NullInt64
	var newest []byte
	err = rows.Scan(&m.ID, &m.Label, &m.Owner, &m.Match.Fingerprint, &m.Match.Channel, &m.Match.Source, &m.Match.Filter, &m.Critical,
		&since, &until, &m.Held, &m.Errors, &first, &last, &newest)
	if err != nil {
		return m, err
	}
	m.Since, m.Until, m.First, m.Last = moment(since), moment(until), moment(first), moment(last)
	if m.Held == 0 {
		return m, nil
	}
	if rs, err := decode(newest); err == nil && len(rs) == 1 {
		m.Newest = rs[0]
		return m, nil
	}
	lost := &core.Record{Channel: m.Match.Channel, Level: core.LevelNotice}
	lost.SetMessage("(the record could not be read)")
	m.Newest = core.NewReceived(lost, core.Source{Name: m.Match.Source}, m.Last)
	return m, nil
}

// nanoseconds stores a time.
func nanoseconds(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixNano(), Valid: true}
}

// moment reads a stored time.
func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64)
}

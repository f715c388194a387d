package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

const inhibitionsSchema = `
CREATE TABLE inhibitions (
	place INTEGER PRIMARY KEY,
	rule  TEXT NOT NULL,
	same  TEXT NOT NULL,
	cause BLOB NOT NULL, -- a record
	since INTEGER NOT NULL, -- nanoseconds since 1970
	until INTEGER NOT NULL,
	held  INTEGER NOT NULL
);
PRAGMA user_version = 5;
`

// Inhibition is a cause that holds its effects back.
type Inhibition struct {
	// Rule is by which rule of the configuration, Same what the cause and its effects have
	// in common there.
	Rule, Same string
	Cause      *core.Record
	// Since is when the first cause came, Until when the inhibition ends.
	Since, Until time.Time
	Held         int // records that were held back
}

// SaveInhibitions replaces what LoadInhibitions returns. One whose cause cannot be written
// down is left out.
func (s *Store) SaveInhibitions(ctx context.Context, list []Inhibition) error {
	err := inTransaction(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM inhibitions"); err != nil {
			return err
		}
		for place, i := range list {
			cause, err := encode(i.Cause)
			if err != nil {
				continue
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO inhibitions (place, rule, same, cause, since, until, held) VALUES (?, ?, ?, ?, ?, ?, ?)",
				place, i.Rule, i.Same, cause, i.Since.UnixNano(), i.Until.UnixNano(), i.Held); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store inhibitions: %w", err)
	}
	return nil
}

// LoadInhibitions returns what SaveInhibitions has stored, in the same order. One that has
// ended, or whose cause cannot be read, is left out.
func (s *Store) LoadInhibitions(ctx context.Context) ([]Inhibition, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT rule, same, cause, since, until, held FROM inhibitions WHERE until > ? ORDER BY place",
		time.Now().UnixNano())
	if err != nil {
		return nil, fmt.Errorf("load inhibitions: %w", err)
	}
	defer func() { _ = rows.Close() }() // only read from
	var list []Inhibition
	for rows.Next() {
		var i Inhibition
		var cause []byte
		var since, until int64
		if err := rows.Scan(&i.Rule, &i.Same, &cause, &since, &until, &i.Held); err != nil {
			return nil, fmt.Errorf("load inhibitions: %w", err)
		}
		rs, err := decode(cause)
		if err != nil || len(rs) != 1 {
			continue
		}
		i.Cause, i.Since, i.Until = rs[0], time.Unix(0, since), time.Unix(0, until)
		list = append(list, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load inhibitions: %w", err)
	}
	return list, nil
}

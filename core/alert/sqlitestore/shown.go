package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// shownTimeout bounds the calls that have no context.
const shownTimeout = 2 * time.Second

// LoadShown returns what SaveShown has stored: which notifications are on the screen,
// by the IDs of their alerts, under which numbers of which service.
func (s *Store) LoadShown() (service string, numbers map[uint64]uint32, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), shownTimeout)
	defer cancel()
	rows, err := s.db.QueryContext(ctx, "SELECT id, number, service FROM shown")
	if err != nil {
		return "", nil, fmt.Errorf("load what is shown: %w", err)
	}
	defer func() { _ = rows.Close() }() // only read from
	numbers = make(map[uint64]uint32)
	for rows.Next() {
		var id uint64
		var number uint32
		if err := rows.Scan(&id, &number, &service); err != nil {
			return "", nil, fmt.Errorf("load what is shown: %w", err)
		}
		numbers[id] = number
	}
	if err := rows.Err(); err != nil {
		return "", nil, fmt.Errorf("load what is shown: %w", err)
	}
	return service, numbers, nil
}

// SaveShown replaces what LoadShown returns.
func (s *Store) SaveShown(service string, numbers map[uint64]uint32) error {
	ctx, cancel := context.WithTimeout(context.Background(), shownTimeout)
	defer cancel()
	err := inTransaction(ctx, s.db, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM shown"); err != nil {
			return err
		}
		for id, number := range numbers {
			if _, err := tx.ExecContext(ctx, "INSERT INTO shown (id, number, service) VALUES (?, ?, ?)", id, number, service); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store what is shown: %w", err)
	}
	return nil
}

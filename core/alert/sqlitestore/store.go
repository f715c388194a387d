// Package sqlitestore keeps alerts, mutes and inhibitions in a SQLite database, so that they, with
// the records that led up to them or were held back, outlive the program, even one
// that is killed. The one module it needs is modernc.org/sqlite.
package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/logbook-tray/logbook-tray/core/alert"
)

// The defaults of [Options].
const (
	DefaultMaxAge = 30 * 24 * time.Hour
	DefaultDelay  = 200 * time.Millisecond
)

// Options are the settings of a [Store]. The zero value is useful.
type Options struct {
	// MaxAge is how long an alert is kept after its latest repeat; 0 means
	// DefaultMaxAge. How many are kept is a matter of the list.
	MaxAge time.Duration
	// Delay is the least time between two writes; 0 means DefaultDelay. Changes
	// that come faster are written together.
	Delay time.Duration
	// OnError, if not nil, is told about changes that could not be written. They
	// are tried again with the next change. It is called by the goroutine
	// that runs [Store.Run].
	OnError func(error)
}

// Store is a database of alerts and mutes. It belongs to one list, see [Store.Load],
// and to one stack of mutes. It must be closed.
type Store struct {
	db    *sql.DB
	opts  Options
	saved map[uint64]version // what the database has; used by Load, then by Run
	last  uint64             // the highest ID in the database
}

// version is what tells whether an alert has changed since it was written.
type version struct {
	count, omitted int
	state          alert.State
	last           int64
	delivery       string
}

func versionOf(a *alert.Alert) version {
	return version{a.Count, a.Omitted, a.State, a.Last.UnixNano(), deliveryOf(a)}
}

// delivery is what became of the attempts to tell somebody about an alert.
type delivery struct {
	Escalated []string        `json:"escalated,omitempty"`
	Failures  []alert.Failure `json:"failures,omitempty"`
}

// deliveryOf returns that as JSON; "" if there is nothing to tell.
func deliveryOf(a *alert.Alert) string {
	if len(a.Escalated) == 0 && len(a.Failures) == 0 {
		return ""
	}
	text, err := json.Marshal(delivery{a.Escalated, a.Failures})
	if err != nil {
		return "" // of texts and times only
	}
	return string(text)
}

// readDelivery is the reverse of deliveryOf. What cannot be read is forgotten.
func readDelivery(a *alert.Alert, text string) {
	var d delivery
	if text != "" && json.Unmarshal([]byte(text), &d) == nil {
		a.Escalated, a.Failures = d.Escalated, d.Failures
	}
}

const deliverySchema = `
ALTER TABLE alerts ADD COLUMN delivery TEXT NOT NULL DEFAULT ''; -- JSON
PRAGMA user_version = 4;
`

// schemas returns what makes each version of the tables of the one before; SQLite's
// user_version says which one there is.
func schemas() []string {
	return []string{alertsSchema, mutesSchema, filtersSchema, deliverySchema, inhibitionsSchema}
}

const alertsSchema = `
CREATE TABLE alerts (
	id          INTEGER PRIMARY KEY,
	fingerprint TEXT NOT NULL,
	state       TEXT NOT NULL,
	count       INTEGER NOT NULL,
	omitted     INTEGER NOT NULL,
	first       INTEGER NOT NULL, -- nanoseconds since 1970
	last        INTEGER NOT NULL,
	title       TEXT NOT NULL,
	body        TEXT NOT NULL,
	newest      BLOB NOT NULL, -- a record
	trigger_at  INTEGER NOT NULL, -- where the trigger is in the context
	context     BLOB NOT NULL -- a list of records
);
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE shown (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, service TEXT NOT NULL);
PRAGMA user_version = 1;
`

// ErrNewer is returned by [Open] for a database that a later version of the program
// has written.
var ErrNewer = errors.New("the database was written by a later version of the program")

// ErrOlder is returned by [OpenToRead] for a database that an earlier version has written.
var ErrOlder = errors.New("the database was written by an earlier version of the program")

// Open opens the database in the file path, and makes it, with its directory, if
// there is none. Nobody else may read either.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.MaxAge <= 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.Delay <= 0 {
		o.Delay = DefaultDelay
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open the database of alerts: %w", err)
	}
	db, err := connect(ctx, path, migrate, url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
	})
	if err != nil {
		return nil, err
	}
	return &Store{db: db, opts: o, saved: make(map[uint64]version)}, nil
}

// OpenToRead opens a database that somebody else may be writing just now, to load from it. The
// error wraps [fs.ErrNotExist] if there is none, and is [ErrOlder] if Open would have to
// change its tables first.
func OpenToRead(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open the database of alerts: %w", err)
	}
	db, err := connect(ctx, path, current, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(1000)", "query_only(1)"}})
	if err != nil {
		return nil, err
	}
	return &Store{db: db, saved: make(map[uint64]version)}, nil
}

// connect opens a database and has check look at it.
func connect(ctx context.Context, path string, check func(context.Context, *sql.DB) error, options url.Values) (*sql.DB, error) {
	// A path that SQLite cannot take for anything else.
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: options.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open the database of alerts %q: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	if err := check(ctx, db); err != nil {
		_ = db.Close() // the other error is the one to tell
		return nil, fmt.Errorf("open the database of alerts %q: %w", path, err)
	}
	return db, nil
}

// create makes the file, so that SQLite does not make it readable for others.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// schemaOf returns the version of the tables.
func schemaOf(ctx context.Context, db *sql.DB) (have int, err error) {
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return 0, fmt.Errorf("read its version: %w", err)
	}
	if have < 0 || have > len(schemas()) {
		return 0, ErrNewer
	}
	return have, nil
}

// current returns an error unless the tables are of this version of the program.
func current(ctx context.Context, db *sql.DB) error {
	have, err := schemaOf(ctx, db)
	if err == nil && have < len(schemas()) {
		return ErrOlder
	}
	return err
}

func migrate(ctx context.Context, db *sql.DB) error {
	have, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	for _, schema := range schemas()[have:] {
		if err := inTransaction(ctx, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, schema)
			return err
		}); err != nil {
			return fmt.Errorf("make its tables: %w", err)
		}
	}
	return nil
}

func inTransaction(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Load makes the list of the alerts in the database. What is too old is left out
// and goes with the next write. An alert that cannot be read is left out too; it costs
// no other one.
func (s *Store) Load(ctx context.Context, o alert.Options) (*alert.List, error) {
	if err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(value), 0) FROM numbers WHERE name = 'last_id'").Scan(&s.last); err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	o.FirstID = max(o.FirstID, s.last+1)
	list := alert.NewList(o)
	rows, err := s.db.QueryContext(ctx, `SELECT id, fingerprint, state, count, omitted, first, last, title, body, newest, trigger_at, context, delivery
		FROM alerts ORDER BY last, id`)
	if err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	defer func() { _ = rows.Close() }() // only read from
	oldest := time.Now().Add(-s.opts.MaxAge)
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("load alerts: %w", err)
		}
		s.saved[a.ID] = versionOf(&a)
		if a.Trigger != nil && !a.Last.Before(oldest) {
			list.Add(a)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load alerts: %w", err)
	}
	return list, nil
}

// scan reads one alert. Its trigger is nil if its records cannot be read.
func scan(rows *sql.Rows) (a alert.Alert, err error) {
	var state string
	var first, last int64
	var at int
	var newest, context []byte
	var delivery string
	err = rows.Scan(&a.ID, &a.Fingerprint, &state, &a.Count, &a.Omitted, &first, &last, &a.Title, &a.Body, &newest, &at, &context, &delivery)
	if err != nil {
		return a, err
	}
	readDelivery(&a, delivery)
	a.First, a.Last = time.Unix(0, first), time.Unix(0, last)
	if a.State.UnmarshalText([]byte(state)) != nil {
		a.State = alert.Seen
	}
	rs, err := decode(context)
	if err != nil || at < 0 || at >= len(rs) {
		return a, nil //nolint:nilerr // see above
	}
	a.Context, a.Trigger, a.Newest = rs, rs[at], rs[at]
	if rs, err := decode(newest); err == nil && len(rs) == 1 && a.Count > 1 {
		a.Newest = rs[0]
	}
	return a, nil
}

// Close closes the database.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the database of alerts: %w", err)
	}
	return nil
}

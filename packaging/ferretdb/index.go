package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// indexEvery is how often new collections are looked for.
const indexEvery = 50 * time.Millisecond

// index gives each collection an index of _id, until ctx ends. FerretDB makes one itself, of
// the expression _ferretdb_sjson->"_id", and asks for _ferretdb_sjson->'$._id', which
// SQLite takes for another: without this a statement for one document looks through the
// whole table, and so does each of those by which it changes or removes many.
func index(ctx context.Context, dir string, log *slog.Logger) {
	databases := map[string]*indexer{}
	defer func() {
		for _, x := range databases {
			_ = x.db.Close() // nothing is written
		}
	}()
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	for {
		files, _ := filepath.Glob(filepath.Join(dir, "*.sqlite")) // the pattern is right
		for _, file := range files {
			x := databases[file]
			if x == nil {
				db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(10000)")
				if err != nil {
					log.Warn("open "+file, "error", err)
					return
				}
				x = &indexer{db: db, done: map[string]bool{}}
				databases[file] = x
			}
			if err := x.index(ctx); err != nil && ctx.Err() == nil {
				log.Debug("index "+file, "error", err) // it may be about to be made
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// indexer is a database whose tables get an index.
type indexer struct {
	db   *sql.DB
	done map[string]bool
}

func (x *indexer) index(ctx context.Context) error {
	tables, err := x.tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if x.done[table] {
			continue
		}
		if _, err := x.db.ExecContext(ctx, fmt.Sprintf(
			`CREATE INDEX IF NOT EXISTS %q ON %q (_ferretdb_sjson->'$._id')`, table+"_found", table)); err != nil {
			return err
		}
		x.done[table] = true
	}
	return nil
}

// tables returns the names of the tables that have a collection.
func (x *indexer) tables(ctx context.Context) (names []string, err error) {
	rows, err := x.db.QueryContext(ctx, `SELECT table_name FROM _ferretdb_collections`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert/sqlitestore"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// Explain calls each with a function that says what the handlers of the configuration would
// do with a record that came now, to a program that was just started: with the mutes of
// the file and those that an earlier run has kept, or that one which runs keeps. Nothing is
// delivered, and what is kept is only read.
func Explain(
	ctx context.Context, o Options, each func(explain func(*core.Record) []pipeline.Step) error,
) (*config.Tree, config.Diagnostics, error) {
	return o.dry(func(a *App, po pipeline.Options, tree *config.Tree) (config.Diagnostics, error) {
		if err := a.readState(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(o.Stderr, "mutes and inhibitions that are kept are not considered: %v\n", err)
		}
		a.standAs(readSections(tree))
		return pipeline.Explain(po, tree, each)
	})
}

// readTime bounds the reading of the state database.
const readTime = 5 * time.Second

// readState takes in what the state database has, without changing it.
func (a *App) readState(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	state, err := sqlitestore.OpenToRead(ctx, a.o.State)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.Close()) }()
	list, err := state.LoadInhibitions(ctx)
	if err != nil {
		return err
	}
	a.Routes.take(list)
	return a.takeMutes(ctx, state)
}

// standAs begins and ends the mutes that the sections of a file ask for, as they are to be
// just now. Whether the desktop wants to be disturbed is as the last run has seen it.
func (a *App) standAs(s *sections) {
	s.QuietHours.quiet().Apply(a.Mutes)
	if s.DoNotDisturb == ignore {
		a.Mutes.Standing(mute.Mute{Owner: ownerDesktop}).End()
	}
	newStanding(a.Mutes).mute(s.Mutes)
}

// Explain says what the handlers would do with a record that came now, as
// [pipeline.Pipeline.Explain] does.
func (a *App) Explain(r *core.Record) []pipeline.Step { return a.pipeline.Explain(r) }

// Sum identifies a configuration by its content; "" for that which is built in.
func Sum(content []byte) string {
	if content == nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// loadedSum is the sum of the configuration in force.
func (a *App) loadedSum() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loaded
}

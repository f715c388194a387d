package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
)

// localSources are the sources on this computer that have no queue: programs, files, the
// journal.
func localSources() []pipeline.SourceKind {
	return []pipeline.SourceKind{
		subscription("exec", "the output of a program that is run", newExecSource),
		subscription("tail", "a log file that grows and is rotated", newTailSource),
		subscription("pipe", "what is written to a named pipe", newPipeSource),
		subscription("journal", "the journal of systemd", newJournalSource),
	}
}

// lineReading are the options of sources that read lines.
type lineReading struct {
	plainLines

	MaxLine config.Size `yaml:"max_line"`
}

func (t *lineReading) options() (pipe.Options, error) {
	d, err := t.decoder(t.MaxLine)
	return pipe.Options{Decoder: d, Channel: t.Channel, Level: t.Level, MaxLine: int(t.MaxLine)}, err
}

type execOptions struct {
	lineReading

	Arguments []string `yaml:"arguments,required"`
}

func newExecSource(env *pipeline.Env, o *execOptions) (pipeline.Opener, error) {
	settings, err := o.options()
	if len(o.Arguments) == 0 {
		err = errors.Join(err, config.At("arguments", "must not be empty: name a program"))
	} else if _, lerr := exec.LookPath(o.Arguments[0]); lerr != nil {
		err = errors.Join(err, config.At("arguments", "%w", lerr))
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(ctx context.Context) (queue.Receiver, error) {
		return pipe.NewCommand(ctx, o.Arguments, settings)
	}), nil
}

type tailOptions struct {
	lineReading

	Path      string `yaml:"path,required,path"`
	FromStart bool   `yaml:"from_start"`
}

func newTailSource(env *pipeline.Env, o *tailOptions) (pipeline.Opener, error) {
	settings, err := o.options()
	if info, serr := os.Stat(o.Path); serr == nil && info.IsDir() {
		err = errors.Join(err, config.At("path", "%q is a directory", o.Path))
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) {
		return pipe.NewTail(o.Path, o.FromStart, settings)
	}), nil
}

type pipeOptions struct {
	lineReading

	Path string `yaml:"path,required,path"`
}

func newPipeSource(env *pipeline.Env, o *pipeOptions) (pipeline.Opener, error) {
	settings, err := o.options()
	if _, serr := os.Stat(o.Path); serr == nil {
		err = errors.Join(err, atField("path", isPipe(o.Path)))
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(context.Context) (queue.Receiver, error) {
		if err := isPipe(o.Path); err != nil {
			return nil, err
		}
		// Open for writing too, so that there is no end when a writer goes; and
		// without blocking, so that closing ends a read.
		f, err := os.OpenFile(o.Path, os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, fmt.Errorf("open pipe: %w", err)
		}
		return pipe.NewReader(o.Path, f, settings)
	}), nil
}

var errNoPipe = errors.New("not a named pipe; make one with mkfifo")

func isPipe(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("find pipe: %w", err)
	}
	if info.Mode()&fs.ModeNamedPipe == 0 {
		return fmt.Errorf("%q: %w", path, errNoPipe)
	}
	return nil
}

type journalOptions struct {
	lineReading

	Units []string `yaml:"units"`
}

func newJournalSource(env *pipeline.Env, o *journalOptions) (pipeline.Opener, error) {
	settings, err := o.options()
	if slices.Contains(o.Units, "") {
		err = errors.Join(err, config.At("units", "a unit must have a name"))
	}
	if err != nil {
		return nil, err
	}
	return opener(env, func(ctx context.Context) (queue.Receiver, error) {
		return pipe.NewJournal(ctx, o.Units, settings)
	}), nil
}

package main

import (
	"errors"
	"os"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/brotli"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// streamKinds are the handlers that write to the terminal.
func streamKinds() []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("stderr", "lines on stderr, in colour on a terminal", plain[streamOptions], newStream(handler.NewStderr)),
		handlerKind("stdout", "lines on stdout, in colour on a terminal", plain[streamOptions], newStream(handler.NewStdout)),
	}
}

type streamOptions struct {
	formatting

	Color string `yaml:"color"`
}

func newStream(build func(handler.StreamOptions) *handler.Stream) func(*pipeline.Env, *streamOptions) (core.Handler, error) {
	return func(_ *pipeline.Env, o *streamOptions) (core.Handler, error) {
		f, err := o.formatter(format.DefaultTemplate)
		color, cerr := colorMode(o.Color)
		if err := errors.Join(err, cerr); err != nil {
			return nil, err
		}
		return build(handler.StreamOptions{Formatter: f, Color: color}), nil
	}
}

// fileKinds are the handlers that write to files. All of them open their file when
// the first record comes: a configuration that is only checked, or that is refused
// for another mistake, must not create or empty one.
func fileKinds() []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("file", "lines in a file", plain[fileOptions], newFile(handler.NewFile)),
		handlerKind("monitoring_file", "lines in a file that others rename or remove", plain[fileOptions], newFile(handler.NewMonitoringFile)),
		handlerKind("rotating_file", "lines in a file of limited size", defaultRotating, newRotating),
		handlerKind("timed_rotating_file", "lines in a file for each day, or the like", plain[timedOptions], newTimed),
		handlerKind("compressed_file", "lines in a file that is compressed as it is written", plain[compressedOptions], newCompressed),
	}
}

// toFile are the options that all handlers of files share.
type toFile struct {
	formatting

	Path string `yaml:"path,required,path"`
}

// options checks what can be checked without touching the file.
func (o *toFile) options(mode string) (handler.FileOptions, error) {
	f, err := o.formatter(format.DefaultTemplate)
	if info, serr := os.Stat(o.Path); serr == nil && info.IsDir() {
		err = errors.Join(err, config.At("path", "%q is a directory", o.Path))
	}
	return handler.FileOptions{Path: o.Path, Formatter: f, Mode: mode, Delay: true, Perm: 0o600}, err
}

type fileOptions struct {
	toFile

	Mode string `yaml:"mode"`
}

func newFile(build func(handler.FileOptions) (*handler.File, error)) func(*pipeline.Env, *fileOptions) (core.Handler, error) {
	return func(_ *pipeline.Env, o *fileOptions) (core.Handler, error) {
		file, err := o.options(o.Mode)
		if err := errors.Join(err, oneOf("mode", o.Mode, "a", "w")); err != nil {
			return nil, err
		}
		return handlerOf(build(file))
	}
}

// handlerOf returns a handler, or no handler at all with an error.
func handlerOf[H core.Handler](h H, err error) (core.Handler, error) {
	if err != nil {
		return nil, err
	}
	return h, nil
}

type rotatingOptions struct {
	fileOptions

	MaxSize     config.Size `yaml:"max_size"`
	BackupCount int         `yaml:"backup_count"`
	Compress    bool        `yaml:"compress"`
}

func defaultRotating() *rotatingOptions {
	return &rotatingOptions{MaxSize: handler.DefaultMaxSize, BackupCount: handler.DefaultBackupCount}
}

func newRotating(_ *pipeline.Env, o *rotatingOptions) (core.Handler, error) {
	file, err := o.options(o.Mode)
	var low error
	if o.BackupCount < 1 {
		low = config.At("backup_count", "must be 1 at least")
	}
	if err := errors.Join(err, oneOf("mode", o.Mode, "a", "w"), low); err != nil {
		return nil, err
	}
	return handlerOf(handler.NewRotatingFile(handler.RotatingFileOptions{
		File: file, MaxSize: int64(o.MaxSize), BackupCount: o.BackupCount, Compress: o.Compress,
	}))
}

type timedOptions struct {
	toFile

	DateFormat              string        `yaml:"date_format"`
	BackupCount             int           `yaml:"backup_count"`
	RolloverFormat          string        `yaml:"rollover_format"`
	TimedFilenameForCurrent *bool         `yaml:"timed_filename_for_current"`
	When                    string        `yaml:"when"`
	Interval                int           `yaml:"interval"`
	AtTime                  time.Duration `yaml:"at_time"`
}

func newTimed(_ *pipeline.Env, o *timedOptions) (core.Handler, error) {
	zone, zerr := location(o.TimeZone)
	if o.Format == formatJSON || o.Format == formatLogfmt {
		o.TimeZone = "" // it is about the names of the files alone
	}
	file, err := o.options("a")
	if err := errors.Join(err, zerr, notNegative("backup_count", o.BackupCount)); err != nil {
		return nil, err
	}
	h, err := handler.NewTimedRotatingFile(handler.TimedRotatingFileOptions{
		File: file, DateFormat: o.DateFormat, BackupCount: o.BackupCount, RolloverFormat: o.RolloverFormat,
		CurrentUndated: o.TimedFilenameForCurrent != nil && !*o.TimedFilenameForCurrent,
		When:           o.When, Interval: o.Interval, AtTime: o.AtTime, Location: zone,
	})
	return handlerOf(h, blame(err, "rollover format", "rollover_format", "date format", "date_format",
		`: when "`, "when", ": interval", "interval"))
}

type compressedOptions struct {
	fileOptions

	Compression string `yaml:"compression"`
	Quality     int    `yaml:"compression_quality"`
	Buffered    bool   `yaml:"buffered"`
}

func newCompressed(_ *pipeline.Env, o *compressedOptions) (core.Handler, error) {
	file, err := o.options(o.Mode)
	err = errors.Join(err, oneOf("mode", o.Mode, "a", "w"), oneOf("compression", o.Compression, "gzip", "brotli"))
	codec, best := handler.Gzip, 9
	if o.Compression == "brotli" {
		codec, best = brotli.Codec, 11
	}
	if o.Quality < 0 || o.Quality > best {
		err = errors.Join(err, config.At("compression_quality", "must be from 1 to %d", best))
	}
	if err != nil {
		return nil, err
	}
	return handlerOf(handler.NewCompressedFile(handler.CompressedFileOptions{File: file, Codec: codec(o.Quality), Buffered: o.Buffered}))
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/logbook-tray/logbook-tray/core"
)

// sendOptions are the flags of the command send.
type sendOptions struct {
	level     core.Level
	channel   string
	extra     []string
	traceback string
	bind      bool
	wait      time.Duration
}

func newSend() *cobra.Command {
	o := sendOptions{level: core.LevelInfo}
	var level string
	cmd := &cobra.Command{
		Use:   "send [URI] [MESSAGE | -]",
		Short: "Publish a record, or each line of the standard input",
		Long: `Publish a record over ZeroMQ, to a listening logbook-tray (` + defaultPushURI + `
unless a URI is given), or with --bind as a server that others subscribe to. With the
URI unix:// it goes over the Unix socket in $XDG_RUNTIME_DIR/logbook-tray, and with
unix:///PATH over another one.

Without a message, or with "-", each line of the standard input becomes a
record. The message is taken literally.`,
		Example: `  logbook-tray send --level error --channel deploy "rsync failed"
  make 2>&1 | logbook-tray send --channel build -
  logbook-tray send unix:// "started"
  logbook-tray send --extra order=4711 --traceback trace.txt "payment declined"`,
		Args: maxArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.level, err = core.ParseLevel(level); err != nil {
				return usageError{err}
			}
			uri, message, err := uriAndMessage(args)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), uri, message, cmd.InOrStdin())
		},
	}
	cmd.Flags().StringVarP(&level, "level", "l", "info", "level of the record: trace, debug, info, notice, warning, error or critical")
	cmd.Flags().StringVarP(&o.channel, "channel", "c", "send", "channel of the record")
	cmd.Flags().StringArrayVarP(&o.extra, "extra", "e", nil, "extra data as `KEY=VALUE`; can be repeated")
	cmd.Flags().StringVar(&o.traceback, "traceback", "", "`FILE` with a traceback to attach")
	cmd.Flags().BoolVar(&o.bind, "bind", false, "publish on a PUB socket bound to the URI, and wait for a subscriber")
	cmd.Flags().DurationVar(&o.wait, "wait", 3*time.Second, "how long to wait for somebody who listens")
	return cmd
}

// uriAndMessage tells the arguments apart: a URI has "://" in front of the
// first space.
func uriAndMessage(args []string) (uri, message string, err error) {
	uri, message = defaultPushURI, "-"
	if len(args) > 0 && isURI(args[0]) {
		uri, args = args[0], args[1:]
	}
	if len(args) > 1 {
		return "", "", usagef("%q is not a URI such as %s; quote a message that has spaces", args[0], defaultPushURI)
	}
	if len(args) == 1 {
		message = args[0]
	}
	return uri, message, nil
}

func isURI(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && scheme != "" && !strings.ContainsAny(scheme, " \t\n")
}

func (o *sendOptions) run(ctx context.Context, uri, message string, stdin io.Reader) error {
	template, err := o.record()
	if err != nil {
		return err
	}
	p, err := newPublisher(uri, o.bind, o.wait)
	if err != nil {
		return err
	}
	if message != "-" {
		return p.close(p.publish(ctx, withMessage(template, message)))
	}
	return p.close(sendLines(ctx, p, template, stdin))
}

// maxInputLine bounds a line of the input; what is longer becomes several
// records.
const maxInputLine = 1 << 20

func sendLines(ctx context.Context, p *publisher, template *core.Record, stdin io.Reader) error {
	in := bufio.NewReaderSize(stdin, maxInputLine)
	for ctx.Err() == nil {
		line, err := in.ReadSlice('\n')
		if text := strings.TrimRight(string(line), "\r\n"); text != "" {
			if err := p.publish(ctx, withMessage(template, text)); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("read the input: %w", err)
		}
	}
	return nil
}

// record returns what all records of this call have in common.
func (o *sendOptions) record() (*core.Record, error) {
	r := &core.Record{Channel: o.channel, Level: o.level, Process: core.Process{ID: os.Getppid()}}
	for _, e := range o.extra {
		key, value, ok := strings.Cut(e, "=")
		if !ok || key == "" {
			return nil, usagef("--extra %q is not KEY=VALUE", e)
		}
		r.Extra.Set(key, value)
	}
	if o.traceback != "" {
		text, err := os.ReadFile(o.traceback)
		if err != nil {
			return nil, fmt.Errorf("read the traceback: %w", err)
		}
		r.Exception = exceptionFromTraceback(strings.TrimRight(string(text), "\n"))
	}
	return r, nil
}

// exceptionFromTraceback takes name and message from the last line, which is
// "Name: message" in Python.
func exceptionFromTraceback(text string) *core.Exception {
	last := text[strings.LastIndexByte(text, '\n')+1:]
	name, message, _ := strings.Cut(last, ": ")
	return &core.Exception{Name: name, Message: message, Traceback: text}
}

func withMessage(template *core.Record, message string) *core.Record {
	r := template.Clone()
	r.Msg = message
	r.SetMessage(message)
	r.Time = time.Now().UTC()
	return r
}

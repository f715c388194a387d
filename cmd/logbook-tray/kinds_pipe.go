package main

import (
	"errors"
	"os/exec"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

type pipeSendOptions struct {
	confirmed

	Arguments []string          `yaml:"arguments"`
	Dir       string            `yaml:"dir,path"`
	Env       map[string]string `yaml:"env"`
	Path      string            `yaml:"path,path"`
	Encoding  string            `yaml:"encoding"`
}

func defaultPipeSend() *pipeSendOptions { return &pipeSendOptions{confirmed: defaultConfirmed()} }

func newPipeSender(env *pipeline.Env, o *pipeSendOptions) (core.Handler, error) {
	err := errors.Join(oneOf("encoding", o.Encoding, "json", "pickle"), notNegative("window", o.Window))
	switch {
	case len(o.Arguments) > 0 && o.Path != "":
		err = errors.Join(err, config.At("path", "does not go with arguments: either runs a program, or writes to a named pipe"))
	case o.Path != "":
		if len(o.Env) > 0 {
			err = errors.Join(err, config.At("env", "is for a program"))
		}
		if o.Dir != "" {
			err = errors.Join(err, config.At("dir", "is for a program"))
		}
	case len(o.Arguments) == 0:
		err = errors.Join(err, config.At("arguments", "is missing: name a program, or a named pipe as path"))
	default:
		_, lerr := exec.LookPath(o.Arguments[0])
		err = errors.Join(err, atField("arguments", lerr))
	}
	if err != nil {
		return nil, err
	}
	settings := pipe.SenderOptions{Lines: o.Encoding != "pickle", Window: o.Window, Linger: o.Linger, OnPeer: peerLogger(env)}
	encode := wire.Append
	if !settings.Lines {
		encode = wire.AppendPickledDict
	}
	return sendToBroker(env, &o.sending, encode, func() (queue.Sender, error) {
		if o.Path != "" {
			return pipe.NewNamedSender(o.Path, settings), nil
		}
		return pipe.NewProgramSender(pipe.Program{Arguments: o.Arguments, Dir: o.Dir, Env: environment(o.Env)}, settings)
	})
}

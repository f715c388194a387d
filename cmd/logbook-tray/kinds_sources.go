package main

import (
	"context"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

type zeromqOptions struct {
	URI     string        `yaml:"uri"`
	URIs    []string      `yaml:"uris"`
	Mode    string        `yaml:"mode"`
	Multi   bool          `yaml:"multi"` // Logbook's name of pull
	Topics  []string      `yaml:"topics"`
	HWM     int           `yaml:"hwm"`
	MaxSize config.Size   `yaml:"max_size"`
	Linger  time.Duration `yaml:"linger"`
}

// pattern returns what kind of socket the options ask for and who binds.
func (o *zeromqOptions) pattern() (zeromq.Pattern, zeromq.Side, error) {
	switch o.Mode {
	case "":
		if o.Multi {
			return zeromq.Pull, zeromq.Natural, nil
		}
		return zeromq.Sub, zeromq.Natural, nil
	case "pull":
		return zeromq.Pull, zeromq.Natural, nil
	case "sub":
		return zeromq.Sub, zeromq.Natural, nil
	case "pull_connect":
		return zeromq.Pull, zeromq.Connect, nil
	case "sub_bind":
		return zeromq.Sub, zeromq.Bind, nil
	}
	return "", "", config.At("mode", "unknown mode %q (one of pull, sub, pull_connect, sub_bind)", o.Mode)
}

func newZeroMQ(env *pipeline.Env, options any) (pipeline.Opener, error) {
	o := options.(*zeromqOptions)
	uris := o.URIs
	if o.URI != "" {
		uris = append([]string{o.URI}, uris...)
	}
	if len(uris) == 0 {
		return nil, config.At("uri", "is missing: give one such as tcp://127.0.0.1:5556")
	}
	pattern, side, err := o.pattern()
	if err != nil {
		return nil, err
	}
	settings := zeromq.Options{
		Addresses: uris, Pattern: pattern, Side: side, Topics: o.Topics, Queue: o.HWM,
		MaxMessageSize: int64(o.MaxSize), Linger: o.Linger,
		OnPeer: func(p queue.Peer) { logPeer(env.Self, env.Name, p) },
	}
	return func(context.Context) (pipeline.Subscriber, error) {
		r, err := zeromq.NewReceiver(settings)
		if err != nil {
			return nil, err
		}
		return subscriber{queue.NewSubscriber(r, queue.Options{Name: env.Name})}, nil
	}, nil
}

// logPeer logs that a peer came or went.
func logPeer(self *core.Logger, name string, p queue.Peer) {
	level, text := core.LevelDebug, "{name}: {state} {address}"
	if p.State == queue.StateLost || p.State == queue.StateFailed {
		level = core.LevelInfo
	}
	if p.Err != "" {
		text += ": {error}"
	}
	_ = self.Log(context.Background(), level, text, core.Kw("name", name), core.Kw("state", string(p.State)),
		core.Kw("address", p.Address), core.Kw("error", p.Err)) // its handlers do not fail
}

// subscriber is a queue.Subscriber with a report for the status.
type subscriber struct{ *queue.Subscriber }

// Report implements pipeline.Reporter.
func (s subscriber) Report() pipeline.Report {
	st, n := s.Status(), s.Stats()
	r := pipeline.Report{State: string(st.State), Detail: st.Detail, Counters: map[string]uint64{
		"received": n.Received, "rejected": n.Rejected, "dispatched": n.Dispatched, "dropped": n.Dropped, "bytes": n.Bytes,
	}}
	if st.Err != nil {
		r.Error = st.Err.Error()
	}
	for reason, count := range n.Reasons {
		r.Counters["rejected: "+reason] = count
	}
	for _, p := range st.Peers {
		r.Peers = append(r.Peers, pipeline.Peer{Address: p.Address, State: string(p.State), Error: p.Err})
	}
	return r
}

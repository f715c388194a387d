package main

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/control"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/datagram"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
	"github.com/logbook-tray/logbook-tray/core/queue/web"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// networkSources are the sources that other programs connect to, or that connect to
// others.
func networkSources() []pipeline.SourceKind {
	both := subscription("zeromq", "Logbook's ZeroMQHandler", newZeroMQ)
	both.Listen = true
	return []pipeline.SourceKind{
		both,
		listener("socket", "Python's SocketHandler, JSON lines and plain lines over TCP or a Unix socket", newSocket),
		listener("datagram", "Python's DatagramHandler, JSON, syslog and plain lines over UDP or a Unix socket", newDatagram),
		listener("http", "Python's HTTPHandler and JSON over HTTP", newWeb),
		listener("syslog", "what is sent to a syslog server", newSyslogSource),
	}
}

// opener returns how to open a subscriber.
func opener(env *pipeline.Env, open func(context.Context) (queue.Receiver, error)) pipeline.Opener {
	return decodingOpener(env, nil, open)
}

// decodingOpener is opener for transports that leave the decoding to the subscriber; d is
// the decoder, nil for the default.
func decodingOpener(env *pipeline.Env, d *wire.Decoder, open func(context.Context) (queue.Receiver, error)) pipeline.Opener {
	o := queue.Options{Name: env.Name}
	if d != nil {
		o.Decode = func(m queue.Message) (*core.Record, error) { return d.Decode(m.Body) }
	}
	return func(ctx context.Context) (pipeline.Subscriber, error) {
		r, err := open(ctx)
		if err != nil {
			return nil, err
		}
		s := subscriber{rejected: new(func(queue.Rejection))}
		o := o
		o.Reject = func(r queue.Rejection) {
			if *s.rejected != nil {
				(*s.rejected)(r)
			}
		}
		s.Subscriber = queue.NewSubscriber(r, o)
		return s, nil
	}
}

// plainLines are the options of sources that take plain lines too.
type plainLines struct {
	decoding

	Channel string     `yaml:"channel"`
	Level   core.Level `yaml:"level"`
}

// remedies against addresses that others can reach.
const (
	withClientCA = "give tls_cert, tls_key and tls_client_ca"
	withEither   = withClientCA + " or a token"
	withToken    = "give tls_cert, tls_key and a token"
	withNothing  = "datagrams have no key"
)

type socketOptions struct {
	plainLines
	serverTLS

	TLSClientCA    string        `yaml:"tls_client_ca,path"`
	Token          config.Secret `yaml:"token"`
	Network        string        `yaml:"network"`
	Address        string        `yaml:"address"`
	MaxSize        config.Size   `yaml:"max_size"`
	MaxConnections int           `yaml:"max_connections"`
}

// check checks where to listen; secure says that peers have to prove who they are. A Unix
// socket has a place of its own when none is given.
func (o *socketOptions) check(secure bool) error {
	switch {
	case o.Address != "":
		return checkListen(o.Network, o.Address, secure, withEither)
	case o.Network != "unix":
		return config.At("address", "is missing: give HOST:PORT, such as 127.0.0.1:9020")
	}
	return nil
}

func newSocket(env *pipeline.Env, o *socketOptions) (pipeline.Opener, error) {
	secure, err := o.config(o.TLSClientCA)
	d, derr := o.decoder(o.MaxSize)
	err = errors.Join(err, derr, oneOf("network", o.Network, "tcp", "unix"), o.check(identifies(secure) || secure != nil && !o.Token.IsZero()),
		notNegative("max_connections", o.MaxConnections))
	if err != nil {
		return nil, err
	}
	settings := socket.Options{
		Network: o.Network, Address: o.Address, Decoder: d, Channel: o.Channel, Level: o.Level, MaxMessageSize: int(o.MaxSize),
		MaxConnections: o.MaxConnections, TLS: secure, Token: o.Token.Reveal(), OnPeer: guestLogger(env),
	}
	return opener(env, func(context.Context) (queue.Receiver, error) {
		settings := settings
		if settings.Address == "" {
			var err error
			if settings.Address, err = control.RecordsSocket(); err != nil {
				return nil, err
			}
		}
		return socket.NewReceiver(settings)
	}), nil
}

// identifies reports whether peers have to prove who they are.
func identifies(t *tls.Config) bool { return t != nil && t.ClientCAs != nil }

type datagramOptions struct {
	plainLines

	Network string `yaml:"network"`
	Address string `yaml:"address,required"`
}

func newDatagram(env *pipeline.Env, o *datagramOptions) (pipeline.Opener, error) {
	d, err := o.decoder(0)
	err = errors.Join(err, oneOf("network", o.Network, "udp", "unixgram"), checkListen(o.Network, o.Address, false, withNothing))
	if err != nil {
		return nil, err
	}
	settings := datagram.Options{Network: o.Network, Address: o.Address, Decoder: d, Channel: o.Channel, Level: o.Level}
	return opener(env, func(context.Context) (queue.Receiver, error) { return datagram.NewReceiver(settings) }), nil
}

type webOptions struct {
	decoding
	serverTLS

	Address    string        `yaml:"address,required"`
	Channel    string        `yaml:"channel"`
	Token      config.Secret `yaml:"token"`
	Hosts      []string      `yaml:"hosts"`
	MaxSize    config.Size   `yaml:"max_size"`
	MaxRecords int           `yaml:"max_records"`
	MaxConns   int           `yaml:"max_connections"`
}

func newWeb(env *pipeline.Env, o *webOptions) (pipeline.Opener, error) {
	secure, err := o.config("")
	d, derr := o.decoder(o.MaxSize)
	err = errors.Join(err, derr, checkListen("tcp", o.Address, secure != nil && !o.Token.IsZero(), withToken),
		notNegative("max_records", o.MaxRecords), notNegative("max_connections", o.MaxConns))
	if err != nil {
		return nil, err
	}
	settings := web.Options{
		Address: o.Address, Decoder: d, Channel: o.Channel, Token: o.Token.Reveal(), Hosts: o.Hosts, MaxBody: int64(o.MaxSize),
		MaxRecords: o.MaxRecords, MaxConnections: o.MaxConns, TLS: secure,
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return web.NewReceiver(settings) }), nil
}

type syslogSourceOptions struct {
	decoding
	serverTLS

	TLSClientCA    string      `yaml:"tls_client_ca,path"`
	Network        string      `yaml:"network"`
	Address        string      `yaml:"address,required"`
	TimeZone       string      `yaml:"time_zone"`
	JoinLines      *bool       `yaml:"join_lines"`
	MaxSize        config.Size `yaml:"max_size"`
	MaxConnections int         `yaml:"max_connections"`
}

func newSyslogSource(env *pipeline.Env, o *syslogSourceOptions) (pipeline.Opener, error) {
	network := orElse(o.Network, "udp")
	secure, err := o.config(o.TLSClientCA)
	d, derr := o.decoder(o.MaxSize)
	zone, zerr := location(orElse(o.TimeZone, "local"))
	remedy := withClientCA
	if network == "udp" {
		remedy = withNothing
	}
	err = errors.Join(err, derr, zerr, oneOf("network", network, "udp", "tcp", "unix", "unixgram"),
		checkListen(network, o.Address, network == "tcp" && identifies(secure), remedy), notNegative("max_connections", o.MaxConnections))
	if secure != nil && network != "tcp" {
		err = errors.Join(err, config.At("tls_cert", "TLS needs the network tcp"))
	}
	if err != nil {
		return nil, err
	}
	settings := syslog.Options{
		Network: network, Address: o.Address, Decoder: d, Zone: zone, MaxMessageSize: int(o.MaxSize), MaxConnections: o.MaxConnections,
		TLS: secure, OnPeer: guestLogger(env),
	}
	if o.JoinLines != nil && !*o.JoinLines {
		settings.Join = -1
	}
	return opener(env, func(context.Context) (queue.Receiver, error) { return syslog.NewReceiver(settings) }), nil
}

// peerLogger returns what logs that a peer came or went.
func peerLogger(env *pipeline.Env) func(queue.Peer) {
	return func(p queue.Peer) {
		level, text := core.LevelDebug, "{name}: {state} {address}"
		if p.State == queue.StateLost || p.State == queue.StateFailed {
			level = core.LevelInfo
		}
		if p.Err != "" {
			text += ": {error}"
		}
		if p.Messages > 0 {
			text += " (messages: {messages}, bytes: {bytes})"
		}
		_ = env.Self.Log(context.Background(), level, text, core.Kw("name", env.Name), core.Kw("state", string(p.State)),
			core.Kw("address", p.Address), core.Kw("error", p.Err),
			core.Kw("messages", p.Messages), core.Kw("bytes", p.Bytes)) // its handlers do not fail
	}
}

// guestLogger is peerLogger for servers, whose peers come and go as they like: what is worth
// more than a debug record is that one was sent away.
func guestLogger(env *pipeline.Env) func(queue.Peer) {
	log := peerLogger(env)
	return func(p queue.Peer) {
		if p.State == queue.StateLost && p.Err == "" {
			p.State = queue.StateClosed
		}
		log(p)
	}
}

// subscriber is a queue.Subscriber with a report for the status.
type subscriber struct {
	*queue.Subscriber

	rejected *func(queue.Rejection) // told what is no record; set before anything is dispatched
}

// rejectedFor is in front of a reason in the name of a counter.
const rejectedFor = "rejected: "

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
		r.Counters[rejectedFor+reason] = count
	}
	for _, p := range st.Peers {
		r.Peers = append(r.Peers, pipeline.Peer{
			Address: p.Address, State: string(p.State), Error: p.Err, Messages: p.Messages, Bytes: p.Bytes,
		})
	}
	return r
}

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/core/format"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/handler/eventlog"
	"github.com/logbook-tray/logbook-tray/core/handler/mail"
	"github.com/logbook-tray/logbook-tray/core/handler/syslog"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// senderKinds are the handlers that send each record out of the process.
func senderKinds() []pipeline.HandlerKind {
	return []pipeline.HandlerKind{
		handlerKind("syslog", "messages to a syslog daemon or server", plain[syslogOptions], newSyslog),
		handlerKind("mail", "a mail for each record, or for a batch", defaultMail, newMail),
		handlerKind("http", "requests to a web server, as Python's HTTPHandler makes them", plain[httpOptions], newHTTP),
		handlerKind("external", "runs a program for each record", plain[externalOptions], newExternal),
		handlerKind("zeromq", "publishes records as Logbook's ZeroMQHandler does", plain[zeromqSendOptions], newZeroMQSender),
		handlerKind("socket", "sends records as Python's SocketHandler and DatagramHandler do", plain[socketSendOptions], newSocketSender),
		handlerKind("nteventlog", "events in the log of Windows", plain[eventLogOptions], newEventLog),
	}
}

type syslogOptions struct {
	formatting
	sending
	clientTLS

	ApplicationName string           `yaml:"application_name"`
	Address         string           `yaml:"address"`
	Transport       syslog.Transport `yaml:"transport"`
	Facility        string           `yaml:"facility"`
	Protocol        syslog.Protocol  `yaml:"protocol"`
	Framing         syslog.Framing   `yaml:"framing"`
	Ident           string           `yaml:"ident"`
	Hostname        string           `yaml:"hostname"`
	MessageID       string           `yaml:"message_id"`
	BOM             bool             `yaml:"bom"`
	ExtraID         string           `yaml:"extra_id"`
	MaxSize         config.Size      `yaml:"max_size"`
}

func newSyslog(env *pipeline.Env, o *syslogOptions) (core.Handler, error) {
	return sendAsync(env, &o.sending, func() (*syslog.Handler, error) {
		f, err := o.formatter("{record.channel}: {record.message}")
		secure, terr := o.configIf(o.Transport == syslog.TLS, "set transport: tls")
		if err := errors.Join(err, terr); err != nil {
			return nil, err
		}
		settings := syslog.Options{
			ApplicationName: o.ApplicationName, Address: o.Address, Transport: o.Transport, Facility: o.Facility,
			Protocol: o.Protocol, Framing: o.Framing, Ident: o.Ident, Formatter: f, Hostname: o.Hostname,
			MessageID: o.MessageID, BOM: o.BOM, MaxSize: int(o.MaxSize), Timeout: o.Timeout, TLS: secure,
		}
		if o.ExtraID != "" {
			settings.StructuredData = syslog.ExtraData(o.ExtraID)
		}
		h, err := syslog.New(settings)
		return h, blame(err, "facility", "facility", "framing", "framing", ": transport", "transport",
			"protocol", "protocol", "address", "address")
	})
}

type mailOptions struct {
	sending
	clientTLS

	FromAddr            string        `yaml:"from_addr,required"`
	Recipients          []string      `yaml:"recipients,required"`
	Subject             string        `yaml:"subject"`
	FormatString        string        `yaml:"format_string"`
	RelatedFormatString string        `yaml:"related_format_string"`
	TimeZone            string        `yaml:"time_zone"`
	ServerAddr          string        `yaml:"server_addr"`
	Username            string        `yaml:"username"`
	Password            config.Secret `yaml:"password"`
	Secure              mail.Security `yaml:"secure"`
	Hello               string        `yaml:"hello"`
	RecordLimit         int           `yaml:"record_limit"`
	RecordDelta         time.Duration `yaml:"record_delta"`
	Fingerprint         string        `yaml:"fingerprint"`
	Digest              bool          `yaml:"digest"`
}

// defaultMail has the limit of the notifiers: a mailbox is flooded as easily.
func defaultMail() *mailOptions { return &mailOptions{RecordLimit: 1, RecordDelta: time.Minute} }

func newMail(env *pipeline.Env, o *mailOptions) (core.Handler, error) {
	return sendAsync(env, &o.sending, func() (*mail.Handler, error) {
		secure, terr := o.config()
		zone, zerr := location(o.TimeZone)
		same, ferr := fingerprint(env, o.Fingerprint)
		err := errors.Join(terr, zerr, atField("fingerprint", ferr), notNegative("record_limit", o.RecordLimit))
		if err != nil {
			return nil, err
		}
		var servers []string
		if o.ServerAddr != "" {
			servers = []string{o.ServerAddr}
		}
		h, err := mail.New(mail.Options{
			From: o.FromAddr, To: o.Recipients, Subject: o.Subject, Format: o.FormatString, RelatedFormat: o.RelatedFormatString,
			FormatOptions: format.Options{Location: zone}, Servers: servers, Username: o.Username, Password: o.Password.Reveal(),
			Security: o.Secure, TLS: secure, Hello: o.Hello, Timeout: o.Timeout,
			RecordLimit: o.RecordLimit, RecordDelta: o.RecordDelta, Fingerprint: same, Digest: o.Digest,
		})
		return h, blame(err, "sender", "from_addr", "recipient", "recipients", "security", "secure", "server", "server_addr",
			"related format", "related_format_string", "header Subject", "subject", "format", "format_string")
	})
}

type externalOptions struct {
	sending

	Arguments   []string          `yaml:"arguments,required"`
	StdinFormat string            `yaml:"stdin_format"`
	TimeZone    string            `yaml:"time_zone"`
	Dir         string            `yaml:"dir,path"`
	Env         map[string]string `yaml:"env"`
}

func newExternal(env *pipeline.Env, o *externalOptions) (core.Handler, error) {
	h, err := sendAsync(env, &o.sending, func() (*handler.ExternalApplication, error) {
		zone, err := location(o.TimeZone)
		if err != nil {
			return nil, err
		}
		h, err := handler.NewExternalApplication(handler.ExternalApplicationOptions{
			Arguments: o.Arguments, StdinFormat: o.StdinFormat, Timeout: o.Timeout, Dir: o.Dir, Env: environment(o.Env),
			Format: format.Options{Location: zone},
		})
		return h, blame(err, ": stdin", "stdin_format", "external application", "arguments")
	})
	if program, ok := h.(async[*handler.ExternalApplication]); ok {
		program.detail = func() string {
			run := program.inner.Last()
			return lastRun(run.Started, run.Duration, run.Output)
		}
		return program, err
	}
	return h, err
}

// lastRun says how a program was last run and what it printed; "" if it was not yet.
func lastRun(at time.Time, took time.Duration, output string) string {
	if at.IsZero() {
		return ""
	}
	text := "last run at " + at.Local().Format(time.TimeOnly) + " for " + took.Round(time.Millisecond).String()
	if printed := display.Line(output, maxPrinted); printed != "" {
		text += ", printed: " + printed
	}
	return text
}

// maxPrinted is how much of the output of a program the status shows, in letters.
const maxPrinted = 300

// environment returns variables as a process takes them.
func environment(variables map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		out = append(out, name+"="+variables[name])
	}
	return out
}

type eventLogOptions struct {
	formatting
	queueing

	ApplicationName string `yaml:"application_name,required"`
	EventID         int    `yaml:"event_id"`
}

func newEventLog(env *pipeline.Env, o *eventLogOptions) (core.Handler, error) {
	settings, err := o.options()
	f, ferr := o.formatter(eventlog.DefaultFormat)
	if o.EventID < 0 || o.EventID > 1000 {
		err = errors.Join(err, config.At("event_id", "must be from 1 to 1000"))
	}
	if err := errors.Join(err, ferr); err != nil {
		return nil, err
	}
	h, err := eventlog.New(eventlog.Options{ApplicationName: o.ApplicationName, Formatter: f, EventID: uint32(o.EventID)}) //nolint:gosec // checked
	if err != nil {
		return nil, blame(err, eventlog.ErrUnsupported.Error(), "type", "event log", "application_name")
	}
	return newAsync(env, h, settings, nil), nil
}

type zeromqSendOptions struct {
	zeromqShared
	sending

	Topic string `yaml:"topic"`
}

func newZeroMQSender(env *pipeline.Env, o *zeromqSendOptions) (core.Handler, error) {
	settings, err := o.settings(modes{
		"":            {zeromq.Pub, zeromq.Natural},
		"pub":         {zeromq.Pub, zeromq.Natural},
		"push":        {zeromq.Push, zeromq.Natural},
		"pub_connect": {zeromq.Pub, zeromq.Connect},
		"push_bind":   {zeromq.Push, zeromq.Bind},
		logbookMulti:  {zeromq.Push, zeromq.Natural},
	})
	if err != nil {
		return nil, err
	}
	if settings.Topic = o.Topic; o.Topic != "" && settings.Pattern != zeromq.Pub {
		return nil, config.At("topic", "only a PUB socket has one")
	}
	settings.OnPeer = peerLogger(env)
	return sendToBroker(env, &o.sending, nil, func() (*zeromq.Sender, error) { return zeromq.NewSender(settings) })
}

// lateSender opens its sender when the first record comes, and tries again with the
// next one if that failed. A socket that binds must not do so while a configuration is
// only checked, nor while the one that it replaces is still bound.
type lateSender struct {
	open func() (queue.Sender, error)

	mu     sync.Mutex
	sender queue.Sender // nil until the first record
	closed bool
}

var _ queue.Sender = (*lateSender)(nil)

// Send implements queue.Sender.
func (l *lateSender) Send(ctx context.Context, body []byte) error {
	s, err := l.get()
	if err != nil {
		return err
	}
	return s.Send(ctx, body)
}

func (l *lateSender) get() (queue.Sender, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, queue.ErrClosed
	}
	if l.sender == nil {
		s, err := l.open()
		if err != nil {
			return nil, err
		}
		l.sender = s
	}
	return l.sender, nil
}

// Close implements queue.Sender.
func (l *lateSender) Close() error {
	l.mu.Lock()
	s := l.sender
	l.sender, l.closed = nil, true
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.Close()
}

type socketSendOptions struct {
	sending
	clientTLS

	Network  string        `yaml:"network"`
	Address  string        `yaml:"address,required"`
	Encoding string        `yaml:"encoding"`
	TLS      bool          `yaml:"tls"`
	Token    config.Secret `yaml:"token"`
}

func newSocketSender(env *pipeline.Env, o *socketSendOptions) (core.Handler, error) {
	err := errors.Join(oneOf("network", o.Network, "tcp", "unix", "udp", "unixgram"),
		oneOf("encoding", o.Encoding, "pickle", "json"), checkAddress(o.Network, o.Address))
	secure, terr := o.config()
	if err := errors.Join(err, terr); err != nil {
		return nil, err
	}
	if o.TLS && secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	datagrams := o.Network == "udp" || o.Network == "unixgram"
	switch {
	case secure != nil && datagrams:
		return nil, config.At("network", "TLS does not go with datagrams")
	case !o.Token.IsZero() && datagrams:
		return nil, config.At("token", "does not go with datagrams")
	case !o.Token.IsZero() && secure == nil && !onThisComputer(o.Network, o.Address):
		return nil, config.At("token", "would be readable on its way: set tls")
	}
	settings := socket.SenderOptions{
		Network: o.Network, Address: o.Address, Lines: o.Encoding == "json", TLS: secure, Token: o.Token.Reveal(),
	}
	encode := wire.AppendPickle
	if o.Encoding == "json" {
		encode = wire.Append
	}
	return sendToBroker(env, &o.sending, encode, func() (*socket.Sender, error) { return socket.NewSender(settings) })
}

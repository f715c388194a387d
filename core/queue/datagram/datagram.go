// Package datagram receives records over UDP and Unix datagram sockets: the pickles
// of Python's DatagramHandler, JSON records, messages of syslog, and plain lines. Each datagram
// is told apart by its first bytes. Package syslog has more for those who send nothing else.
//
// UDP loses what is not read fast enough. What this package could not keep is counted;
// what the system dropped before that is not known. Unix datagrams make their sender wait.
package datagram

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/line"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/listen"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/packet"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// Options are the settings of a [Receiver]. Address is required.
type Options struct {
	// Network is "udp" or "unixgram"; empty: udp.
	Network string
	// Address is HOST:PORT, or the path of a Unix socket.
	Address string
	// Decoder reads records; nil: a decoder with its defaults.
	Decoder *wire.Decoder
	// Channel is that of texts that name none.
	Channel string
	// Level is that of plain lines that name none; 0 means INFO.
	Level core.Level
	// AllowPlain allows addresses that other computers can reach; anybody
	// there can then send records.
	AllowPlain bool
	// Mode is the mode of a Unix socket; 0 means 0600, the owner alone.
	Mode fs.FileMode
}

// Receiver is a server for datagrams.
type Receiver struct {
	*packet.Server

	opts Options
}

var (
	_ queue.Receiver = (*Receiver)(nil)
	_ queue.Drainer  = (*Receiver)(nil)
	_ queue.Dropper  = (*Receiver)(nil)
	_ queue.Decoder  = (*Receiver)(nil)
)

// NewReceiver listens. A Unix socket that a program has left behind is replaced.
func NewReceiver(o Options) (*Receiver, error) {
	if o.Network == "" {
		o.Network = "udp"
	}
	if o.Network != "udp" && o.Network != "unixgram" {
		return nil, fmt.Errorf("unknown network %q (udp or unixgram)", o.Network)
	}
	if o.Level == core.LevelNotSet {
		o.Level = core.LevelInfo
	}
	if o.Decoder == nil {
		d, err := wire.NewDecoder(wire.Options{})
		if err != nil {
			return nil, fmt.Errorf("decoder: %w", err)
		}
		o.Decoder = d
	}
	c, err := listen.Packet(context.Background(), o.Network, o.Address, listen.Options{Public: o.AllowPlain, Mode: o.Mode})
	if err != nil {
		return nil, err
	}
	return &Receiver{packet.New(o.Network+"://"+address(c), c, o.decode), o}, nil
}

// Decode implements [queue.Decoder]. Of a datagram that has become several lines it is the
// first.
func (r *Receiver) Decode(m queue.Message) (*core.Record, error) {
	for _, one := range r.opts.decode(m.Body) {
		return one.Record, one.Err
	}
	return nil, &wire.RejectError{Reason: wire.ReasonEmpty}
}

func address(c net.PacketConn) string { return c.LocalAddr().String() }

// decode makes messages of a datagram.
func (o Options) decode(data []byte) []queue.Message {
	if len(data) > 4 && int(binary.BigEndian.Uint32(data)) == len(data)-4 {
		r, err := wire.NewFrames(o.Decoder).Decode(data[4:])
		if r == nil && err == nil {
			return nil // a command of cutelog means nothing here
		}
		return []queue.Message{{Body: data, Record: r, Err: err}}
	}
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return []queue.Message{{Body: data, Err: &wire.RejectError{Reason: wire.ReasonEmpty}}}
	case syslog.IsMessage(text):
		r, err := syslog.Parse(o.Decoder, time.Local, text, time.Now()) //nolint:gosmopolitan // as syslog has it
		return []queue.Message{{Body: data, Record: r, Err: err}}
	case bytes.IndexByte(text, 0) >= 0:
		return []queue.Message{{Body: data, Err: &wire.RejectError{Reason: wire.ReasonMalformed, Detail: "neither text nor a whole pickle"}}}
	case text[0] == '{' && !bytes.Contains(text, []byte("}\n")):
		r, err := o.Decoder.Decode(text)
		if err == nil {
			return []queue.Message{{Body: data, Record: o.named(r)}}
		}
	}
	return o.lines(text)
}

// named gives a record that names no channel that of the source.
func (o Options) named(r *core.Record) *core.Record {
	if r.Channel == "" {
		r.Channel = o.Channel
	}
	return r
}

// lines makes a message of each JSON line; text that is not JSON is one message.
func (o Options) lines(text []byte) []queue.Message {
	if text[0] != '{' {
		return []queue.Message{{Body: text, Record: line.Plain(strings.ToValidUTF8(string(text), "\ufffd"), o.Channel, o.Level)}}
	}
	var out []queue.Message
	for part := range bytes.SplitSeq(text, []byte{'\n'}) {
		if r := line.Record(o.Decoder, part, o.Channel, o.Level); r != nil {
			out = append(out, queue.Message{Body: part, Record: o.named(r)})
		}
	}
	return out
}

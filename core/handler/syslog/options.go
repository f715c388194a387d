package syslog

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/format"
)

// Defaults of [Options].
const (
	DefaultTimeout      = 5 * time.Second
	DefaultDatagramSize = 60_000  // what fits into UDP and into the local socket
	DefaultStreamSize   = 256_000 // what most servers take
)

// Transport says how messages travel.
type Transport string

// The transports.
const (
	// Unix is the local socket: datagrams if the daemon takes them, else a
	// stream. It is the default without an address, or with a path.
	Unix Transport = "unix"
	// UDP is the default with a host.
	UDP Transport = "udp"
	// TCP is a stream in the clear.
	TCP Transport = "tcp"
	// TLS is an encrypted stream (RFC 5425).
	TLS Transport = "tls"
)

// Protocol says what a message looks like.
type Protocol string

// The protocols.
const (
	// Logbook is what Logbook's SyslogHandler sends since 1.4.2: BSD over the
	// local socket, RFC5424 over the network. It is the default.
	Logbook Protocol = ""
	// BSD is what Python's SysLogHandler sends, and Logbook before 1.4.2: the
	// priority, the ident, and the text; no time and no host, which daemons add.
	BSD Protocol = "bsd"
	// RFC5424 has time, host, application, process and structured data.
	RFC5424 Protocol = "rfc5424"
)

// Framing says how the end of a message is marked.
type Framing string

// The framings.
const (
	// FramingDefault is NUL with BSD, octet counting over TLS, and LF otherwise.
	FramingDefault Framing = ""
	// FramingNUL ends messages with a NUL, which older daemons expect.
	FramingNUL Framing = "nul"
	// FramingLF ends messages with a line feed; those of several lines are sent
	// as several.
	FramingLF Framing = "lf"
	// FramingOctets puts the length before each message (RFC 6587).
	FramingOctets Framing = "octets"
	// FramingNone adds nothing. It is for datagrams only. Python:
	// append_nul=False.
	FramingNone Framing = "none"
)

// Options says what [New] makes. The zero value is the daemon of the system.
type Options struct {
	// ApplicationName stands before the text, or is the APP-NAME of RFC 5424. Without it
	// the channel takes its place there.
	ApplicationName string
	// Address is a path of a socket, or a host with or without a port; the
	// default is the socket of the system. The default ports are 514, and 6514 with TLS.
	Address string
	// Transport says how messages travel; the default follows from Address.
	Transport Transport
	// Facility is the name of a facility, such as "daemon" or "local0"; the default is
	// "user".
	Facility string
	// Protocol says what a message looks like.
	Protocol Protocol
	// Framing says how the end of a message is marked.
	Framing Framing
	// Ident is put before everything else of the text, exactly as it is, with BSD.
	Ident string
	// Formatter renders the text; the default is the channel, a colon and the message, or
	// the message alone where the channel is the APP-NAME.
	Formatter format.Formatter

	// Hostname is the HOSTNAME of RFC 5424; the default is the name of the machine.
	Hostname string
	// MessageID is the MSGID of RFC 5424; the default is "-".
	MessageID string
	// BOM puts a byte order mark before a text that is not ASCII, as RFC 5424
	// has it. Few servers want it.
	BOM bool
	// StructuredData, if not nil, chooses the STRUCTURED-DATA of RFC 5424 of a
	// record; see [ExtraData] and [CookbookData]. It must not keep or change the record.
	StructuredData func(r *core.Record) []Element

	// MaxSize bounds a message, in bytes; the rest is cut off. The default is
	// [DefaultDatagramSize] or [DefaultStreamSize].
	MaxSize int
	// Timeout is how long connecting and sending may take; the default is
	// [DefaultTimeout].
	Timeout time.Duration
	// TLS changes how TLS is spoken.
	TLS *tls.Config
}

// resolve fills in the defaults.
func (o *Options) resolve() error {
	if err := o.resolveAddress(); err != nil {
		return err
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Hostname == "" {
		o.Hostname, _ = os.Hostname() // "-" if there is none
	}
	switch o.Protocol {
	case Logbook:
		o.Protocol = RFC5424
		if o.Transport == Unix {
			o.Protocol = BSD
		}
	case BSD, RFC5424:
	default:
		return fmt.Errorf("syslog: protocol %q: want bsd or rfc5424", o.Protocol)
	}
	switch o.Framing {
	case FramingDefault:
		o.Framing = FramingLF
		if o.Protocol == BSD {
			o.Framing = FramingNUL
		} else if o.Transport == TLS {
			o.Framing = FramingOctets
		}
	case FramingNUL, FramingLF:
	case FramingOctets, FramingNone:
		if stream := o.Transport == TCP || o.Transport == TLS; stream != (o.Framing == FramingOctets) {
			return fmt.Errorf("syslog: framing %q does not go with transport %q", o.Framing, o.Transport)
		}
	default:
		return fmt.Errorf("syslog: framing %q: want nul, lf, octets or none", o.Framing)
	}
	if o.MaxSize <= 0 {
		o.MaxSize = DefaultDatagramSize
		if o.Transport == TCP || o.Transport == TLS {
			o.MaxSize = DefaultStreamSize
		}
	}
	return nil
}

func (o *Options) resolveAddress() error {
	path := strings.HasPrefix(o.Address, "/") || strings.HasPrefix(o.Address, "@")
	switch o.Transport {
	case "":
		o.Transport = UDP
		if o.Address == "" || path {
			o.Transport = Unix
		}
	case Unix, UDP, TCP, TLS:
	default:
		return fmt.Errorf("syslog: transport %q: want unix, udp, tcp or tls", o.Transport)
	}
	if o.Transport == Unix {
		if o.Address == "" {
			o.Address = systemSocket(runtime.GOOS)
		}
		if o.Address == "" {
			return errors.New("syslog: this system has no local syslog; an address is needed")
		}
		return nil
	}
	if o.Address == "" || path {
		return fmt.Errorf("syslog: address %q: want a host for transport %q", o.Address, o.Transport)
	}
	if _, _, err := net.SplitHostPort(o.Address); err != nil {
		port := "514"
		if o.Transport == TLS {
			port = "6514"
		}
		o.Address = net.JoinHostPort(strings.Trim(o.Address, "[]"), port)
	}
	return nil
}

func systemSocket(goos string) string {
	switch goos {
	case "darwin":
		return "/var/run/syslog"
	case "windows":
		return ""
	}
	return "/dev/log"
}

// Facilities returns the names of the facilities by their numbers.
func Facilities() map[string]int {
	return map[string]int{
		"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7,
		"uucp": 8, "cron": 9, "authpriv": 10, "ftp": 11,
		"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
	}
}

// Severity returns the severity of a level: 2, critical, to 7, debug. A level without
// a name is a warning, as upstream. (Logbook: so is TRACE.)
func Severity(l core.Level) int {
	switch l {
	case core.LevelTrace, core.LevelDebug:
		return 7
	case core.LevelInfo:
		return 6
	case core.LevelNotice:
		return 5
	case core.LevelError:
		return 3
	case core.LevelCritical:
		return 2
	}
	return 4
}

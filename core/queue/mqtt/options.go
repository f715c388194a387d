package mqtt

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultTopic          = "logging" // the name of Logbook's queue
	DefaultPrefetch       = 512
	DefaultSessionExpiry  = 24 * time.Hour
	DefaultMaxMessageSize = 16 << 20
	DefaultWindow         = 1000
	DefaultLinger         = 5 * time.Second
	DefaultTimeout        = 30 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. URI is required.
type Options struct {
	// URI is "mqtt://user:password@host:1883", or mqtts: for TLS, at port 8883.
	URI string
	// Topics are the filters that a receiver subscribes to, in which "+" stands for one
	// level and "#" for all that follow: "logs/#". None means DefaultTopic.
	Topics []string
	// Topic is what a sender publishes to; empty means DefaultTopic.
	Topic string
	// Group makes receivers of the same name share the records: each gets a part of
	// them. Empty means that the receiver gets all.
	Group string
	// ClientID is the name of the session of a receiver, and must be its own: a second client
	// of the same name throws out the first. Empty means one that is made of this computer,
	// the user, the broker, the group and the topics.
	ClientID string
	// SessionExpiry is how long the broker keeps the session of a receiver that is away, and
	// what is published meanwhile, in seconds; 0 means DefaultSessionExpiry, less than 0 not
	// at all.
	SessionExpiry time.Duration
	// Prefetch is how many messages the broker sends ahead of their acknowledgement,
	// 65535 at most; 0 means DefaultPrefetch.
	Prefetch int
	// MaxMessageSize is the largest message in bytes that a receiver takes; the broker drops
	// larger ones. 0 means DefaultMaxMessageSize.
	MaxMessageSize int
	// Window is how many records a sender holds ahead of their confirmation; the broker says
	// how many of them may be on their way. 0 means DefaultWindow.
	Window int
	// Linger is how long Close of a sender waits for confirmations; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// TLS is used with mqtts; nil means the authorities of the system.
	TLS *tls.Config
	// Timeout bounds an attempt to connect, and what is asked of the broker then; 0 means
	// DefaultTimeout.
	Timeout time.Duration
	// ReconnectMin and ReconnectMax bound the time between two attempts to
	// connect; it doubles from one to the next. 0 means 100 ms and 10 s.
	ReconnectMin, ReconnectMax time.Duration
	// Decoder makes records of messages; nil means one with the default options.
	Decoder *wire.Decoder
	// OnPeer, if not nil, is told when the state of the connection changes. It is
	// called by a goroutine of the receiver or sender and must not block.
	OnPeer func(queue.Peer)
}

// Check returns what is wrong with the options, as far as that can be told without the
// broker; no password is in it.
func (o Options) Check() error {
	_, _, err := o.withDefaults()
	return err
}

// withDefaults returns o with the defaults filled in, and what its URI says.
func (o Options) withDefaults() (Options, *url.URL, error) {
	uri, err := parse(o.URI)
	if err != nil {
		return o, nil, fmt.Errorf("the URI of the broker is not valid (mqtt://user:password@host:1883): %w", err)
	}
	o.Topic = cmp.Or(o.Topic, DefaultTopic)
	o.Prefetch = cmp.Or(o.Prefetch, DefaultPrefetch)
	o.SessionExpiry = cmp.Or(o.SessionExpiry, DefaultSessionExpiry)
	o.MaxMessageSize = cmp.Or(o.MaxMessageSize, DefaultMaxMessageSize)
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.Linger = cmp.Or(o.Linger, DefaultLinger)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.SessionExpiry = max(o.SessionExpiry, 0)
	if len(o.Topics) == 0 {
		o.Topics = []string{DefaultTopic}
	}
	for _, filter := range o.Topics {
		if err := checkFilter(filter); err != nil {
			return o, nil, fmt.Errorf("the filter %q is not valid: %w", filter, err)
		}
	}
	if err := checkTopic(o.Topic); err != nil {
		return o, nil, fmt.Errorf("the topic %q is not valid: %w", o.Topic, err)
	}
	if strings.ContainsAny(o.Group, "/+#") || !text(o.Group) {
		return o, nil, fmt.Errorf("the group %q is not valid: there is a /, + or # in it", o.Group)
	}
	if !text(o.ClientID) {
		return o, nil, fmt.Errorf("the client ID %q is not valid: it is no text, or too long", o.ClientID)
	}
	if o.Prefetch < 0 || o.Prefetch > math.MaxUint16 {
		return o, nil, fmt.Errorf("the prefetch %d is not valid: it may be from 1 to %d", o.Prefetch, math.MaxUint16)
	}
	o.ClientID = cmp.Or(o.ClientID, o.ownID(uri))
	if o.Decoder == nil {
		if o.Decoder, err = wire.NewDecoder(wire.Options{}); err != nil {
			return o, nil, err
		}
	}
	return o, uri, nil
}

// The schemes of a URI.
const (
	plain  = "mqtt"
	secure = "mqtts"
)

// parse returns the URI with its port. The error has nothing of the user and password.
func parse(text string) (*url.URL, error) {
	uri, err := url.Parse(text)
	if quoting, ok := errors.AsType[*url.Error](err); ok { // the URI, in which there is a password
		err = quoting.Err
	}
	switch {
	case err != nil:
		return nil, err
	case uri.Scheme != plain && uri.Scheme != secure:
		return nil, errors.New("it must begin with mqtt:// or mqtts://")
	case uri.Hostname() == "":
		return nil, errors.New("it has no host")
	case uri.Path != "" && uri.Path != "/":
		return nil, errors.New("there is a path in it: the topic is an option of its own")
	}
	if uri.Port() == "" {
		port := 1883
		if uri.Scheme == secure {
			port = 8883
		}
		uri.Host = net.JoinHostPort(uri.Hostname(), strconv.Itoa(port))
	}
	return uri, nil
}

// ownID returns a name for the session that is the same with each start. Another one for
// other topics: the broker would go on to send those that the session had before.
func (o *Options) ownID(uri *url.URL) string {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	seed := strings.Join(append([]string{host, strconv.Itoa(os.Getuid()), uri.User.Username(), uri.Host, o.Group}, o.Topics...), "\n")
	sum := sha256.Sum256([]byte(seed))
	// A broker has to take 23 characters.
	return "logbook-tray-" + base32.HexEncoding.EncodeToString(sum[:])[:10]
}

// name returns the address without user and password.
func (o *Options) name(uri *url.URL, topics string) string {
	s := fmt.Sprintf("%s://%s topic %s", uri.Scheme, uri.Host, topics)
	if o.Group != "" {
		s += " group " + o.Group
	}
	return s
}

// text reports whether s can be a string of the protocol.
func text(s string) bool {
	return len(s) <= math.MaxUint16 && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

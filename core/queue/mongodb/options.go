package mongodb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// The defaults of [Options].
const (
	DefaultQueue        = "logging"       // of MessageQueueHandler
	DefaultDatabase     = "kombu_default" // of kombu
	DefaultMaxLength    = 100_000
	DefaultPollInterval = 500 * time.Millisecond
	DefaultWindow       = 1000
	DefaultLinger       = 5 * time.Second
	DefaultTimeout      = 30 * time.Second
)

// Options are the settings of a [Receiver] or [Sender]. URI is required.
type Options struct {
	// URI is "mongodb://user:password@host:27017/database?options", or mongodb+srv: for
	// a name in DNS that has the hosts. The database is kombu's, DefaultDatabase
	// if there is none; "tls=true" among the options is for TLS.
	URI string
	// Queue is the name of kombu's queue; empty means DefaultQueue.
	Queue string
	// Consume takes messages out of that queue, competing with others who do. Without
	// it a receiver gets a copy of each.
	Consume bool
	// MaxLength bounds the queue of a tap; the oldest messages are dropped. 0 means
	// DefaultMaxLength.
	MaxLength int64
	// PollInterval is the time between two looks into a queue into which nothing comes;
	// it is less while something does. 0 means DefaultPollInterval.
	PollInterval time.Duration
	// Window is how many records a sender holds that the server has not confirmed;
	// 0 means DefaultWindow.
	Window int
	// Linger is how long Close of a sender waits for confirmations; 0 means
	// DefaultLinger, less than 0 not at all.
	Linger time.Duration
	// TLS, if not nil, has TLS used, and instead of what the URI says about it.
	TLS *tls.Config
	// Timeout bounds an attempt to connect, and each request; 0 means DefaultTimeout.
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
// server; no password is in it.
func (o Options) Check() error {
	_, _, err := o.withDefaults()
	return err
}

// place is what a URI says, without the password.
type place struct {
	scheme, hosts, database, user string

	source string // the database of the user, if known
}

const srv = "mongodb+srv"

// withDefaults returns o with the defaults filled in, and what its URI says.
func (o Options) withDefaults() (Options, place, error) {
	at, err := parse(o.URI)
	if err != nil {
		return o, at, fmt.Errorf("the URI of MongoDB is not valid (mongodb://user:password@host:27017/database): %w", err)
	}
	setDefault(&o.Queue, DefaultQueue)
	setDefault(&o.MaxLength, DefaultMaxLength)
	setDefault(&o.PollInterval, DefaultPollInterval)
	setDefault(&o.Window, DefaultWindow)
	setDefault(&o.Linger, DefaultLinger)
	setDefault(&o.Timeout, DefaultTimeout)
	if strings.HasPrefix(o.Queue, prefix) {
		return o, at, fmt.Errorf("the queue %q is not valid: names that begin with %s are those of receivers", o.Queue, prefix)
	}
	if o.PollInterval < leastPoll {
		return o, at, fmt.Errorf("the poll interval %v is not valid: it must be %v at least", o.PollInterval, leastPoll)
	}
	if o.Decoder == nil {
		if o.Decoder, err = wire.NewDecoder(wire.Options{}); err != nil {
			return o, at, err
		}
	}
	return o, at, nil
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// parse checks a URI. Its errors do not quote it: there is a password in it.
func parse(uri string) (place, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || scheme != "mongodb" && scheme != srv {
		return place{}, errors.New("it must begin with mongodb:// or mongodb+srv://")
	}
	userinfo, rest, found := cutLast(rest, "@")
	if !found {
		userinfo, rest = "", userinfo
	}
	hosts, path, _ := strings.Cut(rest, "/")
	hosts, _, _ = strings.Cut(hosts, "?")
	path, _, _ = strings.Cut(path, "?")
	user, password, _ := strings.Cut(userinfo, ":")
	at := place{scheme: scheme, hosts: hosts, database: DefaultDatabase}
	var err1, err2, err3 error
	if path != "" {
		at.database, err1 = url.PathUnescape(path)
	}
	at.user, err2 = url.PathUnescape(user)
	_, err3 = url.PathUnescape(password)
	switch {
	case err1 != nil || err2 != nil || err3 != nil || strings.ContainsAny(userinfo, "/?#[]@ ") || strings.Contains(password, ":"):
		return place{}, errors.New("a character in the user, the password or the database must be written as %XX")
	case hosts == "":
		return place{}, errors.New("it has no host")
	case strings.ContainsAny(hosts, " \t\r\n"):
		return place{}, errors.New("there is a blank in the host")
	case strings.ContainsAny(at.database, "/\\. \"$*<>:|?\x00"):
		return place{}, errors.New("the name of the database has a character that MongoDB does not allow")
	}
	// What the driver thinks of the rest; of a name in DNS it would ask for the hosts.
	if scheme == srv {
		if parsed, err := url.Parse(uri); err != nil || parsed.Port() != "" || strings.Contains(hosts, ",") {
			return place{}, errors.New("mongodb+srv: takes one host, and no port")
		}
		return at, nil
	}
	switch {
	case password != "":
		rest = "user:password@" + rest
	case user != "":
		rest = "user@" + rest
	}
	client := options.Client().ApplyURI(scheme + "://" + rest)
	if err := client.Validate(); err != nil {
		return place{}, err
	}
	if client.Auth != nil {
		at.source = client.Auth.AuthSource
	}
	return at, nil
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// heartbeat is how long the loss of an idle connection may stay unseen, where servers do
// not tell by themselves.
const heartbeat = 2 * time.Second

// client returns the settings of a connection. For a name in DNS this asks for the hosts.
func (o *Options) client(ctx context.Context, at place) (*options.ClientOptions, error) {
	if at.scheme == srv { // the driver does so itself, without an end
		ctx, cancel := context.WithTimeout(ctx, o.Timeout)
		defer cancel()
		if _, _, err := net.DefaultResolver.LookupSRV(ctx, "mongodb", "tcp", at.hosts); err != nil {
			return nil, fmt.Errorf("ask for the hosts of %s: %w", at.hosts, err)
		}
	}
	c := options.Client().ApplyURI(o.URI)
	if o.TLS != nil {
		c.SetTLSConfig(o.TLS.Clone())
	}
	c.SetAppName("logbook-tray").SetReadPreference(readpref.Primary())
	c.SetServerSelectionTimeout(o.Timeout).SetConnectTimeout(o.Timeout).SetHeartbeatInterval(heartbeat)
	if c.WriteConcern == nil {
		// What the server has confirmed is not lost when it crashes.
		journaled := true
		safe := writeconcern.Majority()
		safe.Journal = &journaled
		c.SetWriteConcern(safe)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("read the URI: %w", err)
	}
	return c, nil
}

// name returns the address without user and password.
func (o *Options) name(at place) string {
	return fmt.Sprintf("%s://%s/%s queue %s", at.scheme, at.hosts, at.database, o.Queue)
}

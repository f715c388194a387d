package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// zeromqShared are the options of both directions.
type zeromqShared struct {
	URI            string        `yaml:"uri"`
	URIs           []string      `yaml:"uris"`
	Mode           string        `yaml:"mode"`
	Multi          bool          `yaml:"multi"` // Logbook's name of pull and push
	HWM            int           `yaml:"hwm"`
	Linger         time.Duration `yaml:"linger"`
	CurveSecretKey config.Secret `yaml:"curve_secret_key"`
	CurveServerKey string        `yaml:"curve_server_key"`
	CurveClients   []string      `yaml:"curve_client_keys"`
	CurveFile      string        `yaml:"curve_client_keys_file,path"`
}

// modes are the values of the option mode.
type modes map[string]struct {
	pattern zeromq.Pattern
	side    zeromq.Side
}

// logbookMulti is the entry of modes for the option multi; none that can be written.
const logbookMulti = "multi\x00"

// settings checks the options, as far as that can be done without opening the socket.
func (o *zeromqShared) settings(known modes) (s zeromq.Options, err error) {
	s = zeromq.Options{Addresses: o.URIs, Queue: o.HWM, Linger: o.Linger}
	field := "uris"
	if o.URI != "" {
		s.Addresses, field = append([]string{o.URI}, o.URIs...), "uri"
	}
	if len(s.Addresses) == 0 {
		return s, config.At("uri", "is missing: give one such as tcp://127.0.0.1:5556")
	}
	mode := o.Mode
	if mode == "" && o.Multi {
		mode = logbookMulti
	}
	m, ok := known[mode]
	if !ok {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(n string) bool { return n == "" || n == logbookMulti })
		return s, oneOf("mode", o.Mode, names...)
	}
	s.Pattern, s.Side = m.pattern, m.side
	if s.Curve, err = o.curve(); err != nil {
		return s, err
	}
	binds := s.Side == zeromq.Bind || s.Side == zeromq.Natural && (s.Pattern == zeromq.Pull || s.Pattern == zeromq.Pub)
	for _, uri := range s.Addresses {
		err = errors.Join(err, atField(field, checkURI(uri, []string{"tcp", "ipc", "inproc"}, binds && s.Curve == nil, "set curve_secret_key")))
	}
	return s, errors.Join(err, notNegative("hwm", o.HWM))
}

// keyLength is that of a key in the Z85 encoding.
const keyLength = 40

func (o *zeromqShared) curve() (*zeromq.Curve, error) {
	clients, file, err := o.clients()
	if err != nil {
		return nil, err
	}
	if o.CurveSecretKey.IsZero() {
		if o.CurveServerKey != "" {
			return nil, config.At("curve_server_key", "needs curve_secret_key, the key of this end")
		}
		return nil, nil //nolint:nilnil // plain text
	}
	if len(o.CurveSecretKey.Reveal()) != keyLength {
		return nil, config.At("curve_secret_key", "is not a key of %d characters", keyLength)
	}
	if o.CurveServerKey != "" && len(o.CurveServerKey) != keyLength {
		return nil, config.At("curve_server_key", "is not a key of %d characters", keyLength)
	}
	c := &zeromq.Curve{Secret: o.CurveSecretKey.Reveal(), ServerKey: o.CurveServerKey, Clients: clients}
	if file != nil {
		c.Client = file.find
	}
	return c, nil
}

// clients returns the keys of those who may connect, and a file with more; nil if everybody
// may who knows the public key of this end.
func (o *zeromqShared) clients() (clients map[string]string, file *keyFile, err error) {
	if o.CurveClients == nil && o.CurveFile == "" {
		return nil, nil, nil
	}
	field := "curve_client_keys"
	if o.CurveClients == nil {
		field = "curve_client_keys_file"
	}
	switch {
	case o.CurveSecretKey.IsZero():
		return nil, nil, config.At(field, "needs curve_secret_key, the key of this end")
	case o.CurveServerKey != "":
		return nil, nil, config.At(field, "is for the end that listens, which has no curve_server_key")
	}
	if o.CurveFile != "" {
		file = &keyFile{path: o.CurveFile}
		if err := file.read(); err != nil {
			return nil, nil, config.At("curve_client_keys_file", "%w", err)
		}
	}
	clients = make(map[string]string)
	for _, key := range o.CurveClients {
		if err := zeromq.CheckKey(key); err != nil {
			return nil, nil, config.At("curve_client_keys", "%q: %w", key, err)
		}
		clients[key] = ""
	}
	if len(clients) == 0 && (file == nil || len(file.clients) == 0) {
		return nil, nil, config.At(field, "has no key: nobody could connect")
	}
	return clients, file, nil
}

// keyFile is a file of keys of clients. It is read again when it has changed, so that who
// is added may connect at once.
type keyFile struct {
	path string

	mu      sync.Mutex
	clients map[string]string
	changed time.Time
	size    int64
}

// find returns the name of the owner of a key. As long as the file cannot be read, those of
// before may connect.
func (f *keyFile) find(key string) (name string, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if info, err := os.Stat(f.path); err == nil && (!info.ModTime().Equal(f.changed) || info.Size() != f.size) {
		_ = f.read() // the old list stays
	}
	name, ok = f.clients[key]
	return name, ok
}

// read reads the file. f.mu is held, or f is not shared yet.
func (f *keyFile) read() error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	clients, err := zeromq.ReadClients(file)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.clients, f.changed, f.size = clients, info.ModTime(), info.Size()
	return nil
}

// checkURI checks the address of a socket over one of the transports, tcp among them. It
// must not be reachable from other computers if private is set; remedy says what
// would allow that.
func checkURI(uri string, transports []string, private bool, remedy string) error {
	transport, rest, ok := strings.Cut(uri, "://")
	switch {
	case !ok:
		return errors.New("needs a transport in front, such as tcp://" + uri)
	case !slices.Contains(transports, transport):
		return fmt.Errorf("unknown transport %s (one of %s)", transport, strings.Join(transports, ", "))
	case !strings.HasSuffix(transport, "tcp") && rest == "":
		return errors.New("needs a path, such as ipc:///run/user/1000/records.sock")
	case !strings.HasSuffix(transport, "tcp"):
		return nil
	}
	host, _, err := net.SplitHostPort(rest)
	if err != nil || host == "" {
		return fmt.Errorf("want %s://HOST:PORT", transport)
	}
	if !private {
		return nil
	}
	return checkLoopback(host, remedy)
}

type zeromqOptions struct {
	decoding
	zeromqShared

	Topics  []string    `yaml:"topics"`
	MaxSize config.Size `yaml:"max_size"`
}

func newZeroMQ(env *pipeline.Env, o *zeromqOptions) (pipeline.Opener, error) {
	settings, err := o.settings(modes{
		"":             {zeromq.Sub, zeromq.Natural},
		"sub":          {zeromq.Sub, zeromq.Natural},
		"pull":         {zeromq.Pull, zeromq.Natural},
		"pull_connect": {zeromq.Pull, zeromq.Connect},
		"sub_bind":     {zeromq.Sub, zeromq.Bind},
		logbookMulti:   {zeromq.Pull, zeromq.Natural},
	})
	d, derr := o.decoder(o.MaxSize)
	if err = errors.Join(err, derr); err != nil {
		return nil, err
	}
	if settings.Topics = o.Topics; len(o.Topics) > 0 && settings.Pattern != zeromq.Sub {
		return nil, config.At("topics", "only a SUB socket has them")
	}
	settings.MaxMessageSize = int64(o.MaxSize)
	settings.OnPeer = peerLogger(env)
	return decodingOpener(env, d, func(context.Context) (queue.Receiver, error) { return zeromq.NewReceiver(settings) }), nil
}

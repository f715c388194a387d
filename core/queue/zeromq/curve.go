package zeromq

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	zmq "github.com/pebbe/zmq4"
)

// Curve holds the keys of ZeroMQ's encryption (CurveZMQ), each as 40
// characters of Z85. Which of them are needed depends on who is the server;
// that is the side that binds, unless Server says otherwise.
type Curve struct {
	// Secret is the secret key of this end.
	Secret string
	// Public is the public key of this end; empty: it is computed from Secret.
	Public string
	// ServerKey is the public key of the server; a client needs it, and a server
	// leaves it empty.
	ServerKey string
	// Clients, if not nil, are the public keys of those who may connect, each with a name
	// of its owner, which may be empty. Only a server has them. With nil, everybody may
	// who knows the public key of the server.
	Clients map[string]string
	// Client, if not nil, is asked about keys that are not among Clients: whether who has one
	// may connect, and the name of its owner. It is called by a goroutine for all sockets
	// of a context, and must not block.
	Client func(key string) (name string, ok bool)
}

// hasClients reports whether only those may connect that are known.
func (c *Curve) hasClients() bool { return c != nil && (c.Clients != nil || c.Client != nil) }

// NewCurveKeypair makes a pair of keys, each as 40 characters of Z85.
func NewCurveKeypair() (public, secret string, err error) {
	public, secret, err = zmq.NewCurveKeypair()
	if err != nil {
		return "", "", fmt.Errorf("make curve keys: %w", err)
	}
	return public, secret, nil
}

// keyLength is the length of a key in Z85.
const keyLength = 40

// check finds what is wrong with the keys, before libzmq says "invalid argument".
func (c *Curve) check() error {
	if c == nil {
		return nil
	}
	if c.Secret == "" {
		return errors.New("curve: no secret key; make a pair with: logbook-tray keygen")
	}
	for name, key := range map[string]string{"secret": c.Secret, "public": c.Public, "server": c.ServerKey} {
		if key != "" && len(key) != keyLength {
			return fmt.Errorf("curve: the %s key has %d characters instead of %d", name, len(key), keyLength)
		}
	}
	if c.hasClients() && c.ServerKey != "" {
		return errors.New("curve: keys of clients are for the server, which has no server key")
	}
	if c.Clients != nil && len(c.Clients) == 0 && c.Client == nil {
		return errors.New("curve: the list of clients is empty: nobody could connect")
	}
	for key := range c.Clients {
		if err := CheckKey(key); err != nil {
			return fmt.Errorf("curve: client %q: %w", key, err)
		}
	}
	return nil
}

// CheckKey says what is wrong with a public key.
func CheckKey(key string) error {
	if len(key) != keyLength {
		return fmt.Errorf("a key has %d characters, not %d", keyLength, len(key))
	}
	if i := strings.IndexFunc(key, func(r rune) bool { return !strings.ContainsRune(z85, r) }); i >= 0 {
		return fmt.Errorf("%q is no character of a key", key[i:i+1])
	}
	return nil
}

// z85 are the characters of a key.
const z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// maxKeyFile bounds a file of keys, in bytes.
const maxKeyFile = 1 << 20

// ReadClients reads [Curve].Clients from a file: one key a line, with the name of its owner
// behind it if you like, empty lines, and comments that begin with # and a blank.
func ReadClients(r io.Reader) (map[string]string, error) {
	clients := make(map[string]string)
	lines := bufio.NewScanner(io.LimitReader(r, maxKeyFile))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text == "#" || strings.HasPrefix(text, "# ") { // a key may begin with #
			continue
		}
		key, name, _ := strings.Cut(text, " ")
		if err := CheckKey(key); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		clients[key] = strings.TrimSpace(name)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	return clients, nil
}

func (c *Curve) configure(s *zmq.Socket) error {
	if c == nil {
		return nil
	}
	if c.ServerKey == "" { // this end is the server
		return errors.Join(s.SetCurveServer(1), s.SetCurveSecretkey(c.Secret))
	}
	public, err := c.public()
	if err != nil {
		return err
	}
	return errors.Join(s.SetCurveServerkey(c.ServerKey), s.SetCurvePublickey(public), s.SetCurveSecretkey(c.Secret))
}

// public returns the public key of this end.
func (c *Curve) public() (string, error) {
	if c.Public != "" {
		return c.Public, nil
	}
	public, err := zmq.AuthCurvePublic(c.Secret)
	if err != nil {
		return "", fmt.Errorf("public key: %w", err)
	}
	return public, nil
}

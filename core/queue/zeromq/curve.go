package zeromq

import (
	"errors"
	"fmt"

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
}

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
	return nil
}

func (c *Curve) configure(s *zmq.Socket) error {
	if c == nil {
		return nil
	}
	if c.ServerKey == "" { // this end is the server
		return errors.Join(s.SetCurveServer(1), s.SetCurveSecretkey(c.Secret))
	}
	public := c.Public
	if public == "" {
		var err error
		if public, err = zmq.AuthCurvePublic(c.Secret); err != nil {
			return fmt.Errorf("public key: %w", err)
		}
	}
	return errors.Join(s.SetCurveServerkey(c.ServerKey), s.SetCurvePublickey(public), s.SetCurveSecretkey(c.Secret))
}

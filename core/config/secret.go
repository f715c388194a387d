package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a value that must not be seen: a token, a password. It hides itself
// from formatting, JSON, YAML and structured logs; only [Secret.Reveal] gives
// it away.
//
// In the file it is one of
//
//	token: "literal"          # with a warning if others can read the file
//	token: {env: NAME}        # an environment variable
//	token: {file: path}       # the content of a file, without the newline at its end
//	token: {keyring: name}    # the desktop's keyring
type Secret struct{ value string }

// NewSecret returns a Secret with the given value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value itself, to send it to whom it is meant for.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no value.
func (s Secret) IsZero() bool { return s.value == "" }

const hidden = "<secret>"

// String returns "<secret>", or "" if there is none.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return hidden
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return "config.Secret(" + s.String() + ")" }

// Format hides the value from every other verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, s.GoString())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText hides the value from text encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON hides the value from JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// LogValue hides the value from structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// maxSecret is the largest secret read from a file, in bytes.
const maxSecret = 64 << 10

// secretSource returns where the secret that n describes comes from.
func secretSource(n *Node) (source string, ok bool) {
	if n.Kind != Map || len(n.Entries) != 1 {
		return "", false
	}
	e := n.Entries[0]
	switch e.Key {
	case "env", "file", "keyring":
		return e.Key, e.Value.Kind == String
	}
	return "", false
}

func (t *Tree) readSecret(source, name string) (string, error) {
	switch source {
	case "env":
		if value, ok := t.options.LookupEnv(name); ok && value != "" {
			return value, nil
		}
		return "", fmt.Errorf("environment variable %s is not set", clip(name))
	case "file":
		return t.readSecretFile(name)
	}
	if t.options.Keyring == nil {
		return "", errors.New("there is no keyring here; use {env: NAME} or {file: path}")
	}
	value, err := t.options.Keyring(name)
	if err != nil {
		return "", fmt.Errorf("read %q from the keyring: %w", clip(name), err)
	}
	if value == "" {
		return "", fmt.Errorf("the keyring has no secret %q", clip(name))
	}
	return value, nil
}

func (t *Tree) readSecretFile(name string) (string, error) {
	path, err := t.ResolvePath(name)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path) // before opening: a pipe would block
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read secret %q: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	if len(content) > maxSecret {
		return "", fmt.Errorf("the file %q is too large for a secret", path)
	}
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		return "", fmt.Errorf("the file %q is empty", path)
	}
	return value, nil
}

// secret decodes n. No message here may contain the value.
func (d *decoder) secret(n *Node, key string) (Secret, bool) {
	if source, ok := secretSource(n); ok {
		value, err := n.tree.readSecret(source, n.Entries[0].Value.text)
		if err != nil {
			d.add(n.Entries[0].Value.Errorf("%s: %v", key, err))
			return Secret{}, false
		}
		return Secret{value}, true
	}
	switch n.Kind {
	case Bool, Int, Float, String:
		if n.tree.exposed && !n.expanded && n.text != "" {
			w := n.Warnf("%s stands in a file that others can read", key)
			w.Hint = "chmod 600 the file, or use {env: NAME}, {file: path} or {keyring: name}"
			d.add(w)
		}
		return Secret{n.text}, true
	case Null, List, Map:
	}
	e := n.Errorf("%s must be a text or one of {env: NAME}, {file: path}, {keyring: name}", key)
	d.add(e)
	return Secret{}, false
}

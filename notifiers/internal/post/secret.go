package post

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the length from which on a secret is looked for in errors; what is
// shorter would be found in any text.
const minSecret = 4

// withoutURL takes the address, which may hold a secret, out of an error.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// safe names the service in an error and takes secrets out of it.
func (c *Client) safe(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if safe := c.redact(text); safe != text {
		// The chain is cut, since it may hold the secret.
		return &secretError{c.service + ": " + safe, errors.Is(err, ErrRefused)}
	}
	return fmt.Errorf("%s: %w", c.service, err)
}

// with returns a client to which what is in an Authorization header is a secret too: it
// may be a password in another spelling.
func (c *Client) with(authorization string) *Client {
	_, credentials, _ := strings.Cut(authorization, " ")
	if len(credentials) < minSecret {
		return c
	}
	copied := *c
	copied.secrets = append(spellings([]string{credentials}), c.secrets...)
	return &copied
}

// redact takes the secrets out of a text.
func (c *Client) redact(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return text
}

// spellings returns the secrets that are long enough to look for, as they are and as
// they are written in URLs and JSON, the longest first.
func spellings(secrets []string) []string {
	var all []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		all = append(all, s, url.PathEscape(s), url.QueryEscape(s))
		if quoted, err := json.Marshal(s); err == nil {
			all = append(all, strings.Trim(string(quoted), `"`))
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

// secretError is an error whose text held a secret.
type secretError struct {
	text    string
	refused bool
}

func (e *secretError) Error() string { return e.text }

func (e *secretError) Is(target error) bool { return e.refused && target == ErrRefused }

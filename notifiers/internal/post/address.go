package post

import (
	"fmt"
	"net/url"
	"strings"
)

// BaseURL checks the address of a server and returns it without a slash at the end.
func BaseURL(service, address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: address of the server: not a URL", service)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", fmt.Errorf("%s: address of the server: want http://HOST or https://HOST", service)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s: address of the server: no user, query or fragment may be in it", service)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Webhook checks the address of a webhook, which is a secret in itself, and returns
// what of it must not be told.
func Webhook(service, address string) (u *url.URL, secrets []string, err error) {
	u, err = url.Parse(address)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: address of the webhook: not a URL", service)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, nil, fmt.Errorf("%s: address of the webhook: want http://HOST/PATH or https://HOST/PATH", service)
	case u.User != nil || u.Fragment != "":
		return nil, nil, fmt.Errorf("%s: address of the webhook: no user or fragment may be in it", service)
	}
	secrets = []string{address}
	if uri := u.RequestURI(); len(uri) >= minToken {
		secrets = append(secrets, uri)
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= minToken {
			secrets = append(secrets, part)
		}
	}
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= minToken {
				secrets = append(secrets, v)
			}
		}
	}
	return u, secrets, nil
}

// minToken is the length from which on a part of a webhook's address may be a token:
// the services' tokens have 24 characters and more.
const minToken = 12

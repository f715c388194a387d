package twitter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // it is the signature method of the protocol
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// credentials are those of an application and of the user for whom it posts.
type credentials struct {
	consumerKey, consumerSecret, token, tokenSecret string
}

// parameter is one of a request, decoded.
type parameter struct{ name, value string }

// authorization returns the header of that name for a request whose body is not a
// form and whose address has no query (RFC 5849 section 3.5.1).
func (c credentials) authorization(method, address string, now time.Time) string {
	return c.header(method, address, []parameter{
		{"oauth_consumer_key", c.consumerKey},
		{"oauth_nonce", rand.Text()},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(now.Unix(), 10)},
		{"oauth_token", c.token},
		{"oauth_version", "1.0"},
	})
}

func (c credentials) header(method, address string, oauth []parameter) string {
	signed := append(slices.Clone(oauth), parameter{"oauth_signature", c.signature(method, address, oauth)})
	parts := make([]string, len(signed))
	for i, p := range signed {
		parts[i] = escape(p.name) + `="` + escape(p.value) + `"`
	}
	return "OAuth " + strings.Join(parts, ", ")
}

// signature signs a request with HMAC-SHA1 (RFC 5849 section 3.4.2). parameters are
// those of the header, the query and a form.
func (c credentials) signature(method, address string, parameters []parameter) string {
	mac := hmac.New(sha1.New, []byte(escape(c.consumerSecret)+"&"+escape(c.tokenSecret)))
	mac.Write([]byte(baseString(method, address, parameters)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// baseString is what is signed (RFC 5849 section 3.4.1). address has no query.
func baseString(method, address string, parameters []parameter) string {
	escaped := make([]parameter, len(parameters))
	for i, p := range parameters {
		escaped[i] = parameter{escape(p.name), escape(p.value)}
	}
	slices.SortFunc(escaped, func(a, b parameter) int {
		if by := strings.Compare(a.name, b.name); by != 0 {
			return by
		}
		return strings.Compare(a.value, b.value)
	})
	pairs := make([]string, len(escaped))
	for i, p := range escaped {
		pairs[i] = p.name + "=" + p.value
	}
	return strings.ToUpper(method) + "&" + escape(baseAddress(address)) + "&" + escape(strings.Join(pairs, "&"))
}

// baseAddress is the address in the spelling that is signed (RFC 5849 section 3.4.1.2).
func baseAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // was parsed before
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if u.Scheme == "http" {
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	u.RawQuery = ""
	return u.String()
}

// escape writes everything but letters, digits and -._~ as %XX (RFC 5849 section 3.6).
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

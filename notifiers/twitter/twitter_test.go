package twitter

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/pushtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// RFC 5849 section 3.4.1.1; the secrets are those of section 3.1, the signature is that of
// erratum 2550, since the one in the text is wrong.
func TestTheBaseStringAndSignatureAreThoseOfTheRFC(t *testing.T) {
	parameters := []parameter{
		{"b5", "=%3D"},
		{"a3", "a"},
		{"c@", ""},
		{"a2", "r b"},
		{"c2", ""},
		{"a3", "2 q"},
		{"oauth_consumer_key", "9djdj82h48djs9d2"},
		{"oauth_token", "kkk9d7dh3k39sjv7"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "137131201"},
		{"oauth_nonce", "7d8f3e4a"},
	}
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D" +
		"%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1" +
		"%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if diff := cmp.Diff(want, baseString("post", "HTTP://EXAMPLE.com:80/request?b5=%3D%253D", parameters)); diff != "" {
		t.Errorf("base string (-want +got):\n%s", diff)
	}
	c := credentials{consumerSecret: "j49sk3j29djd", tokenSecret: "dh893hdasih9"}
	if got, want := c.signature("POST", "http://example.com/request", parameters), "r6/TJjbCOr97/+UU0NsvSne7s5g="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// RFC 5849 section 1.2.
func TestTheSignaturesOfTheRFCsExampleAreRight(t *testing.T) {
	oauth := func(timestamp, nonce string, more ...parameter) []parameter {
		return append([]parameter{
			{"oauth_consumer_key", "dpf43f3p2l4k3l03"},
			{"oauth_signature_method", "HMAC-SHA1"},
			{"oauth_timestamp", timestamp},
			{"oauth_nonce", nonce},
		}, more...)
	}
	c := credentials{consumerSecret: "kd94hf93k423kf44"}
	got := c.signature("POST", "https://photos.example.net/initiate", oauth("137131200", "wIjqoS", parameter{"oauth_callback", "http://printer.example.com/ready"}))
	if want := "74KNZJeDHnMBp0EMJ9ZHt/XKycU="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	c.tokenSecret = "pfkkdhi9sl3r4s00"
	got = c.signature("GET", "http://photos.example.net/photos", oauth("137131202", "chapoH",
		parameter{"oauth_token", "nnch734d00sl2jdk"}, parameter{"file", "vacation.jpg"}, parameter{"size", "original"}))
	if want := "MdpQcU8iPSUjWoN/UDMsK2sui9I="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// The example in the service's own documents, "Creating a signature", in its first
// edition.
func TestTheSignatureOfTheServicesExampleIsRight(t *testing.T) {
	c := credentials{consumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", tokenSecret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"}
	got := c.signature("POST", "https://api.twitter.com/1/statuses/update.json", []parameter{
		{"status", "Hello Ladies + Gentlemen, a signed OAuth request!"},
		{"include_entities", "true"},
		{"oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"},
		{"oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", "1318622958"},
		{"oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"},
		{"oauth_version", "1.0"},
	})
	if want := "tnnArxj06cWHq44gCs1OSKk/jLY="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

const (
	consumerKey    = "k3y-of-the-app-0147"
	consumerSecret = "s3cret/+of-the-app-0258"
	token          = "42-token-0123456789"
	tokenSecret    = "s3cret-of-the-user"
)

func newNotifier(server string, client *http.Client) (notifiers.Notifier, error) {
	return New(Options{
		ConsumerKey: consumerKey, ConsumerSecret: consumerSecret, Token: token, TokenSecret: tokenSecret, Server: server, Client: client,
	})
}

var field = regexp.MustCompile(`(\w+)="([^"]*)"`)

func TestTheServiceGetsTheDocumentedRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	n, err := newNotifier(server.URL, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if err != nil {
		t.Fatal(err)
	}
	of := pushtest.Notification()
	of.Body = "größer <\"x\">"
	if err := n.Notify(t.Context(), of); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.URL.String() != "/2/tweets" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	if want := `{"text":"shop: Error: größer \u003c\"x\"\u003e"}`; string(body) != want {
		t.Errorf("body %s, want %s", body, want)
	}
	header := got.Header.Get("Authorization")
	fields := map[string]string{}
	var signed []parameter
	for _, m := range field.FindAllStringSubmatch(header, -1) {
		fields[m[1]] = m[2]
		if m[1] != "oauth_signature" {
			signed = append(signed, parameter{m[1], m[2]}) // none of them has anything to decode
		}
	}
	c := credentials{consumerKey, consumerSecret, token, tokenSecret}
	if want := escape(c.signature("POST", server.URL+"/2/tweets", signed)); fields["oauth_signature"] != want {
		t.Errorf("signature %s, want %s", fields["oauth_signature"], want)
	}
	if !strings.HasPrefix(header, "OAuth oauth_") || len(fields) != 7 || fields["oauth_consumer_key"] != consumerKey || fields["oauth_token"] != token ||
		fields["oauth_version"] != "1.0" || fields["oauth_signature_method"] != "HMAC-SHA1" || len(fields["oauth_nonce"]) < 20 {
		t.Errorf("header: %s", header)
	}
}

var kind = pushtest.Kind{
	New: newNotifier, Secrets: []string{consumerKey, consumerSecret, token, tokenSecret},
	Limits: []pushtest.Limit{{Text: "text", Max: 280, Count: Weight}},
}

func TestItConforms(t *testing.T) {
	pushtest.Check(t, kind)
}

// transport answers each request with a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAPostThatWasMadeThoughTheConnectionBrokeIsNoError(t *testing.T) {
	for _, broken := range []int{0, 1} {
		var authorizations []string
		n, err := newNotifier("", &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			authorizations = append(authorizations, r.Header.Get("Authorization"))
			if len(authorizations) <= broken {
				return nil, io.ErrUnexpectedEOF
			}
			return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(
				`{"detail": "You are not allowed to create a Tweet with duplicate content."}`))}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		n.(*Notifier).client.Pause = noPause
		err = n.Notify(t.Context(), pushtest.Notification())
		if broken == 0 && !errors.Is(err, ErrRefused) || broken == 1 && (err != nil || authorizations[0] == authorizations[1]) {
			t.Errorf("broken %d times: %v", broken, err)
		}
	}
}

func TestThePostHasTheFormatOfLogbook(t *testing.T) {
	r := &core.Record{Channel: "shop", Exception: &core.Exception{Name: "shop.errors.Declined", Message: "no money\x07"}}
	for _, test := range []struct {
		of   notifiers.Notification
		want string
	}{
		{notifiers.Notification{Title: "shop: Error", Body: "declined", Level: core.LevelError, Record: &core.Record{Channel: "shop"}}, "[shop] ERROR: declined"},
		{notifiers.Notification{Body: "declined", Level: core.LevelError, Record: r, Note: "3 times"}, "[shop] ERROR: declined\nDeclined: no money (3 times)"},
		{notifiers.Notification{Body: "Declined: no money", Level: core.LevelError, Record: r}, "[shop] ERROR: Declined: no money"},
		{notifiers.Notification{Title: "25 more records", Body: "shop: Error", Digest: true, Record: r}, "25 more records: shop: Error"},
		{notifiers.Notification{Title: "a", Body: "@joe #x $Y"}, "a: @\u200bjoe #\u200bx $\u200bY"},
	} {
		if got := Text(test.of); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestThePostIsCutAndKeepsTheCount(t *testing.T) {
	got := Text(notifiers.Notification{Title: "shop: Error", Body: strings.Repeat("declined ", 100_000), Note: "12 times in 60 s"})
	if Weight(got) > MaxWeight || Weight(got) < MaxWeight-10 || !strings.HasSuffix(got, "declined … (12 times in 60 s)") {
		t.Errorf("weight %d: %q", Weight(got), got)
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		s    string
		n    int
		want string
	}{
		{"hello world", 11, "hello world"},
		{"hello world", 10, "hello …"},
		{"hello world", 8, "hello …"},
		{"hello world", 7, "hello…"},
		{"hello world", 6, "hell…"}, // Logbook gives the ellipsis alone
		{"hello", 1, ""},
		{"hello", 2, "…"},
		{"日本語 日本語", 10, "日本語 …"},
		{"日本語", 5, "日…"},
		{"e\u0301e\u0301e\u0301", 5, "e\u0301…"},
		{"in cart.py now", 20, "in …"},
	} {
		if got := Cut(test.s, test.n); got != test.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", test.s, test.n, got, test.want)
		}
	}
}

func TestWeight(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "größe": 5, "…": 2, "“x”": 3, "日本": 4, "😀": 2, "see https://example.com/" + strings.Repeat("x", 10): 34,
		"in cart.py": 26, "1.5 s...": 8, "end.": 4, "a.b.cc": 46,
	} {
		if got := Weight(s); got != want {
			t.Errorf("Weight(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestWhatIsCutFitsAndIsAPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab. \n日😀\u0301\u200d…"))).Draw(t, "s")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		got := Cut(s, n)
		if Weight(got) > n || !utf8.ValidString(got) {
			t.Fatalf("Cut(%q, %d) = %q, of weight %d", s, n, got, Weight(got))
		}
		if got != s && !strings.HasPrefix(strings.TrimSpace(s), strings.TrimSpace(strings.TrimSuffix(got, "…"))) {
			t.Fatalf("Cut(%q, %d) = %q", s, n, got)
		}
	})
}

func TestWrongOptionsAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"twitter: consumer key: key and secret are required":               {Token: "t", TokenSecret: "t"},
		"twitter: token: token and secret are required":                    {ConsumerKey: "k", ConsumerSecret: "s"},
		"twitter: address of the server: want http://HOST or https://HOST": {Server: "x"},
	} {
		if _, err := New(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func noPause(context.Context, time.Duration) error { return nil }

func FuzzTextsBecomeNothingElse(f *testing.F) {
	pushtest.Fuzz(f, map[string]pushtest.Kind{"twitter": kind})
}

package notifo_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/pushtest"
	"github.com/logbook-tray/logbook-tray/notifiers/notifo"
)

func TestTheRequestIsThatOfLogbookWithTheLevelOfTheRecord(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
	}))
	defer server.Close()
	for _, test := range []struct {
		hide bool
		want url.Values
	}{
		{false, url.Values{"msg": {"declined (3 times)"}, "label": {"logbook-tray"}, "title": {"ERROR"}}},
		{true, url.Values{"msg": {"declined (3 times)"}, "label": {"logbook-tray"}}},
	} {
		n, err := notifo.New(notifo.Options{Username: "joe", Secret: "hush", HideLevel: test.hide, Server: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		err = n.Notify(t.Context(), notifiers.Notification{Title: "shop: Error", Body: "declined", Note: "3 times", Level: core.LevelError})
		if err != nil {
			t.Fatal(err)
		}
		user, secret, _ := got.BasicAuth()
		if got.Method != http.MethodPost || got.URL.Path != "/v1/send_notification" || user != "joe" || secret != "hush" {
			t.Errorf("%s %s as %s:%s", got.Method, got.URL, user, secret)
		}
		if diff := cmp.Diff(test.want, got.PostForm); diff != "" {
			t.Errorf("form (-want +got):\n%s", diff)
		}
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	for _, o := range []notifo.Options{{Username: "joe"}, {Username: "joe", Secret: "x", Server: "ftp://x"}} {
		if _, err := notifo.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

const secret = "hush-very-secret-0123456789"

var kind = pushtest.Kind{
	New: func(server string, client *http.Client) (notifiers.Notifier, error) {
		return notifo.New(notifo.Options{Username: "joe", Secret: secret, Server: server, Client: client})
	},
	Secrets: []string{secret, base64.StdEncoding.EncodeToString([]byte("joe:" + secret))},
	Limits:  []pushtest.Limit{{Text: "msg", Max: 4096}},
}

func TestItConforms(t *testing.T) { pushtest.Check(t, kind) }

func FuzzTextsBecomeNothingElse(f *testing.F) {
	pushtest.Fuzz(f, map[string]pushtest.Kind{"notifo": kind})
}

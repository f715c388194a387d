package boxcar_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
	"github.com/logbook-tray/logbook-tray/notifiers/boxcar"
	"github.com/logbook-tray/logbook-tray/notifiers/internal/pushtest"
)

func TestTheRequestIsThatOfLogbook(t *testing.T) {
	var got *http.Request
	answer := http.StatusCreated
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		got = r
		w.WriteHeader(answer)
	}))
	defer server.Close()
	n, err := boxcar.New(boxcar.Options{Email: "joe@example.com", Password: "pass word", Server: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	of := notifiers.Notification{Title: "shop: Error", Body: "größer & kleiner", Level: core.LevelError}
	before := time.Now().UnixMilli() / 10
	if err := n.Notify(t.Context(), of); err != nil {
		t.Fatal(err)
	}
	user, password, _ := got.BasicAuth()
	if got.Method != http.MethodPost || got.URL.Path != "/notifications/" || user != "joe@example.com" || password != "pass word" {
		t.Errorf("%s %s as %s:%s", got.Method, got.URL, user, password)
	}
	f := got.PostForm
	if len(f) != 3 || f.Get("notification[from_screen_name]") != "Error" || f.Get("notification[message]") != "größer & kleiner" {
		t.Errorf("form: %v", f)
	}
	if id, err := strconv.ParseInt(f.Get("notification[from_remote_service_id]"), 10, 64); err != nil || id < before {
		t.Errorf("ID: %v", f)
	}
	answer = http.StatusUnauthorized
	if err := n.Notify(t.Context(), of); err == nil || err.Error() != "boxcar: refused: the server answers 401 Unauthorized" {
		t.Errorf("error: %v", err)
	}
}

func TestWrongOptionsAreNamed(t *testing.T) {
	if _, err := boxcar.New(boxcar.Options{Email: "joe"}); err == nil {
		t.Error("no password was asked for")
	}
	if _, err := boxcar.New(boxcar.Options{Email: "joe", Password: "x", Server: "boxcar"}); err == nil || !strings.HasPrefix(err.Error(), "boxcar: address") {
		t.Errorf("error: %v", err)
	}
}

const secret = "hush-very-secret-0123456789"

var kind = pushtest.Kind{
	New: func(server string, client *http.Client) (notifiers.Notifier, error) {
		return boxcar.New(boxcar.Options{Email: "joe@example.com", Password: secret, Server: server, Client: client})
	},
	Secrets: []string{secret, base64.StdEncoding.EncodeToString([]byte("joe@example.com:" + secret))},
	Limits:  []pushtest.Limit{{Text: "notification[message]", Max: 4096}},
}

func TestItConforms(t *testing.T) { pushtest.Check(t, kind) }

func FuzzTextsBecomeNothingElse(f *testing.F) {
	pushtest.Fuzz(f, map[string]pushtest.Kind{"boxcar": kind})
}

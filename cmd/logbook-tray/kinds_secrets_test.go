package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/alert"
	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/core/expression"
	"github.com/logbook-tray/logbook-tray/core/mute"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// marked are configurations of all notifiers that have secrets; S1, S2... stand for
// secrets, and URL and ADDRESS for a service.
var marked = map[string]string{
	"ntfy":       `{type: ntfy, url: URL, topic: S1, token: S2, attach_context: true}`,
	"gotify":     `{type: gotify, url: URL, token: S1, client_token: S2}`,
	"pushover":   `{type: pushover, url: URL, token: S1, user: S2}`,
	"pushbullet": `{type: pushbullet, url: URL, token: S1}`,
	"telegram":   `{type: telegram, url: URL, token: "1:S1", chat: "-1", attach_context: true}`,
	"matrix":     `{type: matrix, url: URL, token: S1, room: "!a:b"}`,
	"slack":      `{type: slack, webhook: URL/services/S1/S2}`,
	"discord":    `{type: discord, webhook: URL/api/webhooks/1/S1, attach_context: true}`,
	"mattermost": `{type: mattermost, webhook: URL/hooks/S1}`,
	"teams":      `{type: teams, webhook: "URL/workflows/1/run?sp=%2Ftriggers&sig=S1"}`,
	"webhook":    `{type: webhook, url: URL/S1, headers: {authorization: Bearer S2, X-Key: S3}}`,
	"twitter":    `{type: twitter, url: URL, consumer_key: S1, consumer_secret: S2, token: S3, token_secret: S4}`,
	"boxcar":     `{type: boxcar, url: URL, email: me@example.com, password: S1}`,
	"notifo":     `{type: notifo, url: URL, username: me, secret: S1}`,
	"growl":      `{type: growl, address: ADDRESS, password: S1}`,
}

func secretsOf(kind string) []string {
	var all []string
	for i := range 4 {
		all = append(all, fmt.Sprintf("%s-very-secret-%d-0123456789", kind, i+1))
	}
	return all
}

// configured returns the configuration of a kind with secrets and services filled in.
func configured(kind, address, growl string) string {
	source := marked[kind]
	for i, s := range secretsOf(kind) {
		source = strings.ReplaceAll(source, fmt.Sprint("S", i+1), s)
	}
	source = strings.NewReplacer("URL", address, "ADDRESS", `"`+growl+`"`).Replace(source)
	return "handlers:\n  - " + strings.Replace(source, "{type:", "{name: x, type:", 1) + "\n"
}

// tattletales are services that refuse everything and tell all they know: one that
// speaks HTTP, and one that speaks GNTP.
func tattletales(t *testing.T) (address, growl string) {
	t.Helper()
	return services(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, r.URL, " ", r.Header, " ", string(body))
	}, func(first string) string {
		return "GNTP/1.0 -ERROR NONE\r\nError-Code: 400\r\nError-Description: " + first + "\r\n\r\n"
	})
}

// services starts one that speaks HTTP, and one that speaks GNTP, which is given the first
// line of a request.
func services(t *testing.T, web http.HandlerFunc, gntp func(first string) string) (address, growl string) {
	t.Helper()
	s := httptest.NewServer(web)
	t.Cleanup(s.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			first := make([]byte, 4096)
			n, _ := conn.Read(first)
			line, _, _ := strings.Cut(string(first[:n]), "\r\n")
			_, _ = io.WriteString(conn, gntp(line))
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return s.URL, l.Addr().String()
}

// journal keeps what the program says of itself.
type journal struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (j *journal) Handle(_ context.Context, r *core.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = fmt.Fprintln(&j.said, r.Message(), r.Extra.Map(), r.Exception)
	return nil
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.said.String()
}

func TestKindsOfNotifiersThatFailTellNoSecret(t *testing.T) {
	a := &app.App{Alerts: alert.NewList(alert.Options{}), Mutes: mute.NewStack(nil), Notifier: new(screen)}
	for _, k := range append(notifierKinds(a), pushKinds(a)...) {
		if k.Options != nil && hasSecret(reflect.TypeOf(k.Options()).Elem()) && marked[k.Name] == "" {
			t.Errorf("%s has secrets: it needs a configuration here", k.Name)
		}
	}
	address, growl := tattletales(t)
	for kind := range marked {
		t.Run(kind, func(t *testing.T) {
			secrets, source := secretsOf(kind), configured(kind, address, growl)
			tree, ds := config.Parse(filepath.Join(t.TempDir(), "config.yaml"), []byte(source), config.Options{})
			said := new(journal)
			self := core.NewLogger("test")
			self.AddHandler(core.Binding{Handler: said})
			p, more := pipeline.New(pipeline.Options{
				Kinds: kinds(a), Self: self, CompileFilter: expression.Compile, CompileText: expression.CompileText,
			}, tree)
			if ds = append(ds, more...); ds.HasErrors() {
				t.Fatal(ds)
			}
			r := &running{Pipeline: p}
			r.log(t, core.LevelError, "no tea")
			eventually(t, func() bool { return p.Status().Handlers[0].Error != "" && said.String() != "" })
			status, err := json.Marshal(p.Status())
			if err != nil {
				t.Fatal(err)
			}
			description, _ := check(t, source)
			wrong, _ := check(t, strings.Replace(source, "{name: x,", "{name: x, level: loud, tls_ca: /no/such/file,", 1))
			closing := p.Close()
			text := fmt.Sprintf("%s\n%s\n%+v\n%+v\n%v\n%v", status, said, description, wrong, ds, closing)
			for _, told := range []string{
				"very-secret", base64.StdEncoding.EncodeToString([]byte("me:" + secrets[0])),
				base64.StdEncoding.EncodeToString([]byte("me@example.com:" + secrets[0])),
			} {
				if strings.Contains(text, told) {
					t.Errorf("%q is told:\n%s", told, text)
				}
			}
			if !strings.Contains(text, "refused") && !strings.Contains(text, "answers 400") {
				t.Errorf("what went wrong is not told:\n%s", text)
			}
		})
	}
}

func TestKindsOfNotifiersReachTheirServices(t *testing.T) {
	var mu sync.Mutex
	var got []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, what)
	}
	address, growl := services(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		note(r.Method + " " + string(body) + fmt.Sprint(r.Header))
		_, _ = io.WriteString(w, `{"id": "1", "content_uri": "mxc://a/b"}`)
	}, func(first string) string {
		note(first)
		return "GNTP/1.0 -OK NONE\r\n\r\n"
	})
	self := core.NewLogger("test")
	self.Disable()
	for kind := range marked {
		path := filepath.Join(t.TempDir(), "config.yaml")
		write(t, path, configured(kind, address, growl))
		r := core.NewReceived(&core.Record{Channel: "shop", Level: core.LevelError, Msg: "tea+is+out"}, core.Source{Name: "test"}, time.Now())
		_, ds, err := app.Deliver(t.Context(), app.Options{Config: path, Kinds: kinds, Self: self, Stderr: io.Discard}, "x", r)
		mu.Lock()
		all := strings.Join(got, "\n")
		got = nil
		mu.Unlock()
		if err != nil || ds.HasErrors() {
			t.Errorf("%s: %v %v", kind, err, ds)
		}
		if decoded := strings.ReplaceAll(all, "%2B", "+"); !strings.Contains(decoded, "tea+is+out") && !strings.Contains(all, "NOTIFY") {
			t.Errorf("%s: the service got %q", kind, all)
		}
	}
}

func TestKindsOfNotifiersThatHangHoldUpNobody(t *testing.T) {
	asked, over := make(chan struct{}, 10), make(chan struct{})
	address, _ := services(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}, nil)
	r := runKinds(t, `handlers:
  - {name: phone, type: ntfy, url: "`+address+`", topic: dev, timeout: 1m, bubble: true}
  - {name: desktop, type: notification}
`)
	r.log(t, core.LevelError, "no tea")
	<-asked
	eventually(t, func() bool { return r.Status().Handlers[1].Counters["delivered"] == 1 })
	if c := r.Status().Handlers[0].Counters; c["delivered"] != 0 || c["undelivered"] != 0 {
		t.Errorf("the service hangs: %v", c)
	}
	close(over)
	r.end(t)
	if len(r.screen.shown) != 1 {
		t.Errorf("shown: %+v", r.screen.shown)
	}
}

func TestKindsOfNotifiersAttachTheContextAsText(t *testing.T) {
	file := make(chan string, 10)
	address, _ := services(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		file <- r.Method + " " + r.URL.Path + " " + r.Header.Get("X-Filename") + "\n" + string(body)
	}, nil)
	r := runKinds(t, `handlers: [{type: fingers_crossed, handler: {type: ntfy, url: "`+address+`", topic: dev, attach_context: true}}]`)
	r.log(t, core.LevelDebug, "cart opened")
	failed := core.NewReceived(&core.Record{
		Channel: "shop", Level: core.LevelError, Msg: "no tea", Time: time.Date(2026, 11, 21, 12, 0, 1, 0, time.UTC),
		Exception: &core.Exception{Name: "shop.Empty", Message: "tin", Traceback: "Traceback (most recent call last):\n  File \"shop.py\", line 1\nshop.Empty: tin"},
	}, core.Source{Name: "test"}, time.Now())
	if err := r.Dispatch(failed); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	want := "PUT /dev context.txt\nshop: Error\nno tea\n\n" +
		"[2026-11-21 12:00:00.000000] DEBUG: shop: cart opened\n" +
		"[2026-11-21 12:00:01.000000] ERROR: shop: no tea\nTraceback (most recent call last):\n  File \"shop.py\", line 1\nshop.Empty: tin\n"
	select {
	case got := <-file:
		if got != want {
			t.Errorf("the service got\n%s\nwant\n%s", got, want)
		}
	default:
		t.Error("the service got nothing")
	}
}

// hasSecret reports whether options have a secret among them.
func hasSecret(o reflect.Type) bool {
	if o == reflect.TypeFor[config.Secret]() {
		return true
	}
	switch o.Kind() {
	case reflect.Struct:
		for f := range o.Fields() {
			if hasSecret(f.Type) {
				return true
			}
		}
	case reflect.Map, reflect.Slice, reflect.Pointer:
		return o.Elem().Kind() != reflect.Struct && hasSecret(o.Elem()) || o.Elem() == reflect.TypeFor[config.Secret]()
	default:
	}
	return false
}

package push

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

func newWebhook(t *testing.T, s *service, o WebhookOptions) *Webhook {
	t.Helper()
	o.URL, o.Client = s.URL+"/hook?x=1", s.client()
	w, err := NewWebhook(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func webhookTestRecord(message string) *core.Record {
	r := &core.Record{
		Channel: "shop", Level: core.LevelError, Time: time.Date(2024, 5, 1, 12, 0, 0, 5000, time.FixedZone("x", 3600)),
		Site:    core.Site{File: "/srv/cart.py", Line: 12, Function: "pay", Module: "cart"},
		Process: core.Process{ID: 99}, Thread: core.Thread{Name: "MainThread"},
		Exception: &core.Exception{Name: "shop.Declined", Message: "no money", Traceback: "Traceback..."},
		Extra:     core.Extra("user", "joe", "ratio", math.NaN()),
	}
	r.SetMessage(message)
	return core.NewReceived(r, core.Source{Name: "zeromq"}, time.Now())
}

func TestAWebhookGetsTheDocumentedRequest(t *testing.T) {
	s := startService(t, status(http.StatusNoContent, ""))
	w := newWebhook(t, s, WebhookOptions{Context: 2, Method: "PUT", Header: http.Header{"authorization": {"Bearer " + secretToken}}})
	of := declined
	of.Record = webhookTestRecord("declined")
	of.Context = []*core.Record{webhookTestRecord("one"), webhookTestRecord("two"), webhookTestRecord("declined")}
	notify(t, w, of)
	notify(t, w, of)
	record := func(message string) any {
		return map[string]any{
			"time": "2024-05-01T11:00:00.000005Z", "channel": "shop", "level": "ERROR", "message": message, "source": "zeromq",
			"file": "/srv/cart.py", "line": 12.0, "function": "pay", "module": "cart", "process_id": 99.0, "thread": "MainThread",
			"exception": map[string]any{"name": "shop.Declined", "message": "no money", "traceback": "Traceback..."},
			"extra":     map[string]any{"user": "joe", "ratio": "NaN"},
		}
	}
	put := func(update bool) request {
		return request{Method: "PUT", Path: "/hook?x=1", Auth: "Bearer " + secretToken, Type: "application/json", Body: map[string]any{
			"version": 1.0, "id": 42.0, "update": update, "title": "shop: Error", "body": "größer {\"x\": 1}\nsecond",
			"note": "12 times in 60 s", "level": "ERROR", "count": 12.0, "digest": false,
			"record": record("declined"), "context": []any{record("two"), record("declined")},
		}}
	}
	if diff := cmp.Diff([]request{put(false), put(true)}, s.got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAWebhookWithoutARecordGetsNulls(t *testing.T) {
	s := startService(t)
	notify(t, newWebhook(t, s, WebhookOptions{}), declined)
	b := s.got[0].Body
	if b["record"] != nil || len(b["context"].([]any)) != 0 || s.got[0].Method != http.MethodPost {
		t.Errorf("body: %v", b)
	}
}

func TestATemplateMakesTheBodyOfAWebhookAndNothingInARecordIsMoreThanText(t *testing.T) {
	s := startService(t)
	w := newWebhook(t, s, WebhookOptions{Template: `{
		"summary": {{.Title}}, "severity": {{if eq .Level "ERROR"}}"high"{{else}}{{.Level}}{{end}}, "count": {{.Count}},
		"line": {{printf "%s (%s)" .Body .Level}}, "user": {{.Record.Extra.user}}, {{$c := .Record.Channel}}"channel": {{$c}},
		"lines": [{{range $i, $r := .Context}}{{if $i}},{{end}}{{$r.Message}}{{end}}]{{with .Record.Exception}}, "exception": {{.Name}}{{end}}
	}`, Context: 10})
	of := declined
	of.Title, of.Body, of.Record = `a","count":0,"b":"`, "\"}\n", webhookTestRecord("x")
	of.Context = []*core.Record{webhookTestRecord(`"],"x":["`), webhookTestRecord("two")}
	notify(t, w, of)
	notify(t, w, notifiers.Notification{Title: "t", Level: core.LevelWarning})
	want := []map[string]any{
		{
			"summary": `a","count":0,"b":"`, "severity": "high", "count": 12.0, "line": "\"}\n (ERROR)", "user": "joe", "channel": "shop",
			"lines": []any{`"],"x":["`, "two"}, "exception": "shop.Declined",
		},
		{"summary": "t", "severity": "WARNING", "count": 0.0, "line": " (WARNING)", "user": nil, "channel": "", "lines": []any{}},
	}
	if diff := cmp.Diff(want, []map[string]any{s.got[0].Body, s.got[1].Body}); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

func TestAWrongTemplateIsFoundWhenItIsRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": "{{.Title}}"}`:                  "webhook: template: it makes no JSON",
		`{"a": {{.Nothing}}}`:                  "can't evaluate field Nothing",
		`{"a": {{.Title}`:                      "webhook: template: template: template:1:",
		`{"a": {{.Record.Exception.Message}}}`: "nil pointer evaluating",
		`{{if .Update}}"{{.Title}}"`:           "unexpected EOF",
	} {
		if _, err := NewWebhook(WebhookOptions{URL: "http://x/", Template: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestOfAContextThatIsTooLargeTheNewestRecordsAreSent(t *testing.T) {
	w, err := NewWebhook(WebhookOptions{URL: "http://x/", Context: 1000})
	if err != nil {
		t.Fatal(err)
	}
	of, r := declined, webhookTestRecord(strings.Repeat("x", 10_000))
	for range 999 {
		of.Context = append(of.Context, r)
	}
	of.Context = append(of.Context, webhookTestRecord("newest"))
	body, err := w.body(webhookAlert(of, 1000))
	var a WebhookAlert
	if json.Unmarshal(body, &a) != nil || err != nil || len(body) > 4<<20 || len(a.Context) < 200 || a.Context[len(a.Context)-1].Message != "newest" {
		t.Errorf("%d bytes, %d records: %v", len(body), len(a.Context), err)
	}
}

func TestABodyThatIsTooLargeIsAnError(t *testing.T) {
	if _, err := NewWebhook(WebhookOptions{URL: "http://x/", Template: `{{printf "%4194305d" 1}}`}); err == nil || !strings.Contains(err.Error(), "more than 4 MiB") {
		t.Errorf("error: %v", err)
	}
}

func TestALaterAlertForWhichATemplateMakesNoJSONIsAnError(t *testing.T) {
	s := startService(t)
	w := newWebhook(t, s, WebhookOptions{Template: `{{if eq .Count 7}}"{{.Title}}"{{else}}{}{{end}}`})
	of := declined
	of.Count = 7
	if err := w.Notify(t.Context(), of); !errors.Is(err, errNotJSON) || len(s.got) != 0 {
		t.Errorf("%d requests: %v", len(s.got), err)
	}
}

func TestWrongOptionsOfAWebhookAreNamed(t *testing.T) {
	for want, o := range map[string]WebhookOptions{
		"webhook: address of the webhook: want http://HOST/PATH or https://HOST/PATH": {URL: "x"},
		`webhook: method: "GET" is not POST, PUT or PATCH`:                            {URL: "http://x/", Method: "GET"},
	} {
		if _, err := NewWebhook(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzWhatATemplateMakesIsTheTextsAndNothingElse(f *testing.F) {
	f.Add(`a","b":"`, "\\\"\n\x00\xff")
	w, err := NewWebhook(WebhookOptions{URL: "http://x/", Template: `{"title": {{.Title}}, "text": {{.Body}}}`})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, title, text string) {
		body, err := w.body(webhookAlert(notifiers.Notification{Title: title, Body: text}, 0))
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := json.Unmarshal(body, &got); err != nil || len(got) != 2 || got["title"] != strings.ToValidUTF8(title, "\ufffd") && !strings.Contains(got["title"], "\ufffd") {
			t.Errorf("%s: %v", body, err)
		}
	})
}

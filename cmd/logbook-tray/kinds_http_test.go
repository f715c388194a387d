package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
)

// address returns where the source with a name listens.
func (r *running) address(t *testing.T, name string) string {
	t.Helper()
	var url string
	eventually(t, func() bool {
		for _, s := range r.Status().Subscribers {
			if i := strings.Index(s.Detail, "http"); s.Name == name && i >= 0 {
				url, _, _ = strings.Cut(s.Detail[i:], ";")
			}
		}
		return url != ""
	})
	return url
}

// counter returns a counter of a handler.
func (r *running) counter(name, counter string) uint64 {
	for _, h := range r.Status().Handlers {
		if h.Name == name {
			return h.Counters[counter]
		}
	}
	return 0
}

func (r *running) received() []*core.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*core.Record(nil), r.seen...)
}

func TestOneTraySendsToAnotherOverHTTP(t *testing.T) {
	home(t)
	t.Setenv("RECORDS_TOKEN", "s3cret-token")
	receiver := runKinds(t, `listen:
  - {name: in, type: http, address: "127.0.0.1:0", token: {env: RECORDS_TOKEN}}
`)
	defer receiver.end(t)
	// In front of the receiver, answers get lost: what was sent is sent again.
	var requests atomic.Int64
	target := receiver.address(t, "in")
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if n == 1 { // nobody there
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header = r.Header
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		_ = resp.Body.Close()
		if n%3 == 0 {
			panic(http.ErrAbortHandler) // the answer gets lost
		}
		w.WriteHeader(resp.StatusCode)
	}))
	defer proxy.Close()
	defer http.DefaultClient.CloseIdleConnections()

	const count = 3000
	sender := runKinds(t, `handlers:
  - {name: out, type: http, url: "`+proxy.URL+`/records", format: json, batch: 100, token: {env: RECORDS_TOKEN}, retries: 20, retry_delay: 1ms, queue_size: 5000}
`)
	for i := range count {
		sender.log(t, core.LevelInfo, fmt.Sprint("record ", i), "n", i, "nested", map[string]any{"a": []any{1, "ü"}})
	}
	eventually(t, func() bool { return sender.counter("out", "delivered") == count })
	eventually(t, func() bool { return len(receiver.received()) >= count })
	sender.end(t)
	got := receiver.received()
	if len(got) != count {
		t.Fatalf("%d records, want %d", len(got), count)
	}
	for i, r := range got {
		if r.Message() != fmt.Sprint("record ", i) || r.Extra.Get("n") != int64(i) {
			t.Fatalf("number %d is %q %+v", i, r.Message(), r.Extra)
		}
	}
	if n := requests.Load(); n > count/2 {
		t.Errorf("%d requests: records are not sent together", n)
	}
}

func TestAWrongTokenIsShownAndTheRecordsAreCounted(t *testing.T) {
	home(t)
	t.Setenv("RECORDS_TOKEN", "s3cret-token")
	t.Setenv("WRONG", "another-token")
	receiver := runKinds(t, `listen: [{name: in, type: http, address: "127.0.0.1:0", token: {env: RECORDS_TOKEN}}]`)
	defer receiver.end(t)
	sender := runKinds(t, `handlers: [{name: out, type: http, url: "`+receiver.address(t, "in")+`/records", format: json, batch: 10, token: {env: WRONG}}]`)
	defer sender.end(t)
	sender.log(t, core.LevelInfo, "x")
	eventually(t, func() bool { return sender.counter("out", "failed") == 1 })
	h := sender.Status().Handlers[0]
	if !strings.Contains(h.Error, "401 Unauthorized: wrong or missing token") || strings.Contains(h.Error, "another-token") {
		t.Errorf("%+v", h)
	}
	if len(receiver.received()) != 0 {
		t.Error("it was taken")
	}
}

// pythonReceiver is a server as people write it for HTTPHandler.
const pythonReceiver = `
import http.server, json, logging, sys, urllib.parse
class Server(http.server.BaseHTTPRequestHandler):
    def record(self, text):
        d = {k: v[0] for k, v in urllib.parse.parse_qs(text, keep_blank_values=True).items()}
        d = {k: None if v == "None" else v for k, v in d.items()}
        for k in "levelno", "lineno", "process", "thread":
            d[k] = int(d[k])
        d["created"] = float(d["created"])
        r = logging.makeLogRecord(d)
        message = r.getMessage()
        print(json.dumps([self.command, r.name, r.levelname, r.levelno, message if len(message) < 10000 else len(message), r.order, r.exc_text, r.created,
            r.pathname, r.filename, r.lineno, r.funcName, r.module, r.process, r.processName, r.thread, r.threadName]), flush=True)
        self.send_response(200)
        self.end_headers()
    def do_GET(self):
        self.record(urllib.parse.urlparse(self.path).query)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers["Content-Type"] == "application/x-www-form-urlencoded":
            return self.record(body)
        records = [json.loads(line) for line in body.splitlines()]
        print(json.dumps([self.headers["Authorization"], [r["message"] for r in records]]), flush=True)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args):
        pass
s = http.server.HTTPServer(("127.0.0.1", 0), Server)
print(s.server_port, flush=True)
s.serve_forever()
`

func TestWhatTheHTTPHandlerSendsIsReadByAReceiverOfPython(t *testing.T) {
	home(t)
	t.Setenv("RECORDS_TOKEN", "s3cret-token")
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", pythonReceiver)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := make(chan string, 10)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	next := func() string {
		t.Helper()
		select {
		case text := <-lines:
			return text
		case <-time.After(20 * time.Second):
			t.Fatal("the receiver says nothing")
		}
		return ""
	}
	url := "http://127.0.0.1:" + next()
	numbers := map[core.Level]float64{
		core.LevelTrace: 5, core.LevelDebug: 10, core.LevelInfo: 20, core.LevelNotice: 25, core.LevelWarning: 30, core.LevelError: 40, core.LevelCritical: 50,
	}
	for _, method := range []string{"GET", "POST"} {
		r := runKinds(t, `handlers: [{type: http, url: "`+url+`/log", method: `+method+`}]`)
		send := func(level core.Level, message string) (got []any) {
			t.Helper()
			sent := core.NewReceived(&core.Record{
				Channel: "shop", Level: level, Msg: message, Time: time.UnixMicro(1_767_323_045_678_901), Extra: core.Extra("order", 4711),
				Exception: &core.Exception{Name: "KeyError", Message: "ü", Traceback: "Traceback (most recent call last):\n  File\nKeyError: 'ü'"},
				Site:      core.Site{File: "/srv/shop.py", Line: 7, Function: "buy", Module: "shop"},
				Process:   core.Process{ID: 77, Name: "MainProcess"}, Thread: core.Thread{ID: 1 << 46, Name: "Thread-1"},
			}, core.Source{Name: "test"}, time.Now())
			if err := r.Dispatch(sent); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(next()), &got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		for _, level := range core.Levels() {
			want := []any{
				method, "shop", level.String(), numbers[level], "größer & kleiner 100%", "4711", "Traceback (most recent call last):\n  File\nKeyError: 'ü'",
				1767323045.678901, "/srv/shop.py", "shop.py", 7.0, "buy", "shop", 77.0, "MainProcess", float64(1 << 46), "Thread-1",
			}
			if diff := cmp.Diff(want, send(level, "größer & kleiner 100%")); diff != "" {
				t.Error(diff)
			}
		}
		if method == "POST" {
			if got := send(core.LevelDebug, strings.Repeat("ü", 500_000)); got[4] != 500_000.0 {
				t.Errorf("%v letters", got[4])
			}
		}
		r.end(t)
	}
	r := runKinds(t, `handlers: [{type: http, url: "`+url+`/log", format: json, batch: 5, token: {env: RECORDS_TOKEN}}]`)
	defer r.end(t)
	r.log(t, core.LevelError, "as a line")
	if got := next(); got != `["Bearer s3cret-token", ["as a line"]]` {
		t.Errorf("%s", got)
	}
}

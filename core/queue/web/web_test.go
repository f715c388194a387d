package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/web"
)

func server(tb testing.TB, o web.Options) (*web.Receiver, *queue.Subscriber) {
	tb.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	r, err := web.NewReceiver(o)
	if err != nil {
		tb.Fatal(err)
	}
	s := queue.NewSubscriber(r, queue.Options{})
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r, s
}

func next(tb testing.TB, s *queue.Subscriber) *core.Record {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Recv(ctx)
	if err != nil {
		tb.Fatalf("%v; %+v; %+v", err, s.Status(), s.Stats())
	}
	return r
}

// ask sends a request and returns the status and the body of the answer.
func ask(tb testing.TB, method, url, body string, header ...string) (int, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

const logging = `
import logging, logging.handlers, sys
h = logging.handlers.HTTPHandler(sys.argv[1], "/log", method=sys.argv[2], credentials=("me", "secret"))
log = logging.getLogger("shop.cart")
log.addHandler(h)
log.setLevel(1)
log.warning("sold out: %s %d%% %r", "tea ☃", 42, [1, "x"], extra={"customer": 4711})
log.error("of %(kind)s", {"kind": "coffee's"})
log.info("plain 100%")
`

func TestRecordsOfPythonsHTTPHandlerArrive(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			r, s := server(t, web.Options{Token: "secret"})
			cmd := exec.Command("/usr/bin/python3", "-c", logging, r.Addr().String(), method)
			if method == "GET" { // credentials go with POST alone
				r, s = server(t, web.Options{})
				cmd = exec.Command("/usr/bin/python3", "-c", logging, r.Addr().String(), method)
			}
			cmd.Stderr = os.Stderr
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			first := next(t, s)
			if first.Channel != "shop.cart" || first.Level != core.LevelWarning || first.Message() != "sold out: tea ☃ 42% [1, 'x']" ||
				first.Extra.Get("customer") != "4711" || first.Site.Line == 0 || first.Process.ID == 0 || first.Source.Peer == "" {
				t.Errorf("%q %+v", first.Message(), first)
			}
			if got := next(t, s); got.Message() != "of coffee's" || got.Level != core.LevelError {
				t.Errorf("%q %+v", got.Message(), got)
			}
			if got := next(t, s).Message(); got != "plain 100%" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestJSONComesAsOneRecordAsAnArrayOrOneALine(t *testing.T) {
	one := `{"level": "error", "message": "a", "time": "2026-11-20T12:00:00Z"}`
	two := strings.Replace(one, `"a"`, `"b"`, 1)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(one + "\n" + two + "\n"))
	_ = z.Close()
	cases := []struct {
		name, body string
		header     []string
		want       []string
	}{
		{"one", one, nil, []string{"a"}},
		{"laid out", "{\n  \"level\": \"error\",\n  \"message\": \"a\", \"time\": \"2026-11-20T12:00:00Z\"\n}\n", nil, []string{"a"}},
		{"curl -d", one, []string{"Content-Type", "application/x-www-form-urlencoded"}, []string{"a"}},
		{"array", " [" + one + "," + two + "]", []string{"Content-Type", "application/json"}, []string{"a", "b"}},
		{"lines", one + "\r\n\n" + two, []string{"Content-Type", "application/x-ndjson"}, []string{"a", "b"}},
		{"gzip", packed.String(), []string{"Content-Encoding", "gzip"}, []string{"a", "b"}},
		{"byte order mark", "\ufeff" + one, nil, []string{"a"}},
		{"form", "msg=a&level=error", []string{"Content-Type", "application/x-www-form-urlencoded"}, []string{"a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, s := server(t, web.Options{})
			if status, text := ask(t, "POST", r.String()+"/records", c.body, c.header...); status != http.StatusNoContent {
				t.Fatal(status, text)
			}
			var got []string
			for range c.want {
				rec := next(t, s)
				got = append(got, rec.Message())
				if rec.Level != core.LevelError {
					t.Errorf("%v", rec.Level)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrongRequestsAreToldWhatIsWrong(t *testing.T) {
	r, s := server(t, web.Options{MaxBody: 1000, MaxRecords: 2})
	url := r.String() + "/records"
	good := `{"level": "error", "message": "a", "time": "2026-11-20T12:00:00Z"}`
	cases := []struct {
		method, url, body string
		header            []string
		status            int
		want              string
	}{
		{"GET", r.String() + "/", "", nil, 404, "nothing here: POST records to /records, or send a form as Python's HTTPHandler does"},
		{"DELETE", url, "", nil, 405, "DELETE is not understood: use POST"},
		{"POST", url, "", nil, 400, "empty body: send a JSON record, an array of them, or one a line"},
		{"POST", url, " ", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, "empty body: send a JSON record, an array of them, or one a line"},
		{
			"POST", url, "no tea",
			[]string{"Content-Type", "application/x-www-form-urlencoded"},
			400,
			"neither JSON, which begins with { or [, nor a form with msg and levelname, as Python's HTTPHandler sends it",
		},
		{"POST", url, strings.Repeat("x", 2000), nil, 413, "body larger than 1000 bytes: send fewer records at once"},
		{"POST", url, bomb(), []string{"Content-Encoding", "gzip"}, 413, "body larger than 1000 bytes: send fewer records at once"},
		{"POST", url, "x", []string{"Content-Encoding", "br"}, 415, `unknown content encoding "br" (gzip or deflate)`},
		{"POST", url, "x", []string{"Content-Encoding", "gzip"}, 400, "cannot read the body: unexpected EOF"},
		{"POST", url, "[1,", nil, 400, "the array of records is not JSON: unexpected end of JSON input"},
		{"POST", url, "[" + good + "," + good + "," + good + "]", nil, 413, "3 records at once: send 2 at most"},
		{
			"POST", url, "[" + good + ", 7]", nil, 422,
			`{"accepted":1,"taken":[0],"rejected":[{"index":1,"error":"record rejected: not an object"}]}`,
		},
		{"POST", url, good, []string{"Host", "evil.example"}, 403, `unknown host "evil.example": use the address, or list the name under hosts`},
		{"POST", url, good, []string{"Origin", "https://evil.example"}, 403, `requests from web pages of "https://evil.example" are refused`},
		{"GET", url + "?msg=x", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "requests from other web pages are refused"},
		{"GET", r.String() + "/health", "", nil, 200, "ok"},
	}
	for _, c := range cases {
		status, text := ask(t, c.method, c.url, c.body, c.header...)
		if status != c.status || text != c.want {
			t.Errorf("%s %.60q: %d %s\nwant %d %s", c.method, c.body, status, text, c.status, c.want)
		}
	}
	if got := next(t, s).Message(); got != "a" {
		t.Errorf("the good one of a batch: %q", got)
	}
	if st := s.Stats(); st.Rejected == 0 {
		t.Errorf("%+v", st)
	}
}

// bomb is a small body that unpacks to a large one.
func bomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 1<<16))
	_ = z.Close()
	return b.String()
}

func TestATokenIsAskedFor(t *testing.T) {
	r, s := server(t, web.Options{Token: "secret"})
	form := r.String() + "/?msg=hello"
	if status, text := ask(t, "GET", form, ""); status != 401 || text != `wrong or missing token: send the header "Authorization: Bearer TOKEN"` {
		t.Error(status, text)
	}
	if status, _ := ask(t, "GET", form, "", "Authorization", "Bearer wrong"); status != 401 {
		t.Error(status)
	}
	if status, text := ask(t, "GET", form, "", "Authorization", "Bearer secret"); status != 204 {
		t.Error(status, text)
	}
	if got := next(t, s).Message(); got != "hello" {
		t.Error(got)
	}
}

func TestListeningForOthersNeedsTLSAndAToken(t *testing.T) {
	_, err := web.NewReceiver(web.Options{Address: ":0"})
	if want := "listen on tcp :0: other computers can reach this address: set up TLS or allow plain text, or use 127.0.0.1"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestNothingThatWasAcknowledgedIsLostOnClose(t *testing.T) {
	r, s := server(t, web.Options{})
	acknowledged := 0
	for i := range 100 {
		status, text := ask(t, "POST", r.String(), fmt.Sprintf(`{"level": "info", "message": "m%d", "time": "2026-11-20T12:00:00Z"}`, i))
		if status != 204 {
			t.Fatal(status, text)
		}
		acknowledged++
		if acknowledged == 8 { // as many as wait for a subscriber
			break
		}
	}
	handled := 0
	c := s.DispatchInBackground(core.Binding{Handler: core.HandlerFunc(func(context.Context, *core.Record) error {
		handled++
		return nil
	})})
	if err := errors.Join(s.Close(), c.Stop()); err != nil {
		t.Error(err)
	}
	if handled != acknowledged {
		t.Errorf("%d of %d", handled, acknowledged)
	}
	if _, err := net.Dial("tcp", r.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

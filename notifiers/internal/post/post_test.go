package post

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetryAfter(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"": 0, "junk": 0, "3": 3 * time.Second, "-1": 0, "999999": maxRetryAfter, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
		"9223372036854775807": maxRetryAfter,
	} {
		if got := retryAfter(in); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestHowLongToWaitIsAlsoSaidInTheServicesOwnWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock starts at midnight of 2000-01-01
		for _, test := range []struct {
			header http.Header
			body   string
			want   time.Duration
		}{
			{http.Header{"Retry-After": {"2"}}, `{"retry_after": 7}`, 2 * time.Second},
			{nil, `{"message": "You are being rate limited.", "retry_after": 1.25, "global": false}`, 1250 * time.Millisecond},
			{nil, `{"ok": false, "error_code": 429, "parameters": {"retry_after": 9}}`, 9 * time.Second},
			{nil, `{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}`, 2500 * time.Millisecond},
			{nil, `{"retry_after": 1e300}`, maxRetryAfter},
			{nil, `{"retry_after": -5}`, 0},
			{nil, `not JSON`, 0},
			{http.Header{"X-Ratelimit-Reset": {"946684830"}}, "", 30 * time.Second},
			{http.Header{"X-Rate-Limit-Reset": {"946684830"}}, "", 30 * time.Second},
		} {
			if got := waitFor(test.header, []byte(test.body)); got != test.want {
				t.Errorf("%v %s: %v, want %v", test.header, test.body, got, test.want)
			}
		}
	})
}

// transport answers each request with a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestARequestIsGivenUpAtTheStatedAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, tries := time.Now(), 0
		c := New("test", &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			tries++
			return answer(503, "down"), nil
		})})
		a, err := c.Do(t.Context(), Request{Address: "http://example.com", Header: http.Header{}})
		age := time.Since(start)
		if err == nil || errors.Is(err, ErrRefused) || age > MaxAge || age < MaxAge-2*maxDelay {
			t.Errorf("after %v: %v", age, err)
		}
		if tries < 10 || tries > 40 || a.Attempts != tries || a.Status != 503 {
			t.Errorf("%d requests, answer %+v", tries, a)
		}
	})
}

func TestAServerThatHangsIsGivenUpAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		c := New("test", &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return answer(200, "ok"), nil
		})})
		start := time.Now()
		a, err := c.Do(t.Context(), Request{Method: http.MethodPut, Address: "http://example.com", Header: http.Header{}})
		if waited := time.Since(start); err != nil || string(a.Body) != "ok" || waited < attemptTime || waited > attemptTime+2*time.Second {
			t.Errorf("after %v: %+v %v", waited, a, err)
		}
	})
}

func TestEachAttemptIsAuthorizedAnew(t *testing.T) {
	var got []string
	c := New("test", &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Header.Get("Authorization"))
		if len(got) == 1 {
			return answer(500, ""), nil
		}
		return answer(200, ""), nil
	})})
	c.Pause = func(context.Context, time.Duration) error { return nil }
	n := 0
	_, err := c.Do(t.Context(), Request{Address: "http://example.com", Header: http.Header{}, Authorize: func() string {
		n++
		return strings.Repeat("x", n)
	}})
	if diff := cmp.Diff([]string{"x", "xx"}, got); diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestTheSecretsOfAWebhookAreFound(t *testing.T) {
	_, secrets, err := Webhook("test", "https://example.com/hooks/aaaaaaaaaaaaaaaa/short?sig=b%2Fbbbbbbbbbbbbb&v=1")
	want := []string{
		"https://example.com/hooks/aaaaaaaaaaaaaaaa/short?sig=b%2Fbbbbbbbbbbbbb&v=1", "/hooks/aaaaaaaaaaaaaaaa/short?sig=b%2Fbbbbbbbbbbbbb&v=1",
		"aaaaaaaaaaaaaaaa", "b/bbbbbbbbbbbbb",
	}
	if diff := cmp.Diff(want, secrets); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestASecretIsTakenOutHoweverItIsSpelled(t *testing.T) {
	c := New("test", nil, `a/b "c"+`)
	for _, in := range []string{`a/b "c"+`, `a%2Fb%20%22c%22+`, `a%2Fb+%22c%22%2B`, `a/b \"c\"+`} {
		if got := c.redact("<" + in + ">"); got != "<…>" {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestASecretAtTheEndOfALongAnswerIsNotCutInTheMiddle(t *testing.T) {
	c := New("test", &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return answer(400, strings.Repeat("x", 190)+"very-long-secret"), nil
	})}, "very-long-secret")
	err := c.Post(t.Context(), "http://example.com", http.Header{}, nil)
	if err == nil || strings.Contains(err.Error(), "very") {
		t.Errorf("error: %v", err)
	}
}

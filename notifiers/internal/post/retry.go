package post

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter bounds how long a server may make us wait.
const maxRetryAfter = 10 * time.Minute

// waitFor returns how long a server asks to wait; 0 if it does not say. Retry-After
// comes first; then what services say in the body (Telegram, Discord, older Matrix
// servers), and the time at which the limit of Pushbullet or X ends.
func waitFor(header http.Header, body []byte) time.Duration {
	if d := retryAfter(header.Get("Retry-After")); d > 0 {
		return d
	}
	if d := waitInBody(body); d > 0 {
		return d
	}
	for _, name := range []string{"X-Ratelimit-Reset", "X-Rate-Limit-Reset"} {
		if at, err := strconv.ParseInt(header.Get(name), 10, 64); err == nil && at > 0 {
			return bounded(time.Until(time.Unix(at, 0)))
		}
	}
	return 0
}

func waitInBody(body []byte) time.Duration {
	var b struct {
		Seconds      float64 `json:"retry_after"`
		Milliseconds float64 `json:"retry_after_ms"`
		Parameters   struct {
			Seconds float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(body, &b) != nil {
		return 0
	}
	s := max(b.Seconds, b.Milliseconds/1000, b.Parameters.Seconds)
	return bounded(time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second)))
}

func bounded(d time.Duration) time.Duration { return min(max(d, 0), maxRetryAfter) }

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return bounded(time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second)
	}
	if at, err := http.ParseTime(s); err == nil {
		return bounded(time.Until(at))
	}
	return 0
}

package post

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"": 0, "junk": 0, "3": 3 * time.Second, "-1": 0, "999999": maxRetryAfter, "Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		if got := retryAfter(in); got != want {
			t.Errorf("retryAfter(%q) = %v, want %v", in, got, want)
		}
	}
}

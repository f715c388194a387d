package web

import (
	"bytes"
	"context"
	"net/http"
	"sync"
)

// maxAnswers is how many requests are remembered.
const maxAnswers = 4096

// maxKey is how long an Idempotency-Key may be.
const maxKey = 128

// answers remembers what became of requests with an Idempotency-Key whose records were
// taken, so that one whose answer got lost can be sent again, and its records are not taken
// twice.
type answers struct {
	mu    sync.Mutex
	keys  []string // the oldest first
	known map[string]*answer
}

// answer is what a request was told.
type answer struct {
	done   chan struct{} // closed when it has been answered
	status int           // 0: nothing was taken
	body   []byte
}

// begin returns the answer to an earlier request with the key, once there is one, or nil if
// this one is the first; it has to end then.
func (a *answers) begin(ctx context.Context, key string) (*answer, error) {
	for {
		a.mu.Lock()
		before := a.known[key]
		if before == nil {
			if a.known == nil {
				a.known = make(map[string]*answer)
			}
			a.known[key] = &answer{done: make(chan struct{})}
			a.mu.Unlock()
			return nil, nil
		}
		a.mu.Unlock()
		select {
		case <-before.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if before.status != 0 {
			return before, nil
		}
	}
}

// end says what the first request with a key was told. It is remembered if records were taken.
func (a *answers) end(key string, told *recorder) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := a.known[key]
	if told.status == http.StatusNoContent || told.status == http.StatusUnprocessableEntity {
		first.status, first.body = told.status, told.body.Bytes()
		if a.keys = append(a.keys, key); len(a.keys) > maxAnswers {
			delete(a.known, a.keys[0])
			a.keys = a.keys[1:]
		}
	} else {
		delete(a.known, key)
	}
	close(first.done)
}

// recorder keeps an answer that it passes on.
type recorder struct {
	http.ResponseWriter

	status int
	body   bytes.Buffer
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

// once serves a request, or repeats the answer to an earlier one with the same key.
func (r *Receiver) once(w http.ResponseWriter, req *http.Request, serve http.HandlerFunc) {
	key := req.Header.Get("Idempotency-Key")
	if key == "" {
		serve(w, req)
		return
	}
	if len(key) > maxKey {
		r.refuse(w, refusef(http.StatusBadRequest, "the Idempotency-Key has %d bytes: send %d at most", len(key), maxKey))
		return
	}
	before, err := r.answers.begin(req.Context(), key)
	switch {
	case err != nil: // the client is gone
		r.refuse(w, refusef(http.StatusServiceUnavailable, "an earlier request with this Idempotency-Key is not done: %v", err))
	case before != nil:
		r.repeated.Add(1)
		w.Header().Set("Idempotency-Replayed", "true")
		if before.body != nil {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(before.status)
		_, _ = w.Write(before.body) // a client that is gone does not care
	default:
		told := &recorder{ResponseWriter: w}
		defer r.answers.end(key, told)
		serve(told, req)
	}
}

package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// ErrRunning says that another instance holds the control socket.
var ErrRunning = errors.New("logbook-tray is already running")

// Listener is the control socket of this process: holding it makes the process
// the one running instance.
type Listener struct {
	path string
	lock *os.File
	ln   net.Listener
}

// Listen takes the control socket at path. A socket left behind by a process
// that died is replaced; if one is alive, the error is [ErrRunning].
func Listen(path string) (*Listener, error) {
	l, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the control socket: %w", err)
	}
	if err := lock(l); err != nil {
		_ = l.Close()
		return nil, ErrRunning
	}
	if alive(path) {
		_ = l.Close()
		return nil, ErrRunning
	}
	_ = os.Remove(path) // left behind; Listen says so if it cannot be replaced
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("listen on the control socket %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close()
		_ = l.Close()
		return nil, fmt.Errorf("restrict the control socket to its owner: %w", err)
	}
	return &Listener{path, l, ln}, nil
}

func alive(path string) bool {
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(context.Background(), "unix", path)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Close releases the socket. It is safe to call after Serve.
func (l *Listener) Close() error {
	err := l.ln.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}

// Serve answers requests for inst until ctx ends; then it waits for those under
// way and closes the socket.
func (l *Listener) Serve(ctx context.Context, inst Instance) error {
	// Open streams end with ctx, so that Shutdown need not wait for them.
	srv := &http.Server{
		Handler:           handler(inst),
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l.ln) }()
	select {
	case <-ctx.Done():
	case err := <-done:
		return errors.Join(fmt.Errorf("serve the control socket: %w", err), l.Close())
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := srv.Shutdown(wait)
	if e := <-done; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return errors.Join(err, l.Close())
}

// maxRequest bounds the body of a request.
const maxRequest = 64 << 10

func handler(inst Instance) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, inst.Status()) })
	mux.HandleFunc("GET /alerts", func(w http.ResponseWriter, _ *http.Request) { reply(w, inst.Alerts()) })
	mux.HandleFunc("GET /alerts/{id}", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) {
			a, ok := inst.Alert(id)
			if !ok {
				fail(w, http.StatusNotFound, fmt.Errorf("there is no alert %d; see: logbook-tray alerts list", id))
				return
			}
			reply(w, a)
		})
	})
	mux.HandleFunc("POST /alerts/{id}/open", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) { done(w, inst.OpenAlert(id)) })
	})
	mux.HandleFunc("POST /alerts/{id}/dismiss", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) { done(w, inst.DismissAlert(id)) })
	})
	mux.HandleFunc("POST /show", func(w http.ResponseWriter, _ *http.Request) { done(w, inst.Show()) })
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, req *http.Request) { done(w, inst.Reload(req.Context())) })
	mux.HandleFunc("GET /mutes", func(w http.ResponseWriter, _ *http.Request) { reply(w, inst.Mutes()) })
	mux.HandleFunc("POST /mutes", func(w http.ResponseWriter, req *http.Request) {
		var m Mute
		if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxRequest)).Decode(&m); err != nil {
			fail(w, http.StatusBadRequest, fmt.Errorf("read the mute: %w", err))
			return
		}
		if !m.Until.IsZero() && !m.Until.After(time.Now()) {
			fail(w, http.StatusBadRequest, errors.New("the end of the mute is not in the future"))
			return
		}
		done(w, inst.Mute(m))
	})
	mux.HandleFunc("DELETE /mutes/{id}", func(w http.ResponseWriter, req *http.Request) {
		withID(w, req, func(id uint64) { done(w, inst.Unmute(id)) })
	})
	mux.HandleFunc("POST /explain", func(w http.ResponseWriter, req *http.Request) {
		var r jsonRecord
		if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxLine)).Decode(&r); err != nil {
			fail(w, http.StatusBadRequest, fmt.Errorf("read the record: %w", err))
			return
		}
		reply(w, inst.Explain(core.NewReceived(r.Record, core.Source{Name: req.FormValue("source")}, time.Now().UTC())))
	})
	handleRejected(mux, inst)
	mux.HandleFunc("GET /records", func(w http.ResponseWriter, req *http.Request) { tail(w, req, inst) })
	return mux
}

// tail streams records as lines of JSON.
func tail(w http.ResponseWriter, req *http.Request, inst Instance) {
	backlog, _ := strconv.Atoi(req.FormValue("backlog"))
	lowest, err := core.ParseLevel(cmp.Or(req.FormValue("level"), core.LevelNotSet.String()))
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	wanted, err := TailOptions{Level: lowest, Filter: req.FormValue("filter")}.Selection()
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc := http.NewResponseController(w)
	_ = rc.Flush() // the client learns at once that it is connected
	var line []byte
	// An error here is the client going away: there is nobody to tell.
	_ = inst.Tail(req.Context(), backlog, wanted, func(r *core.Record) error {
		var err error
		if line, err = wire.Append(line[:0], r); err != nil {
			return nil //nolint:nilerr // one record that cannot be encoded does not end the stream
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
		return rc.Flush()
	})
}

func withID(w http.ResponseWriter, req *http.Request, f func(uint64)) {
	id, err := strconv.ParseUint(req.PathValue("id"), 10, 64)
	if err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("%q is not a number", req.PathValue("id")))
		return
	}
	f(id)
}

func done(w http.ResponseWriter, err error) {
	if err != nil {
		fail(w, http.StatusConflict, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func fail(w http.ResponseWriter, code int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

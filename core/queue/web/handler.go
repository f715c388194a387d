package web

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

func (r *Receiver) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n") // a client that is gone does not care
	})
	mux.HandleFunc("/", r.serve)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		if err := r.admit(req); err != nil {
			r.refuse(w, err)
			return
		}
		mux.ServeHTTP(w, req)
	})
}

// refusal is an error with the status to answer.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

func refusef(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// refuse answers a request that cannot be served.
func (r *Receiver) refuse(w http.ResponseWriter, err error) {
	r.refused.Add(1)
	status := http.StatusBadRequest
	if refused, ok := errors.AsType[*refusal](err); ok {
		status = refused.status
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="logbook-tray"`)
	}
	http.Error(w, err.Error(), status)
}

// admit checks who is asking.
func (r *Receiver) admit(req *http.Request) error {
	if !r.ours(req.Host) {
		return refusef(http.StatusForbidden, "unknown host %q: use the address, or list the name under hosts", req.Host)
	}
	if origin := req.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || !r.ours(u.Host) {
			return refusef(http.StatusForbidden, "requests from web pages of %q are refused", origin)
		}
	}
	// An image in a page is fetched without an Origin, but browsers say this.
	if site := req.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return refusef(http.StatusForbidden, "requests from other web pages are refused")
	}
	if r.opts.Token == "" || req.URL.Path == "/health" {
		return nil
	}
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if _, password, ok := req.BasicAuth(); ok {
		token = password
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(r.opts.Token)) != 1 {
		return refusef(http.StatusUnauthorized, "wrong or missing token: send the header \"Authorization: Bearer TOKEN\"")
	}
	return nil
}

// ours reports whether a host, with or without a port, is this computer by a name
// that nobody else can give it: an address, localhost, or one that is listed.
func (r *Receiver) ours(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || slices.Contains(r.opts.Hosts, host)
}

// serve takes the records of a request.
func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	switch req.Method {
	case http.MethodGet:
		if req.URL.RawQuery == "" {
			r.refuse(w, refusef(http.StatusNotFound, "nothing here: POST records to /records, or send a form as Python's HTTPHandler does"))
			return
		}
		r.form(w, req, req.URL.RawQuery)
	case http.MethodPost, http.MethodPut:
		r.once(w, req, r.post)
	default:
		w.Header().Set("Allow", "GET, POST, PUT")
		r.refuse(w, refusef(http.StatusMethodNotAllowed, "%s is not understood: use POST", req.Method))
	}
}

func (r *Receiver) post(w http.ResponseWriter, req *http.Request) {
	body, err := r.body(w, req)
	if err != nil {
		r.refuse(w, err)
		return
	}
	body = bytes.TrimPrefix(body, byteOrderMark)
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	// curl -d says that everything is a form.
	if start := bytes.TrimLeft(body, " \t\r\n"); kind == "application/x-www-form-urlencoded" &&
		len(start) > 0 && start[0] != '{' && start[0] != '[' {
		r.form(w, req, string(body))
		return
	}
	r.records(w, req, body)
}

// byteOrderMark is what some programs of Windows put in front of text.
var byteOrderMark = []byte("\ufeff") //nolint:gochecknoglobals // it is not changed

// body reads the body of a request and unpacks it.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, req.Body, r.opts.MaxBody)
	var err error
	switch encoding := req.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		in, err = gzip.NewReader(in)
	case "deflate":
		in, err = zlib.NewReader(in)
	default:
		return nil, refusef(http.StatusUnsupportedMediaType, "unknown content encoding %q (gzip or deflate)", encoding)
	}
	if err != nil {
		return nil, r.bodyError(err)
	}
	body, err := io.ReadAll(io.LimitReader(in, r.opts.MaxBody+1))
	if err != nil {
		return nil, r.bodyError(err)
	}
	if int64(len(body)) > r.opts.MaxBody {
		return nil, r.bodyError(&http.MaxBytesError{Limit: r.opts.MaxBody})
	}
	return body, nil
}

func (r *Receiver) bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refusef(http.StatusRequestEntityTooLarge, "body larger than %d bytes: send fewer records at once", r.opts.MaxBody)
	}
	return refusef(http.StatusBadRequest, "cannot read the body: %v", err)
}

// form takes a record that comes as a form, and answers at once: HTTPHandler waits.
func (r *Receiver) form(w http.ResponseWriter, req *http.Request, encoded string) {
	rec, err := r.opts.Decoder.DecodeForm(encoded)
	if err != nil {
		r.reject(req.RemoteAddr, []byte(encoded), formFormat, err)
		r.refuse(w, refusef(http.StatusBadRequest, "neither JSON, which begins with { or [, nor a form with msg and levelname, as Python's HTTPHandler sends it"))
		return
	}
	if !r.put(req.RemoteAddr, []queue.Message{{Record: rec}}) {
		r.refuse(w, errClosing)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// errClosing says that none of the records of a request was taken.
var errClosing = refusef(http.StatusServiceUnavailable, "shutting down: nothing was taken")

// failure is a record of a request that was not taken.
type failure struct {
	Index int    `json:"index"` // from 0 on
	Error string `json:"error"`
}

// records takes JSON, and says what became of it: 204 if all is well, 422 with a list of those
// that were taken and those that were not, by their number from 0 on.
func (r *Receiver) records(w http.ResponseWriter, req *http.Request, body []byte) {
	parts, err := split(body, r.opts.MaxRecords)
	if err != nil {
		r.reject(req.RemoteAddr, body, "", &wire.RejectError{Reason: wire.ReasonMalformed, Detail: err.Error()})
		r.refuse(w, err)
		return
	}
	messages := make([]queue.Message, len(parts))
	taken := make([]int, 0, len(parts))
	var failed []failure
	for i, part := range parts {
		rec, err := r.opts.Decoder.Decode(part)
		if err != nil {
			messages[i] = queue.Message{Body: part, Err: err}
			failed = append(failed, failure{i, err.Error()})
			continue
		}
		messages[i].Record = rec
		taken = append(taken, i)
	}
	if !r.put(req.RemoteAddr, messages) {
		r.refuse(w, errClosing)
		return
	}
	if len(failed) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	r.refused.Add(1)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(struct { // a client that is gone does not care
		Accepted int       `json:"accepted"`
		Taken    []int     `json:"taken"`
		Rejected []failure `json:"rejected"`
	}{len(taken), taken, failed})
}

// split takes a body apart: an array of records, or records one behind the other,
// with or without line feeds between them.
func split(body []byte, limit int) ([][]byte, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, refusef(http.StatusBadRequest, "empty body: send a JSON record, an array of them, or one a line")
	}
	if trimmed[0] != '[' {
		return splitLines(trimmed, limit)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(trimmed, &raw); err != nil {
		return nil, refusef(http.StatusBadRequest, "the array of records is not JSON: %v", err)
	}
	if len(raw) > limit {
		return nil, tooMany(len(raw), limit)
	}
	parts := make([][]byte, len(raw))
	for i := range raw {
		parts[i] = raw[i]
	}
	return parts, nil
}

// splitLines splits at line feeds, unless the first line is not a whole record: then
// the body is one record that is laid out on several lines.
func splitLines(body []byte, limit int) ([][]byte, error) {
	first, _, more := bytes.Cut(body, []byte{'\n'})
	if !more || !bytes.HasSuffix(bytes.TrimSpace(first), []byte{'}'}) {
		return [][]byte{body}, nil
	}
	var parts [][]byte
	for part := range bytes.SplitSeq(body, []byte{'\n'}) {
		if part = bytes.TrimSpace(part); len(part) > 0 {
			parts = append(parts, part)
		}
	}
	if len(parts) > limit {
		return nil, tooMany(len(parts), limit)
	}
	return parts, nil
}

func tooMany(n, limit int) error {
	return refusef(http.StatusRequestEntityTooLarge, "%d records at once: send %d at most", n, limit)
}

package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// ErrNotRunning says that no instance answers at the control socket.
var ErrNotRunning = errors.New("logbook-tray is not running: start it with 'logbook-tray' or 'logbook-tray headless'")

// Client talks to the running instance. It is safe for concurrent use.
type Client struct {
	http *http.Client
}

// NewClient returns a client of the control socket at path. It connects on
// the first call.
func NewClient(path string) *Client {
	var d net.Dialer
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
	}}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status returns the state of the instance.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.call(ctx, http.MethodGet, "/status", nil, &s)
}

// Alerts returns the alerts, newest first, without their contexts.
func (c *Client) Alerts(ctx context.Context) (list []Alert, err error) {
	return list, c.call(ctx, http.MethodGet, "/alerts", nil, &list)
}

// Alert returns one alert with its context.
func (c *Client) Alert(ctx context.Context, id uint64) (a Alert, err error) {
	return a, c.call(ctx, http.MethodGet, "/alerts/"+strconv.FormatUint(id, 10), nil, &a)
}

// OpenAlert shows the context of an alert.
func (c *Client) OpenAlert(ctx context.Context, id uint64) error {
	return c.call(ctx, http.MethodPost, "/alerts/"+strconv.FormatUint(id, 10)+"/open", nil, nil)
}

// DismissAlert marks an alert as seen, or with id 0 all that are new.
func (c *Client) DismissAlert(ctx context.Context, id uint64) error {
	return c.call(ctx, http.MethodPost, "/alerts/"+strconv.FormatUint(id, 10)+"/dismiss", nil, nil)
}

// Show raises the log window.
func (c *Client) Show(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/show", nil, nil)
}

// Reload reads the configuration again.
func (c *Client) Reload(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/reload", nil, nil)
}

// Mute holds notifications back.
func (c *Client) Mute(ctx context.Context, m Mute) error {
	return c.call(ctx, http.MethodPost, "/mutes", m, nil)
}

// Mutes lists what is held back, newest first.
func (c *Client) Mutes(ctx context.Context) (list []Mute, err error) {
	return list, c.call(ctx, http.MethodGet, "/mutes", nil, &list)
}

// Unmute ends one mute, or all with id 0.
func (c *Client) Unmute(ctx context.Context, id uint64) error {
	return c.call(ctx, http.MethodDelete, "/mutes/"+strconv.FormatUint(id, 10), nil, nil)
}

// Explain says what each handler of the running instance would do with a record that came in
// now by the source of this name.
func (c *Client) Explain(ctx context.Context, r *core.Record, source string) (steps []pipeline.Step, err error) {
	query := url.Values{"source": {source}}
	return steps, c.call(ctx, http.MethodPost, "/explain?"+query.Encode(), jsonRecord{r}, &steps)
}

// maxLine bounds a line of the record stream; the wire format's own bound is
// smaller.
const maxLine = 32 << 20

// Tail calls f with each record as it comes in, until ctx ends, the instance
// ends or f returns an error. connected, if it is not nil, is called when the instance
// has begun to listen for records.
func (c *Client) Tail(ctx context.Context, o TailOptions, connected func(), f func(*core.Record) error) error {
	query := url.Values{"backlog": {strconv.Itoa(o.Backlog)}, "level": {o.Level.String()}, "filter": {o.Filter}}
	resp, err := c.do(ctx, http.MethodGet, "/records?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if connected != nil {
		connected()
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		r, err := wire.Decode(bytes.Clone(lines.Bytes()))
		if err != nil {
			return fmt.Errorf("read a record of the running instance: %w", err)
		}
		if err := f(r); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lines.Err()
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer of the running instance: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("ask the running instance: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://logbook-tray"+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNotRunning
	case err != nil:
		return nil, fmt.Errorf("ask the running instance: %w", err)
	case resp.StatusCode < 300:
		return resp, nil
	}
	defer resp.Body.Close()
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil || answer.Error == "" {
		return nil, fmt.Errorf("the running instance answered %s", resp.Status)
	}
	return nil, errors.New(answer.Error)
}

package handler_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/core/logtest"
)

func must[H core.Handler](t *testing.T) func(H, error) core.Handler {
	t.Helper()
	return func(h H, err error) core.Handler {
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
}

// TestConformance puts every handler of this package through the suite that all
// handlers pass.
func TestConformance(t *testing.T) {
	in := func(t *testing.T) handler.FileOptions {
		return handler.FileOptions{Path: filepath.Join(t.TempDir(), "app.log")}
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	for name, newHandler := range map[string]func(t *testing.T) core.Handler{
		"Null":    func(*testing.T) core.Handler { return handler.Null{} },
		"Wrapper": func(*testing.T) core.Handler { return handler.Wrapper{Next: new(sink)} },
		"Fan":     func(*testing.T) core.Handler { return handler.Fan{new(sink), handler.Null{}} },
		"Stream": func(*testing.T) core.Handler {
			return handler.NewStream(new(syncBuffer), handler.StreamOptions{Color: handler.ColorAlways})
		},
		"File":           func(t *testing.T) core.Handler { return must[*handler.File](t)(handler.NewFile(in(t))) },
		"MonitoringFile": func(t *testing.T) core.Handler { return must[*handler.File](t)(handler.NewMonitoringFile(in(t))) },
		"RotatingFile": func(t *testing.T) core.Handler {
			return must[*handler.RotatingFile](t)(handler.NewRotatingFile(handler.RotatingFileOptions{File: in(t), MaxSize: 500, BackupCount: 2, Compress: true}))
		},
		"TimedRotatingFile": func(t *testing.T) core.Handler {
			return must[*handler.TimedRotatingFile](t)(handler.NewTimedRotatingFile(handler.TimedRotatingFileOptions{File: in(t), When: "S", BackupCount: 2}))
		},
		"CompressedFile": func(t *testing.T) core.Handler {
			return must[*handler.CompressedFile](t)(handler.NewCompressedFile(handler.CompressedFileOptions{File: in(t)}))
		},
		"FingersCrossed": func(*testing.T) core.Handler {
			return handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: new(sink), BufferSize: 10})
		},
		"FingersCrossed with factory and reset": func(*testing.T) core.Handler {
			return handler.NewFingersCrossed(handler.FingersCrossedOptions{Reset: true, Factory: func(*core.Record, []*core.Record) (core.Handler, error) {
				return new(sink), nil
			}})
		},
		"Group": func(*testing.T) core.Handler { return handler.NewGroup(handler.GroupOptions{Handler: new(sink)}) },
		"Memory": func(*testing.T) core.Handler {
			return handler.NewMemory(handler.MemoryOptions{Target: new(sink), Capacity: 5})
		},
		"Tagging": func(*testing.T) core.Handler { return handler.Tagging{"x": {{Handler: new(sink)}}} },
		"Dedup":   func(*testing.T) core.Handler { return handler.NewDedup(handler.DedupOptions{Handler: new(sink)}) },
		"ExternalApplication": func(t *testing.T) core.Handler {
			return must[*handler.ExternalApplication](t)(handler.NewExternalApplication(handler.ExternalApplicationOptions{
				Arguments: []string{"true", "{record.message}"}, StdinFormat: "{record.message}",
			}))
		},
		"HTTP": func(t *testing.T) core.Handler {
			return must[*handler.HTTP](t)(handler.NewHTTP(handler.HTTPOptions{URL: server.URL, Method: "POST"}))
		},
	} {
		t.Run(name, func(t *testing.T) { logtest.TestHandlerConformance(t, newHandler) })
	}
}

// TestConformanceOfFailures: every handler that cannot deliver says so, and how.
func TestConformanceOfFailures(t *testing.T) {
	broken := new(sink)
	broken.setFail(errBroken)
	full := handler.FileOptions{Path: "/dev/full", Delay: true}
	refused := httptest.NewServer(http.NotFoundHandler())
	refused.Close()
	unwritable := handler.FileOptions{Path: filepath.Join(os.DevNull, "app.log"), Delay: true}
	for name, tt := range map[string]struct {
		want error
		make func(t *testing.T) core.Handler
	}{
		"Stream": {errBroken, func(*testing.T) core.Handler {
			return handler.NewStream(failingWriter{errBroken}, handler.StreamOptions{})
		}},
		"Wrapper": {errBroken, func(*testing.T) core.Handler { return handler.Wrapper{Next: broken} }},
		"Fan":     {errBroken, func(*testing.T) core.Handler { return handler.Fan{new(sink), broken} }},
		"Group":   {errBroken, func(*testing.T) core.Handler { return handler.NewGroup(handler.GroupOptions{Handler: broken}) }},
		"Memory":  {errBroken, func(*testing.T) core.Handler { return handler.NewMemory(handler.MemoryOptions{Target: broken}) }},
		"Dedup":   {errBroken, func(*testing.T) core.Handler { return handler.NewDedup(handler.DedupOptions{Handler: broken}) }},
		"FingersCrossed": {errBroken, func(*testing.T) core.Handler {
			return handler.NewFingersCrossed(handler.FingersCrossedOptions{Handler: broken})
		}},
		"File on a full disk": {syscall.ENOSPC, func(t *testing.T) core.Handler { return must[*handler.File](t)(handler.NewFile(full)) }},
		"File that cannot be": {syscall.ENOTDIR, func(t *testing.T) core.Handler { return must[*handler.File](t)(handler.NewFile(unwritable)) }},
		"MonitoringFile":      {syscall.ENOSPC, func(t *testing.T) core.Handler { return must[*handler.File](t)(handler.NewMonitoringFile(full)) }},
		"RotatingFile": {syscall.ENOSPC, func(t *testing.T) core.Handler {
			return must[*handler.RotatingFile](t)(handler.NewRotatingFile(handler.RotatingFileOptions{File: full}))
		}},
		"TimedRotatingFile": {syscall.ENOSPC, func(t *testing.T) core.Handler {
			return must[*handler.TimedRotatingFile](t)(handler.NewTimedRotatingFile(handler.TimedRotatingFileOptions{File: full, When: "D"}))
		}},
		"CompressedFile": {syscall.ENOSPC, func(t *testing.T) core.Handler {
			return must[*handler.CompressedFile](t)(handler.NewCompressedFile(handler.CompressedFileOptions{File: full}))
		}},
		"ExternalApplication": {nil, func(t *testing.T) core.Handler {
			return must[*handler.ExternalApplication](t)(handler.NewExternalApplication(handler.ExternalApplicationOptions{Arguments: []string{"false"}}))
		}},
		"HTTP": {syscall.ECONNREFUSED, func(t *testing.T) core.Handler {
			return must[*handler.HTTP](t)(handler.NewHTTP(handler.HTTPOptions{URL: refused.URL}))
		}},
		"Exception": {nil, func(*testing.T) core.Handler { return handler.Exception{} }},
	} {
		t.Run(name, func(t *testing.T) {
			if errors.Is(tt.want, syscall.ENOSPC) {
				if _, err := os.Stat("/dev/full"); err != nil {
					t.Skip("no /dev/full here")
				}
			}
			err := logtest.TestHandlerFailure(t, tt.make)
			if tt.want != nil && !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), "%!") {
				t.Errorf("error %v", err)
			}
		})
	}
}

package handler_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// On a disk that gets full a record is reported as lost or is there as a whole; when
// there is room again, the next one begins on a line of its own.
func TestADiskThatGetsFull(t *testing.T) {
	for name, newHandler := range map[string]func(o handler.FileOptions) (core.Handler, error){
		"File": func(o handler.FileOptions) (core.Handler, error) { return handler.NewFile(o) },
		"RotatingFile": func(o handler.FileOptions) (core.Handler, error) {
			return handler.NewRotatingFile(handler.RotatingFileOptions{File: o, MaxSize: 1 << 20})
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := e2e.SmallDisk(t, 64)
			ballast := filepath.Join(dir, "ballast")
			if err := os.WriteFile(ballast, []byte(strings.Repeat("x", 16<<10)), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "app.log")
			h, err := newHandler(handler.FileOptions{Path: path, Formatter: messageOnly(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = core.Close(h) }()
			line := strings.Repeat("a", 999)
			taken, lost := 0, 0
			for range 80 {
				switch err := h.Handle(t.Context(), testRecord(line)); {
				case err == nil:
					taken++
				case errors.Is(err, syscall.ENOSPC):
					lost++
				default:
					t.Fatal(err)
				}
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			handle(t, h, testRecord("room again"))
			whole := 0
			for l := range strings.Lines(content(t, path)) {
				if l == line+"\n" {
					whole++
				}
			}
			if lost == 0 || whole != taken || !strings.HasSuffix(content(t, path), "\nroom again\n") {
				t.Errorf("%d taken, %d of them whole, %d lost", taken, whole, lost)
			}
		})
	}
}

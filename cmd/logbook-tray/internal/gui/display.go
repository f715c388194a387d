package gui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// ErrNoDisplay says that no window can be opened here.
var ErrNoDisplay = errors.New("no display")

const useHeadless = "run 'logbook-tray headless' where there is no desktop"

// CheckDisplay reports whether there is a display to open windows on. The
// toolkit itself ends with a panic where there is none. Errors wrap [ErrNoDisplay] and
// say what to do.
func CheckDisplay(ctx context.Context) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return nil
	}
	x11, wayland := os.Getenv("DISPLAY"), os.Getenv("WAYLAND_DISPLAY")
	if x11 == "" && wayland == "" {
		return fmt.Errorf("%w: neither DISPLAY nor WAYLAND_DISPLAY is set; %s", ErrNoDisplay, useHeadless)
	}
	if wayland != "" && reachable(ctx, "unix", waylandSocket(wayland)) {
		return nil
	}
	if x11 == "" {
		return fmt.Errorf("%w: no Wayland compositor answers at WAYLAND_DISPLAY=%s; %s", ErrNoDisplay, wayland, useHeadless)
	}
	if !x11Reachable(ctx, x11) {
		return fmt.Errorf("%w: no X server answers at DISPLAY=%s; %s", ErrNoDisplay, x11, useHeadless)
	}
	return nil
}

func waylandSocket(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), name)
}

// x11Reachable knocks at the X server that name stands for: "[host]:display[.screen]",
// X(7).
func x11Reachable(ctx context.Context, name string) bool {
	colon := strings.LastIndexByte(name, ':')
	if colon < 0 {
		return false
	}
	host, number := strings.TrimPrefix(name[:colon], "unix"), name[colon+1:]
	number, _, _ = strings.Cut(number, ".")
	n, err := strconv.Atoi(number)
	if err != nil {
		return false
	}
	if host != "" && host != "/" {
		return reachable(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(6000+n)))
	}
	path := "/tmp/.X11-unix/X" + number
	return reachable(ctx, "unix", path) || reachable(ctx, "unix", "@"+path)
}

func reachable(ctx context.Context, network, address string) bool {
	d := net.Dialer{Timeout: 3 * time.Second}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

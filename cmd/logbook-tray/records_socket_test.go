//go:build linux

package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/config"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

func TestTheDefaultsListenOnAUnixSocketOfTheUsers(t *testing.T) {
	tree, ds := config.Default(config.Options{})
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	for _, source := range tree.Root.Get("listen").Items {
		if source.Get("network").Text() == "unix" && source.Get("type").Text() == "socket" && source.Get("address") == nil {
			return
		}
	}
	t.Error("they do not")
}

func TestRecordsComeInThroughTheUnixSocketThatIsThere(t *testing.T) {
	p, home := bare(t)
	configure(t, home, "listen: [{name: unix, type: socket, network: unix}]\nhandlers: []\n")
	runtime := ""
	for _, e := range p.env {
		if dir, ok := strings.CutPrefix(e, "XDG_RUNTIME_DIR="); ok {
			runtime = dir
		}
	}
	path := filepath.Join(runtime, "logbook-tray", "records.sock")
	killed := p.start("headless")
	for file, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%v, %v, want mode %v", info, err, mode)
		}
	}
	killed.Signal(t, syscall.SIGKILL)
	killed.Wait(t)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the socket did not stay behind: %v", err)
	}

	proc := p.start("headless")
	p.run("send", "unix://", "--channel", "shop", "sent")
	p.run("exec", "--to", "unix://"+path, "--quiet", "--", "/bin/echo", "said")
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(`{"level": "error", "msg": "written"}` + "\n")); err != nil {
		t.Fatal(err)
	}
	e2e.Eventually(t, "the records", func() bool {
		text := p.tail()
		return strings.Contains(text, "shop: sent") && strings.Contains(text, "echo: said") && strings.Contains(text, "ERROR: : written")
	})
	p.stopped(proc)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket was left behind")
	}
	want := "logbook-tray: nobody listens on unix://" + path + " (waited 10ms): start logbook-tray, or name another address\n"
	if got := p.fails(1, "send", "unix://", "--wait", "10ms", "lost"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

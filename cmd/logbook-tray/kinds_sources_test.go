//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// messages returns what came to the top of the stack, sorted.
func (r *running) messages() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, record := range r.seen {
		out = append(out, record.Message())
	}
	slices.Sort(out)
	return out
}

func TestKindsOfSourcesReceiveRecords(t *testing.T) {
	home(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "tail\n")
	program := filepath.Join(os.Getenv("HOME"), "bin", "kubectl")
	write(t, program, "#!/bin/sh\necho exec\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runKinds(t, strings.ReplaceAll(`listen:
  - {type: zeromq, uri: "ipc://DIR/z", mode: pull}
  - {type: socket, network: unix, address: DIR/s}
  - {type: datagram, network: unixgram, address: DIR/d}
  - {type: syslog, network: unixgram, address: DIR/l}
  - {name: web, type: http, address: "127.0.0.1:0"}
subscribe:
  - {type: tail, path: DIR/app.log, from_start: true}
  - {type: pipe, path: DIR/fifo}
  - {type: exec, arguments: [kubectl]}
`, "DIR", dir))
	defer r.end(t)

	for network, address := range map[string]string{"unix": "/s", "unixgram": "/d"} {
		c, err := net.Dial(network, dir+address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s\n", network)
		defer c.Close()
	}
	c, err := net.Dial("unixgram", dir+"/l")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "<13>shop: syslog")
	write(t, dir+"/fifo", "pipe\n")
	for _, s := range r.Status().Subscribers {
		if s.Name == "web" {
			url, _, _ := strings.Cut(s.Detail[strings.Index(s.Detail, "http://"):], ";")
			resp, err := http.Post(url, "application/json", strings.NewReader(`{"level": "error", "message": "http"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	}
	sender, err := zeromq.NewSender(zeromq.Options{Addresses: []string{"ipc://" + dir + "/z"}})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if err := sender.Send(t.Context(), []byte(`{"channel": "shop", "level": 14, "msg": "zeromq", "message": "zeromq"}`)); err != nil {
		t.Fatal(err)
	}
	want := []string{"exec", "http", "pipe", "syslog", "tail", "unix", "unixgram", "zeromq"}
	defer func() {
		if t.Failed() {
			t.Errorf("have %v, want %v; %+v", r.messages(), want, r.Status().Subscribers)
		}
	}()
	eventually(t, func() bool { return slices.Equal(r.messages(), want) })
}

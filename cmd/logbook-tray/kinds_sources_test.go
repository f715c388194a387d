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
	write(t, filepath.Join(dir, "app.log"), `{"what": "tail"}`+"\n")
	program := filepath.Join(os.Getenv("HOME"), "bin", "kubectl")
	write(t, program, "#!/bin/sh\necho '{\"what\": \"exec\"}'\n")
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runKinds(t, strings.ReplaceAll(`listen:
  - {type: zeromq, uri: "ipc://DIR/z", mode: pull, map: {message: what}}
  - {type: socket, network: unix, address: DIR/s, map: {message: what}}
  - {type: datagram, network: unixgram, address: DIR/d, map: {message: what}}
  - {type: syslog, network: unixgram, address: DIR/l, map: {message: what}}
  - {name: web, type: http, address: "127.0.0.1:0", map: {message: what}}
subscribe:
  - {type: tail, path: DIR/app.log, from_start: true, map: {message: what}}
  - {type: pipe, path: DIR/fifo, map: {message: what}}
  - {type: exec, arguments: [kubectl], map: {message: what}}
`, "DIR", dir))
	defer r.end(t)

	for network, address := range map[string]string{"unix": "/s", "unixgram": "/d"} {
		c, err := net.Dial(network, dir+address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "{\"what\": %q}\n", network)
		defer c.Close()
	}
	c, err := net.Dial("unixgram", dir+"/l")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, `<13>shop: {"what": "syslog"}`)
	write(t, dir+"/fifo", `{"what": "pipe"}`+"\n")
	for _, s := range r.Status().Subscribers {
		if s.Name == "web" {
			url, _, _ := strings.Cut(s.Detail[strings.Index(s.Detail, "http://"):], ";")
			resp, err := http.Post(url, "application/json", strings.NewReader(`{"what": "http"}`))
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
	if err := sender.Send(t.Context(), []byte(`{"what": "zeromq"}`)); err != nil {
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

package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/socket"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

func TestASocketHandlerSaysWhetherItsPeerIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	r := runKinds(t, `handlers: [{name: to, type: socket, network: unix, address: "`+path+`", encoding: json, timeout: 20s, retries: 9, retry_delay: 100ms}]`)
	defer r.end(t)
	if st := r.report("to"); st.State != "ok" || st.Error != "" {
		t.Errorf("before the first record: %+v", st)
	}
	r.log(t, core.LevelError, "held")
	eventually(t, func() bool {
		st := r.report("to")
		return st.State == "retrying" && strings.Contains(st.Error, "no such file") && st.Counters["queued"] == 1 && strings.HasPrefix(st.Detail, "unix://")
	})
	peer, err := socket.NewReceiver(socket.Options{Network: "unix", Address: path})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		st := r.report("to")
		return st.State == "ok" && st.Error == "" && st.Counters["delivered"] == 1 && st.Counters["failed"] == 0
	})
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		st := r.report("to")
		return st.State == "retrying" && st.Error != "" // closed, reset, or what the next attempt says
	})
}

func TestAZeroMQHandlerSaysWhoTakesItsRecordsAndWhyNobodyDoes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	uri := "tcp://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r := runKinds(t, `handlers: [{name: to, type: zeromq, uri: "`+uri+`", mode: push, hwm: 1}]`)
	defer r.end(t)
	r.log(t, core.LevelError, "one")
	r.log(t, core.LevelError, "two") // for which libzmq has no room
	eventually(t, func() bool {
		st := r.report("to")
		return st.Detail == "connecting" && st.Counters["delivered"] == 1 && st.Counters["unconfirmed"] == 1 && st.Counters["lost"] == 0
	})
	peer, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}})
	if err != nil {
		t.Fatal(err)
	}
	from := queue.NewSubscriber(peer, queue.Options{})
	for _, want := range []string{"one", "two"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		record, err := from.Recv(ctx)
		cancel()
		if err != nil || record.Message() != want {
			t.Fatalf("%v, %v, want %s", record, err, want)
		}
	}
	eventually(t, func() bool {
		st := r.report("to")
		return st.State == "ok" && st.Error == "" && st.Counters["delivered"] == 2 && st.Counters["unconfirmed"] == 0
	})
	if err := from.Close(); err != nil {
		t.Error(err)
	}
	eventually(t, func() bool { return r.report("to").Detail == "lost" })
	_, secret, err := zeromq.NewCurveKeypair()
	if err != nil {
		t.Fatal(err)
	}
	secured, err := zeromq.NewReceiver(zeromq.Options{Addresses: []string{uri}, Curve: &zeromq.Curve{Secret: secret}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		st := r.report("to")
		return st.State == "failing" && strings.Contains(st.Error, "other security settings")
	})
	if err := secured.Close(); err != nil {
		t.Error(err)
	}
}

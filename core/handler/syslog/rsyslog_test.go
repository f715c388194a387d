package syslog_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler/syslog"
)

// TestRsyslog sends to the real daemon, over each transport and framing it has, and
// reads what it has understood.
func TestRsyslog(t *testing.T) {
	program, err := exec.LookPath("rsyslogd")
	if err != nil {
		if program = "/usr/sbin/rsyslogd"; !executable(program) {
			skip := t.Skip
			if os.Getenv("CI") != "" {
				skip = t.Fatal // packaging/setup has installed it
			}
			skip("this test needs rsyslogd: apt install rsyslog")
		}
	}
	dir, port := t.TempDir(), freePort(t)
	out, local := filepath.Join(dir, "out"), filepath.Join(dir, "log")
	config := fmt.Sprintf(`
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
input(type="imudp" address="127.0.0.1" port="%[1]d" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="%[1]d" ruleset="all")
input(type="imuxsock" Socket="%[2]s" ruleset="all" ParseTrusted="off")
template(name="fields" type="string" string="%%inputname%%|%%syslogfacility-text%%.%%syslogseverity-text%%|%%app-name%%|%%structured-data%%|%%msg%%\n")
ruleset(name="all") { action(type="omfile" file="%[3]s" template="fields") }
`, port, local, out)
	path := filepath.Join(dir, "rsyslog.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-n", "-f", path, "-i", filepath.Join(dir, "pid"))
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill() // it ignores an interrupt
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	address := fmt.Sprint("127.0.0.1:", port)
	waitUntil(t, "rsyslogd listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		_ = c.Close()
		_, err = os.Stat(local)
		return err == nil
	})

	for _, tt := range []struct {
		o    syslog.Options
		want string
	}{
		{syslog.Options{Address: local, ApplicationName: "shop"}, "imuxsock|user.err|shop|-|größer 0"},
		{syslog.Options{Address: address, Facility: "local0"}, "imudp|local0.err|testlogger|-|größer 1"},
		{syslog.Options{Address: address, Transport: syslog.TCP}, "imtcp|user.err|testlogger|-|größer 2"},
		{
			syslog.Options{Address: address, Transport: syslog.TCP, Framing: syslog.FramingOctets, StructuredData: syslog.ExtraData("x@1")},
			`imtcp|user.err|testlogger|[x@1 order="47\"11"]|größer 3`,
		},
	} {
		n := tt.want[len(tt.want)-1:]
		r := rec(core.LevelError, "größer "+n)
		r.Extra = core.Extra("order", `47"11`)
		handle(t, newHandler(t, tt.o), r)
		var got []byte
		waitUntil(t, "the record has arrived", func() bool {
			got, _ = os.ReadFile(out)
			return strings.Contains(string(got), n+"\n")
		})
		// A daemon may leave a blank before the text, as RFC 3164 has it.
		if text := strings.ReplaceAll(string(got), "| ", "|"); !strings.Contains(text, tt.want+"\n") {
			t.Errorf("want %s in\n%s", tt.want, text)
		}
	}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

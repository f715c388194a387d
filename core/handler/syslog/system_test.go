package syslog_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler/syslog"
)

func ExampleNewSystem() {
	h, err := syslog.NewSystem("shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = core.Close(h) }()
	// Output:
}

func TestCreateSyshandler(t *testing.T) {
	h, err := syslog.NewSystem("shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := h.(*syslog.Handler); ok != (runtime.GOOS != "windows") {
		t.Errorf("got a %T on %s", h, runtime.GOOS)
	}
	if err := core.Close(h); err != nil {
		t.Error(err)
	}
}

//go:build unix

package handler_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/handler"
)

// crashFile tells the test binary to be the program that is killed.
const crashFile = "LOGBOOK_TEST_CRASH_FILE"

// TestAKilledProgramLosesNothingThatWasLogged kills a program in the middle of its
// work: each record whose log call had returned is in the file.
func TestAKilledProgramLosesNothingThatWasLogged(t *testing.T) {
	if path := os.Getenv(crashFile); path != "" {
		logUntilKilled(t, path)
	}
	for name, kind := range map[string]string{"File": "plain", "RotatingFile": "rotating"} {
		t.Run(name, func(t *testing.T) {
			path := logfile(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAKilledProgramLosesNothingThatWasLogged$")
			cmd.Env = append(os.Environ(), crashFile+"="+kind+":"+path)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			logged := 0
			for lines := bufio.NewScanner(out); logged < 500 && lines.Scan(); {
				if logged, err = strconv.Atoi(lines.Text()); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			if logged < 500 {
				t.Fatalf("the program ended after %d records", logged)
			}
			next := 1
			for line := range strings.Lines(content(t, path)) {
				if line == fmt.Sprintf("record %d\n", next) {
					next++
				} else if next <= logged {
					t.Fatalf("line %q, want record %d", line, next)
				}
			}
			if next <= logged {
				t.Errorf("%d records in the file, %d were logged", next-1, logged)
			}
		})
	}
}

func logUntilKilled(t *testing.T, what string) {
	kind, path, _ := strings.Cut(what, ":")
	o := handler.FileOptions{Path: path, Formatter: messageOnly(t)}
	var h core.Handler
	var err error
	if kind == "rotating" {
		h, err = handler.NewRotatingFile(handler.RotatingFileOptions{File: o, MaxSize: 1 << 30})
	} else {
		h, err = handler.NewFile(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	log := core.NewLogger("crash")
	log.SetHandlers(core.Binding{Handler: h})
	for i := 1; ; i++ {
		log.Info("record {0}", i)
		if _, err := fmt.Println(i); err != nil {
			t.Fatal(err) // whoever was to kill us is gone
		}
	}
}

//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/ui/welcomewindow"
)

// TestTheSnippetsAreRunAsTheyStand puts each snippet into a program of its kind.
func TestTheSnippetsAreRunAsTheyStand(t *testing.T) {
	home := e2e.MakeHome(t)
	uri := freeAddress(t)
	socket, web := strings.TrimPrefix(freeAddress(t), "tcp://"), strings.TrimPrefix(freeAddress(t), "tcp://")
	configure(t, home, `
listen:
  - {type: zeromq, uri: "`+uri+`", mode: pull}
  - {type: socket, address: "`+socket+`"}
  - {type: http, address: "`+web+`"}
`)
	p := newProgram(t, e2e.HomeEnv(home))
	list := snippets([]app.Listener{
		{Type: "zeromq", Address: uri, Pull: true}, {Type: "socket", Address: socket}, {Type: "http", Address: web},
	})
	dir := t.TempDir()
	// run runs the snippet of a name with what makes a whole program of it, and returns
	// what went wrong.
	run := func(name, before, after string) string {
		code := before + snippet(t, list, name) + after
		var cmd *exec.Cmd
		switch name {
		case "Logbook", "logging":
			cmd = exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", code)
		case "Go":
			file := filepath.Join(dir, "main.go")
			if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd = exec.CommandContext(t.Context(), "go", "run", file)
		default:
			cmd = exec.CommandContext(t.Context(), "sh", "-c", code)
		}
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(p.path)+":"+os.Getenv("PATH"), "HOME="+home)
		if name == "Go" {
			cmd.Env = os.Environ() // with its cache
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return err.Error() + ": " + string(out)
		}
		return ""
	}
	goMain := "package main\nimport (\"log/slog\"; \"net\")\nfunc main() {\n"
	programs := [][3]string{
		{"Logbook", "", "\nimport logbook\nlogbook.Logger('one').error('from Logbook')\nhandler.close()\n"},
		{"logging", "", "\nlogging.getLogger('two').error('from logging')\n"},
		{"Go", goMain, "\nslog.Error(\"from Go\")\n}\n"},
		{"curl", "", ""},
		{"Shell", "cd " + dir + "; PATH=" + filepath.Dir(p.path) + ":$PATH\n", ""},
	}
	proc := p.start("headless")
	for _, program := range programs {
		if wrong := run(program[0], program[1], program[2]); wrong != "" {
			t.Errorf("%s: %s", program[0], wrong)
		}
	}
	want := []string{"one: from Logbook", "two: from logging", "from Go", "deploy: rsync failed", "deploy: rsync failed on web3"}
	e2e.Eventually(t, "all of the records", func() bool {
		got := p.run("tail", "--level", "error", "--backlog", "100", "--count", "5")
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(got, w) })
	})
	p.stopped(proc)

	// Without anybody who listens they end, too.
	for _, program := range programs[:3] {
		if wrong := run(program[0], program[1], program[2]); wrong != "" {
			t.Errorf("%s, while nobody listens: %s", program[0], wrong)
		}
	}
}

func snippet(t *testing.T, list []welcomewindow.Snippet, name string) string {
	t.Helper()
	i := slices.IndexFunc(list, func(s welcomewindow.Snippet) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no snippet %s", name)
	}
	return list[i].Code
}

func TestOnlyWhatCanBeSentToIsOffered(t *testing.T) {
	names := func(l ...app.Listener) string {
		var out []string
		for _, s := range snippets(l) {
			out = append(out, s.Name)
		}
		return strings.Join(out, ", ")
	}
	for want, listeners := range map[string][]app.Listener{
		"Any program": {
			{Type: "zeromq", Address: "tcp://127.0.0.1:1"}, {Type: "http", Address: "127.0.0.1:2", Private: true}, {Type: "socket", Network: "unix"},
		},
		"logging, Go, Any program":    {{Type: "socket", Network: "unix"}, {Type: "socket", Address: "127.0.0.1:9020"}},
		"Logbook, Shell, Any program": {{Type: "zeromq", Address: "tcp://127.0.0.1:1", Pull: true}},
		"Node, curl, Any program":     {{Type: "http", Address: "[::1]:9022"}},
	} {
		if got := names(listeners...); got != want {
			t.Errorf("offered: %s; want %s", got, want)
		}
	}
	if got := snippets([]app.Listener{{Type: "http", Address: "[::1]:9022"}})[1].Code; !strings.Contains(got, "http://[::1]:9022/records") {
		t.Errorf("the snippet has %s", got)
	}
}

//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

// documentedSubscriber returns the program of Python that the documentation has for a handler
// of pickles; its setup writes to the file that it is run with.
func documentedSubscriber(t *testing.T) string {
	t.Helper()
	_, after, ok := strings.Cut(sections(t, "../../CONFIGURATION.md")["Handler `pipe`"], "```python\n")
	program, _, closed := strings.Cut(after, "```")
	if !ok || !closed {
		t.Fatal("there is none")
	}
	setup := "import logbook, sys\n" +
		"my_setup = logbook.FileHandler(sys.argv[1], format_string='{record.level_name} {record.channel} {record.message} {record.extra[order]}')\n"
	return setup + strings.Replace(program, "with my_setup:", "with my_setup.applicationbound():", 1)
}

func TestAKindOfPipeWritesToLogbooksSubscriber(t *testing.T) {
	dir := t.TempDir()
	script, out := filepath.Join(dir, "subscriber.py"), filepath.Join(dir, "out")
	write(t, script, documentedSubscriber(t))
	r := runKinds(t, `handlers: [{name: p, type: pipe, arguments: [/usr/bin/python3, `+script+`, `+out+`], encoding: pickle, linger: 20s}]`)
	if _, err := os.Stat(out); err == nil {
		t.Error("it is run before the first record")
	}
	r.log(t, core.LevelError, "no tea", "order", 4711)
	r.log(t, core.LevelInfo, "für 日本 ☃", "order", 4712)
	eventually(t, func() bool { return r.report("p").Counters["delivered"] == 2 })
	if st := r.report("p"); st.State != "ok" || st.Counters["unconfirmed"] != 0 || st.Detail != "writes to /usr/bin/python3" {
		t.Errorf("%+v", st)
	}
	r.end(t)
	if got := read(t, out); got != "ERROR shop no tea 4711\nINFO shop für 日本 ☃ 4712\n" {
		t.Errorf("%q", got)
	}
	if st := r.report("p"); !strings.HasSuffix(st.Detail, "printed: EOFError") {
		t.Errorf("%+v", st)
	}
}

func TestAKindOfPipeIsTheOtherEndOfTheSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	to := runKinds(t, "handlers: [{name: to, type: pipe, path: "+path+"}]")
	to.log(t, core.LevelError, "no tea", "order", 4711)
	eventually(t, func() bool { return strings.Contains(to.report("to").Error, "nobody reads the pipe") })
	from := runKinds(t, "subscribe: [{name: from, type: pipe, path: "+path+"}]")
	defer from.end(t)
	to.log(t, core.LevelInfo, "für 日本 ☃")
	eventually(t, func() bool { return to.report("to").Counters["delivered"] == 2 })
	to.end(t)
	eventually(t, func() bool { return len(from.messages()) == 2 })
	if first := from.seen[0]; first.Level != core.LevelError || first.Channel != "shop" || first.Message() != "no tea" || first.Extra.Get("order") != int64(4711) {
		t.Errorf("%+v", first)
	}
}

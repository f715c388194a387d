package main

import (
	"net"
	"slices"
	"strings"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/ui/welcomewindow"
)

// snippets returns what programs have to add to send their records to the listeners, for
// each of them that needs no key. None of it can stop or slow down a program while
// logbook-tray does not run.
func snippets(listeners []app.Listener) []welcomewindow.Snippet {
	var list []welcomewindow.Snippet
	add := func(name, hint, code string, l app.Listener) {
		host, port := hostAndPort(l.Address)
		code = strings.NewReplacer("URI", l.Address, "HOST", host, "PORT", port, "ADDRESS", net.JoinHostPort(host, port)).Replace(code)
		list = append(list, welcomewindow.Snippet{Name: name, Hint: hint, Code: strings.TrimSpace(code)})
	}
	if l, ok := open(listeners, "zeromq"); ok && l.Pull {
		add("Logbook", "Python with Logbook. The wrapper keeps your program from waiting for one who does not read.", logbookSnippet, l)
	}
	if l, ok := open(listeners, "socket"); ok {
		add("logging", "Python's own logging. Without a configuration of its own, this is the first thing that your program does.", loggingSnippet, l)
		add("Go", "Go's log/slog, and with it the package log, as lines of JSON.", goSnippet, l)
	}
	if l, ok := open(listeners, "http"); ok {
		add("Node", "JavaScript: records are posted as JSON; most loggers can be given such a function.", nodeSnippet, l)
		add("curl", "Anything that can post JSON. The fields of all common loggers are understood.", curlSnippet, l)
	}
	if l, ok := open(listeners, "zeromq"); ok && l.Pull {
		uri := l.Address + " "
		if l.Address == defaultPushURI {
			uri = ""
		}
		add("Shell", "Scripts send a record, or each line that they read.", strings.ReplaceAll(shellSnippet, "URI ", uri), l)
	}
	return append(list, welcomewindow.Snippet{
		Name: "Any program", Code: strings.TrimSpace(execSnippet),
		Hint: "A program that cannot be changed is run by logbook-tray: its output becomes records, tracebacks and JSON included.",
	})
}

// open returns the first listener of a type that anybody on this computer may send to.
func open(listeners []app.Listener, kind string) (app.Listener, bool) {
	i := slices.IndexFunc(listeners, func(l app.Listener) bool {
		return l.Type == kind && !l.Private && l.Address != "" && !strings.HasPrefix(l.Network, "unix")
	})
	if i < 0 {
		return app.Listener{}, false
	}
	return listeners[i], true
}

// hostAndPort takes an address apart.
func hostAndPort(address string) (host, port string) {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "localhost", address
	}
	return host, port
}

const (
	logbookSnippet = `
from logbook.queues import ThreadedWrapperHandler, ZeroMQHandler

handler = ThreadedWrapperHandler(ZeroMQHandler('URI', multi=True), maxsize=1000)
handler.push_application()
`
	loggingSnippet = `
import logging, logging.handlers

logging.getLogger().setLevel(logging.DEBUG)
logging.getLogger().addHandler(logging.handlers.SocketHandler('HOST', PORT))
`
	goSnippet = `
if conn, err := net.Dial("tcp", "ADDRESS"); err == nil {
	slog.SetDefault(slog.New(slog.NewJSONHandler(conn, &slog.HandlerOptions{
		AddSource: true, Level: slog.LevelDebug,
	})))
}
`
	nodeSnippet = `
function log(level, message, fields = {}) {
  fetch('http://ADDRESS/records', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({level, message, logger: 'app', ...fields}),
    signal: AbortSignal.timeout(2000),
  }).catch(() => {});
}
`
	curlSnippet = `
curl --max-time 2 --json '{"level": "error", "logger": "deploy", "message": "rsync failed"}' \
  http://ADDRESS/records
`
	shellSnippet = `
logbook-tray send URI --level error --channel deploy "rsync failed on web3"
make 2>&1 | logbook-tray send URI --channel build -
`
	execSnippet = `
logbook-tray exec -- ./server --port 8000
`
)

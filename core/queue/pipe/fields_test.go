package pipe_test

import (
	"os"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/peertest"
	"github.com/logbook-tray/logbook-tray/core/queue/pipe"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// sendingChildren make the handlers of Logbook for what crosses to a process that is not of
// Python; see pythonChildren.
var sendingChildren = map[string]string{
	"MultiProcessingHandler": `
from multiprocessing.connection import Connection
class Queue:
    connection = Connection(1, readable=False)
    put_nowait = connection.send
handler = MultiProcessingHandler(Queue(), level="TRACE")
`,
	"ExecnetChannelHandler": `
import execnet, struct
worker = """
import sys
exec(channel.receive())
arguments = channel.receive()
everything(ExecnetChannelHandler(channel, level="TRACE"), *arguments)
"""
def everything(handler, *arguments):
    channel = execnet.makegateway("popen//python=/usr/bin/python3").remote_exec(worker)
    channel.send(source)
    channel.send(arguments)
    out = sys.stdout.buffer
    for record in channel:
        data = execnet.dumps(record)
        out.write(struct.pack("!i", len(data)) + data)
    out.flush()
    execnet.default_group.terminate(timeout=5)
handler = None
`,
	"JSON": `
class Lines(logbook.Handler):
    def emit(self, record):
        print(json.dumps(record.to_dict(json_safe=True)), flush=True)
handler = Lines(level="TRACE")
`,
}

func TestEveryFieldOfEveryLevelComesFromAChildOfPython(t *testing.T) {
	for name, program := range sendingChildren {
		t.Run(name, func(t *testing.T) {
			peertest.Logbook().Send(t, nil, peertest.Peer{Make: program, Count: brokertest.Count(1000, 100_000), Run: func(args []string) *queue.Subscriber {
				c, err := pipe.NewCommand(t.Context(), args, pipe.Options{Stderr: os.Stderr, MaxLine: 8 << 20})
				return subscribe(t, c, err)
			}})
		})
	}
}

func TestEveryFieldOfEveryLevelReachesAParentOfPython(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		lines   bool
		encode  func([]byte, *core.Record) ([]byte, error)
	}{
		"MultiProcessingSubscriber": {`
from multiprocessing.connection import Connection
class Queue:
    connection = Connection(0, writable=False)
    def get(self, *args, **kwargs):
        return self.connection.recv()
receive = MultiProcessingSubscriber(Queue()).recv
print("ready")
`, false, wire.AppendPickledDict},
		"JSON": {`
receive = lambda: logbook.LogRecord.from_dict(json.loads(sys.stdin.readline()))
print("ready")
`, true, wire.Append},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			peertest.Logbook().Receive(t, peertest.Peer{Make: c.program, Count: brokertest.Count(1000, 100_000), Stdin: r}, func(string) core.Handler {
				h := queue.NewHandler(pipe.NewSender("python", w, c.lines), queue.HandlerOptions{Encode: c.encode, Timeout: -1})
				t.Cleanup(func() { _ = h.Close() })
				return h
			})
		})
	}
}

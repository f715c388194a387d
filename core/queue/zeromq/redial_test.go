package zeromq_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/zeromq"
)

// guarded is a CURVE server of Python with its list of clients, to which a line on stdin
// adds a key. It sends or receives.
const guarded = `
import pathlib, sys, threading, zmq, zmq.auth, zmq.auth.thread
kind, secret, server, directory = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode(), pathlib.Path(sys.argv[4])
context = zmq.Context()
auth = zmq.auth.thread.ThreadAuthenticator(context)
auth.start()
auth.configure_curve(domain="*", location=str(directory))
s = context.socket(getattr(zmq, kind))
s.curve_server, s.curve_secretkey, s.curve_publickey = True, secret, server
s.linger = 0
if kind == "SUB":
    s.subscribe(b"")
s.bind("tcp://127.0.0.1:*")
print(s.last_endpoint.decode())
key = sys.stdin.readline().strip()
(directory / "client.key").write_text('metadata\ncurve\n    public-key = "%s"\n' % key)
auth.configure_curve(domain="*", location=str(directory))
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), done.set())).start()
if kind == "PUB": # which does not know when somebody listens
    while not done.wait(0.01):
        s.send(b"news")
elif kind == "PUSH":
    s.send(b"news")
else:
    for _ in range(3):
        print(s.recv().decode())
done.wait()
auth.stop()
s.close()
context.term()
`

// refusals returns how many handshakes were refused.
func refusals(s queue.Status) (n int) {
	_, text, listening := strings.Cut(s.Detail, "; ")
	if !listening {
		text = s.Detail
	}
	_, _ = fmt.Sscanf(text, "%d handshakes refused", &n) // 0 if it says something else
	return n
}

func TestAddingTheKeyAtTheServerIsEnough(t *testing.T) {
	for _, c := range []struct {
		ours   zeromq.Pattern
		theirs string
	}{{zeromq.Pull, "PUSH"}, {zeromq.Sub, "PUB"}, {zeromq.Push, "PULL"}, {zeromq.Pub, "SUB"}} {
		t.Run(string(c.ours)+" connects", func(t *testing.T) {
			server, client := newKeys(t), newKeys(t)
			p := run(t, guarded, c.theirs, server.secret, server.public, t.TempDir())
			uri := p.line()
			var told peers
			o := eager(zeromq.Options{
				Addresses: []string{uri}, Pattern: c.ours, Side: zeromq.Connect, OnPeer: told.add,
				Curve: &zeromq.Curve{Secret: client.secret, ServerKey: server.public},
			})
			var end queue.Statuser
			var r *zeromq.Receiver
			var s *zeromq.Sender
			if c.ours == zeromq.Pull || c.ours == zeromq.Sub {
				r = receiver(t, o)
				end = r
			} else {
				o.Linger = time.Second
				s = sender(t, o)
				end = s
				for i := range 3 { // what is pushed is kept until somebody takes it
					if c.ours == zeromq.Push {
						send(t, s, fmt.Sprint(i))
					}
				}
			}
			await(t, "it is refused again and again", func() bool {
				return end.Status().State == queue.StateFailed && refusals(end.Status()) >= 3
			})
			if err := end.Status().Err; err == nil || !strings.Contains(err.Error(), client.public) || strings.Contains(err.Error(), client.secret) {
				t.Errorf("%v", err)
			}
			if _, err := fmt.Fprintln(p.in, client.public); err != nil {
				t.Fatal(err)
			}
			await(t, "it is let in", func() bool { return end.Status().State == queue.StateConnected })
			if err := end.Status().Err; err != nil {
				t.Errorf("%v", err)
			}
			if n := len(told.in(queue.StateFailed)); n != 1 {
				t.Errorf("told %d times that it is refused", n)
			}
			switch c.ours {
			case zeromq.Pull, zeromq.Sub:
				if got := receiveBody(t, r); got != "news" {
					t.Errorf("got %q", got)
				}
			case zeromq.Pub:
				if err := s.WaitPeer(soon(t)); err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					send(t, s, fmt.Sprint(i))
				}
				fallthrough
			case zeromq.Push:
				for i := range 3 {
					if got := p.line(); got != fmt.Sprint(i) {
						t.Errorf("got %q, want %d", got, i)
					}
				}
			}
			if _, err := fmt.Fprintln(p.in); err != nil {
				t.Fatal(err)
			}
			p.wait()
		})
	}
}

func TestTheWrongKindOfSocketIsSaidAndMayBeReplaced(t *testing.T) {
	uri := freeAddress(t)
	wrong := receiver(t, zeromq.Options{Addresses: []string{uri}})
	r := receiver(t, eager(zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Sub}))
	await(t, "what it is", func() bool {
		st := r.Status()
		if st.State != queue.StateFailed || st.Err == nil {
			return false
		}
		// Each end finds out; when the other one is first and hangs up, we can only guess.
		why, found := strings.CutPrefix(st.Err.Error(), "connect to "+uri+": ")
		return found && (why == "it is another kind of socket (sub receives from pub, pull from push)" ||
			why == "the handshake failed: it does not speak ZeroMQ, the keys are wrong, or it is another kind of socket")
	})
	if err := wrong.Close(); err != nil {
		t.Fatal(err)
	}
	s := sender(t, zeromq.Options{Addresses: []string{uri}, Pattern: zeromq.Pub})
	if err := s.WaitPeer(soon(t)); err != nil {
		t.Fatal(err)
	}
	send(t, s, "news")
	if got := receiveBody(t, r); got != "news" {
		t.Errorf("got %q", got)
	}
}

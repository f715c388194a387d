package brokertest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
)

// connects makes connections again for as long as the broker is away. With the name of a
// file it can wait for that, too, which is there when the broker was killed.
const connects = `
import os, socket, sys, time
import kombu
from logbook import LogRecord, Logger
from logbook.queues import MessageQueueHandler, MessageQueueSubscriber

uri, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
errors = kombu.Connection(uri).connection_errors + kombu.Connection(uri).channel_errors + (kombu.exceptions.OperationalError,)

def connected():
    """The queue over a connection that waits until the broker has confirmed what is put in."""
    until = time.monotonic() + 80
    while True:
        try:
            return kombu.Connection(uri, transport_options={"confirm_publish": True}).SimpleQueue(name)
        except errors:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)

def killed():
    while not os.path.exists(sys.argv[4]):
        time.sleep(0.01)
`

// kombuSendsOn logs numbers, tells those that the broker has confirmed, and logs the last
// ones when the connection was lost.
const kombuSendsOn = connects + `
class Handler(MessageQueueHandler):
    lost = False
    def emit(self, record):
        try:
            super().emit(record)
            print(record.message, flush=True)
        except errors:
            self.again()
    def again(self):
        self.lost, self.queue = True, connected()
    def wait(self):
        if len(sys.argv) > 4:
            return killed()
        while not self.lost:
            try:
                self.queue.channel.connection.client.drain_events(timeout=1)
            except socket.timeout:
                pass
            except errors:
                self.again()

handler = Handler(uri, name)
handler.queue = connected()
log = Logger("shop")
with handler.applicationbound():
    for i in range(count):
        if i == count * 3 // 4:
            handler.wait()
        log.info("{0}", i)
`

// kombuReceivesOn receives numbers, and tells when it has half of them, what has come again
// without a mark, what has come too late, and when it has all.
const kombuReceivesOn = connects + `
subscriber = MessageQueueSubscriber(uri, name)
seen, last = set(), -1
while len(seen) < count:
    try:
        message = subscriber.queue.get(timeout=80)
        number = int(LogRecord.from_dict(message.payload).msg)
        marked = message.delivery_info.get("redelivered") or message.headers.get("redelivered")
        if number in seen and not marked:
            print("again", number, flush=True)
        if number not in seen:
            if number < last:
                print("late", number, flush=True)
            seen.add(number)
            last = number
            if len(seen) == count // 2:
                print("half", flush=True)
                if len(sys.argv) > 4:
                    killed()
        message.ack()
    except errors:
        subscriber.queue = connected()
print("all", flush=True)
`

// RunKombuCrash kills the broker while the real Logbook sends by means of kombu, and while
// it receives: what the broker has confirmed arrives, in order, and what comes again is
// marked. start starts a transport for each test.
func RunKombuCrash(t *testing.T, start func(t *testing.T) Kombu) {
	t.Helper()
	t.Run("python_sends", func(t *testing.T) { pythonSendsOn(t, start(t)) })
	t.Run("python_receives", func(t *testing.T) { pythonReceivesOn(t, start(t)) })
}

func pythonSendsOn(t *testing.T, k Kombu) {
	count := k.count(2000, 50_000)
	from := k.receive(t)
	records := receiving(t, from)
	p, killed := k.start(t, kombuSendsOn, count)
	var came numbers
	next := func() {
		t.Helper()
		r, ok := <-records
		if !ok {
			t.Fatalf("no more after %d; %+v; %+v", len(came.seen), from.Status(), from.Stats())
		}
		came.add(t, r)
	}
	for len(came.seen) < count/2 {
		next()
	}
	k.Broker.Kill()
	killed()
	Await(t, "the loss to be seen", from, func() bool { return from.Status().State == queue.StateLost })
	k.Broker.Restart(t)
	for !came.seen[count-1] { // which is sent, and confirmed, after the crash
		next()
	}
	Ended(t, p, from)
	for line := range strings.Lines(p.Output()) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("Python says %q", line)
		}
		if !came.seen[n] {
			t.Errorf("the broker has confirmed %d, and it has not come", n)
		}
	}
	if confirmed := strings.Count(p.Output(), "\n"); confirmed < count-10 {
		t.Errorf("%d of %d were confirmed", confirmed, count)
	}
	t.Logf("%d of %d came, %d of them twice", len(came.seen), count, came.twice)
}

func pythonReceivesOn(t *testing.T, k Kombu) {
	count := k.count(2000, 50_000)
	to := k.sender(t, defaults())
	p, say := k.start(t, kombuReceivesOn, count)
	killed := make(chan struct{})
	sendAll(t, to, 0, count, func(i int) {
		if i == count*3/4 { // some are left for the time without a broker
			select {
			case <-killed:
			case <-t.Context().Done():
			}
		}
	})
	Await(t, "half of them", to, func() bool { return strings.HasPrefix(p.Output(), "half\n") })
	k.Broker.Kill()
	close(killed)
	say()
	Await(t, "the loss to be seen", to, func() bool { return to.Status().State != queue.StateConnected })
	k.Broker.Restart(t)
	Ended(t, p, to)
	if !strings.HasPrefix(p.Output(), "half\nall\n") { // kombu may have the last word
		t.Errorf("Python says %q; %+v", p.Output(), to.Status())
	}
	Await(t, "the confirmations", to, func() bool { return to.Sent() == uint64(count) })
	if to.Lost() != 0 {
		t.Errorf("%d are lost", to.Lost())
	}
}

// Ended waits for the end of a program that talks to a broker, which may take longer than that
// of others, and checks that it has ended well. who talks to the broker, too.
func Ended(t *testing.T, p *e2e.Process, who queue.Statuser) {
	t.Helper()
	Await(t, "the end of the program", who, func() bool {
		select {
		case <-p.Done():
			return true
		default:
			return false
		}
	})
	if code := p.Wait(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
}

// start starts a program. With killed it is told that the broker was killed, if it does not
// hear of that itself.
func (k *Kombu) start(t *testing.T, program string, count int) (p *e2e.Process, killed func()) {
	t.Helper()
	args := []string{"-c", program, k.URI, k.Queue, strconv.Itoa(count)}
	killed = func() {}
	if k.Takes {
		file := filepath.Join(t.TempDir(), "killed")
		args = append(args, file)
		killed = func() {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e2e.Start(t, os.Environ(), "/usr/bin/python3", args...), killed
}

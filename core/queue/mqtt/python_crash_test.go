package mqtt_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/internal/brokertest"
	"github.com/logbook-tray/logbook-tray/packaging/e2e"
	"github.com/logbook-tray/logbook-tray/packaging/services"
)

// ends are the two ways in which a broker ends: Mosquitto writes to its disk when it is shut
// down, and loses what it has confirmed lately when it is killed, which nobody can help.
func ends() map[string]func(*services.Broker) {
	return map[string]func(*services.Broker){"shut_down": (*services.Broker).Stop, "killed": (*services.Broker).Kill}
}

// publishOn logs numbers with the client of Eclipse, which publishes again itself what the
// broker has not confirmed; tells which these are when the connection is lost, and then logs
// the last ones.
const publishOn = `
import json, sys, threading
import logbook, paho.mqtt.client as paho

count = int(sys.argv[2])
infos, lost, connected, all_confirmed = [], threading.Event(), threading.Event(), threading.Event()
confirmed = 0

def unconfirmed(i):
    try:
        return not infos[i].is_published()
    except (RuntimeError, ValueError):
        return True

def disconnected(*args):
    if not lost.is_set():
        print("lost", *[i for i in range(len(infos)) if unconfirmed(i)], flush=True)
        lost.set()

def published(*args):
    global confirmed
    confirmed += 1
    if confirmed == count:
        all_confirmed.set()

client = paho.Client(protocol=paho.MQTTv5)
client.reconnect_delay_set(1, 1)
client.on_disconnect, client.on_publish = disconnected, published
client.on_connect = lambda *args: connected.set()
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
connected.wait(60)

class Handler(logbook.Handler):
    def emit(self, record):
        infos.append(client.publish("logging", json.dumps(record.to_dict(json_safe=True)), qos=1))

log = logbook.Logger("shop")
with Handler().applicationbound():
    for i in range(count):
        if i == count * 3 // 4:
            lost.wait(60)
        log.info("{0}", i)
assert all_confirmed.wait(60), confirmed
print("confirmed", flush=True)
client.disconnect()
client.loop_stop()
`

func TestWhatPythonPublishesArrivesWhenTheBrokerEndsMeanwhile(t *testing.T) {
	for name, end := range ends() {
		t.Run(name, func(t *testing.T) { pythonPublishesOn(t, end, name == "killed") })
	}
}

func pythonPublishesOn(t *testing.T, end func(*services.Broker), forgets bool) {
	t.Helper()
	count := brokertest.Count(2000, 50_000)
	b := services.StartMosquitto(t, "autosave_interval 500", "autosave_on_changes true")
	from := receive(t, options(b))
	p := e2e.Start(t, os.Environ(), "/usr/bin/python3", "-c", publishOn, strconv.Itoa(b.Port), strconv.Itoa(count))
	unmarked, seen := make([]int, count), make([]bool, count)
	for received := 0; !seen[count-1]; received++ {
		if received == count/2 {
			end(b)
			brokertest.Await(t, "the loss to be seen", from, func() bool { return from.Status().State == queue.StateLost })
			b.Restart(t)
		}
		r := brokertest.Next(t, from)
		n := brokertest.Number(t, r)
		if !brokertest.Marked(r) {
			unmarked[n]++
		}
		seen[n] = true
	}
	brokertest.Ended(t, p, from)
	told, said, _ := strings.Cut(p.Output(), "\n")
	if said != "confirmed\n" || !strings.HasPrefix(told, "lost") {
		t.Fatalf("Python says %q", p.Output())
	}
	again := map[int]bool{} // what Python has published again, which is new to the broker
	for _, number := range strings.Fields(told)[1:] {
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		again[n] = true
	}
	for n := range count {
		switch {
		case !seen[n] && (!forgets || again[n] || n >= count*3/4):
			t.Errorf("%d has not come; Python had a confirmation: %v", n, !again[n])
		case unmarked[n] > 1 && !again[n]:
			t.Errorf("%d came %d times without a mark, and Python has published it once", n, unmarked[n])
		}
	}
}

// subscribeOn receives numbers in a session that outlives its connection, until the last one
// has come, and tells when it has half of them, what has come again without a mark, and what
// has not come.
const subscribeOn = `
import json, sys
import logbook, paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes

count = int(sys.argv[2])
seen = set()

def message(client, userdata, m):
    number = int(logbook.LogRecord.from_dict(json.loads(m.payload)).msg)
    properties = dict(getattr(m.properties, "UserProperty", []))
    if number in seen and not (m.dup or "redelivered" in properties):
        print("again", number, flush=True)
    seen.add(number)
    if len(seen) == count // 2:
        print("half", flush=True)
    if number == count - 1:
        print("missing", *[i for i in range(count) if i not in seen], flush=True)
        client.disconnect()

def connected(client, userdata, flags, reason, properties):
    client.subscribe("logging", qos=1)

properties = Properties(PacketTypes.CONNECT)
properties.SessionExpiryInterval = 3600
client = paho.Client(client_id="python", protocol=paho.MQTTv5)
client.reconnect_delay_set(1, 1)
client.on_message, client.on_connect = message, connected
client.on_subscribe = lambda *args: print("ready", flush=True)
client.connect("127.0.0.1", int(sys.argv[1]), clean_start=False, properties=properties)
client.loop_forever()
`

func TestWhatIsSentArrivesAtPythonWhenTheBrokerEndsMeanwhile(t *testing.T) {
	for name, end := range ends() {
		t.Run(name, func(t *testing.T) { pythonSubscribesOn(t, end, name == "killed") })
	}
}

func pythonSubscribesOn(t *testing.T, end func(*services.Broker), forgets bool) {
	t.Helper()
	count := brokertest.Count(2000, 50_000)
	b := services.StartMosquitto(t, "autosave_interval 500", "autosave_on_changes true")
	p := e2e.Start(t, os.Environ(), "/usr/bin/python3", "-c", subscribeOn, strconv.Itoa(b.Port), strconv.Itoa(count))
	to := sender(t, options(b))
	says := func(line string) func() bool { return func() bool { return strings.Contains(p.Output(), line) } }
	brokertest.Await(t, "the subscription", to, says("ready\n"))
	brokertest.SendAll(t, to, 0, count*3/4)
	brokertest.Await(t, "half of them", to, says("half\n"))
	end(b)
	brokertest.Await(t, "the loss to be seen", to, func() bool { return to.Status().Err != nil })
	confirmed := int(to.Sent()) //nolint:gosec // a count
	b.Restart(t)
	brokertest.Await(t, "what was held", to, func() bool { return to.Sent() == uint64(count*3/4) })
	brokertest.SendAll(t, to, count*3/4, count)
	brokertest.Ended(t, p, to)
	for line := range strings.Lines(p.Output()) {
		words := strings.Fields(line)
		switch words[0] {
		case "again": // a broker that was killed has forgotten what it has sent
			if !forgets {
				t.Errorf("%s came twice, and is not marked", words[1])
			}
		case "missing":
			for _, word := range words[1:] {
				if n, err := strconv.Atoi(word); err != nil || !forgets || n >= confirmed {
					t.Errorf("%s has not come (%d were confirmed before the end)", word, confirmed)
				}
			}
		}
	}
	if to.Lost() != 0 {
		t.Errorf("%d are lost", to.Lost())
	}
}

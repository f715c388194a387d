//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	brokers "github.com/logbook-tray/logbook-tray/packaging/services"
)

// report returns what the status says about a handler or source.
func (r *running) report(name string) pipeline.Report {
	for _, h := range r.Status().Handlers {
		if h.Name == name {
			return h.Report
		}
	}
	for _, s := range r.Status().Subscribers {
		if s.Name == name {
			return s.Report
		}
	}
	return pipeline.Report{}
}

// got reports whether exactly these messages came to the top of the stack.
func (r *running) got(want ...string) func() bool {
	return func() bool { return slices.Equal(r.messages(), slices.Sorted(slices.Values(want))) }
}

func TestKindsOfBrokersCarryRecordsFromOneTrayToAnother(t *testing.T) {
	nats, redis := brokers.StartNATS(t, "--user", "tray", "--pass", "secret"), brokers.StartRedis(t, "--requirepass", "secret")
	mqtt := brokers.StartMosquittoPassword(t, "tray", "secret")
	var rabbit brokers.Shared
	shared := rabbit.Main(tests(func() {
		amqp := rabbit.RabbitMQ(t)
		for name, options := range map[string]string{
			"amqp":          `type: amqp, uri: "amqp://guest:guest@` + amqp.Addr() + `//", queue: of-a-test`,
			"nats":          `type: nats, uri: "nats://tray:secret@` + nats.Addr() + `", subject: logs.a`,
			"nats/stream":   `type: nats, uri: "nats://tray:secret@` + nats.Addr() + `", subject: kept.a, stream: KEPT`,
			"mqtt":          `type: mqtt, uri: "mqtt://tray:secret@` + mqtt.Addr() + `"`,
			"redis":         `type: redis, uri: "redis://:secret@` + redis.Addr() + `"`,
			"redis/list":    `type: redis, uri: "redis://:secret@` + redis.Addr() + `", mode: list, queue: list`,
			"redis/json":    `type: redis, uri: "redis://:secret@` + redis.Addr() + `", mode: list, queue: whole`,
			"redis/channel": `type: redis, uri: "redis://:secret@` + redis.Addr() + `", mode: channel`,
			"redis/stream":  `type: redis, uri: "redis://:secret@` + redis.Addr() + `", mode: stream, queue: stream`,
			"nng":           `type: nng, uri: "ipc://` + t.TempDir() + `/n"`,
		} {
			t.Run(name, func(t *testing.T) { carry(t, name, options) })
		}
	}))
	if code := shared.Run(); code != 0 {
		t.Error(code)
	}
}

type tests func()

func (f tests) Run() int { f(); return 0 }

// carry sends records with one pipeline and receives them with another.
func carry(t *testing.T, name, options string) {
	t.Helper()
	more := map[string]string{"redis/json": ", encoding: json", "redis/list": ", extra_fields: {app: tray}"}[name]
	mode := map[string]string{"nng": ", mode: pull"}[name]
	from := runKinds(t, "subscribe: [{name: from, "+options+mode+"}]")
	defer from.end(t)
	eventually(t, func() bool { st := from.report("from").State; return st == "connected" || st == "listening" })
	to := runKinds(t, "handlers: [{name: to, "+options+more+"}]")
	to.log(t, core.LevelError, "no tea", "order", 4711)
	to.log(t, core.LevelInfo, "für 日本 ☃")
	eventually(t, from.got("no tea", "für 日本 ☃"))
	eventually(t, func() bool { return to.report("to").Counters["delivered"] == 2 })
	if st := to.report("to"); st.State != "ok" || st.Error != "" || st.Counters["unconfirmed"] != 0 {
		t.Errorf("%+v", st)
	}
	to.end(t)
	for _, r := range from.seen {
		if r.Message() != "no tea" {
			continue
		}
		if name == "redis/list" {
			if r.Level != core.LevelError || r.Extra.Get("app") != "tray" {
				t.Errorf("%v %v", r.Level, r.Extra)
			}
		} else if name != "redis/channel" && (r.Level != core.LevelError || r.Channel != "shop" || r.Extra.Get("order") != int64(4711)) {
			t.Errorf("%v %q %v", r.Level, r.Channel, r.Extra)
		}
	}
}

func TestKindsOfBrokersSayWhyTheyAreNotWelcome(t *testing.T) {
	nats, redis := brokers.StartNATS(t, "--user", "tray", "--pass", "secret"), brokers.StartRedis(t, "--requirepass", "secret")
	mqtt := brokers.StartMosquittoPassword(t, "tray", "secret")
	for _, options := range []string{
		`type: nats, uri: "nats://tray:hush@` + nats.Addr() + `"`,
		`type: redis, uri: "redis://:hush@` + redis.Addr() + `"`,
		`type: mqtt, uri: "mqtt://tray:hush@` + mqtt.Addr() + `"`,
	} {
		r := runKinds(t, "subscribe: [{name: from, "+options+"}]\nhandlers: [{name: to, linger: 1ms, "+options+"}]")
		r.log(t, core.LevelError, "no tea")
		for who, state := range map[string]string{"from": "failed", "to": "failing"} {
			eventually(t, func() bool {
				st := r.report(who)
				return st.State == state && strings.Contains(st.Error, "password is wrong")
			})
			if text := fmt.Sprintf("%+v", r.report(who)); strings.Contains(text, "hush") || strings.Contains(text, "secret") {
				t.Errorf("there is a password in %s", text)
			}
		}
		_ = r.Close() // the record is lost
	}
}

// nngcat is the program of nng-utils.
func nngcat(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "nngcat", args...)
}

func TestKindsOfNNGReceiveFromNngcatAndSendToIt(t *testing.T) {
	dir := t.TempDir()
	r := runKinds(t, strings.ReplaceAll(`listen:
  - {name: sub, type: nng, uri: "ipc://DIR/sub"}
  - {name: pull, type: nng, uri: "ipc://DIR/pull", mode: pull}
handlers:
  - {name: push, type: nng, uri: "ipc://DIR/push", timeout: 20s, bubble: true}
  - {name: pub, type: nng, uri: "ipc://DIR/pub", mode: pub}
`, "DIR", dir))
	for name, flag := range map[string]string{"sub": "--pub0", "pull": "--push0"} {
		eventually(t, func() bool { return r.report(name).State == "listening" })
		// Once is enough; the delay is for the subscription of a publisher's peer.
		if out, err := nngcat(t, flag, "--dial", "ipc://"+dir+"/"+name, "--delay", "1", "--count", "1",
			"--data", `{"level": "error", "message": "`+name+`"}`).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	eventually(t, r.got("pull", "sub"))

	outputs := map[string]*exec.Cmd{}
	for name, flag := range map[string]string{"push": "--pull0", "pub": "--sub0"} {
		cmd := nngcat(t, flag, "--listen", "ipc://"+dir+"/"+name, "--count", "1", "--raw")
		outputs[name] = cmd
	}
	texts := make(chan string, len(outputs))
	for name, cmd := range outputs {
		go func() {
			out, err := cmd.CombinedOutput()
			texts <- name + " " + strconv.FormatBool(err == nil && strings.Contains(string(out), `"level"`))
		}()
	}
	// What is published before somebody subscribes is nobody's.
	var got []string
	eventually(t, func() bool {
		r.log(t, core.LevelError, "no tea")
		select {
		case text := <-texts:
			got = append(got, text)
		default:
		}
		return len(got) == len(outputs)
	})
	slices.Sort(got)
	if !slices.Equal(got, []string{"pub true", "push true"}) {
		t.Error(got)
	}
	_ = r.Close() // what nobody receives any more is lost
}

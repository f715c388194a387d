package wire_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/queue"
	"github.com/logbook-tray/logbook-tray/core/queue/syslog"
	"github.com/logbook-tray/logbook-tray/core/wire"
	"github.com/logbook-tray/logbook-tray/core/wire/frame"
)

// captures say how the fixtures are checked whose names match, first match first.
func captures() []capture {
	decoded := func(check func(*testing.T, *core.Record, *fixture)) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) { check(t, decode(t, f.body), f) }
	}
	pickled := func(check func(*testing.T, *core.Record, *fixture)) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			f.unframe()
			r, err := wire.DecodePickle(f.body)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, f)
		}
	}
	stdlibPickled := pickled(func(t *testing.T, r *core.Record, f *fixture) {
		want := f.Expected
		if d, ok := want["dict"].(map[string]any); ok { // a LogRecord object
			want = d
		}
		if n, ok := want["msg_len"]; ok {
			equal(t, "length", int64(len(r.Message())), n)
			return
		}
		checkPickled(t, r, want)
	})
	return []capture{
		// one record each
		{"logbook-zmq-pub/*.json", decoded(checkLogbook)},
		{"logbook-zmq-push/*.json", decoded(checkLogbook)},
		{"logbook-seed04/*.json", decoded(checkLogbook)},
		{"logbook-seed04/*.pickle", pickled(checkPickledLogbook)},
		{"cookbook-zmq/*.json", decoded(checkStdlibJSON)},
		{"cookbook-nng/*.json", decoded(checkStdlibJSON)},
		{"logbook-redishandler/*.json", decoded(checkRedisHandler)},
		{"logbook-mq-amqp/*.body", checkAMQP},
		{"logbook-mq-mongodb/*.bson", checkBSON},
		{"logbook-mq-redis/020-*", conversation}, // a list of what Redis holds
		{"logbook-mq-redis/024-*", raw(1)},
		{"logbook-mq-redis/025-*", decoded(checkRequeued)},
		{"logbook-mq-redis/026-*", conversation}, // the names of keys
		{"logbook-mq-redis/*.json", decoded(checkLogbook)},
		{"logbook-mq-redis-kombu56/00[123]-*.json", decoded(checkLogbook)},
		{"logbook-mq-redis-kombu56/00[456]-*.json", decoded(checkNewKombu)},
		{"logbook-multiprocessing/*.execnet", checkExecnet},
		{"logbook-multiprocessing/*", pickled(checkPickledLogbook)},
		{"stdlib-socket/*.frame", stdlibPickled},
		{"stdlib-mpqueue/*.frame", stdlibPickled},
		{"stdlib-datagram/*.dgram", stdlibPickled},
		{"stdlib-http/*.http", checkForm},
		{"*syslog*/*", checkSyslog},
		// streams of records
		{"stdlib-socket/*.stream", checkStream},
		{"cutelog/*.stream", checkCutelog},
		// what clients say to each other and to brokers, with records in it
		{"logbook-zmq-pub/raw-068-*.bin", conversation},
		{"logbook-zmq-pub/raw-069-*.bin", raw(2)},
		{"logbook-zmq-push/raw-008-*.bin", raw(7)},
		{"logbook-zmq-push/raw-009-*.bin", conversation},
		{"zmtp-minimal/*.json", checkZMTP},
		{"cookbook-nng/raw-010-*.bin", raw(3)},
		{"cookbook-nng/raw-011-*.bin", conversation},
		{"cookbook-nng/raw-01[23]-*.bin", noRecord}, // of nngcat
		{"logbook-mq-amqp/raw-020-*.bin", raw(1)},
		{"logbook-mq-amqp/raw-021-*.bin", conversation},
		{"logbook-mq-amqp/raw-022-*.bin", conversation},
		{"logbook-mq-amqp/raw-023-*.bin", raw(1)},
		{"logbook-mq-redis/raw-021-*.bin", raw(1)},
		{"logbook-mq-redis/raw-022-*.bin", conversation},
		{"logbook-mq-redis/raw-023-*.bin", raw(1)},
		{"logbook-mq-mongodb/*-commands.json", conversation},
		{"logbook-mq-mongodb/raw-009-*.bin", raw(7)},
		{"stdlib-mpqueue/*raw*client-to-listener.bin", conversation}, // its object is no record
		{"stdlib-mpqueue/*raw*listener-to-client.bin", conversation},
		// attacks
		{"hostile/*", checkHostile},
	}
}

type capture struct {
	pattern string
	check   func(*testing.T, *fixture)
}

func TestEverythingThatWasCapturedFromRealClientsIsRead(t *testing.T) {
	all := captures()
	used := make([]int, len(all))
	unsent := 0
	for _, f := range manifest(t) {
		if f.File == "" {
			if f.Failed == "" {
				t.Errorf("%s %s has no file", f.Transport, f.Case)
			}
			unsent++
			continue
		}
		found := false
		for i, c := range all {
			if ok, err := path.Match(c.pattern, f.File); err != nil || !ok {
				continue
			}
			found = true
			used[i]++
			t.Run(f.File, func(t *testing.T) {
				f.load(t)
				c.check(t, &f)
			})
			break
		}
		if !found {
			t.Errorf("nobody reads %s (%s)", f.File, f.Exercises)
		}
	}
	for i, n := range used {
		if n == 0 {
			t.Errorf("nothing matches %s", all[i].pattern)
		}
	}
	if unsent != 21 {
		t.Errorf("%d could not be sent by their client, want 21", unsent)
	}
}

func checkStdlibJSON(t *testing.T, r *core.Record, f *fixture) {
	t.Helper()
	want, _ := f.Expected["record"].(map[string]any)
	checkStdlib(t, r, want)
}

func checkAMQP(t *testing.T, f *fixture) {
	t.Helper()
	properties, _ := f.Expected["amqp_properties"].(map[string]any)
	r, err := decoder(t, wire.Options{}).DecodeMessage(f.body, text(properties["content_type"]))
	if err != nil {
		t.Fatal(err)
	}
	checkLogbook(t, r, f)
}

// checkBSON finds the envelope in a document: the value behind its name, which is text with
// its length in front.
func checkBSON(t *testing.T, f *fixture) {
	t.Helper()
	_, rest, ok := bytes.Cut(f.body, []byte("\x02payload\x00"))
	if !ok || len(rest) < 4 {
		t.Fatal("no payload")
	}
	n := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
	checkLogbook(t, decode(t, rest[4:4+n-1]), f)
}

func checkRequeued(t *testing.T, r *core.Record, _ *fixture) {
	t.Helper()
	equal(t, "message", r.Message(), "never acked")
}

func checkNewKombu(t *testing.T, r *core.Record, f *fixture) {
	t.Helper()
	equal(t, "message", r.Message(), map[string]string{"typed-values": "typed", "compressed-zlib": "zlib", "pickle-serializer": "pickled"}[f.Case])
}

func checkExecnet(t *testing.T, f *fixture) {
	t.Helper()
	r, err := decoder(t, wire.Options{}).DecodeExecnet(f.body)
	if err != nil {
		t.Fatal(err)
	}
	checkPickledLogbook(t, r, f)
}

func checkForm(t *testing.T, f *fixture) {
	t.Helper()
	r, err := decoder(t, wire.Options{}).DecodeForm(formOf(t, f.body))
	if err != nil {
		t.Fatal(err)
	}
	form, _ := f.Expected["form"].(map[string]any)
	if form == nil {
		t.Fatalf("nothing is expected: %v", f.Expected)
	}
	for key, got := range map[string]string{
		"name": r.Channel, "pathname": r.Site.File, "module": r.Site.Module, "funcName": r.Site.Function, "threadName": r.Thread.Name,
		"processName": r.Process.Name, "lineno": strconv.Itoa(r.Site.Line), "process": strconv.Itoa(r.Process.ID), "thread": strconv.FormatInt(r.Thread.ID, 10),
	} {
		if want, ok := form[key]; ok {
			equal(t, key, got, text(want))
		}
	}
	if n, err := strconv.Atoi(text(form["levelno"])); err == nil {
		equal(t, "level", r.Level, wire.StdlibLevel(n))
	}
	if s := text(form["msg"]); form["msg"] != nil && !strings.Contains(s, "%") {
		if m, ok := form["msg"].(map[string]any); ok {
			equal(t, "message", r.Message(), m)
		} else {
			message, _, _ := strings.Cut(r.Message(), "\nTraceback")
			start, cut := strings.CutSuffix(s, "...")
			if cut {
				message = message[:min(len(start), len(message))]
			}
			equal(t, "message", message, start)
		}
	}
	for _, key := range []string{"ip", "count", "ok", "no", "none", "ratio", "neg", "b255", "i31"} { // extra data
		if want, ok := form[key]; ok {
			equal(t, key, r.Extra.Get(key), want)
		}
	}
	if at, err := strconv.ParseFloat(text(form["created"]), 64); err == nil {
		if off := float64(r.Time.UnixNano())/1e9 - at; off > 1e-6 || off < -1e-6 {
			t.Errorf("time %v is %g s off", r.Time, off)
		}
	}
}

// checkSyslog reads a message, and sends what is more than one to a syslog server, as it came.
func checkSyslog(t *testing.T, f *fixture) {
	t.Helper()
	recv := func(context.Context) (*core.Record, error) {
		return syslog.Parse(decoder(t, wire.Options{}), time.UTC, f.body, time.Now())
	}
	if parts := f.datagrams(); len(parts) > 1 || filepath.Ext(f.File) == ".stream" {
		s := sendSyslog(t, parts, filepath.Ext(f.File) == ".stream")
		defer s.Close()
		recv = s.Recv
	}
	var want, got []string
	texts := f.syslogTexts()
	for _, text := range texts {
		want = append(want, strings.Split(strings.TrimRight(text.text, "\n"), "\n")...)
	}
	if rest := text(f.Expected["rest"]); strings.HasPrefix(rest, "[") {
		_, behind, _ := strings.Cut(rest, "] ") // structured data goes elsewhere
		want = []string{behind}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(got) < len(want) { // a record may have several lines, each with a header of its own
		r, err := recv(ctx)
		if err != nil {
			t.Fatalf("%v; got %q, want %q", err, got, want)
		}
		got = append(got, strings.Split(strings.TrimRight(r.Message(), "\n"), "\n")...)
		if len(texts) == 1 {
			checkHeader(t, r, f.Expected)
		}
		if severity := texts[0].severity; severity >= 0 && r.Level != [8]core.Level{15, 15, 15, 14, 13, 12, 11, 10}[severity] {
			t.Errorf("level %v, want severity %d", r.Level, severity)
		}
	}
	for i := range want {
		if i >= len(got) || !strings.HasSuffix(want[i], got[i]) || got[i] == "" && strings.Trim(want[i], "- ") != "" {
			t.Fatalf("line %d: got %.200q, want the ends of %.200q", i, got, want)
		}
	}
}

// checkHeader compares a record with the header of a message of syslog.
func checkHeader(t *testing.T, r *core.Record, want map[string]any) {
	t.Helper()
	if pri, ok := want["pri"].(int64); ok {
		names := map[int64]string{1: "user", 3: "daemon", 19: "local3", 23: "local7"}
		equal(t, "facility", r.Extra.Get("facility"), any(names[pri/8]))
	}
	if want["timestamp"] == nil { // of RFC 3164, or of the logging package, which sends none
		return
	}
	name := text(want["appname"])
	if name == "-" {
		name = ""
	}
	if ident := strings.TrimSuffix(text(want["ident"]), ": "); ident != "" {
		name = ident
	}
	equal(t, "channel", r.Channel, name)
	equal(t, "host", r.Extra.Get("host"), want["hostname"])
	if pid, err := strconv.Atoi(text(want["procid"])); err == nil {
		equal(t, "process", r.Process.ID, pid)
	}
	at, err := time.Parse(time.RFC3339Nano, text(want["timestamp"]))
	if err != nil || !r.Time.Equal(at) {
		t.Errorf("time %v, want %v, %v", r.Time, at, err)
	}
	if rest := text(want["rest"]); strings.HasPrefix(rest, "[") && strings.Contains(rest, "=") {
		id, params, _ := strings.Cut(rest[1:], " ")
		name, value, _ := strings.Cut(params, `="`)
		got, _ := r.Extra.Get(id).(map[string]any)
		if s, ok := got[name].(string); !ok || !strings.HasPrefix(strings.ReplaceAll(value, `\"`, `"`), s) {
			t.Errorf("structured data %q: %v", rest, r.Extra)
		}
	}
}

// sendSyslog sends datagrams or a stream to a syslog server.
func sendSyslog(t *testing.T, parts [][]byte, stream bool) *queue.Subscriber {
	t.Helper()
	network := map[bool]string{true: "unix", false: "unixgram"}[stream]
	address := filepath.Join(t.TempDir(), "s")
	r, err := syslog.NewReceiver(syslog.Options{Network: network, Address: address, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if _, err := c.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	return queue.NewSubscriber(r, queue.Options{})
}

// datagrams returns the datagrams of a capture, or the whole stream.
func (f *fixture) datagrams() [][]byte {
	lengths, ok := f.Expected["datagram_lengths"].([]any)
	if !ok {
		return [][]byte{f.body}
	}
	var out [][]byte
	rest := f.body
	for _, n := range lengths {
		n, _ := n.(int64)
		out, rest = append(out, rest[:n]), rest[n:]
	}
	return out
}

type syslogText struct {
	severity int64 // -1: any
	text     string
}

// syslogTexts returns what the messages of a capture say.
func (f *fixture) syslogTexts() (out []syslogText) {
	one := func(v any) {
		m, _ := v.(map[string]any)
		severity, ok := m["severity"].(int64)
		if pri, has := m["pri"].(int64); !ok && has {
			severity, ok = pri%8, true
		}
		if !ok {
			severity = -1
		}
		s := text(m["text"])
		if s == "" {
			s = text(m["rest"])
		}
		if dict, ok := m["text"].(map[string]any); ok { // only its length is known
			n, _ := dict["__len__"].(int64)
			s = strings.Repeat("x", int(n))
		}
		out = append(out, syslogText{severity, s})
	}
	switch {
	case f.Expected["datagrams"] != nil:
		list, _ := f.Expected["datagrams"].([]any)
		for _, d := range list {
			out = append(out, syslogText{-1, strings.TrimRight(text(d), "\x00\n")})
		}
	case f.Expected["records"] != nil:
		list, ok := f.Expected["records"].([]any)
		if !ok { // only their number is known: nothing stands between them
			return []syslogText{{-1, string(f.body)}}
		}
		for _, r := range list {
			one(r)
		}
	case f.Transport == "logbook-syslog":
		sep := "\x00"
		if !strings.Contains(text(f.Expected["text"]), sep) {
			sep = "\n"
		}
		for part := range strings.SplitSeq(strings.TrimRight(text(f.Expected["text"]), "\x00\n"), sep) {
			out = append(out, syslogText{-1, part})
		}
	default:
		one(f.Expected)
	}
	return out
}

func checkStream(t *testing.T, f *fixture) {
	t.Helper()
	frames := frame.NewReader(bytes.NewReader(f.body), frame.Length(wire.DefaultMaxSize), wire.DefaultMaxSize)
	var got []any
	for {
		b, err := frames.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := wire.DecodePickle(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Message())
	}
	equal(t, "messages", got, f.Expected["messages"])
}

func checkCutelog(t *testing.T, f *fixture) {
	t.Helper()
	records, _, _ := session(t, path.Base(f.File))
	want, ok := f.Expected["records"].(int64)
	if list, is := f.Expected["records"].([]any); is {
		want, ok = int64(len(list)), true
	}
	if !ok || int64(len(records)) != want {
		t.Errorf("%d records, want %v", len(records), f.Expected["records"])
	}
}

// embedded returns the JSON objects in a stream of another protocol.
func embedded(stream []byte) (out [][]byte) {
	for i := 0; i < len(stream); i++ {
		if stream[i] != '{' {
			continue
		}
		var object json.RawMessage
		d := json.NewDecoder(bytes.NewReader(stream[i:]))
		if err := d.Decode(&object); err == nil {
			out = append(out, object)
			i += len(object) - 1
		}
	}
	return out
}

// raw checks that so many records are in a conversation, each in one piece.
func raw(count int) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		t.Helper()
		found := embedded(f.body)
		if len(found) != count {
			t.Errorf("%d records, want %d", len(found), count)
		}
		for _, body := range found {
			if r := decode(t, body); r.Message() == "" || r.Channel == "" {
				t.Errorf("%+v", r)
			}
		}
	}
}

// conversation is for what has no records in it; the tests of the transports talk to
// the programs themselves.
func conversation(t *testing.T, f *fixture) {
	t.Helper()
	for _, body := range embedded(f.body) {
		if r, err := wire.Decode(body); err == nil {
			t.Errorf("there is a record in it: %+v", r)
		}
	}
	if len(f.body) == 0 {
		t.Error("it is empty")
	}
}

func noRecord(t *testing.T, f *fixture) {
	t.Helper()
	found := embedded(f.body)
	if len(found) != 1 || string(found[0]) != text(f.Expected["payload"]) {
		t.Fatalf("%q", found)
	}
	_, err := wire.Decode(found[0])
	equal(t, "reason", reason(t, err), wire.ReasonUnknown)
}

// checkZMTP reads a transcript of two peers: the directions and the bytes in hexadecimal.
func checkZMTP(t *testing.T, f *fixture) {
	t.Helper()
	var said [][2]string
	if err := json.Unmarshal(f.body, &said); err != nil {
		t.Fatal(err)
	}
	sides := map[string][]byte{}
	for _, s := range said {
		b, err := hex.DecodeString(s[1])
		if err != nil {
			t.Fatal(err)
		}
		sides[s[0]] = append(sides[s[0]], b...)
	}
	found := append(embedded(sides["in"]), embedded(sides["out"])...)
	want := text(f.Expected["message"]) + text(f.Expected["received"])
	if len(found) != 1 || decode(t, found[0]).Message() != want {
		t.Errorf("%q, want %q", found, want)
	}
}

// checkHostile checks that an attack is refused, or has no effect, and at which cost.
func checkHostile(t *testing.T, f *fixture) {
	t.Helper()
	must, _ := f.Expected["must"].(string)
	var r *core.Record
	var err error
	cost := allocated(func() {
		if filepath.Ext(f.File) == ".json" {
			r, err = wire.Decode(f.body)
			return
		}
		frames := frame.NewReader(bytes.NewReader(f.body), frame.Length(wire.DefaultMaxSize), wire.DefaultMaxSize)
		var b []byte
		if b, err = frames.Next(); err == nil {
			r, err = wire.NewFrames(decoder(t, wire.Options{})).Decode(b)
		}
	})
	if limit := uint64(1<<20 + 20*len(f.body)); cost > limit {
		t.Errorf("it cost %d bytes of memory, more than %d", cost, limit)
	}
	refused := err != nil
	switch f.Case {
	case "len-zero":
		if r != nil || !errors.Is(err, io.EOF) {
			t.Errorf("must: %s; have %+v, %v", must, r, err)
		}
		return
	case "http-to-pickle-port": // the frame is too large; a connection ends with that
		if !errors.Is(err, frame.ErrTooLarge) {
			t.Error(err)
		}
		return
	}
	if refused {
		reason(t, err)
	}
	switch {
	case strings.HasPrefix(must, "reject or"), must == "bounded", strings.HasPrefix(must, "replace or"):
	case strings.HasPrefix(must, "reject"), strings.HasPrefix(must, "error"):
		if !refused {
			t.Errorf("must: %s; accepted as %+v", must, r)
		}
	default:
		if refused {
			t.Fatalf("must: %s; %v", must, err)
		}
	}
	switch f.Case {
	case "pickle-os-system":
		if e := text(r.Extra.Get("e")); !strings.HasPrefix(e, "<posix.system(") {
			t.Errorf("e is %q", e)
		}
	case "json-time-number":
		equal(t, "time", r.Time, time.Unix(1700000000, 5e8).UTC())
	case "json-level-string":
		equal(t, "level", r.Level, core.LevelInfo)
	}
}

// allocated returns how many bytes f makes the program ask for, in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

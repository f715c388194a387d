package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// summary is what one line of another library means.
type summary struct {
	level   core.Level
	channel string
	message string
	time    string // RFC 3339
	extra   string // "key=value ..." of some of the extra data
	site    string // file:line function
	failure string // "name|message|first line of the traceback"
}

func TestLinesOfOtherLibraries(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       summary
	}{
		{
			"slog", `{"time":"2024-05-01T12:00:00.123456789+02:00","level":"INFO","source":{"function":"main.main","file":"/srv/shop/main.go","line":12},"msg":"listening","addr":":8080","req":{"id":7}}`,
			summary{level: core.LevelInfo, message: "listening", time: "2024-05-01T10:00:00.123456789Z", extra: "addr=:8080", site: "/srv/shop/main.go:12 main.main"},
		},
		{
			"slog, level between", `{"time":"2024-05-01T12:00:00Z","level":"ERROR+4","msg":"gone"}`,
			summary{level: core.LevelCritical, message: "gone", time: "2024-05-01T12:00:00Z"},
		},
		{
			"slog, trace", `{"time":"2024-05-01T12:00:00Z","level":"DEBUG-4","msg":"x"}`,
			summary{level: core.LevelTrace, message: "x", time: "2024-05-01T12:00:00Z"},
		},
		{
			"zap", `{"level":"error","ts":1714557600.5,"logger":"shop.pay","caller":"pay/charge.go:42","msg":"declined","order":4711,"error":"limit reached","stacktrace":"shop/pay.Charge\n\t/srv/pay/charge.go:42"}`,
			summary{level: core.LevelError, channel: "shop.pay", message: "declined", time: "2024-05-01T10:00:00.5Z", extra: "order=4711", site: "pay/charge.go:42 ", failure: "|limit reached|shop/pay.Charge"},
		},
		{
			"zap, ISO times", `{"level":"dpanic","ts":"2024-05-01T10:00:00.000Z","msg":"m"}`,
			summary{level: core.LevelCritical, message: "m", time: "2024-05-01T10:00:00Z"},
		},
		{
			"zerolog", `{"level":"warn","error":"no route","time":1714557600,"caller":"/srv/main.go:21","message":"retrying"}`,
			summary{level: core.LevelWarning, message: "retrying", time: "2024-05-01T10:00:00Z", site: "/srv/main.go:21 ", failure: "|no route|"},
		},
		{
			"zerolog with a stack", `{"level":"error","stack":[{"func":"inner","line":"20","source":"errors.go"},{"func":"main","line":"15","source":"main.go"}],"error":"seems we have an error here","time":1609086683,"message":"failed"}`,
			summary{level: core.LevelError, message: "failed", time: "2020-12-27T16:31:23Z", failure: "|seems we have an error here|inner errors.go 20 "},
		},
		{
			"logrus", `{"animal":"walrus","level":"info","msg":"A group of walrus emerges from the ocean","size":10,"time":"2014-03-10T19:57:38.562264131-04:00"}`,
			summary{level: core.LevelInfo, message: "A group of walrus emerges from the ocean", time: "2014-03-10T23:57:38.562264131Z", extra: "animal=walrus"},
		},
		{
			"logrus with the caller", `{"level":"fatal","msg":"bye","time":"2014-03-10T19:57:38Z","file":"/srv/x.go:7","func":"main.run"}`,
			summary{level: core.LevelCritical, message: "bye", time: "2014-03-10T19:57:38Z", site: "/srv/x.go:7 main.run"},
		},
		{
			"pino", `{"level":50,"time":1714557600123,"pid":657,"hostname":"box","err":{"type":"TypeError","message":"x is not a function","stack":"TypeError: x is not a function\n    at Object.<anonymous>"},"msg":"x is not a function"}`,
			summary{level: core.LevelError, message: "x is not a function", time: "2024-05-01T10:00:00.123Z", extra: "hostname=box", failure: "TypeError|x is not a function|TypeError: x is not a function"},
		},
		{
			"pino's trace is not the debug of Logbook", `{"level":10,"time":1714557600123,"msg":"t"}`,
			summary{level: core.LevelTrace, message: "t", time: "2024-05-01T10:00:00.123Z"},
		},
		{
			"bunyan", `{"name":"myapp","hostname":"banana.local","pid":40161,"level":30,"msg":"hi","time":"2013-01-04T18:46:23.851Z","src":{"file":"/srv/a.js","line":3,"func":"go"},"v":0}`,
			summary{level: core.LevelInfo, channel: "myapp", message: "hi", time: "2013-01-04T18:46:23.851Z", site: "/srv/a.js:3 go"},
		},
		{
			"winston", `{"level":"error","message":"boom","service":"user-service","stack":"Error: boom\n    at x","timestamp":"2024-05-01T10:00:00.000Z"}`,
			summary{level: core.LevelError, channel: "user-service", message: "boom", time: "2024-05-01T10:00:00Z", failure: "||Error: boom"},
		},
		{
			"winston, bare", `{"level":"silly","message":"m"}`,
			summary{level: core.LevelTrace, message: "m"},
		},
		{
			"Serilog CLEF", `{"@t":"2016-06-07T03:44:57.8532799Z","@mt":"Hello, {User} for the {Count:000}th time","@l":"Warning","@x":"System.DivideByZeroException: Attempted to divide by zero.\r\n   at Program.Main()","User":"nblumhardt","Count":3,"SourceContext":"Shop.Pay"}`,
			summary{level: core.LevelWarning, channel: "Shop.Pay", message: "Hello, nblumhardt for the 3th time", time: "2016-06-07T03:44:57.8532799Z", extra: "User=nblumhardt", failure: "System.DivideByZeroException|Attempted to divide by zero.|System.DivideByZeroException: Attempted to divide by zero.\r"},
		},
		{
			"Serilog CLEF, rendered, no level", `{"@t":"2016-06-07T03:44:57Z","@m":"done","@i":"a1"}`,
			summary{level: core.LevelInfo, message: "done", time: "2016-06-07T03:44:57Z", extra: "@i=a1"},
		},
		{
			"GELF", `{"version":"1.1","host":"example.org","short_message":"A short message","full_message":"Backtrace here\n\nmore stuff","timestamp":1385053862.3072,"level":3,"_user_id":9001,"_file":"/srv/x.php","_line":356}`,
			summary{level: core.LevelError, message: "A short message", time: "2013-11-21T17:11:02.3072Z", extra: "host=example.org", site: "/srv/x.php:356 "},
		},
		{
			"ECS, flat", `{"@timestamp":"2024-05-01T10:00:00.000Z","log.level":"ERROR","message":"failed","ecs.version":"1.2.0","service.name":"shop","process.thread.name":"main","log.logger":"com.example.Shop","error.type":"java.lang.IllegalStateException","error.message":"no","error.stack_trace":"java.lang.IllegalStateException: no\n\tat x"}`,
			summary{level: core.LevelError, channel: "com.example.Shop", message: "failed", time: "2024-05-01T10:00:00Z", extra: "service.name=shop", failure: "java.lang.IllegalStateException|no|java.lang.IllegalStateException: no"},
		},
		{
			"ECS, nested", `{"@timestamp":"2024-05-01T10:00:00.000Z","message":"m","ecs":{"version":"8.4.0"},"log":{"level":"info","logger":"root","origin":{"file":{"line":48,"name":"a.py"},"function":"f"}},"process":{"pid":18,"name":"MainProcess","thread":{"name":"T1"}}}`,
			summary{level: core.LevelInfo, channel: "root", message: "m", time: "2024-05-01T10:00:00Z", site: "a.py:48 f"},
		},
		{
			"Docker", `{"log":"Log line is here\n","stream":"stdout","time":"2019-01-01T11:11:11.111111111Z"}`,
			summary{level: core.LevelInfo, message: "Log line is here", time: "2019-01-01T11:11:11.111111111Z", extra: "stream=stdout"},
		},
		{
			"Docker around zap", `{"log":"{\"level\":\"warn\",\"ts\":1714557600,\"msg\":\"inner\"}\n","stream":"stderr","time":"2019-01-01T11:11:11Z"}`,
			summary{level: core.LevelWarning, message: "inner", time: "2024-05-01T10:00:00Z", extra: "stream=stderr"},
		},
		{
			"Google Cloud", `{"severity":"ALERT","message":"disk full","time":"2024-05-01T10:00:00Z","logging.googleapis.com/sourceLocation":{"file":"get_data.py","line":"142","function":"getData"},"component":"arbitrary-property"}`,
			summary{level: core.LevelCritical, message: "disk full", time: "2024-05-01T10:00:00Z", extra: "component=arbitrary-property", site: "get_data.py:142 getData"},
		},
		{
			"structlog", `{"event":"user logged in","level":"info","logger":"shop.auth","timestamp":"2024-05-01T10:00:00.123456Z","user":"anna"}`,
			summary{level: core.LevelInfo, channel: "shop.auth", message: "user logged in", time: "2024-05-01T10:00:00.123456Z", extra: "user=anna"},
		},
		{
			"structlog with an exception", `{"event":"failed","level":"error","exception":"Traceback (most recent call last):\n  File \"x.py\", line 1, in f\nValueError: no","timestamp":1714557600.25}`,
			summary{level: core.LevelError, message: "failed", time: "2024-05-01T10:00:00.25Z", failure: "ValueError|no|Traceback (most recent call last):"},
		},
		{
			"Monolog", `{"message":"boom","context":{"a":1},"level":400,"level_name":"ERROR","channel":"app","datetime":"2024-05-01T12:00:00.000000+02:00","extra":{}}`,
			summary{level: core.LevelError, channel: "app", message: "boom", time: "2024-05-01T10:00:00Z"},
		},
		{
			"journald", `{"MESSAGE":"Started Session 1.","PRIORITY":"6","__REALTIME_TIMESTAMP":"1714557600123456","SYSLOG_IDENTIFIER":"systemd","_PID":"1","_HOSTNAME":"box"}`,
			summary{level: core.LevelInfo, channel: "systemd", message: "Started Session 1.", time: "2024-05-01T10:00:00.123456Z", extra: "_HOSTNAME=box"},
		},
		{
			"python-json-logger", `{"asctime":"2024-05-01 10:00:00,123","levelname":"WARNING","name":"shop","message":"low stock","sku":"a1"}`,
			summary{level: core.LevelWarning, channel: "shop", message: "low stock", time: "2024-05-01T10:00:00.123Z", extra: "sku=a1"},
		},
		{
			"cutelog", `{"name":"app","message":"uses message","level":"warning","time":1700000001,"nested":{"a":[1,2]},"flag":true}`,
			summary{level: core.LevelWarning, channel: "app", message: "uses message", time: "2023-11-14T22:13:21Z"},
		},
		{
			"a few lines of somebody's own", `{"lvl":"ERR","text":"hm","date":"2024-05-01","x":1}`,
			summary{level: core.LevelError, message: "hm", time: "2024-05-01T00:00:00Z"},
		},
		{"a message and no more", `{"msg":"m","e":1}`, summary{message: "m"}},
		{"Logbook's numbers alone", `{"msg":"m","level":11,"extra":{"a":"b"}}`, summary{level: core.LevelInfo, message: "m", extra: "a=b"}},
	} {
		t.Run(c.name, func(t *testing.T) { checkSummary(t, decode(t, []byte(c.line)), c.want) })
	}
}

func checkSummary(t *testing.T, r *core.Record, want summary) {
	t.Helper()
	equal(t, "level", r.Level, want.level)
	equal(t, "channel", r.Channel, want.channel)
	equal(t, "message", r.Message(), want.message)
	stamp := ""
	if !r.Time.IsZero() {
		stamp = r.Time.Format(time.RFC3339Nano)
	}
	equal(t, "time", stamp, want.time)
	if key, value, ok := strings.Cut(want.extra, "="); ok {
		equal(t, key, text(r.Extra.Get(key)), value)
	}
	if want.site != "" {
		equal(t, "site", r.Site.File+":"+text(int64(r.Site.Line))+" "+r.Site.Function, want.site)
	}
	failure := ""
	if e := r.Exception; e != nil {
		first, _, _ := strings.Cut(e.Traceback, "\n")
		failure = e.Name + "|" + e.Message + "|" + first
	}
	equal(t, "exception", failure, want.failure)
}

func TestADialectCanBeForcedAndFieldsNamed(t *testing.T) {
	d := decoder(t, wire.Options{Map: map[string]string{"level": "meta.sev", "message": "what", "channel": "who", "time": "at"}})
	r, err := d.Decode([]byte(`{"what":"it","who":"me","meta":{"sev":"crit","n":1},"at":1714557600}`))
	if err != nil {
		t.Fatal(err)
	}
	checkSummary(t, r, summary{level: core.LevelCritical, channel: "me", message: "it", time: "2024-05-01T10:00:00Z", extra: "meta.n=1"})

	body := []byte(`{"level":10,"msg":"m"}`)
	if r, err = decoder(t, wire.Options{Dialect: "pino"}).Decode(body); err != nil || r.Level != core.LevelTrace {
		t.Errorf("pino: %+v, %v", r, err)
	}
	if r, err = decoder(t, wire.Options{Dialect: "logbook"}).Decode(body); err != nil || r.Level != core.LevelDebug {
		t.Errorf("logbook: %+v, %v", r, err)
	}
	if r, err = decoder(t, wire.Options{Dialect: "stdlib"}).Decode([]byte(`{"levelno":30,"msg":"m"}`)); err != nil || r.Level != core.LevelWarning {
		t.Errorf("stdlib: %+v, %v", r, err)
	}
}

func TestAnUnknownDialectOrFieldIsNamed(t *testing.T) {
	_, err := wire.NewDecoder(wire.Options{Dialect: "pinot"})
	if want := `make a decoder: unknown dialect "pinot" (one of bunyan, clef, cloud, docker, ecs, gelf, generic, journald, logrus, monolog, pino, slog, structlog, winston, zap, zerolog)`; err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	for want, names := range map[string]map[string]string{
		`make a decoder: no field "sev" to map "x" to (one of channel, exception_message, exception_name, filename, ` +
			`formatted_exception, func_name, level, lineno, message, module, process, process_name, thread_name, time)`: {"sev": "x"},
		`make a decoder: nothing to map to the field "level"`: {"level": ""},
		`make a decoder: "x" cannot be mapped to two fields`:  {"level": "x", "channel": "x"},
	} {
		if _, err = wire.NewDecoder(wire.Options{Map: names}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, name := range wire.Dialects() {
		if _, err := wire.NewDecoder(wire.Options{Dialect: name}); err != nil {
			t.Error(err)
		}
	}
}

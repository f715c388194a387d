package dialect

import "github.com/logbook-tray/logbook-tray/core"

// role is what a member of an object means for a record.
type role uint8

const (
	extra   role = iota // nothing in particular: extra data
	message             // the message
	level
	when
	channel
	file
	line
	function
	module
	caller    // "file:line", or an object with file, line and function
	pid       // process id
	process   // process name
	thread    // thread name
	failure   // an error: its text, or an object with type, message and stack
	errorName // the type of an error
	errorText
	traceback
	template // a message template of Serilog
	text     // a line of a program's output, perhaps JSON itself
	nothing  // says nothing that the record does not say already
)

// mappable are the names of roles in [Options.Map]: those of Logbook's keys.
var mappable = roles{ //nolint:gochecknoglobals // a table, never changed
	"channel": channel, "level": level, "message": message, "time": when, "filename": file, "lineno": line,
	"func_name": function, "module": module, "process": pid, "process_name": process, "thread_name": thread,
	"exception_name": errorName, "exception_message": errorText, "formatted_exception": traceback,
}

type roles map[string]role

// row is one dialect. An object speaks it if it has all the keys of has, one of each
// kind in texts and numbers, and passes test.
type row struct {
	name    string
	has     []string                                // present, whatever the value
	texts   []string                                // present as text
	numbers []string                                // present as numbers
	test    func(core.Fields) bool                  // nil: no further condition
	keys    roles                                   // besides those of common
	levels  func(number float64) (core.Level, bool) // nil: [anyNumber]
	unset   core.Level                              // without a level
	nested  bool                                    // objects below are the same as keys with dots
}

// common is what keys mean in every dialect whose row does not say otherwise.
var common = roles{ //nolint:gochecknoglobals // a table, never changed
	"level": level, "severity": level, "lvl": level, "loglevel": level, "log_level": level, "levelname": level, "level_name": level,
	"msg": message, "message": message, "event": message, "text": message,
	"time": when, "ts": when, "timestamp": when, "@timestamp": when, "datetime": when, "date": when, "created": when, "asctime": when,
	"logger": channel, "logger_name": channel, "loggerName": channel, "channel": channel, "name": channel,
	"caller": caller, "source": caller, "sourceLocation": caller,
	"pid": pid, "thread_name": thread, "threadName": thread,
	"error": failure, "err": failure, "exception": failure, "exc_info": failure,
	"stack": traceback, "stacktrace": traceback, "stack_trace": traceback, "exc_text": traceback, "traceback": traceback,
}

// table has the dialects in the order in which they are tried: the more a row asks
// for, the earlier it stands.
var table = []row{ //nolint:gochecknoglobals // a table, never changed
	{
		name: "clef", has: []string{"@t"}, // Serilog's compact format
		keys: roles{
			"@t": when, "@m": message, "@mt": template, "@l": level, "@x": traceback, "SourceContext": channel, "@i": extra,
			"event": extra, "message": extra, "source": extra, "name": extra,
		},
		unset: core.LevelInfo,
	},
	{
		name: "gelf", has: []string{"version", "host", "short_message"},
		keys: roles{
			"version": nothing, "short_message": message, "full_message": extra, "_logger": channel, "_file": file, "_line": line,
			"file": file, "line": line, "facility": channel, "_function": function, "_pid": pid, "message": extra,
		},
		levels: syslogLevel, unset: core.LevelCritical, // as the format has it: 1, alert
	},
	{
		name: "ecs", has: []string{"@timestamp"}, test: isECS, nested: true, // Elastic Common Schema
		keys: roles{
			"log.level": level, "log.logger": channel, "process.thread.name": thread, "process.pid": pid, "process.name": process,
			"log.origin.file.name": file, "log.origin.file.line": line, "log.origin.function": function,
			"error.type": errorName, "error.message": errorText, "error.stack_trace": traceback, "ecs.version": nothing,
			"event": extra, "source": extra, "name": extra,
		},
	},
	{
		name: "docker", texts: []string{"log", "stream", "time"},
		keys: roles{"log": text},
	},
	{
		name: "journald", has: []string{"MESSAGE", "__REALTIME_TIMESTAMP"},
		keys: roles{
			"MESSAGE": message, "__REALTIME_TIMESTAMP": when, "PRIORITY": level, "SYSLOG_IDENTIFIER": channel, "_PID": pid,
			"_COMM": process, "CODE_FILE": file, "CODE_LINE": line, "CODE_FUNC": function,
		},
		levels: syslogLevel, unset: core.LevelInfo,
	},
	{
		name: "monolog", has: []string{"message", "level_name", "channel", "datetime"},
		keys: roles{"level": nothing}, // level_name says the same
	},
	{
		name: "cloud", texts: []string{"severity"}, // Google Cloud and whoever followed
		keys: roles{
			"logging.googleapis.com/sourceLocation": caller, "textPayload": message, "source": extra,
		},
	},
	{
		name: "bunyan", has: []string{"name", "hostname", "pid", "v"}, numbers: []string{"level"},
		keys: roles{"v": nothing, "src": caller}, levels: pinoLevel,
	},
	{
		name: "pino", has: []string{"msg"}, numbers: []string{"level", "time"}, test: isPino,
		levels: pinoLevel,
	},
	{
		name: "zap", has: []string{"ts"}, texts: []string{"level", "msg"},
		keys: roles{"errorVerbose": traceback},
	},
	{name: "slog", texts: []string{"level", "msg", "time"}, test: upperLevel},
	{name: "logrus", texts: []string{"level", "msg", "time"}, keys: roles{"file": caller, "func": function}},
	{name: "zerolog", has: []string{"time"}, texts: []string{"level", "message"}, test: noHost},
	{name: "structlog", texts: []string{"event"}, test: hasLevelOrTime, keys: roles{"func_name": function, "lineno": line, "filename": file, "pathname": file, "process": pid, "message": extra}},
	{name: "winston", texts: []string{"level", "message"}, keys: roles{"label": channel, "service": channel}},
}

// generic takes what no row of the table does, if it has a message.
var generic = row{ //nolint:gochecknoglobals // a table, never changed
	name: "generic",
	keys: roles{
		"Level": level, "Message": message, "Timestamp": when, "Exception": failure, "Logger": channel, "body": message,
		"filename": file, "file": file, "lineno": line, "line": line, "func": function, "funcName": function, "function": function,
		"module": module, "process": pid, "short_message": message, "log": message, "Category": channel,
	},
}

package peertest

import (
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/wire"
)

// describe says of a record of logging what every handler of the package sends of it.
const describe = `
import json, logging, logging.handlers, os
logging.addLevelName(5, "TRACE")
logging.addLevelName(25, "NOTICE")
own = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

def describe(r):
    traceback = r.exc_text
    if r.exc_info and not traceback:
        traceback = logging.Formatter().formatException(r.exc_info)
    return json.dumps({
        "name": r.name, "levelno": r.levelno, "levelname": r.levelname, "message": r.getMessage(), "created": r.created,
        "pathname": r.pathname, "lineno": r.lineno, "funcName": r.funcName, "module": r.module,
        "process": r.process, "processName": r.processName, "thread": r.thread, "threadName": r.threadName,
        "traceback": traceback, "extra": {k: v for k, v in r.__dict__.items() if k not in own},
    })
`

// loggingSends logs what a record can have, and writes to a file what logging calls it.
const loggingSends = describe + `
def everything(handler, told, large, count):
    log = logging.getLogger("shop.Köln")
    log.setLevel(1)
    log.propagate = False
    log.addHandler(handler)
    with open(told, "w") as out:
        def tell(record):
            print(describe(record), file=out)
            return True
        log.addFilter(tell)
        for level in 5, 10, 20, 25, 30, 40, 50:
            try:
                {}["Grüße ☃"]
            except KeyError:
                log.log(level, "Grüße %s aus %s ☃ 🛒\n\tnext", level, "Köln", exc_info=True,
                        extra={"kunde": "Jürgen", "count": 1 << 40, "ratio": 1.5, "none": None, "list": [1, "zwei", True]})
        log.removeFilter(tell)
    if large:
        log.debug("ü" * large)
    for i in range(count):
        log.info("%d", i)
    handler.close()
`

// loggingReceives tells the first records, and looks at the numbers of the others.
const loggingReceives = describe + `
import pickle
def everything(receive, levels, large, count):
    for _ in range(levels):
        print(describe(receive()))
    if large:
        print(len(receive().getMessage()))
    for i in range(count):
        record = receive()
        assert record.getMessage() == str(i), (i, record.getMessage())
    print(count)
`

// Logging is the logging package of the standard library. The keys are those of its
// records, with the traceback as "traceback" and what programs add as "extra".
func Logging() Package {
	return Package{send: loggingSends, receive: loggingReceives, levels: 7, view: loggingView, read: readLogging}
}

// loggingView returns a record as logging sees it.
func loggingView(r *core.Record) map[string]any {
	d := map[string]any{"extra": map[string]any{}, "traceback": nil}
	for _, f := range wire.LoggingFields(r) {
		switch f.Key {
		case "levelno", "lineno", "process":
			n, _ := f.Value.(int)
			d[f.Key] = int64(n)
		case "name", "levelname", "pathname", "funcName", "module", "processName", "thread", "threadName":
			d[f.Key] = f.Value
		case "created":
			d[f.Key] = r.Time
		}
	}
	d["message"] = r.Message()
	extra := r.Extra.Map()
	// What Python's logging has no name for keeps its number, and its name.
	if n, ok := extra["levelno"].(int64); ok {
		d["levelno"] = n
		delete(extra, "levelno")
	}
	if name, ok := extra["levelname"].(string); ok {
		d["levelname"] = name
		delete(extra, "levelname")
	}
	d["extra"] = extra
	if e := r.Exception; e != nil {
		d["traceback"] = e.Traceback
	}
	return d
}

// readLogging returns what logging says.
func readLogging(told map[string]any) map[string]any {
	created, _ := told["created"].(float64)
	told["created"] = time.Unix(0, int64(created*1e9))
	return told
}

package peertest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core"
)

// logbookSends logs what a record can have, and writes to a file what Logbook calls it.
const logbookSends = `
import json, logbook
from logbook.queues import *

def everything(handler, told, large, count):
    log = logbook.Logger("shop.Köln")
    with open(told, "w") as out:
        def tell(record):
            record.pull_information()
            print(json.dumps(record.to_dict(json_safe=True)), file=out)
        with handler.applicationbound(), logbook.Processor(tell).applicationbound():
            for level in "TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL":
                try:
                    {}["Grüße ☃"]
                except KeyError:
                    log.log(level, "Grüße {0} aus {ort} ☃ 🛒\n\tnext", level, ort="Köln", exc_info=True,
                            extra={"kunde": "Jürgen", "count": 1 << 40, "ratio": 1.5, "none": None, "list": [1, "zwei", True]})
    with handler.applicationbound():
        if large:
            log.debug("ü" * large)
        for i in range(count):
            log.info("{0}", i)
`

// logbookReceives tells the first records, and looks at the numbers of the others.
const logbookReceives = `
import json, logbook
from logbook.queues import *

def everything(receive, levels, large, count):
    for _ in range(levels):
        print(json.dumps(receive().to_dict(json_safe=True)))
    if large:
        print(len(receive().message))
    for i in range(count):
        record = receive()
        assert record.message == str(i), (i, record.message)
    print(count)
`

// Logbook is Logbook. The keys are those of its to_dict, and message.
func Logbook() Package {
	return Package{send: logbookSends, receive: logbookReceives, levels: 7, view: LogbookDict, read: readLogbook}
}

// LogbookDict returns what Logbook's to_dict says of a record, and its message.
func LogbookDict(r *core.Record) map[string]any {
	d := map[string]any{
		"channel": r.Channel, "level": int64(r.Level), "msg": r.Msg, "message": r.Message(),
		"args": r.Args, "kwargs": r.Kwargs.Map(), "extra": r.Extra.Map(), "time": r.Time.Format("2006-01-02T15:04:05.000000Z"),
		"filename": r.Site.File, "lineno": int64(r.Site.Line), "func_name": r.Site.Function, "module": r.Site.Module,
		"process": int64(r.Process.ID), "process_name": r.Process.Name, "thread": r.Thread.ID, "thread_name": r.Thread.Name,
		"exception_name": nil, "exception_message": nil, "formatted_exception": nil,
	}
	if e := r.Exception; e != nil {
		d["exception_name"], d["exception_message"], d["formatted_exception"] = e.Name, e.Message, e.Traceback
	}
	return d
}

// ReadLogbook reads a line with what Logbook says of a record, for a comparison with
// [LogbookDict].
func ReadLogbook(t *testing.T, line string) map[string]any {
	t.Helper()
	return readLogbook(object(t, line))
}

// readLogbook returns what Logbook says, without what it alone knows.
func readLogbook(told map[string]any) map[string]any {
	want := make(map[string]any)
	for key := range LogbookDict(new(core.Record)) {
		want[key] = told[key]
	}
	if want["process_name"] == nil { // a program that has not imported multiprocessing has none
		want["process_name"] = ""
	}
	want["time"] = padded(want["time"])
	return want
}

// padded returns a time of Logbook, which writes the microseconds as a number, with all of
// their digits.
func padded(v any) string {
	text, _ := v.(string)
	second, fraction, _ := strings.Cut(strings.TrimSuffix(text, "Z"), ".")
	micros, err := strconv.Atoi("0" + fraction)
	if err != nil {
		return fmt.Sprintf("%v, which is no time", v)
	}
	return fmt.Sprintf("%s.%06dZ", second, micros)
}

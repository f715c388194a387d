#!/usr/bin/python3
"""The questions of bench_test.go for Python's Logbook (Debian: python3-logbook).

    /usr/bin/python3 python_logbook.py
"""
import io
import json
import timeit

import logbook

log = logbook.Logger("bench")


class JSONHandler(logbook.StreamHandler):
    def format(self, record):
        return json.dumps(record.to_dict(json_safe=True))


def measure(name, handler, call, number=20000):
    with handler.applicationbound():
        best = min(timeit.repeat(call, number=number, repeat=5)) / number
    print("BenchmarkPython/%-12s %10.0f ns/op" % (name, best * 1e9))


def debug():
    log.debug("order {0} of {1} declined", 4711, "ann")


def info():
    log.info("order declined", extra={"order": 4711, "user": "ann"})


measure("unwanted", logbook.StreamHandler(io.StringIO(), level="INFO"), debug, 200000)
measure("text stream", logbook.StreamHandler(io.StringIO()), info)
measure("json stream", JSONHandler(io.StringIO()), info)

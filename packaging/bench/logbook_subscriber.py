"""Measures how many records a second Logbook's own ZeroMQSubscriber dispatches.

Usage: logbook_subscriber.py URI COUNT

Binds a PULL socket at URI, prints "ready", waits for COUNT records, and prints the
seconds from the first to the last.
"""

import sys
import time

from logbook import Handler
from logbook.queues import ZeroMQSubscriber


class Counter(Handler):
    def __init__(self):
        Handler.__init__(self)
        self.count = 0

    def emit(self, record):
        self.count += 1


def main(uri, count):
    subscriber = ZeroMQSubscriber(uri, multi=True)
    print("ready", flush=True)
    counter = Counter()
    with counter.applicationbound():
        subscriber.dispatch_once()
        start = time.perf_counter()
        while counter.count < count:
            subscriber.dispatch_once()
    print(time.perf_counter() - start, flush=True)
    subscriber.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Measures how many records a second a receiver after the logging cookbook handles.

Usage: socket_receiver.py COUNT

Prints the port it listens on, waits for COUNT records of Python's SocketHandler, and
prints the seconds from the first to the last. The cookbook's own gives up when the four
bytes of a length come in two parts; this one does not.
"""

import logging
import logging.handlers
import pickle
import socketserver
import struct
import sys
import time


class Count(logging.Handler):
    def __init__(self, count):
        super().__init__()
        self.left = count
        self.start = None

    def emit(self, record):
        if self.start is None:
            self.start = time.perf_counter()
        self.left -= 1
        if self.left == 0:
            print(time.perf_counter() - self.start, flush=True)


class RecordHandler(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            chunk = self.connection.recv(4)
            if not chunk:
                break
            while len(chunk) < 4:
                chunk = chunk + self.connection.recv(4 - len(chunk))
            length = struct.unpack(">L", chunk)[0]
            chunk = self.connection.recv(length)
            while len(chunk) < length:
                chunk = chunk + self.connection.recv(length - len(chunk))
            record = logging.makeLogRecord(pickle.loads(chunk))
            logging.getLogger(record.name).handle(record)


def main():
    logging.getLogger().setLevel(1)
    logging.getLogger().addHandler(Count(int(sys.argv[1])))
    with socketserver.TCPServer(("127.0.0.1", 0), RecordHandler) as server:
        print(server.server_address[1], flush=True)
        server.handle_request()


if __name__ == "__main__":
    main()

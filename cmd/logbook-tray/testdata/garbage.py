"""What no logger sends, and one good record behind it."""
import sys
import zmq
from logbook import Logger
from logbook.queues import ZeroMQHandler

context = zmq.Context()
socket = context.socket(zmq.PUSH)
socket.connect(sys.argv[1])
for body in (b'', b'\x80\x04}\x94.', b'not json', b'{"channel": ' + b'[' * 100000):
    socket.send(body)
socket.close(linger=10000)

big = context.socket(zmq.PUSH)
big.connect(sys.argv[1])
big.send(b'x' * 100000000)
big.close(linger=1000)

handler = ZeroMQHandler(sys.argv[1], multi=True)
with handler.applicationbound():
    Logger('good').info('behind the garbage')
handler.close(linger=10000)
context.term()

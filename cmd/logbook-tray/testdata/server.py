"""A server as a user would write it: Debian's python3-logbook, nothing else."""
import sys
from logbook import Logger, Processor
from logbook.queues import ZeroMQHandler

log = Logger('shop.checkout')
other = Logger('shop.db')


class PaymentDeclined(Exception):
    pass


def pay(order):
    raise PaymentDeclined('card declined – Zoë 💳')


def main(uri):
    handler = ZeroMQHandler(uri, multi=True)
    with handler.applicationbound():
        for i in range(5):
            log.debug('step {0} of order {1}', i, 4711)
        other.debug('SELECT * FROM café')
        log.info('reserving stock')
        try:
            pay(4711)
        except PaymentDeclined:
            log.exception('payment declined for order {order}', order=4711,
                          extra={'user': 'zoë', 'amount': 129.9, 'items': [1, 2]})
    handler.close(linger=5000)


main(sys.argv[1])

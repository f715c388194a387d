"""Programs that use nothing but Python's standard library."""
import logging
import logging.handlers

log = logging.getLogger('stdlib')
log.setLevel(logging.DEBUG)
for handler in (logging.handlers.SocketHandler('localhost', 9020),
                logging.handlers.DatagramHandler('localhost', 9021),
                logging.handlers.HTTPHandler('localhost:9022', '/', method='POST')):
    log.addHandler(handler)
    log.warning('by %s', type(handler).__name__)
    log.removeHandler(handler)
    handler.close()

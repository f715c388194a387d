"""A real mail server: STARTTLS and a login are required. Prints what it gets."""

import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Printer:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8"),
            "tls": session.ssl is not None,
        }), flush=True)
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    ok = (data.login, data.password) == (b"me", b"secret")
    return AuthResult(success=ok, handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
controller = Controller(
    Printer(), hostname="127.0.0.1", port=int(sys.argv[3]), tls_context=context,
    require_starttls=True, auth_required=True, authenticator=login)
controller.start()
print("ready", flush=True)
sys.stdin.read()  # until the test closes it
controller.stop()

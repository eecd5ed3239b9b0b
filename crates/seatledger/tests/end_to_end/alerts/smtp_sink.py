"""A mail server that keeps nothing: prints its port, then each mail that it takes as a line of JSON.

With a certificate and its key it wants STARTTLS, and then the login amara with the password secret.
"""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "login": getattr(session, "auth_data", None) and session.auth_data.decode(),
            "tls": session.ssl is not None,
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "text": mail.get_content().replace("\r\n", "\n"),
        }
        print(json.dumps(taken), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (b"amara", b"secret")
    return AuthResult(success=right, auth_data=data.login if right else None, handled=right)


async def main():
    protected = {}
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        protected = {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": authenticate,
        }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), **protected), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())

"""A mail server on loopback: prints its port, and each mail as a JSON object a line.

    mail_server.py CERTIFICATE KEY [plain]

Demands STARTTLS and the user "ops" with the password "pl4nted-s3cret"; a plain one takes everything, in the
clear, and prints who signs in. Mails to "nobody@..." are refused.
"""
import asyncio
import json
import ssl
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "message_id": mail["Message-ID"], "subject": mail["Subject"],
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
        }), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    if is_plain:
        print(json.dumps({"login": data.login.decode()}), flush=True)
    is_right = isinstance(data, LoginPassword) and data.login == b"ops" and data.password == b"pl4nted-s3cret"
    return AuthResult(success=is_right, handled=False)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])
is_plain = sys.argv[3:] == ["plain"]


async def main():
    def protocol():
        if is_plain:
            return SMTP(Mailbox(), auth_require_tls=False, authenticator=authenticate)
        return SMTP(
            Mailbox(), tls_context=context, require_starttls=True, auth_required=True,
            authenticator=authenticate)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())

"""A mail server that is not ours (aiosmtpd), for the tests of notify's mail.

    smtp_server.py PORT [--tls starttls|implicit --cert FILE --key FILE] [--login USER PASSWORD] [--idle SECONDS]

Prints a line of JSON for each thing that happens: {"ready"}, {"connected"}, {"idle"} for a connection that was told 421,
{"mail": …} with the parts as Python's own parser reads them. Recipients decide: busy@ is 451, unknown@ is 550.
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def say(**what):
    print(json.dumps(what, ensure_ascii=False), flush=True)


def body(message, kind):
    part = message.get_body(preferencelist=(kind,))
    return part.get_content() if part else None


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("busy@"):
            return "451 4.3.0 try again later"
        if address.startswith("unknown@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(mail={
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "from": str(message["from"]),
            "to": str(message["to"]),
            "subject": str(message["subject"]),
            "message_id": str(message["message-id"]),
            "auto_submitted": str(message["auto-submitted"]),
            "type": message.get_content_type(),
            "text": body(message, "plain"),
            "html": body(message, "html"),
        })
        return "250 OK"


class Server(SMTP):
    def connection_made(self, transport):
        super().connection_made(transport)
        # A second call after STARTTLS is the same connection.
        if not getattr(self, "was_connected", False):
            self.was_connected = True
            say(connected=True)

    def _timeout_cb(self):
        self.transport.write(b"421 4.4.2 idle for too long\r\n")
        say(idle=True)
        super()._timeout_cb()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", choices=["starttls", "implicit"])
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--login", nargs=2)
    parser.add_argument("--idle", type=float, default=300)
    given = parser.parse_args()
    context = None
    if given.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(given.cert, given.key)

    def authenticator(server, session, envelope, mechanism, data):
        login = isinstance(data, LoginPassword) and [data.login.decode(), data.password.decode()]
        return AuthResult(success=login == given.login, handled=False)

    def server():
        return Server(
            Handler(),
            timeout=given.idle,
            tls_context=context if given.tls == "starttls" else None,
            require_starttls=given.tls == "starttls",
            auth_required=given.login is not None,
            auth_require_tls=given.tls == "starttls",
            authenticator=authenticator,
        )

    loop = asyncio.get_running_loop()
    implicit = context if given.tls == "implicit" else None
    serving = await loop.create_server(server, "127.0.0.1", given.port, ssl=implicit)
    say(ready=True)
    await serving.serve_forever()


asyncio.run(main())

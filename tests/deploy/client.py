"""Two NATS clients: one of the NATS project for requests, and one that says whether the broker refused what it did."""
import base64
import json
import logging
import socket

import nats
import nkeys

# nats-py ends a TLS connection in a way of which asyncio warns.
logging.getLogger("asyncio").setLevel(logging.ERROR)

def connect(url, seed, inbox="_INBOX", **options):
    """A connection of nats-py under one nkey, as an asynchronous context."""
    return nats.connect(servers=url.split(","), nkeys_seed=str(seed), inbox_prefix=inbox, **options)


class Probe:
    """A connection under one nkey that reports refusals.

    It speaks the protocol itself: the broker answers in order, so a refusal comes before the PONG of a PING that was
    sent after the attempt. nats-py sends a PING before what it has buffered.
    """

    def __init__(self, port, seed):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.lines = self.socket.makefile("rb")
        greeting = json.loads(self.lines.readline().split(b" ", 1)[1])
        pair = nkeys.from_seed(bytearray(seed.read_bytes().strip()))
        signature = base64.urlsafe_b64encode(pair.sign(greeting["nonce"].encode())).rstrip(b"=")
        login = {"nkey": pair.public_key.decode(), "sig": signature.decode()}
        options = {"verbose": False, "pedantic": False, "lang": "test", "version": "1"}
        refusals = self.attempt(f"CONNECT {json.dumps({**login, **options})}")
        assert not refusals, refusals

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def attempt(self, command):
        """The refusals of a command."""
        self.socket.sendall(command.encode() + b"\r\nPING\r\n")
        refusals = []
        while True:
            line = self.lines.readline()
            if line == b"PONG\r\n":
                return refusals
            if line.startswith(b"-ERR"):
                refusals.append(line)
            elif line.startswith(b"PING"):
                self.socket.sendall(b"PONG\r\n")
            elif not line:
                raise ConnectionError(f"the broker closed the connection: {refusals}")

    def may_publish(self, subject):
        return not self.attempt(f"PUB {subject} 0\r\n")

    def may_subscribe(self, subject, queue=""):
        may = not self.attempt(f"SUB {subject} {queue} 1")
        self.attempt("UNSUB 1")
        return may

"""Connections of anyone who reaches the port: no keys, wrong keys, no ZeroMQ at all."""

from __future__ import annotations

import os
import socket

import zmq

from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Ping, Pong
from tests.faults.attacks.run import main
from tests.renderers import Peer

KINDS = ("none", "plain", "unknown key", "another renderer's key")
ROUNDS = 25


def attack(content: ConnectionFile) -> str:
    """Strangers stay out; a client that is in notices nothing."""
    with Peer(content) as client:
        context = zmq.Context()
        context.max_sockets = 4096
        dealers = [stranger(context, kind, content) for _ in range(ROUNDS) for kind in KINDS]
        raw = [plain_bytes(content.endpoint) for _ in range(ROUNDS)]
        for token in range(20):
            client.send(Ping(token=token))
            assert client.await_(Pong, 5.0).token == token
        answered = [dealer for dealer in dealers if dealer.poll(0)]
        assert not answered, f"{len(answered)} strangers were answered"
        for dealer in dealers:
            dealer.close()
        context.term()
        for connection in raw:
            connection.close()
    return f"{len(dealers)} strangers and {len(raw)} connections of noise got nothing"


def stranger(context: zmq.Context[zmq.Socket[bytes]], kind: str, content: ConnectionFile) -> zmq.Socket[bytes]:
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    if kind == "plain":
        dealer.plain_username, dealer.plain_password = b"segue", b"segue"
    elif kind != "none":
        dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
        other = zmq.curve_keypair()[0] if kind.startswith("another") else content.server_public_key.encode()
        dealer.curve_serverkey = other
    dealer.connect(content.endpoint)
    dealer.send_multipart([os.urandom(40), os.urandom(100)])
    return dealer


def plain_bytes(endpoint: str) -> socket.socket:
    """A greeting of ZMTP, or noise, and then silence."""
    if endpoint.startswith("ipc://"):
        made = socket.socket(socket.AF_UNIX)
        made.connect(endpoint.removeprefix("ipc://"))
    else:
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        made = socket.create_connection((host, int(port)))
    greeting = b"\xff" + b"\0" * 8 + b"\x7f\x03\x01CURVE" + b"\0" * 47
    made.sendall(greeting if os.urandom(1)[0] % 2 else os.urandom(1000))
    return made


if __name__ == "__main__":
    main("strangers")

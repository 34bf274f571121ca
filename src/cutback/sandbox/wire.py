"""Sends messages between parent and child: framed JSON and bytes over a Unix socket. Nothing in them is executed."""

from __future__ import annotations

import json
import socket
import struct

from cutback.sandbox.messages import WireError, WireMessage, decode, encode

_HEADER = struct.Struct(">II")
MAX_MESSAGE = 512 * 1024 * 1024
"""Maximum bytes of a message; a child that sends more has been compromised."""
_SMALL = 64 * 1024
"""Payloads up to this size are copied behind their header, which is cheaper than another system call."""


def send(sock: socket.socket, message: WireMessage) -> None:
    """Send a message.

    Raises:
        WireError: the other side is gone.
    """
    text = json.dumps(encode(message)).encode()
    payload = message.payload
    try:
        head = _HEADER.pack(len(text), len(payload)) + text
        if len(payload) <= _SMALL:
            sock.sendall(head + payload)
        else:
            sock.sendall(head)
            sock.sendall(payload)
    except OSError as error:
        raise WireError(str(error)) from error


def receive(sock: socket.socket) -> WireMessage:
    """Wait for the next message.

    Raises:
        WireError: the other side is gone, or its message is malformed.
    """
    text_size, payload_size = _HEADER.unpack(_exactly(sock, _HEADER.size))
    if text_size + payload_size > MAX_MESSAGE:
        raise WireError("a message is too large")
    text = _exactly(sock, text_size)
    payload = _exactly(sock, payload_size) if payload_size else b""
    try:
        return decode(json.loads(text), payload)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise WireError("a message is malformed") from error


def send_spool(sock: socket.socket, descriptor: int) -> None:
    """Send the spool's descriptor, before the task.

    Raises:
        WireError: the other side is gone.
    """
    try:
        socket.send_fds(sock, [b"\0"], [descriptor])  # a descriptor travels with a byte
    except OSError as error:
        raise WireError(str(error)) from error


def receive_spool(sock: socket.socket) -> int:
    """Receive the spool's descriptor.

    Raises:
        WireError: the other side is gone.
    """
    _, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    if not descriptors:
        raise WireError("there is no spool")
    return descriptors[0]


def _exactly(sock: socket.socket, size: int) -> bytes:
    buffer = bytearray(size)
    view = memoryview(buffer)
    got = 0
    while got < size:
        try:
            count = sock.recv_into(view[got:])
        except OSError as error:
            raise WireError(str(error)) from error
        if not count:
            raise WireError("the other side closed the connection")
        got += count
    return bytes(buffer)

"""Sends messages between parent and child: framed JSON and bytes over a Unix socket. Nothing in them is executed."""

from __future__ import annotations

import json
import select
import socket
import struct
from collections.abc import Callable
from typing import TypeAlias

from cutback.sandbox.messages import MalformedMessageError, WireError, WireMessage, decode, encode

_HEADER = struct.Struct(">II")
MAX_MESSAGE = 512 * 1024 * 1024
"""Maximum bytes after a message's JSON; a child that sends more has been compromised."""
MAX_TEXT = 32 * 1024 * 1024
"""Maximum bytes of a message's JSON."""
MAX_VALUES = 2_000_000
"""Maximum values in a message's JSON; each takes tens of bytes of memory."""
_TICK = 0.1
"""Seconds between calls of `tend` while the other side is silent."""
_STEP = 1024 * 1024
_SMALL = 64 * 1024
"""Payloads up to this size are copied behind their header, which is cheaper than another system call."""


Tend: TypeAlias = Callable[[], None]
"""Called at least every tenth of a second while waiting for the other side. An exception from it ends the wait."""


def send(sock: socket.socket, message: WireMessage, tend: Tend | None = None) -> None:
    """Send a message. With `tend`, never wait longer than it allows for the other side to read.

    Raises:
        WireError: the other side is gone.
    """
    text = json.dumps(encode(message)).encode()
    payload = message.payload
    try:
        head = _HEADER.pack(len(text), len(payload)) + text
        if len(payload) <= _SMALL:
            _put(sock, head + payload, tend)
        else:
            _put(sock, head, tend)
            _put(sock, payload, tend)
    except OSError as error:
        raise WireError(str(error)) from error


def _put(sock: socket.socket, data: bytes, tend: Tend | None) -> None:
    if tend is None:
        sock.sendall(data)
        return
    left = memoryview(data)
    while left:
        try:
            left = left[sock.send(left[:_STEP], socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            select.select([], [sock], [], _TICK)
        tend()


def receive(sock: socket.socket, tend: Tend | None = None) -> WireMessage:
    """Wait for the next message. With `tend`, the other side is not trusted: never wait longer than `tend` allows.

    Raises:
        WireError: the other side is gone.
        MalformedMessageError: the other side sent something that is not a message.
    """
    text_size, payload_size = _HEADER.unpack(_exactly(sock, _HEADER.size, tend))
    if text_size > MAX_TEXT or payload_size > MAX_MESSAGE:
        raise MalformedMessageError("a message is too large")
    text = _exactly(sock, text_size, tend)
    if text.count(b",") + text.count(b"[") + text.count(b"{") > MAX_VALUES:
        raise MalformedMessageError("a message contains too many values")
    payload = _exactly(sock, payload_size, tend) if payload_size else b""
    try:
        return decode(json.loads(text), payload)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise MalformedMessageError("a message is malformed") from error


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


def _exactly(sock: socket.socket, size: int, tend: Tend | None) -> bytes:
    if tend is not None:
        return _patiently(sock, size, tend)
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


def _patiently(sock: socket.socket, size: int, tend: Tend) -> bytes:
    """Read exactly `size` bytes. Memory grows with what has arrived, not with what was announced."""
    buffer = bytearray()
    while len(buffer) < size:
        try:
            data = sock.recv(min(_STEP, size - len(buffer)), socket.MSG_DONTWAIT)
        except BlockingIOError:
            select.select([sock], [], [], _TICK)
            tend()
            continue
        except OSError as error:
            raise WireError(str(error)) from error
        if not data:
            raise WireError("the other side closed the connection")
        buffer += data
        if len(buffer) < size:
            tend()
    return bytes(buffer)

"""Everything that reads what outsiders write: each parser, what it may raise, and inputs to start from."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from cutback.adapters.ordering import read_cursor
from cutback.domain.base import read_json
from cutback.domain.cameras.key_pattern import KeyPattern
from cutback.domain.errors import CutbackError, InvalidRequestError
from cutback.domain.requests.batch import requests_in, single_requests
from cutback.domain.requests.envelope import RequestItem, as_body, open_envelope
from cutback.domain.requests.request import validate_request
from cutback.domain.times import parse_instant
from cutback.domain.wallclock import parse_moment
from cutback.reading.playlist import parse_playlist
from cutback.sandbox import wire
from cutback.sandbox.messages import DrawnPosters, FinishedCut, MadePictures, WireError
from cutback.worker.webhooks import read_delivery


@dataclass(frozen=True)
class Target:
    """A parser under attack."""

    parse: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]
    """What it may raise. Anything else is a fault."""
    starts: tuple[bytes, ...]
    """Right inputs, to be changed."""
    seconds: float = 0.25
    """How much processor time one input may take, of at most 1 MiB: the machine may be slow."""


def _message(data: bytes) -> None:
    for item in open_envelope(data):
        if isinstance(item, RequestItem):
            as_body(item).encode()
            for content in single_requests(item.content):
                validate_request(content).model_dump_json()


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def _value(parse: Callable[[object], object]) -> Callable[[bytes], object]:
    return lambda data: parse(read_json(data))


def _child(data: bytes) -> None:
    """What the parent makes of all that a child says."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(data[:50_000])
        while True:
            message = wire.receive(ours, lambda: None)
            if isinstance(message, FinishedCut):
                message.check((1000, 1000), 1000)
            if isinstance(message, DrawnPosters | MadePictures):
                message.check(1000)


def _said(fields: dict[str, object], payload: bytes = b"") -> bytes:
    text = json.dumps(fields).encode()
    return struct.pack(">II", len(text), len(payload)) + text + payload


_RANGE = {"recording": "sea/2026.mp4", "start": "00:00:01.5", "end": {"frame": 90}}
_SPAN = {"camera": ["north", "south"], "at": "2026-06-21T10:03:12.480+02:00", "before": 5, "after": 2.5}
_REQUEST = {"id": "wave-7", "source": [_RANGE], "tags": ["a"], "labels": {"k": "v"}, "webhook": "https://a.example/b?c"}
_OLDER = {"clipId": "a1", "cameraId": "c", "startTimestampInMs": 1782000000000, "endTimestampInMs": 1782000017000,
          "retryTimestamps": [1782000000001]}  # fmt: skip
_EVENT = {"eventName": "ObjectCreated:Put", "eventTime": "2026-06-21T10:10:04.123Z",
          "s3": {"bucket": {"name": "surf"}, "object": {"key": "a%C3%A4.mp4", "size": 10}}}  # fmt: skip
_BRIDGE = {"detail-type": "Object Created", "source": "aws.s3", "time": "2026-06-21T10:10:04Z",
           "detail": {"bucket": {"name": "surf"}, "object": {"key": "a.mp4", "size": 10}}}  # fmt: skip
_POINTER = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}]
_FACTS = {"size": 104, "duration": "10/3", "width": 320, "height": 180, "frames": 10, "frames_copied": 9,
          "frames_encoded": 1, "spans": [[0, "1/3", "2", False]], "remade": False, "notes": ["n"]}  # fmt: skip
_PLAYLIST = b"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:10
#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"
#EXT-X-PROGRAM-DATE-TIME:2026-06-21T10:03:12.480+02:00
#EXTINF:9.96,
#EXT-X-BYTERANGE:1000@0
one.m4s
#EXT-X-DISCONTINUITY
#EXTINF:10,
sub/two%20.m4s
#EXT-X-ENDLIST
"""
_JSON = (
    _REQUEST,
    [_REQUEST, {"source": _SPAN}],
    {"Type": "Notification", "Message": json.dumps(_OLDER)},
    {"Records": [_EVENT, {"Sns": {"Message": json.dumps(_REQUEST)}}]},
    _BRIDGE,
    _POINTER,
    _OLDER,
)
_MESSAGES = (*(json.dumps(each).encode() for each in _JSON), repr(_OLDER).encode())

TARGETS = {
    "message": Target(_message, (InvalidRequestError,), _MESSAGES),
    "dead letter": Target(requests_in, (InvalidRequestError,), _MESSAGES),
    "delivery": Target(
        _text(read_delivery),
        (InvalidRequestError,),
        (json.dumps({"id": "e", "url": "https://a", "event": {"specversion": "1.0", "x": 1.5}}).encode(),),
    ),
    "instant": Target(
        _value(parse_instant), (InvalidRequestError, ValueError), (b"12.5", b'"01:02:03.4"', b'{"frame": 7}', b"1e3")
    ),
    "moment": Target(
        _value(parse_moment), (InvalidRequestError, ValueError), (b'"2026-06-21T10:03:12.480+02:00"', b"1782000000000")
    ),
    "pattern": Target(
        _text(KeyPattern.parse), (ValueError,), (b"{camera}/%Y%m%dT%H%M%SZ*.mp4", b"{camera...}/%Y/%m/%d/%H-%M-%S%z.ts")
    ),
    "key": Target(
        _text(KeyPattern.parse("{camera}/%Y%m%dT%H%M%SZ*.mp4").match), (), (b"north/20260621T100312Z-1.mp4",)
    ),
    "playlist": Target(
        _text(lambda text: parse_playlist(text, "a/live.m3u8")),
        (CutbackError,),
        (_PLAYLIST,),
        seconds=1.0,  # thousands of right segments, some 50 µs for each
    ),
    "cursor": Target(_text(read_cursor), (ValueError,), (b"MTc4MjAwMDAwMDAwMCB3YXZl",)),
    "child": Target(
        _child,
        (WireError,),
        (
            _said({"type": "FinishedCut", "facts": _FACTS, "extents": [[0, 0, 50], [-1, 0, 50]]}, b"head"),
            _said({"type": "ReadRequest", "source": 0, "offset": 1, "length": 2, "index": False}),
            _said({"type": "PrefetchHint", "source": 0, "ranges": [[0, 10], [20, 5]]}),
            _said({"type": "ProgressReport", "fraction": 0.5, "frames": 3}),
            _said({"type": "Findings", "found": {"a": [1, "b", 0.5, None, True]}}),
            _said({"type": "DrawnPosters", "posters": [[300, 300, 169, 0, 90]]}),
            _said(
                {
                    "type": "MadePictures",
                    "tiles": {"width": 2, "height": 2, "columns": 1, "end": "1.5", "tiles": [{"frame": 0, "at": "0"}]},
                    "sheet": [2, 2, 0, 9],
                    "preview": [2, 2, 9, 9],
                    "waveform": {
                        "scale": 1,
                        "fine": {"seconds": [1, 9], "peaks": [0, 1]},
                        "coarse": {"seconds": [1, 9], "peaks": []},
                    },
                    "notes": ["n"],
                }
            ),
            _said({"type": "FailureReport", "reason": "media_unreadable", "detail": "d"}),
            _said({"type": "Confinement", "by": ["limits"]}),
            _said({"type": "MemoryForecast", "left": 10**9}),
        ),
    ),
}

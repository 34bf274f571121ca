"""Messages that are made to stop an installation."""

from __future__ import annotations

import json

RANGE = {"recording": "sea.mp4", "start": 1, "end": 3}
S3_EVENT = {
    "eventName": "ObjectCreated:Put",
    "eventTime": "2026-06-21T10:10:04Z",
    "s3": {"bucket": {"name": "surf"}, "object": {"key": "a.mp4", "size": 0}},
}


def s3_event(**changes: str) -> str:
    text = json.dumps({"Records": [S3_EVENT]})
    for old, new in changes.items():
        text = text.replace({"size": '"size": 0', "time": "2026-06-21T10:10:04Z", "key": "a.mp4"}[old], new)
    return text


POISON = {
    "an exponent that no decimal can have": '{"id": 1e99999999999999999999}',
    "an exponent that fills the memory": s3_event(size='"size": 1e999999999'),
    "a range with such an exponent": '{"id": "x", "source": {"recording": "sea.mp4", "start": 1e-999999999, "end": 2}}',
    "digits without end": '{"id": ' + "9" * 200_000 + "}",
    "a fraction without end": '{"id": "x", "source": {"recording": "s", "start": 0.' + "3" * 200_000 + ', "end": 2}}',
    "one key many times": "{" + ", ".join('"a": 1' for _ in range(20_000)) + "}",
    "a moment before the calendar": s3_event(time="0001-01-01T00:00:00+23:59"),
    "lone surrogate": '{"id": "\\ud800", "source": {"recording": "\\udfff", "start": 1, "end": 2}}',
    "a key of half a megabyte": s3_event(key="%41" * 170_000),
    "nesting": "[" * 200_000,
    "bytes in a literal": "{'clipId': b'x', 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a set in a literal": "{'clipId': {'x'}, 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "dots in a literal": "{'clipId': ..., 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a complex number in a literal": "{'clipId': 1j, 'cameraId': 'c', 'startTimestampInMs': 1, 'endTimestampInMs': 2}",
    "a tuple as a key in a literal": "{'clipId': {(1, 2): 3}, 'cameraId': 'c', 'startTimestampInMs': 1}",
    "long hexadecimal in a literal": "{'clipId': 0x" + "f" * 100_000 + ", 'cameraId': 'c'}",
    "deep arithmetic in a literal": "{'clipId': " + "-" * 100_000 + "1}",
    "a literal that is no older message": "{'id': 'x', 'source': {'recording': 'sea.mp4', 'start': 1, 'end': 2}}",
    "an escape sequence as an id": json.dumps({"id": "\x1b[2J", "source": RANGE}),
}

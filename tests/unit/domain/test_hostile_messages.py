"""Hostile messages need only linear time, whatever they contain."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.support.waiting import slowdown

from cutback.domain.base import MAX_EXPONENT, MAX_JSON_BYTES, MAX_JSON_VALUES, read_json
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.envelope import open_envelope
from cutback.domain.requests.python_literal import LARGEST, read_python_dictionary
from cutback.domain.requests.request import validate_request

RANGE = {"recording": "sea.mp4", "start": 1, "end": 3}
REQUEST: dict[str, Any] = {"id": "wave", "source": RANGE}
SECONDS = 0.05
"""Of processor time for the largest message that is accepted, on a quiet machine."""

MESSAGES = {
    "duplicate keys": "{" + ", ".join('"a": 1' for _ in range(24_000)) + "}",
    "unknown keys": json.dumps({str(number): 1 for number in range(24_000)}),
    "fractions": json.dumps([1.5] * 24_000),
    "a text of digits": json.dumps({**REQUEST, "source": {**RANGE, "start": "0." + "3" * 1_000_000}}),
    "labels": json.dumps({**REQUEST, "labels": {str(number): "x" for number in range(24_000)}}),
    "a long label": json.dumps({**REQUEST, "labels": {"x" * 1_000_000: "x"}}),
    "a long title": json.dumps({**REQUEST, "title": "ä" * 500_000}, ensure_ascii=False),
    "a long address": json.dumps({**REQUEST, "webhook": "https://" + "a." * 500_000}),
    "an address to normalize": json.dumps({**REQUEST, "webhook": "https://" + "ﬁ" * 300_000}, ensure_ascii=False),
    "wrong tags": json.dumps({**REQUEST, "tags": [1] * 24_000}),
    "wrong ranges": json.dumps({**REQUEST, "source": [{"x": 1}] * 24_000}),
    "ranges of unknown keys": json.dumps({**REQUEST, "source": [{str(n): 1 for n in range(45)}] * 99}),
    "items": "[" + ", ".join("{}" for _ in range(24_000)) + "]",
    "lists of lists": json.dumps([[[[[1] * 10] * 10] * 10] * 20]),
    "escapes": '{"id": "' + "\\ud83d\\ude00" * 80_000 + '"}',
    "commas": '"' + "," * 1_000_000 + '"',
    "spaces": " " * 1_000_000 + "{}",
    "a literal of escapes": "{'clipId': '" + "\\x41" * 30_000 + "'}",
    "a literal without an end": "{'" + "\\\\" * 60_000,
}


@pytest.mark.parametrize("text", MESSAGES.values(), ids=MESSAGES.keys())
def test_no_message_takes_long_to_parse(text: str) -> None:
    room = (LARGEST if text.startswith("{'") else MAX_JSON_BYTES) - len(text.encode())
    assert room >= 0
    largest = text + " " * room
    assert min(_seconds(largest) for _ in range(5)) < SECONDS * slowdown()


def _seconds(text: str) -> float:
    began = time.process_time()
    try:
        for item in open_envelope(text):
            validate_request(getattr(item, "content", None))
    except InvalidRequestError:
        pass
    return time.process_time() - began


@pytest.mark.parametrize("number", [f"1e{MAX_EXPONENT}", f"-1.5E-{MAX_EXPONENT}", "0." + "3" * 98, "9" * 100])
def test_a_number_at_the_bounds_is_read_exactly(number: str) -> None:
    assert read_json(f"[{number}]") == [json.loads(number, parse_float=read_decimal_of_python)]


def read_decimal_of_python(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


@pytest.mark.parametrize("number", [f"1e{MAX_EXPONENT + 1}", "1e-99999999999999999999", "0." + "3" * 99, "9" * 101])
def test_a_number_beyond_the_bounds_is_refused_before_it_becomes_one(number: str) -> None:
    with pytest.raises(InvalidRequestError, match="number"):
        read_json(f"[{number}]")
    with pytest.raises(InvalidRequestError, match="number"):
        read_python_dictionary(f"{{'a': {number}}}")


def test_values_are_counted_before_anything_is_parsed() -> None:
    read_json("[" + "1," * (MAX_JSON_VALUES - 1) + "1]")
    with pytest.raises(InvalidRequestError, match=f"more than {MAX_JSON_VALUES} values"):
        read_json("[" + "1," * MAX_JSON_VALUES + "no JSON")


@pytest.mark.parametrize("size", [MAX_JSON_BYTES + 1, MAX_JSON_BYTES // 2 + 1])
def test_the_size_is_judged_in_bytes_before_anything_is_parsed(size: int) -> None:
    with pytest.raises(InvalidRequestError, match="larger than"):
        read_json(("ä" if size < MAX_JSON_BYTES else "a") * size)


@pytest.mark.parametrize(
    "value",
    [
        {"text": 'it\'s "so"\n\té \\ €\x85', "more": 'single "only"', "other": "double's"},
        {"numbers": [0, -1, 1782000000000], "flags": [True, False, None], "nested": {"a": [{"b": []}]}},
        {},
    ],
)
def test_what_python_prints_is_read_back(value: dict[str, Any]) -> None:
    assert read_python_dictionary(repr(value)) == value

"""The text of API keys: random, recognisable, checked."""

from __future__ import annotations

import hashlib
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutback.domain.api_keys import Scope, digest_of, is_key_text, key_id_of, new_key_text, permitted

KEY = "ck_NadWLOdUe2MPNOnklTwAvlZrfQpY8EmBBTFHxrqGFzb27ydAV"


def test_a_new_key_has_256_bits_a_prefix_and_a_checksum() -> None:
    made = {new_key_text() for _ in range(200)}
    assert len(made) == 200
    for text in made:
        assert re.fullmatch(r"ck_[0-9A-Za-z]{49}", text)
        assert is_key_text(text)
    assert len({text[3] for text in made}) > 2
    for place in range(4, 46):  # every digit of the body varies; only the first has fewer values
        assert len({text[place] for text in made}) > 20


@given(place=st.integers(3, len(KEY) - 1), digit=st.sampled_from(string.digits + string.ascii_letters))
def test_a_mistyped_key_is_recognised(place: int, digit: str) -> None:
    mistyped = KEY[:place] + digit + KEY[place + 1 :]
    assert is_key_text(mistyped) == (mistyped == KEY)


@pytest.mark.parametrize("text", ["", "ck_", KEY + "\n", f" {KEY}", KEY[:-1], KEY + "0", KEY.upper(), "ck_" + "ä" * 49])
def test_other_texts_are_no_keys(text: str) -> None:
    assert is_key_text(KEY)
    assert not is_key_text(text)


def test_a_key_is_known_by_its_sha_256() -> None:
    assert digest_of(KEY) == hashlib.sha256(KEY.encode()).hexdigest()
    assert key_id_of(KEY) == digest_of(KEY)[:16]


def test_an_administrator_may_do_everything_and_nobody_else_more_than_is_said() -> None:
    assert permitted([Scope.ADMIN]) == set(Scope)
    assert permitted([Scope.REQUEST]) == {Scope.REQUEST}
    assert permitted([Scope.READ]) == {Scope.READ}

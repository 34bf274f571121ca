"""The AudioSpecificConfig gives rate and channels, including SBR and PS."""

from __future__ import annotations

import pytest

from cutback.cutting.mp4.audio_config import parse_audio_config


@pytest.mark.parametrize(
    ("config", "rate", "channels", "plain"),
    [
        ("1190", 48_000, 2, True),
        ("1408", 16_000, 1, True),
        ("11b056e500", 48_000, 6, True),
        ("1194", 48_000, 2, False),  # packets of 960 samples
        ("118004c844002000c40d4c61766336322e32382e31303256e500", 48_000, 6, True),  # a program_config_element
        ("118004c4040021100d4c61766336322e32382e31303256e500", 48_000, 4, True),
        ("2b098800", 48_000, 1, False),  # SBR
        ("eb098800", 48_000, 2, False),  # SBR and PS
        ("131056e5a5", 44_100, 2, False),  # SBR behind, in a way that older decoders pass over
        ("130856e59d4880", 48_000, 2, False),  # the same with PS
    ],
)
def test_the_configuration_says_what_is_decoded(config: str, rate: int, channels: int, plain: bool) -> None:  # noqa: FBT001
    found = parse_audio_config(bytes.fromhex(config))
    assert found is not None
    assert (found.sample_rate, found.channels, found.plain) == (rate, channels, plain)
    assert found.decoded(12_345, 7) == (rate, channels)


@pytest.mark.parametrize("config", ["", "11", "1f90", "1180"])
def test_a_truncated_configuration_is_ignored(config: str) -> None:
    assert parse_audio_config(bytes.fromhex(config)) is None


def test_where_sbr_is_not_announced_a_container_may_tell_of_it() -> None:
    found = parse_audio_config(bytes.fromhex("1308"))
    assert found is not None
    assert found.decoded(48_000, 2) == (48_000, 2)
    assert found.decoded(24_000, 2) == (24_000, 1)

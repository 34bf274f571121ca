"""The check of a finished clip: a wrong clip is detected, and made again by re-encoding, with a note."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from tests.media.cuts import cut_in_process
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings

from cutback.cutting import cut as cut_module
from cutback.cutting.codecs.h264.open_gop import OpenGopRewriter
from cutback.cutting.mp4.layout import OutTrack
from cutback.cutting.pictures import splice as splice_module
from cutback.cutting.plan.plan import PlannedRun
from cutback.cutting.spool import Spool
from cutback.cutting.verify import find_fault
from cutback.domain.errors import ClipDamagedError

Recordings = Callable[[str], ReferenceRecording]

RANGE = (0, Fraction("1.1"), Fraction("3.1"))
FRAMES = list(range(33, 93))


def test_a_clip_that_fails_its_check_is_made_again_with_a_note(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, answers = find_fault, iter(["has a frame at the wrong time"])
    monkeypatch.setattr(cut_module, "find_fault", lambda *told: next(answers, None) or real(*told))
    clip = cut_in_process([recording("pyramid").path], RANGE)
    assert clip.facts.remade
    assert any("a frame at the wrong time" in note for note in clip.facts.notes)
    assert decode_presented(clip.data).counters == FRAMES
    assert decode_warnings(clip.data) == []


def test_a_clip_that_never_passes_is_a_named_failure(recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut_module, "find_fault", lambda *_: "is wrong")
    with pytest.raises(ClipDamagedError, match="is wrong"):
        cut_in_process([recording("pyramid").path], RANGE)


def test_encoded_pictures_that_cannot_be_decoded_are_detected(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Spool.append
    spoilt: list[int] = []

    def append(self: Spool, data: bytes) -> int:
        if len(spoilt) < 3 and len(data) > 500:
            spoilt.append(len(data))
            data = data[:5] + bytes(len(data) - 5)
        return real(self, data)

    monkeypatch.setattr(Spool, "append", append)
    clip = cut_in_process([recording("pyramid").path], RANGE)
    assert spoilt
    assert clip.facts.remade
    assert decode_presented(clip.data).counters == FRAMES


def test_rewritten_headers_that_damage_pictures_are_detected(
    recording: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = OpenGopRewriter.rewrite
    count = 0

    def rewrite(self: OpenGopRewriter, sample: bytes) -> bytes:
        nonlocal count
        count += 1
        done = real(self, sample)
        return done[:-8] + bytes(reversed(done[-8:])) if count == 3 else done

    monkeypatch.setattr(OpenGopRewriter, "rewrite", rewrite)
    clip = cut_in_process([recording("open-gop").path], (0, Fraction("1.1"), Fraction("3.1")))
    assert clip.facts.remade
    assert decode_presented(clip.data).counters == FRAMES
    assert decode_warnings(clip.data) == []


def test_a_lost_frame_is_detected(recording: Recordings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splice_module, "_copy", _with_a_hole(splice_module._copy))
    clip = cut_in_process([recording("pyramid").path], RANGE)
    assert clip.facts.remade
    assert decode_presented(clip.data).counters == FRAMES


def _with_a_hole(real: Callable[..., Any]) -> Callable[..., Any]:
    """Leaves out a sample in the midst of what is copied."""

    def copy(part: Any, track: Any, run: PlannedRun, *more: Any) -> None:
        samples = [each for number, each in enumerate(run.samples) if number != 7 or len(run.samples) < 20]
        real(part, track, replace(run, samples=samples), *more)

    return copy


def _late(track: OutTrack) -> None:
    track.delay += Fraction(1, 20)


def _late_from_the_middle(track: OutTrack) -> None:
    middle = len(track) // 2
    track.pts[middle:] = array("q", (time + 4800 for time in track.pts[middle:]))


def _stepping_back(track: OutTrack) -> None:
    middle = len(track) // 2
    track.pts[middle], track.pts[middle + 1] = track.pts[middle + 1], track.pts[middle]


def _short(track: OutTrack) -> None:
    track.duration -= Fraction(1, 4)


@pytest.mark.parametrize("spoil", [_late, _late_from_the_middle, _stepping_back, _short])
@pytest.mark.parametrize("joined", [False, True], ids=["one", "joined"])
def test_misplaced_sound_is_detected(
    spoil: Callable[[OutTrack], None],
    joined: bool,  # noqa: FBT001
    recording: Recordings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "join_sound" if joined else "copy_sound"
    real = getattr(cut_module, name)

    def spoilt(*told: Any) -> OutTrack:
        track: OutTrack = real(*told)
        spoil(track)
        return track

    monkeypatch.setattr(cut_module, name, spoilt)
    ranges = [RANGE, (0, Fraction(4), Fraction(5))] if joined else [RANGE]
    clip = cut_in_process([recording("pyramid").path], *ranges)
    assert clip.facts.remade
    shown = decode_presented(clip.data)
    assert shown.audio_start is not None
    assert abs(shown.audio_start) <= Fraction(1, 1000)
    assert shown.audio_jumps == []

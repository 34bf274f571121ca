"""What a child says is believed only as far as it can be true."""

from __future__ import annotations

import dataclasses
import json
import socket
import struct
from fractions import Fraction
from typing import Any

import pytest

from cutback.cutting.job import ClipPictures, CutGap, CutJob, CutRange, Facts, Limits, Poster, RealSpan, SpooledPicture
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.domain.times import FrameNumber
from cutback.sandbox import wire
from cutback.sandbox.messages import (
    Confinement,
    CopyForecast,
    DrawnPosters,
    FailureReport,
    Findings,
    FinishedCut,
    KeptScan,
    MadePictures,
    PrefetchHint,
    ProgressReport,
    ReadRequest,
    ScanRequest,
    SourceBytes,
    Task,
    WireError,
    WireMessage,
)

FACTS = Facts(
    size=900,
    duration=Fraction(10, 3),
    width=320,
    height=180,
    frames=100,
    frames_copied=90,
    frames_encoded=10,
    spans=(RealSpan(0, Fraction(1, 3), Fraction(11, 3), clamped=True),),
    remade=True,
    notes=("A note.",),
)
JOB = CutJob(
    sizes=(100, 200),
    ranges=(
        CutRange(1, Fraction(1, 3), FrameNumber(40), seam_before=True, optional=True),
        CutGap(Fraction(2, 7), "black"),
    ),
    precision="keyframe",
    limits=Limits(seconds=7),
    clocks=(None, Fraction(5, 3)),
    playlists=(None, 0),
)


TILES: dict[str, Any] = {
    "width": 160,
    "height": 90,
    "columns": 10,
    "end": "3.5",
    "tiles": [{"frame": 30, "at": "1.001"}],
}
_RESOLUTION = {"seconds": [1, 100], "peaks": [-5, 7]}
PEAKS: dict[str, Any] = {"scale": 1000, "fine": _RESOLUTION, "coarse": _RESOLUTION}


def crossed(text: bytes, payload: bytes = b"") -> WireMessage:
    """What `receive` makes of a message that was written by hand."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">II", len(text), len(payload)) + text + payload)
        return wire.receive(ours)


def told(kind: type[WireMessage], **fields: Any) -> WireMessage:
    return crossed(json.dumps({"type": kind.__name__, **fields}).encode())


@pytest.mark.parametrize(
    "message",
    [
        Task("preview", JOB),
        SourceBytes(b"\0bytes"),
        SourceBytes(b""),
        Confinement(("limits", "a filter")),
        ReadRequest(1, 20, 30, index=True),
        ScanRequest(1),
        KeptScan(1, b"what was found"),
        PrefetchHint(1, [(20, 30), (60, 5)]),
        CopyForecast(1, 20, 30),
        ProgressReport(0.5, 12),
        FailureReport("media_unreadable", "Its index is damaged."),
        Findings({"container": "mp4"}),
        FinishedCut((MadeOutput("clip", FACTS, (OutputFile("clip.mp4", (Extent(0, 0, 50), Extent(-1, 90, 10))),)),)),
        DrawnPosters((Poster(300, 300, 169, 10, 90),)),
        MadePictures(
            ClipPictures(TILES, SpooledPicture(1600, 90, 10, 90), SpooledPicture(320, 180, 0, 10), PEAKS, ("a",))
        ),
        MadePictures(ClipPictures()),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_arrives_as_it_was_sent(message: WireMessage) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(theirs, message)
        assert message == wire.receive(ours)


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b"7",
        b"{}",
        b'{"type": "WireMessage"}',
        b'{"type": ["Task"]}',
        b"[" * 100_000,
        b'{"type": "ProgressReport", "fraction": 0.5, "frames": Infinity}',
        b'{"type": "ReadRequest", "source": 0, "offset": 1}',
        b'{"type": "ReadRequest", "source": -1, "offset": 1, "length": 1, "index": false}',
        b'{"type": "ReadRequest", "source": 0, "offset": -1, "length": 1, "index": false}',
        b'{"type": "PrefetchHint", "source": 0, "ranges": [[0, -1]]}',
        b'{"type": "PrefetchHint", "source": 0, "ranges": [[0]]}',
        b'{"type": "CopyForecast", "source": 0, "offset": -1, "length": 1}',
        b'{"type": "ScanRequest", "source": -1}',
        b'{"type": "KeptScan", "source": "0"}',
    ],
)
def test_what_is_not_a_message_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        crossed(text)


def test_facts_that_are_not_numbers_are_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(theirs, finished())
        sent = ours.recv(10_000)[8:]
    assert finished() == crossed(sent)
    with pytest.raises(WireError):
        crossed(sent.replace(b'"10/3"', b'"10/0"'))


def test_facts_that_do_not_agree_with_the_clip_are_refused() -> None:
    extent = Extent(0, 0, 50)
    finished(extent, facts=dataclasses.replace(FACTS, size=50)).check((50,), 0)
    with pytest.raises(WireError):
        finished(extent, facts=dataclasses.replace(FACTS, size=51)).check((50,), 0)
    with pytest.raises(WireError):
        finished(extent, facts=dataclasses.replace(FACTS, size=50), name="..").check((50,), 0)
    elsewhere = (RealSpan(1, Fraction(0), Fraction(1), clamped=False),)
    with pytest.raises(WireError):
        finished(extent, facts=dataclasses.replace(FACTS, size=50, spans=elsewhere)).check((50,), 0)


def finished(*extents: Extent, facts: Facts = FACTS, name: str = "clip.mp4") -> FinishedCut:
    """What a child says at the end."""
    return FinishedCut((MadeOutput("clip", facts, (OutputFile(name, extents),)),))


def posters(data: object) -> tuple[Poster, ...]:
    """What the parent takes of posters in a spool of 100 bytes."""
    message = told(DrawnPosters, posters=data)
    assert isinstance(message, DrawnPosters)
    message.check(100)
    return message.posters


def test_posters_within_the_spool_are_taken() -> None:
    assert posters([[300, 300, 169, 10, 90]]) == (Poster(300, 300, 169, 10, 90),)


@pytest.mark.parametrize(
    "data",
    [
        [[300, 300, 169, 10, 91]],
        [[300, 300, 169, -1, 10]],
        [[300, 300, 169, 10, 0]],
        [[300, 300, 169, 10]],
        [["wide", 300, 169, 10, 90]],
        [7],
        None,
    ],
)
def test_other_posters_are_refused(data: object) -> None:
    with pytest.raises(WireError):
        posters(data)


def pictures(**fields: object) -> ClipPictures:
    """What the parent takes of a clip's pictures in a spool of 100 bytes."""
    nothing: dict[str, object] = {"tiles": None, "sheet": None, "preview": None, "waveform": None, "notes": []}
    message = told(MadePictures, **{**nothing, **fields})
    assert isinstance(message, MadePictures)
    message.check(100)
    return message.pictures


def test_pictures_within_the_spool_are_taken() -> None:
    found = pictures(tiles=TILES, sheet=[1600, 90, 10, 90], waveform=PEAKS)
    assert (found.tiles, found.sheet, found.waveform) == (TILES, SpooledPicture(1600, 90, 10, 90), PEAKS)


BROKEN: list[dict[str, Any]] = [
    {"tiles": TILES, "sheet": [1600, 90, 10, 91]},
    {"tiles": TILES},
    {"sheet": [1600, 90, 10, 90]},
    {"tiles": {**TILES, "columns": 0}, "sheet": [1600, 90, 10, 90]},
    {"tiles": {**TILES, "end": "1e999999999"}, "sheet": [1600, 90, 10, 90]},
    {"tiles": {**TILES, "tiles": [{"frame": -1, "at": "1"}]}, "sheet": [1600, 90, 10, 90]},
    {"preview": [320, 180, -1, 10]},
    {"preview": [320, 180, 0, 0]},
    {"preview": [320, 180, 10]},
    {"waveform": {**PEAKS, "scale": 0}},
    {"waveform": {**PEAKS, "fine": {"seconds": [1, 100], "peaks": [1]}}},
    {"waveform": {**PEAKS, "fine": {"seconds": [1, 100], "peaks": ["1", 2]}}},
    {"notes": None},
]


@pytest.mark.parametrize("fields", BROKEN)
def test_other_pictures_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(WireError):
        pictures(**fields)


def extents(data: object) -> tuple[Extent, ...]:
    """What the parent takes of extents of a source of 50 bytes and a spool of 100."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire.send(theirs, finished())
        fields = json.loads(ours.recv(10_000)[8:])
    lengths = (
        [extent[2] for extent in data if isinstance(extent, list) and len(extent) == 3]
        if isinstance(data, list)
        else []
    )
    output = fields["outputs"][0]
    output["facts"]["size"] = max(0, sum(lengths))
    output["files"] = [["clip.mp4", data]]
    message = crossed(json.dumps(fields).encode())
    assert isinstance(message, FinishedCut)
    message.check((50,), 100)
    return message.outputs[0].files[0].extents


def test_extents_within_their_origin_are_taken() -> None:
    assert extents([[0, 0, 50], [-1, 90, 10]]) == (Extent(0, 0, 50), Extent(-1, 90, 10))


@pytest.mark.parametrize(
    "data",
    [[[0, 1, 50]], [[-1, 91, 10]], [[-2, 0, 10]], [[1, 0, 10]], [[0, -1, 10]], [[0, 0, 0]], [[0, 0]], [None], 7],
)
def test_other_extents_are_refused(data: object) -> None:
    with pytest.raises(WireError):
        extents(data)

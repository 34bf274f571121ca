"""HLS: a playlist in the store is a recording, cut exactly, and only the segments needed are read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from tests.media.check_clip import check_clip, expected_range
from tests.media.cuts import CutResult
from tests.media.recordings import Recipe, ReferenceRecording, decode_reference
from tests.support.decode import decode_presented
from tests.support.hls import names, package
from tests.support.media import MediaSpec
from tests.support.sampling import slow_except

from cutback.cutting.job import CutJob, CutProgress, CutRange, Limits
from cutback.cutting.probe import probe
from cutback.reading.open_playlist import open_segments, probe_playlist
from cutback.sandbox.cutter import ChildCutter
from cutback.storage.store import Store

SPEC = MediaSpec(frames=300, gop=30, suffix=".ts")
MP4 = MediaSpec(frames=300, gop=30)
KINDS: dict[str, tuple[MediaSpec, dict[str, str]]] = {
    "transport streams": (SPEC, {}),
    "fragments": (MP4, {"hls_segment_type": "fmp4"}),
    "one file of transport streams": (SPEC, {"hls_flags": "single_file"}),
    "one file of fragments": (MP4, {"hls_flags": "single_file", "hls_segment_type": "fmp4"}),
}

RANGES = [("0", "1"), ("2.5", "3.7"), ("4", "6"), ("8.9", "10"), ("0.4", "9.7")]


def cut(cutter: ChildCutter, store: Store, key: str, *ranges: tuple[str, str]) -> tuple[CutResult, int, int]:
    """A clip of a playlist, how many bytes its segments have, and how many requests it took."""
    opened = [one for start, end in ranges for one in open_segments(store, key, Fraction(start), Fraction(end))]
    try:
        job = CutJob(
            sizes=tuple(one.reader.size for one in opened),
            ranges=tuple(CutRange(number, one.start, one.end) for number, one in enumerate(opened)),
            limits=Limits(),
            clocks=tuple(one.clock for one in opened),
        )
        steps: list[CutProgress] = []
        readers = [one.reader for one in opened]
        with cutter.render(job, readers, on_progress=steps.append, stopped=lambda: False) as rendition:
            data = b"".join(rendition.chunks())
            clip = CutResult(data, rendition.facts, steps, sum(reader.bytes_read for reader in readers))
        return clip, sum(reader.size for reader in readers), sum(reader.requests for reader in readers)
    finally:
        for one in opened:
            one.reader.close()


def whole(playlist: Path, spec: MediaSpec) -> ReferenceRecording:
    """What a player shows of all segments together."""
    folder = playlist.parent
    header = [name for name in ("init.mp4",) if (folder / name).exists()]
    joined = folder / f"joined{'.mp4' if header else '.ts'}"
    listed = list(dict.fromkeys([*header, *names(playlist)]))
    joined.write_bytes(b"".join((folder / name).read_bytes() for name in listed))
    return decode_reference(playlist.parent.name, Recipe(spec), joined)


@pytest.fixture(params=KINDS)
def packaged(request: pytest.FixtureRequest, media_folder: Path, tmp_path: Path) -> Path:
    spec, options = KINDS[request.param]
    return package(spec, media_folder, tmp_path / "camera", seconds=1, **options)


@pytest.mark.parametrize("ends", slow_except(RANGES, ("2.5", "3.7"), ("4", "6")), ids=str)
def test_a_range_of_a_playlist_is_cut_exactly(cutter: ChildCutter, packaged: Path, ends: tuple[str, str]) -> None:
    start, end = ends
    recording = whole(packaged, SPEC)
    lead = recording.times[0]
    store = Store.open(str(packaged.parent.parent))
    clip, _, _ = cut(cutter, store, "camera/live.m3u8", (start, end))
    wanted = expected_range(recording, Fraction(start) + lead, Fraction(end) + lead)
    assert wanted is not None
    shown = decode_presented(clip.data)
    assert shown.counters == [recording.counters[n] for n in range(wanted.first, wanted.stop)]
    assert float(clip.facts.spans[0].start) == pytest.approx(float(start), abs=0.001)
    assert clip.facts.frames_copied > 0 or wanted.stop - wanted.first < 60
    if not lead:
        check_clip(clip, [wanted])


def test_only_the_segments_around_a_range_are_read(cutter: ChildCutter, media_folder: Path, tmp_path: Path) -> None:
    playlist = package(SPEC, media_folder, tmp_path)
    (tmp_path / names(playlist)[1]).unlink()
    (tmp_path / names(playlist)[8]).unlink()
    clip, size, requests = cut(cutter, Store.open(str(tmp_path)), "live.m3u8", ("4.2", "5.8"))
    assert decode_presented(clip.data).counters == list(range(126, 174))
    four = sum((tmp_path / name).stat().st_size for name in names(playlist)[3:7])
    assert size == four
    assert clip.bytes_read <= 1.1 * four
    assert requests <= 4 * 3


def test_a_probe_of_a_playlist_shows_its_duration_and_date(media_folder: Path, tmp_path: Path) -> None:
    playlist = package(SPEC, media_folder, tmp_path)
    when = "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T10:00:00.480+00:00\n#EXTINF"
    playlist.write_text(playlist.read_text().replace("#EXTINF", when, 1).replace("#EXT-X-ENDLIST", ""))
    found = probe_playlist(Store.open(str(tmp_path)), "live.m3u8", lambda source: probe(source, Limits()))
    assert Fraction(found["duration"]) == 10
    assert found["created"] == "2026-11-23T10:00:00.480000+00:00"
    assert (found["open_ended"], found["truncated"]) == (True, False)
    assert [track["kind"] for track in found["tracks"]] == ["video", "audio"]

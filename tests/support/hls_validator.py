"""A strict validator of the HLS that Cutback writes, after RFC 8216bis and ISO/IEC 23000-19 (CMAF).

It checks, with every file at hand:

* playlists: UTF-8 without BOM or control characters; `#EXTM3U` first; each tag known, in the right kind of playlist and
  at most once where that is required; a version that has all tags used; every URI relative, named in no other role, and
  present;
* media playlists: one target duration, which no rounded segment exceeds; `VOD` with `EXT-X-ENDLIST`; `EXT-X-MAP` before
  the first segment; dates with a zone that go on by the durations between them;
* master playlists: `BANDWIDTH` not below the peak of any combination of renditions, an average that is one; codecs,
  resolution and frame rate that agree with the initialization segments; audio groups that exist, with one default and
  different names; qualities in descending order;
* segments: `moof` and `mdat` with one track and sizes that add up; decode times that continue from one to the next;
  the first sample of each segment of pictures a sync sample that is presented first, so that no segment needs another;
  durations that agree with the playlist to half a frame; equal lengths of all renditions.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from tests.media.cuts import boxes, find_boxes

_MEDIA_TAGS = {
    "EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-PLAYLIST-TYPE",
    "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME", "EXTINF", "EXT-X-ENDLIST",
}  # fmt: skip
_MASTER_TAGS = {"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-MEDIA", "EXT-X-STREAM-INF"}
_REPEATED = {"EXTINF", "EXT-X-PROGRAM-DATE-TIME", "EXT-X-MEDIA", "EXT-X-STREAM-INF"}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')
_URI = re.compile(r"[A-Za-z0-9_-]+\.[a-z0-9]+")


@dataclass
class Track:
    """A media playlist, read with its segments."""

    name: str
    kind: str = ""
    codec: str = ""
    timescale: int = 0
    hidden: int = 0
    entry: bytes = b""
    segments: list[str] = field(default_factory=list)
    durations: list[Fraction] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    starts: list[Fraction] = field(default_factory=list)
    samples: int = 0
    end: Fraction = Fraction(0)
    target: int = 0
    size: tuple[int, int] = (0, 0)


def validate(files: Mapping[str, bytes], master: str) -> dict[str, Track]:
    """Check a presentation; return its tracks by the names of their playlists.

    Raises:
        AssertionError: something is wrong.
    """
    lines = _lines(files[master])
    tags = _check_tags(lines, _MASTER_TAGS)
    assert tags["EXT-X-VERSION"] == ["7"]
    streams = [_attributes(value) for value in tags["EXT-X-STREAM-INF"]]
    uris = [lines[n + 1] for n, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF")]
    renditions = [_attributes(value) for value in tags.get("EXT-X-MEDIA", [])]
    playlists = [*uris, *(each["URI"].strip('"') for each in renditions)]
    assert len(set(playlists)) == len(playlists)
    tracks = {name: _media(files, name) for name in playlists}
    named = {master, *playlists, *(name for track in tracks.values() for name in track.segments)}
    assert named == set(files), "a file that no playlist names, or the other way round"
    _check_streams(streams, [tracks[uri] for uri in uris], renditions, tracks)
    assert len({track.target for track in tracks.values()}) == 1, "different target durations"
    longest = max(track.end for track in tracks.values())
    for track in tracks.values():
        assert longest - track.end < Fraction(1, 10), f"{track.name} is shorter than the others"
    return tracks


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8")
    assert not text.startswith("\ufeff")
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text) is None
    assert text.endswith("\n")
    lines = text.split("\n")[:-1]
    assert lines[0] == "#EXTM3U"
    assert all(line and line == line.strip() for line in lines)
    return lines


def _check_tags(lines: list[str], known: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("#"):
            assert line.startswith("#EXT"), f"a comment: {line}"
            name, _, value = line[1:].partition(":")
            assert name in known, f"a tag that does not belong here: {name}"
            found.setdefault(name, []).append(value)
        else:
            assert _URI.fullmatch(line), f"not a relative URI: {line}"
    for name, values in found.items():
        assert len(values) == 1 or name in _REPEATED, f"{name} appears {len(values)} times"
    return found


def _attributes(value: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(value)
    assert "".join(f"{name}={text}," for name, text in found).rstrip(",") == value, f"malformed attributes: {value}"
    assert len({name for name, _ in found}) == len(found)
    return dict(found)


def _media(files: Mapping[str, bytes], name: str) -> Track:
    lines = _lines(files[name])
    tags = _check_tags(lines, _MEDIA_TAGS)
    assert tags["EXT-X-VERSION"] == ["7"]
    assert tags["EXT-X-PLAYLIST-TYPE"] == ["VOD"]
    assert tags["EXT-X-INDEPENDENT-SEGMENTS"] == [""]
    assert lines[-1] == "#EXT-X-ENDLIST"
    track = Track(name)
    track.durations = [Fraction(value.rstrip(",")) for value in tags["EXTINF"]]
    assert all(value.endswith(",") for value in tags["EXTINF"])
    track.target = int(tags["EXT-X-TARGETDURATION"][0])
    assert all(round(duration) <= track.target for duration in track.durations)
    assert all(duration > 0 for duration in track.durations)
    uris = [line for line in lines if not line.startswith("#")]
    assert len(uris) == len(track.durations)
    assert len(set(uris)) == len(uris)
    for n, line in enumerate(lines):
        if line.startswith("#EXTINF"):
            assert not lines[n + 1].startswith("#")
    head = _attributes(tags["EXT-X-MAP"][0])["URI"].strip('"')
    assert lines.index(f'#EXT-X-MAP:URI="{head}"') < lines.index(uris[0])
    track.segments = [head, *uris]
    track.sizes = [len(files[uri]) for uri in uris]
    _check_dates(tags.get("EXT-X-PROGRAM-DATE-TIME", []), track)
    _read_head(files[head], track)
    due: int | None = None
    for number, uri in enumerate(uris, 1):
        due = _check_segment(files[uri], track, number, due)
    _check_durations(track)
    return track


def _check_dates(values: list[str], track: Track) -> None:
    moments = [datetime.fromisoformat(value) for value in values]
    assert not moments or len(moments) == len(track.durations)
    assert all(moment.tzinfo is not None for moment in moments)
    assert all(before < after for before, after in pairwise(moments))


def continuous_dates(playlist: bytes) -> bool:
    """Whether the dates of a playlist go on by the durations of its segments, to the millisecond."""
    lines = playlist.decode().split("\n")
    dates = [datetime.fromisoformat(line.partition(":")[2]) for line in lines if "DATE-TIME" in line]
    lasts = [timedelta(seconds=float(line[8:].rstrip(","))) for line in lines if line.startswith("#EXTINF")]
    steps = zip(dates, dates[1:], lasts, strict=False)
    return bool(dates) and all(abs(after - before - last) < timedelta(milliseconds=2) for before, after, last in steps)


def _read_head(data: bytes, track: Track) -> None:
    kinds = [kind for kind, *_ in boxes(data)]
    assert kinds == [b"ftyp", b"moov"]
    [(begin, end)] = find_boxes(data, b"moov", b"trak", b"mdia", b"mdhd")
    track.timescale = struct.unpack_from(">I", data, begin + 20 if data[begin] else begin + 12)[0]
    [(begin, end)] = find_boxes(data, b"moov", b"trak", b"mdia", b"hdlr")
    track.kind = data[begin + 8 : begin + 12].decode()
    [(_, end)] = find_boxes(data, b"moov", b"trak", b"tkhd")
    wide, high = (Fraction(side, 1 << 16) for side in struct.unpack_from(">II", data, end - 8))
    track.size = round(wide), round(high)
    assert all(track.size) == (track.kind == "vide"), "a size of 0"
    [(begin, end)] = find_boxes(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    track.entry = data[begin + 8 : end]
    for table in (b"stts", b"stsc", b"stco"):
        [(begin, end)] = find_boxes(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", table)
        assert data[begin:end] == bytes(8), "samples in an initialization segment"
    assert len(find_boxes(data, b"moov", b"mvex", b"trex")) == 1
    lists = find_boxes(data, b"moov", b"trak", b"edts", b"elst")
    assert track.kind == "soun" or not lists, "an edit list of pictures"
    for begin, _ in lists:
        assert struct.unpack_from(">I", data, begin + 4)[0] == 1
        track.hidden = struct.unpack_from(">q", data, begin + 16)[0]


def _check_segment(data: bytes, track: Track, number: int, due: int | None) -> int:
    assert [kind for kind, *_ in boxes(data)] == [b"moof", b"mdat"]
    [(begin, _)] = find_boxes(data, b"moof", b"mfhd")
    assert struct.unpack_from(">I", data, begin + 4)[0] == number
    [(begin, _)] = find_boxes(data, b"moof", b"traf", b"tfdt")
    decoded = int(struct.unpack_from(">Q", data, begin + 4)[0])
    assert due is None or decoded == due, "decode times do not continue"
    [(begin, end)] = find_boxes(data, b"moof", b"traf", b"trun")
    count, offset = struct.unpack_from(">Ii", data, begin + 4)
    rows = list(struct.iter_unpack(">IIIi", data[begin + 12 : end]))
    assert len(rows) == count > 0
    [(content, stop)] = find_boxes(data, b"mdat")
    assert offset == content
    assert sum(size for _, size, _, _ in rows) == stop - content
    shown, at = [], decoded
    for duration, _, _, shift in rows:
        assert duration > 0
        shown.append(at + shift)
        at += duration
    assert len(set(shown)) == count
    if track.kind == "vide":
        assert rows[0][2] == 0x02000000, "a segment does not begin with a sync sample"
        assert min(shown) == shown[0], "what is presented first needs an earlier segment"
    track.starts.append(Fraction(shown[0] - track.hidden, track.timescale))
    latest = max(range(count), key=shown.__getitem__)
    track.end = max(track.end, Fraction(shown[latest] - track.hidden + rows[latest][0], track.timescale))
    track.samples += count
    return at


def _check_durations(track: Track) -> None:
    ends = [*track.starts[1:], track.end]
    for number, (start, end, told) in enumerate(zip(track.starts, ends, track.durations, strict=True)):
        last = number == len(track.durations) - 1
        # The first sound begins before the clip does, and the last packet may go on behind its end.
        room = Fraction(1, 10) if track.kind == "soun" and (last or not number) else Fraction(1, 50)
        assert abs(end - start - told) <= room, f"{track.name}: segment {number + 1} lasts {float(end - start)} s"


def _check_streams(
    streams: list[dict[str, str]], shown: list[Track], renditions: list[dict[str, str]], tracks: Mapping[str, Track]
) -> None:
    sounds = [tracks[each["URI"].strip('"')] for each in renditions]
    assert len({each["NAME"] for each in renditions}) == len(renditions)
    assert [each["DEFAULT"] for each in renditions].count("YES") == (1 if renditions else 0)
    heights = []
    for stream, track in zip(streams, shown, strict=True):
        beside = sounds if "AUDIO" in stream else []
        assert ("AUDIO" in stream) == bool(renditions)
        peak = _peak(track) + max((_peak(sound) for sound in beside), default=0)
        assert int(stream["BANDWIDTH"]) >= peak
        average = _average(track) + max((_average(sound) for sound in beside), default=0)
        assert abs(int(stream["AVERAGE-BANDWIDTH"]) - average) <= 2 + len(beside)
        codecs = stream["CODECS"].strip('"').split(",")
        assert all(any(codec.startswith(_family(each)) for codec in codecs) for each in [track, *beside])
        if track.kind == "vide":
            width, height = track.size
            assert stream["RESOLUTION"] in {f"{width}x{height}", f"{height}x{width}"}
            heights.append(height)
            rate = track.samples / sum(track.durations, Fraction(0))
            assert abs(Fraction(stream["FRAME-RATE"]) - rate) < Fraction(1, 100)
    assert heights == sorted(heights, reverse=True)


def _family(track: Track) -> str:
    return track.entry[4:8].decode()


def _peak(track: Track) -> int:
    sums = [
        (sum(track.sizes[first:stop]), sum(track.durations[first:stop], Fraction(0)))
        for first in range(len(track.sizes))
        for stop in range(first + 1, len(track.sizes) + 1)
    ]
    return max(
        (
            int(8 * size / lasts)
            for size, lasts in sums
            if Fraction(track.target, 2) <= lasts <= track.target * Fraction(3, 2)
        ),
        default=0,
    )


def _average(track: Track) -> int:
    return int(8 * sum(track.sizes) / sum(track.durations, Fraction(0)))

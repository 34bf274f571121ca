"""Parses one `trak` box: the track's description, its start and end, and its samples around the range to cut."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import sub

from cutback.cutting.endings import hole_at_end
from cutback.cutting.index import Description, Hull, Kind, Track, heard_order, presented_order, told_apart, within_group
from cutback.cutting.job import Limits
from cutback.cutting.mp4.boxes import child
from cutback.cutting.mp4.descriptions import parse_descriptions
from cutback.cutting.mp4.edit_list import FOREVER, EditList, parse_edit_list
from cutback.cutting.mp4.pcm import sample_bits
from cutback.cutting.mp4.samples import Samples
from cutback.cutting.mp4.tables import Tables, chunks_as_samples, counts_moments
from cutback.cutting.mp4.tags import read_track_title
from cutback.domain.errors import MediaUnreadableError

_KINDS: dict[bytes, Kind] = {b"vide": "video", b"soun": "audio"}

_MACINTOSH_END = 0x400
_MACINTOSH = (
    *("eng", "fra", "deu", "ita", "nld", "swe", "spa", "dan", "por", "nor", "heb", "jpn", "ara", "fin", "ell", "isl"),
    *("mlt", "tur", "hrv", "zho", "urd", "hin", "tha", "kor", "lit", "pol", "hun", "est", "lav", "und", "fao", "und"),
    *("rus", "zho", "nld", "gle", "sqi", "ron", "ces", "slk", "slv"),
)
"""Languages by QuickTime's codes (QTFF, "Language Code Values"), which are below 0x400."""

EDGE = 64
"""Samples that are examined around a track's presented ends: more than any reordering depth."""

GROUPS_AROUND = 2
"""GOPs that are kept on either side of the range to cut."""


@dataclass(frozen=True, slots=True)
class Trak:
    """A track whose samples are not all read."""

    id: int
    kind: Kind
    descriptions: tuple[Description, ...]
    timescale: int
    samples: Tables | Samples
    edits: EditList
    lead: int
    """Ticks by which a sample may begin before the edit and still be partly presented (sound)."""
    first: int
    """How many samples at the beginning are not presented."""
    frames: int
    """How many samples are presented."""
    start: Fraction
    """Seconds on the movie's own timeline, because time zero is not known yet."""
    end: Fraction
    language: str
    title: str
    handler: bytes
    matrix: bytes
    display_size: tuple[int, int]

    def with_frames(self, hull: Hull) -> Hull:
        """Return the hull with its frame numbers converted to times (approximate, and rather too wide)."""
        if not hull.frames:
            return hull
        low, high = self.first + min(hull.frames), self.first + max(hull.frames)
        samples = self.samples
        early = samples.window(min(low, len(samples) - 1) - EDGE, min(low, len(samples) - 1) + 1)
        late = samples.window(min(high, len(samples) - 1), min(high, len(samples) - 1) + EDGE)
        return replace(
            hull,
            start=min(hull.start, self._seconds(min(early.pts))),
            end=max(hull.end, self._seconds(max(late.pts))),
        )

    def track(self, zero: Fraction, hull: Hull | None) -> Track:
        """Return the track with the samples around the hull (all of them without a hull)."""
        begin, end = (0, len(self.samples)) if hull is None else self._around(hull)
        samples = self.samples.window(begin, end)
        if any(number >= len(self.descriptions) for _, number in samples.described):
            raise MediaUnreadableError("Its samples refer to a description that does not exist.")
        pts = samples.pts
        if self.kind == "video":
            pts, _ = told_apart(pts, (), self.timescale, may_step_back=False)
        order = presented_order(pts, (self.edits.first - self.lead, self.edits.end))
        return Track(
            id=self.id,
            kind=self.kind,
            descriptions=self.descriptions,
            timescale=self.timescale,
            dts=samples.dts,
            pts=pts,
            sizes=samples.sizes,
            offsets=samples.offsets,
            last_duration=samples.last_duration,
            sync=samples.sync,
            described=tuple(samples.described),
            shift=self.edits.delay - Fraction(self.edits.origin, self.timescale) - zero,
            window=(self.edits.first, self.edits.end),
            start=self.start - zero,
            end=self.end - zero,
            frames=self.frames,
            first_rank=max(0, begin - self.first),
            partial=begin > 0,
            language=self.language,
            title=self.title,
            handler=self.handler,
            matrix=self.matrix,
            display_size=self.display_size,
            plain=self.edits.plain,
            order=order,
        )

    def _seconds(self, ticks: int) -> Fraction:
        return self.edits.delay + Fraction(ticks - self.edits.origin, self.timescale)

    def _around(self, hull: Hull) -> tuple[int, int]:
        ticks = [(time - self.edits.delay) * self.timescale + self.edits.origin for time in (hull.start, hull.end)]
        slack = self.samples.reordering + self.timescale
        begin = self.samples.sample_at(int(ticks[0]) - slack)
        end = self.samples.sample_at(int(ticks[1]) + slack) + EDGE
        keyframes = self.samples.keyframes()
        if keyframes is not None and self.kind == "video":
            before = bisect_right(keyframes, begin) - GROUPS_AROUND
            begin = keyframes[before] if before > 0 else 0
            behind = bisect_left(keyframes, end) + GROUPS_AROUND
            end = keyframes[behind] if behind < len(keyframes) else len(self.samples)
        return max(0, begin), min(end, len(self.samples))


def parse_trak(
    data: memoryview,
    movie_timescale: int,
    fragments: dict[int, Samples],
    file_size: int,
    limits: Limits,
    notes: list[str],
    priming: tuple[int, int] | None,
) -> Trak | None:
    """Read a track's description and its ends; None if it has no samples or presents nothing.

    `priming` is what `read_priming` found; it counts if sound has no edit list.

    Raises:
        MediaUnreadableError: it is incomplete or damaged.
        MediaTooLargeError: it has too many samples.
    """
    tkhd, mdhd = child(data, b"tkhd"), child(data, b"mdia", b"mdhd")
    hdlr, stbl = child(data, b"mdia", b"hdlr"), child(data, b"mdia", b"minf", b"stbl")
    if tkhd is None or mdhd is None or hdlr is None or stbl is None:
        raise MediaUnreadableError("A track's description is incomplete.")
    (track_id,) = struct.unpack_from(">I", tkhd, 20 if tkhd[0] == 1 else 12)
    wide = mdhd[0] == 1
    timescale, language = struct.unpack_from(">I8xH" if wide else ">I4xH", mdhd, 20 if wide else 12)
    kind = _KINDS.get(bytes(hdlr[8:12]), "other")
    stsd = child(stbl, b"stsd")
    descriptions = parse_descriptions(stsd, kind) if stsd is not None else ()
    moment = _bytes_of_moment(descriptions) if kind == "audio" else 0
    samples = _samples(stbl, fragments.get(track_id), file_size, limits, notes, track_id, kind=kind, moment=moment)
    if kind == "audio" and isinstance(samples, Samples) and track_id in fragments:
        samples.keep(heard_order(samples.pts, (-FOREVER, FOREVER), samples.usual_duration))
    if not timescale or not descriptions or not len(samples):
        return None
    edits = parse_edit_list(data, movie_timescale, timescale)
    if kind == "audio" and priming is not None and edits.first == -FOREVER and descriptions[0].sample_rate:
        first, end = (n * timescale // descriptions[0].sample_rate for n in (priming[0], sum(priming)))
        # It is not heard, and what is heard keeps its times: as FFmpeg presents it.
        edits = EditList(Fraction(first, timescale), first, first, end, edits.plain)
    if kind == "audio" and not moment and counts_moments(stbl, 1):
        # QuickTime's older compressed sound: only libavformat knows how many bytes its packets have.
        edits = replace(edits, plain=False)
    # Pictures are not stored in the order of presentation: keeping those after the first lost one would leave holes.
    if isinstance(samples, Samples) and samples.lost_from is not None:
        edits = replace(edits, end=min(edits.end, samples.lost_from))
    elif kind == "video" and track_id in fragments and (hole := _hole_at_end(fragments[track_id])) is not None:
        edits = replace(edits, end=min(edits.end, hole))
    if kind == "video" and child(stbl, b"stps") is None:  # partial sync samples of QuickTime
        edits = _from_first_keyframe(samples, edits, notes)
    # A packet of sound that begins before the edit and extends into it is partly presented; a picture is not.
    lead = samples.window(0, EDGE).longest_duration - 1 if kind == "audio" else 0
    ends = _ends(samples, edits, lead)
    if ends is None:
        notes.append(f"Track {track_id} presents nothing.")
        return None
    first, frames, start, end = ends
    matrix_at = 52 if tkhd[0] == 1 else 40
    shift = edits.delay - Fraction(edits.origin, timescale)
    return Trak(
        id=track_id,
        kind=kind,
        descriptions=descriptions,
        timescale=timescale,
        samples=samples,
        edits=edits,
        lead=lead,
        first=first,
        frames=frames,
        start=shift + Fraction(start, timescale),
        end=shift + Fraction(end, timescale),
        language=_language(language),
        title=read_track_title(data, hdlr),
        handler=bytes(hdlr[8:12]),
        matrix=bytes(tkhd[matrix_at : matrix_at + 36]),
        display_size=struct.unpack_from(">II", tkhd, matrix_at + 36),
    )


def _from_first_keyframe(samples: Tables | Samples, edits: EditList, notes: list[str]) -> EditList:
    """Present nothing before the first keyframe of a recording that begins in the middle of a group of pictures."""
    keyframes = samples.keyframes()
    if not keyframes or not keyframes[0]:
        return edits
    head = samples.window(0, keyframes[0] + EDGE)
    begin = head.pts[keyframes[0]]
    lost = sum(edits.first <= time < begin for time in head.pts)
    if not lost:
        return edits
    notes.append(within_group(lost))
    return replace(edits, first=begin)


def _bytes_of_moment(descriptions: Sequence[Description]) -> int:
    """Bytes of one sample of all channels; 0 unless the sound is uncompressed."""
    entry = descriptions[0] if descriptions else None
    return 0 if entry is None else sample_bits(entry.codec) // 8 * entry.channels


def _hole_at_end(fragments: Samples) -> int | None:
    tail = fragments.window(len(fragments) - EDGE, len(fragments))
    delay = min(map(sub, tail.pts, tail.dts), default=0)
    return hole_at_end(tail.pts, tail.dts[-1] + delay) if len(tail) else None


def _samples(
    stbl: memoryview,
    fragments: Samples | None,
    file_size: int,
    limits: Limits,
    notes: list[str],
    track_id: int,
    *,
    kind: Kind,
    moment: int,
) -> Tables | Samples:
    by_moment = moment and counts_moments(stbl, moment)
    tables = chunks_as_samples(stbl, limits.frames, moment) if by_moment else Tables(stbl, limits.frames)
    tail = tables.window(len(tables) - EDGE, len(tables)) if len(tables) else Samples()
    tail.clip_to(file_size)
    if fragments is None and not tail.lost and (kind == "other" or not tables.has_empty):
        return tables
    samples = tables.window(0, len(tables)) if len(tables) else Samples()
    if fragments is not None:
        samples.extend(fragments)
    samples.clip_to(file_size)
    if kind != "other" and samples.has_empty:
        samples.drop_empty()
    if samples.lost:
        notes.append(f"The last {samples.lost} samples of track {track_id} are missing: the file is truncated.")
    return samples


def _ends(samples: Tables | Samples, edits: EditList, lead: int) -> tuple[int, int, int, int] | None:
    """Return the number of samples before the first presented one, the number presented, and start and end in ticks."""
    count = len(samples)
    slack = samples.reordering
    window = (edits.first - lead, edits.end)
    until = EDGE if edits.first == -FOREVER else samples.sample_at(edits.first + slack) + EDGE
    head = samples.window(0, until)
    order = presented_order(head.pts, window)
    since = count - EDGE if edits.end == FOREVER else samples.sample_at(edits.end - slack - lead) - EDGE
    since = max(0, since)
    tail = samples.window(since, count)
    tail_order = presented_order(tail.pts, window)
    if not order or not tail_order:
        return None
    hidden = sum(pts < window[0] for pts in head.pts)
    behind = sum(pts >= window[1] for pts in tail.pts)
    start = max(head.pts[order[0]], edits.first)
    last = tail_order[-1]
    length = tail.dts[last + 1] - tail.dts[last] if last + 1 < len(tail) else tail.last_duration
    later = [pts for pts in tail.pts if pts > tail.pts[last]]
    end = min([tail.pts[last] + length, *later]) if later else tail.pts[last] + length
    return hidden, count - hidden - behind, start, min(end, edits.end)


def _language(packed: int) -> str:
    if packed < _MACINTOSH_END:
        return _MACINTOSH[packed] if packed < len(_MACINTOSH) else "und"
    letters = "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0))
    return letters if letters.isalpha() and letters.isascii() else "und"

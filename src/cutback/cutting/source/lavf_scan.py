"""Builds the index of a recording that libavformat reads, by reading the times of all packets once."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import islice
from operator import lt, sub
from typing import Any

import av
from av.container import InputContainer

from cutback.cutting.codecs import parameter_sets, vpx
from cutback.cutting.endings import hole_at_end
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import (
    CHAPTERS,
    COVER,
    Description,
    Index,
    Kind,
    Track,
    heard_order,
    presented_order,
    told_apart,
    within_group,
)
from cutback.cutting.job import Limits
from cutback.cutting.mp4.pcm import sample_bits
from cutback.cutting.mp4.write import decode_times
from cutback.cutting.source.lavf_clock import Clock
from cutback.cutting.source.lavf_entries import describe
from cutback.cutting.source.lavf_open import texts_of
from cutback.cutting.tags import tags_of, title_of, unreadable
from cutback.domain.errors import MediaTooLargeError, MediaUnreadableError

_FOREVER = 2**62
_FRAME_SIZES = (1024, 2048, 1152, 576, 960, 1920, 2880, 480, 1536)
"""Samples of a packet of AAC, MP3, Opus, AC-3."""

_MOST_RUNS = 8
"""Runs of sound, in addition to one per 16 packets; with more than that, packets have no common size."""

_SHORTENED = Fraction(15, 16)
"""A last packet of less than this share of the longest one is not only rounded."""
_JITTER = Fraction(3, 1000)
"""Seconds by which a container's rounded times may differ from the true ones (Matroska has milliseconds)."""


Jumps = dict[int, list[tuple[int, int]]]
"""For each stream whose packets are found by counting: (number of a packet, ticks to add to the container's times from
there on) for every jump of its clock, or nothing, if only some of its times are equal or step back."""


def scan(
    container: InputContainer, limits: Limits, broken: AbstractSet[int] = frozenset(), *, grows: bool = False
) -> tuple[Index, Jumps]:
    """Read the times of all packets.

    The last packets of the streams with ids in `broken` are incomplete and are dropped. If the recording `grows`, the
    last pictures with missing ones before them are dropped too.

    Raises:
        MediaUnreadableError: it is damaged, or has neither video nor audio.
        MediaTooLargeError: it exceeds a limit.
    """
    columns: dict[int, _Column] = {}
    others = covers = 0
    for stream in container.streams:
        if stream.type in {"video", "audio"} and stream.codec_context is not None and not _is_cover(stream):
            columns[stream.index] = column = _Column(_lacking_parameter_sets(stream))
            name = stream.codec_context.name
            column.may_show_nothing = name if name in vpx.CODECS else ""
        elif stream.type == "video" and _is_cover(stream):
            covers += 1
        else:
            others += 1
    if not columns:
        raise MediaUnreadableError("It has neither video nor audio.")
    clock = Clock() if container.format.name == "mpegts" else None
    try:
        for packet in container.demux([container.streams[number] for number in columns]):
            if packet.size:
                column = columns[packet.stream.index]
                column.add(packet, clock)
                if len(column.pts) > limits.frames:
                    raise MediaTooLargeError(f"A stream has more than {limits.frames} packets.")
    except av.FFmpegError as error:
        raise media_error("It is damaged", error) from error
    met = Counter(ticks for column in columns.values() for ticks in {offset for _, offset in column.jumps})
    for number, column in columns.items():
        if container.streams[number].type == "audio" and len(columns) > 1:
            column.keep_jumps({ticks for ticks, streams in met.items() if streams > 1})
    jumps = {ticks for column in columns.values() for _, ticks in column.jumps}
    for number, column in columns.items():
        if column.lacking:
            raise MediaUnreadableError(parameter_sets.MISSING)
        if container.streams[number].id in broken:
            column.drop_last()
        if grows and container.streams[number].type == "video":
            column.drop_holes()
    tracks = [column.track(container.streams[number]) for number, column in columns.items() if len(column.pts)]
    if not tracks:
        raise MediaUnreadableError("It has neither video nor audio.")
    zero = min(track.start for track in tracks)
    tracks = [replace(track, shift=-zero, start=track.start - zero, end=track.end - zero) for track in tracks]
    notes: tuple[str, ...] = ("Subtitles, attachments and data tracks are not copied to the clip.",) if others else ()
    if container.chapters():
        notes += (CHAPTERS,)
    if covers:
        notes += (COVER,)
    for column in columns.values():
        if column.without_keyframe:
            notes += (within_group(len(column.without_keyframe)),)
    if jumps:
        notes += (f"Its clock jumps ({len(jumps)}×); what follows a jump is presented without a gap.",)
    texts = texts_of(container.metadata)
    notes += unreadable(texts)
    index = Index(
        container.format.name,
        tuple(tracks),
        notes,
        created=_created(container),
        truncated=bool(broken),
        open_ended=grows,
        tags=tags_of(texts),
    )
    if index.end > limits.duration:
        raise MediaTooLargeError(f"It claims to last longer than {limits.duration} seconds.")
    counted = (number for number, column in columns.items() if column.jumps or column.is_ambiguous)
    return index, {number: columns[number].jumps for number in counted}


def _lacking_parameter_sets(stream: Any) -> str:
    """Return the codec's name if libavformat did not find its parameter sets before the packets."""
    name, extradata = stream.codec_context.name, stream.codec_context.extradata or b""
    lacking = name in parameter_sets.CODECS and not parameter_sets.in_configuration(name, extradata)
    return name if lacking else ""


def _created(container: InputContainer) -> datetime | None:
    try:
        return datetime.fromisoformat(container.metadata.get("creation_time", ""))
    except ValueError:
        return None


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & stream.disposition.attached_pic)


def _before_keyframe(pts: array[int], sync: array[int]) -> Iterator[int]:
    """The pictures of a recording that begins in the middle of a group, up to the first one that can be decoded."""
    if not sync or not sync[0]:
        return
    yield from range(sync[0])
    following = sync[1] if len(sync) > 1 else len(pts)
    yield from (number for number in range(sync[0] + 1, following) if pts[number] < pts[sync[0]])


class _Column:
    """One stream's packets while they are collected."""

    def __init__(self, lacking: str = "") -> None:
        self.lacking = lacking
        """The codec, as long as the parameter sets that its decoder needs are not found."""
        self.pts, self.sizes = array("q"), array("I")
        self.sync = array("I")
        self.first = b""
        self.skip = 0
        self.duration = 1
        self.longest = 1
        """The longest duration of a packet, in ticks."""
        self.lost_from = _FOREVER
        self.jumps: list[tuple[int, int]] = []
        self.ahead: int | None = None
        self.least_delay = _FOREVER
        self.may_show_nothing = ""
        """The codec, if it has packets that show nothing."""
        self.without_keyframe: frozenset[int] = frozenset()
        """Pictures at the start that need a keyframe which is not there."""
        self.unseen: list[int] = []
        """Packets that are decoded and show nothing."""
        self.is_ambiguous = False
        """Whether the times of packets are ambiguous."""

    def add(self, packet: Any, clock: Clock | None) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None:
            raise MediaUnreadableError("It has video or audio without times.")
        if self.lacking and parameter_sets.in_sample(self.lacking, bytes(packet)):
            self.lacking = ""
        offset = 0 if clock is None else self._offset(packet, clock)
        time += offset
        if not self.pts:
            self.first = bytes(packet)
            if packet.has_sidedata("skip_samples"):
                # The first 4 bytes: samples to skip at the start (FFmpeg's AV_PKT_DATA_SKIP_SAMPLES).
                self.skip = int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[:4], "little")
        if self.may_show_nothing and not vpx.shows(self.may_show_nothing, memoryview(packet)):
            self.unseen.append(len(self.pts))
        if packet.is_keyframe:
            self.sync.append(len(self.pts))
        self.pts.append(time)
        if packet.dts is not None:
            self.ahead = packet.dts + offset
            self.least_delay = min(self.least_delay, time - self.ahead)
        self.sizes.append(packet.size)
        self.duration = packet.duration or self.duration
        self.longest = max(self.longest, self.duration)

    def _offset(self, packet: Any, clock: Clock) -> int:
        decoded = packet.dts if packet.dts is not None else packet.pts
        ticks = clock.offset(packet.stream.index, decoded, packet.duration or self.duration)
        if ticks != (self.jumps[-1][1] if self.jumps else 0):
            self.jumps.append((len(self.pts), ticks))
        return ticks

    def keep_jumps(self, offsets: AbstractSet[int]) -> None:
        """Follow only jumps that another stream has too: if only sound jumps, it is late or early from there."""
        kept = [jump for jump in self.jumps if jump[1] in offsets]
        if kept == self.jumps:
            return
        was, now = dict(self.jumps), dict(kept)
        before = after = 0
        for number, time in enumerate(self.pts):
            before, after = was.get(number, before), now.get(number, after)
            self.pts[number] = time - before + after
        self.jumps = kept

    def drop_last(self) -> None:
        if self.pts:
            self.lost_from = self.pts.pop()
            self.sizes.pop()
            if self.sync and self.sync[-1] == len(self.pts):
                self.sync.pop()

    def drop_holes(self) -> None:
        if self.ahead is not None:
            hole = hole_at_end(self.pts, self.ahead + self.least_delay)
            self.lost_from = min(self.lost_from, _FOREVER if hole is None else hole)

    def track(self, stream: Any) -> Track:
        # The rest of Cutback needs an integer number of ticks per second; containers give 1/n.
        timescale = round(1 / stream.time_base)
        context = stream.codec_context
        kind: Kind = stream.type
        pts, duration, size = self.pts, self.duration, 0
        if kind == "audio" and context.sample_rate:
            rest = Fraction(duration, self.longest)
            pts, duration, timescale, size = _smoothed(pts, duration, timescale, context.sample_rate)
            if size and rest < _SHORTENED:  # the container ends within the last packet
                duration = round(size * rest)
            if bits := sample_bits(context.name) * context.layout.nb_channels:
                # The last packet is shorter than the others; only its size shows that.
                duration = round(Fraction(self.sizes[-1] * 8, bits) * timescale / context.sample_rate)
        # Keeping pictures after a lost one would leave a hole.
        limit = self.lost_from if kind == "video" else _FOREVER
        dts = pts
        hidden: frozenset[int] = frozenset()
        if kind == "video":
            times, base = decode_times(pts)
            dts = array("q", (time + base for time in times))
            self.without_keyframe = frozenset(_before_keyframe(self.pts, self.sync))
            unseen = frozenset(self.unseen)
            pts, hidden = told_apart(pts, self.sync, timescale, unseen, may_step_back=True)
            shown = (number for number in range(len(pts)) if number not in unseen)
            self.is_ambiguous = pts is not self.pts and any(pts[number] != self.pts[number] for number in shown)
        else:
            self.is_ambiguous = not all(map(lt, pts, islice(pts, 1, None)))
        window = (min(pts) if kind == "audio" else min(self.pts), limit)
        if self.without_keyframe:
            window = (pts[self.sync[0]], limit)  # all of them would be presented before it
        order = presented_order(pts, window) if kind == "video" else heard_order(pts, window, size)
        if not order:
            limit = _FOREVER
            order = presented_order(pts, (window[0], limit))
        first = pts[order[0]]
        if self.skip:
            first += round(Fraction(self.skip, context.sample_rate) * timescale)
        raw, extradata = describe(stream, self.first)
        description = Description(
            context.name,
            raw,
            extradata,
            width=context.width if kind == "video" else 0,
            height=context.height if kind == "video" else 0,
            sample_rate=context.sample_rate if kind == "audio" else 0,
            channels=context.layout.nb_channels if kind == "audio" else 0,
        )
        return Track(
            id=stream.index,
            kind=kind,
            descriptions=(description,),
            timescale=timescale,
            dts=dts,
            pts=pts,
            sizes=self.sizes,
            offsets=array("q"),
            last_duration=duration,
            sync=self.sync,
            described=((0, 0),),
            shift=Fraction(0),
            window=(first, limit),
            start=Fraction(first, timescale),
            end=Fraction(pts[order[-1]] + duration, timescale),
            frames=len(order),
            language=_language(stream.language),
            title=title_of(texts_of(stream.metadata)),
            hidden=hidden,
            order=order,
        )


def _language(tag: str | None) -> str:
    return tag if tag and len(tag) == 3 and tag.isascii() and tag.isalpha() and tag.islower() else "und"


def _smoothed(pts: array[int], duration: int, timescale: int, rate: int) -> tuple[array[int], int, int, int]:
    """Convert times of sound to samples: packets of one size are contiguous, whatever rounding the container uses.

    If times jump ahead or back, a new run of packets begins there. If packets have different sizes, or drift, the
    container's own times stay. Returns the times, the duration of the last packet, the ticks per second, and the common
    size, or 0.
    """
    if len(pts) > 1:
        average = Fraction((pts[-1] - pts[0]) * rate, (len(pts) - 1) * timescale)
        usual = Fraction(sorted(map(sub, islice(pts, 1, None), pts))[len(pts) // 2 - 1] * rate, timescale)
        for step in (average, usual):
            size = min(_FRAME_SIZES, key=lambda candidate: abs(candidate - step))
            if (times := _in_runs(pts, timescale, rate, size)) is not None:
                return times, size, rate, size
    return pts, duration, timescale, 0


def _in_runs(pts: array[int], timescale: int, rate: int, size: int) -> array[int] | None:
    # With integers: a loop over fractions would take seconds for an hour of sound.
    tolerance, packet = int(_JITTER * timescale * rate), size * timescale
    times, runs = array("q"), 0
    due, before = pts[0] * rate, pts[0] - 1
    for time in pts:
        if not times or abs(due - time * rate) > tolerance:
            if times and abs((time - before) * rate - packet) <= tolerance:
                return None  # it drifts
            due, runs = round(Fraction(time * rate, timescale)) * timescale, runs + 1
            if runs > _MOST_RUNS + len(pts) // 16:
                return None
        times.append(due // timescale)
        due, before = due + packet, time
    return times

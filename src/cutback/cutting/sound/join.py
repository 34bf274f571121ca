"""Joins AAC sound of one kind: copies packets, and encodes only those around each join.

An AAC packet has 1024 samples, and decodes only together with the previous packet: each half of a packet overlaps half
of its neighbour. So the packets between two copied runs must encode the same samples as the copies, on the same grid of
1024 samples; then all halves match and nothing clicks. The grid is that of the first range. Every other range is moved
onto it by at most half a packet (11 ms at 48 kHz), each from its own exact time, so that errors do not add up.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil, floor
from operator import add

import av
from av.codec.context import Flags

from cutback.cutting.edits.sound_stream import Volume
from cutback.cutting.index import Track, TrackName, layout_of
from cutback.cutting.mp4.audio_config import parse_audio_config
from cutback.cutting.mp4.layout import SPOOL, OutTrack, SoundMark
from cutback.cutting.plan.crossfades import Crossfade
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.sound.crossfade import coming, going
from cutback.cutting.sound.decode import FADE, without_noise
from cutback.cutting.sound.soundtrack import BIT_RATE_A_CHANNEL, FRAME, MARGIN
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.spool import Spool

_WARM_UP = 2
"""Packets that are encoded and dropped before the first one that is kept."""

_MOST = 500
"""Maximum packets that are encoded in one run. If more are needed, copying is not worth it."""


class NotAlikeError(Exception):
    """The sound of the ranges cannot be joined by copying."""


@dataclass(frozen=True, slots=True)
class _SoundRun:
    """A range's sound on the clip's grid: it fills the samples from `begin` to `end` of the clip."""

    media: MediaSource
    track: Track | None
    """None for a gap."""
    begin: int
    end: int
    first_slot: int = 0
    """The position of the packet with rank 0, in packets."""
    fades_in: bool = True
    """Whether it begins where other sound ends."""
    fades_out: bool = True
    opens: bool = False
    """Whether it is the first one of the clip, which is heard before its beginning."""
    closes: bool = False
    windows: tuple[range, ...] = ()
    """The samples of the crossfades that it may be in."""
    leaves: bool = False
    """Whether it becomes silent in them, because it is what was heard before."""

    def slot(self, pts: int) -> int:
        """Return the position of the packet with this PTS, in packets."""
        assert self.track is not None
        return self.first_slot + (pts - self.track.pts[self.track.order[0]]) // FRAME

    def sample(self, pts: int) -> int:
        """Convert a PTS of the track to a sample of the clip's grid."""
        assert self.track is not None
        return self.first_slot * FRAME + pts - self.track.pts[self.track.order[0]]


def join_sound(
    pieces: Sequence[tuple[MediaSource, FrameRange]],
    number: TrackName,
    spool: Spool,
    volume: Volume | None = None,
    crossfades: Sequence[Crossfade] = (),
) -> OutTrack:
    """Join the audio track `number` of each range.

    Where `volume` changes the sound, and where ranges overlap, packets are encoded as well.

    Raises:
        NotAlikeError: all of it must be decoded and encoded.
    """
    like, runs, skip = _lay_out(pieces, number, crossfades)
    tails = _tails(crossfades, number, like, skip)
    rate, entry = like.timescale, like.descriptions[0]
    total = runs[-1].end
    slots = -(-total // FRAME)
    parts = [*(volume.parts if volume else ()), *((each.start, each.end) for each in crossfades)]
    changed = list(_slots_of(sorted(parts), skip, rate))
    copied = [each for kept in _copied(runs, slots) for each in _outside(*kept, changed)]
    out = OutTrack("audio", rate, [entry.raw], language=like.language)
    out.skip, out.last_duration = skip, FRAME
    out.duration = sum((piece.duration for _, piece in pieces), Fraction(0))
    encoder = _Encoder(rate, layout_of(entry.channels), entry.extradata)
    made: dict[int, tuple[int, int, int]] = {}
    out.marks = [SoundMark(0, Fraction(-skip, rate), MARGIN)]
    starts = list(accumulate((piece.duration for _, piece in pieces), initial=Fraction(0)))
    half = Fraction(FRAME, 2 * rate) + MARGIN  # a range is moved onto the grid of the first one
    for run, numbers in copied:
        if run.track is not None:
            place = runs.index(run)
            base = starts[place] - pieces[place][1].start
            for slot in (numbers[0], numbers[-1]):
                pts = run.track.pts[run.track.order[0] + slot - run.first_slot]
                out.marks.append(SoundMark(slot, base + run.track.seconds(pts), half if place else MARGIN))
        if run.track is None:
            silence = encoder.silence()
            made |= dict.fromkeys(numbers, (SPOOL, spool.append(silence), len(silence)))
        else:
            samples = [run.track.order[0] + slot - run.first_slot for slot in numbers]
            for slot, extent in zip(numbers, run.media.copy(run.track, samples, spool), strict=True):
                made[slot] = extent
    if out.marks[-1].sample != slots - 1:
        out.marks.append(SoundMark(slots - 1, Fraction((slots - 1) * FRAME - skip, rate), MARGIN))
    for begin, end in _holes(made, slots):
        if end - begin > _MOST:
            raise NotAlikeError
        first = begin - _WARM_UP
        sound = _samples([*runs, *tails], first * FRAME, (end + _WARM_UP) * FRAME, entry.channels, rate)
        if volume is not None:
            sound = [_amplified(column, volume.gain, first * FRAME - skip, rate) for column in sound]
        for slot, data in encoder.encode(sound, first):
            if begin <= slot < end:
                made[slot] = (SPOOL, spool.append(data), len(data))
    for slot in range(slots):
        if slot not in made:
            raise NotAlikeError
        origin, offset, size = made[slot]
        out.add(pts=slot * FRAME, size=size, sync=True, origin=origin, offset=offset)
    return out


def _lay_out(
    pieces: Sequence[tuple[MediaSource, FrameRange]], number: TrackName, crossfades: Sequence[Crossfade]
) -> tuple[Track, list[_SoundRun], int]:
    """Return the first range's track, all ranges on its grid, and the grid's samples before the clip's zero."""
    tracks = [None if piece.fill else media.index.audio_track(number) for media, piece in pieces]
    like = tracks[0]
    if like is None or any(
        track is None or not _alike(track, like)
        for track, (_, piece) in zip(tracks, pieces, strict=True)
        if piece.fill is None
    ):
        raise NotAlikeError
    start = round(like.ticks(pieces[0][1].start))
    lead = like.rank_at(start + 1) - 2  # the packet before the one that is heard there
    if lead < -1 or like.pts[like.order[0]] > start:
        raise NotAlikeError  # it begins late
    if lead < 0:
        lead = 0 if not _primed(like) else -1
    skip = start - like.pts[like.order[0]] - lead * FRAME
    runs: list[_SoundRun] = []
    due = Fraction(0)
    crossed = {crossfade.start for crossfade in crossfades}
    windows = tuple(_window(crossfade, skip, like.timescale) for crossfade in crossfades)
    if 0 in crossed:
        raise NotAlikeError  # the packets that prepare the decoder would be those of the tail
    for (media, piece), track in zip(pieces, tracks, strict=True):
        run = _run(media, piece, track, due, skip, like)
        fades_in = bool(runs) and due not in crossed
        due += piece.duration
        last = len(runs) == len(pieces) - 1
        fades_out = not last and due not in crossed
        begin = run.begin if runs else 0
        run = replace(run, begin=begin, fades_in=fades_in, fades_out=fades_out, windows=windows)
        runs.append(replace(run, opens=not runs, closes=last))
    return like, runs, skip


def _window(crossfade: Crossfade, skip: int, rate: int) -> range:
    return range(skip + round(crossfade.start * rate), skip + round(crossfade.end * rate))


def _run(
    media: MediaSource, piece: FrameRange, track: Track | None, due: Fraction, skip: int, like: Track
) -> _SoundRun:
    """Return the sound of a range that begins at `due` seconds of the clip."""
    begin, end = (skip + round(time * like.timescale) for time in (due, due + piece.duration))
    if track is None:
        return _SoundRun(media, None, begin, end)
    away = track.pts[track.order[0]] - track.ticks(piece.start)
    return _SoundRun(media, track, begin, end, round((skip + due * like.timescale + away) / FRAME))


def _tails(crossfades: Sequence[Crossfade], number: TrackName, like: Track, skip: int) -> list[_SoundRun]:
    """Return what was heard before crossfades."""
    tails = []
    for crossfade in crossfades:
        due = crossfade.start
        windows = (_window(crossfade, skip, like.timescale),)
        for media, _, piece in crossfade.tail:
            track = media.index.audio_track(number)
            if track is None or not _alike(track, like):
                raise NotAlikeError
            run = _run(media, piece, track, due, skip, like)
            tails.append(replace(run, fades_in=False, fades_out=False, windows=windows, leaves=True))
            due += piece.duration
    return tails


def _primed(track: Track) -> bool:
    """Whether there is a packet before the first presented one, which decodes only together with it."""
    first = track.order[0]
    return first > 0 and track.pts[first] - track.pts[first - 1] == FRAME


def _alike(track: Track, like: Track) -> bool:
    """Whether both are AAC-LC with one or two channels, without holes, and with the same configuration."""
    entry, first = track.descriptions[0], like.descriptions[0]
    return (
        len(track.descriptions) == 1
        and bool(entry.raw)
        and bool(track.order)
        and entry.codec == "aac"
        and (config := parse_audio_config(entry.extradata)) is not None
        and config.plain
        and entry.extradata[:2] == first.extradata[:2]
        and entry.channels == first.channels
        and 1 <= entry.channels <= 2
        and entry.sample_rate == track.timescale == like.timescale
        and track.order[-1] - track.order[0] == len(track.order) - 1
        and all(b - a == FRAME for a, b in pairwise(track.pts[n] for n in track.order))
    )


def _copied(runs: Sequence[_SoundRun], slots: int) -> Iterator[tuple[_SoundRun, range]]:
    """Yield the packets of each run to copy: far enough from joins to contain only the run's own sound."""
    for place, run in enumerate(runs):
        last = place == len(runs) - 1
        fade = round(FADE * (run.track.timescale if run.track else 48_000))
        low = -(-(run.begin + fade) // FRAME) + 1 if place else 0
        high = slots if last else (run.end - fade) // FRAME - 1
        if run.track is not None:
            window = run.track.window[0] if place else -(2**62)
            order = run.track.order
            presented = next((n for n, sample in enumerate(order) if run.track.pts[sample] >= window), len(order))
            low = max(low, run.first_slot + presented)
            # The second half of the last packet is heard only together with the next one.
            high = min(high, run.first_slot + len(order) - (0 if last else 1))
        if low < high:
            yield run, range(low, high)


def _slots_of(parts: Sequence[tuple[Fraction, Fraction]], skip: int, rate: int) -> Iterator[range]:
    """Yield the packets that contain sound which changes, or overlap with such packets."""
    for start, end in parts:
        yield range((skip + floor(start * rate)) // FRAME - 2, -(-(skip + ceil(end * rate)) // FRAME) + 1)


def _outside(run: _SoundRun, numbers: range, changed: Sequence[range]) -> Iterator[tuple[_SoundRun, range]]:
    """Yield the parts of a copied run that do not change."""
    at = numbers.start
    for part in changed:
        if at < min(part.start, numbers.stop):
            yield run, range(at, min(part.start, numbers.stop))
        at = max(at, part.stop)
    if at < numbers.stop:
        yield run, range(at, numbers.stop)


def _amplified(column: array[float], gain: Callable[[float], float], first: int, rate: int) -> array[float]:
    """Return samples with the loudness of their times; `first` is the clip's sample with which they begin."""
    return array("f", (sample * gain((first + place) / rate) for place, sample in enumerate(column)))


def _holes(made: dict[int, tuple[int, int, int]], slots: int) -> Iterator[tuple[int, int]]:
    begin = None
    for slot in range(slots + 1):
        missing = slot < slots and slot not in made
        if missing and begin is None:
            begin = slot
        elif not missing and begin is not None:
            yield begin, slot
            begin = None


def _samples(runs: Sequence[_SoundRun], low: int, high: int, channels: int, rate: int) -> list[array[float]]:
    """Return the sound from sample `low` to `high` of the grid, one column per channel."""
    columns = [array("f", bytes(4 * (high - low))) for _ in range(channels)]
    for run in runs:
        begin, end = max(low, low if run.opens else run.begin), min(high, high if run.closes else run.end)
        if run.track is None or begin >= end:
            continue
        heard = [array("f", bytes(4 * (end - begin))) for _ in range(channels)]
        _decode(run, begin, end, begin, heard, rate)
        for column, sound in zip(columns, heard, strict=True):
            _fade(run, sound, begin, round(FADE * rate))
            before = column[begin - low : end - low]
            column[begin - low : end - low] = array("f", map(add, before, sound))
    return columns


def _fade(run: _SoundRun, sound: array[float], first: int, fade: int) -> None:
    """Fade a run where other sound is joined; `first` is the sample with which `sound` begins."""
    end = first + len(sound)
    for at in range(max(first, run.begin), min(end, run.begin + fade)) if run.fades_in else ():
        sound[at - first] *= (at - run.begin) / fade
    for at in range(max(first, run.end - fade), min(end, run.end)) if run.fades_out else ():
        sound[at - first] *= (run.end - at) / fade
    gain = going if run.leaves else coming
    for window in run.windows:
        for at in range(max(first, window.start), min(end, window.stop)):
            sound[at - first] *= gain(at - window.start, len(window))


def _decode(run: _SoundRun, begin: int, end: int, low: int, columns: list[array[float]], rate: int) -> None:
    """Decode a run's samples [begin, end) into the columns, which begin at sample `low`."""
    track = run.track
    assert track is not None
    zero = run.sample(0)
    begin, end = max(begin, zero + track.window[0]), min(end, zero + track.window[1])
    if begin >= end:
        return
    for frame in run.media.sound(track, track.seconds(begin - zero - FRAME), track.seconds(end - zero)):
        shape = (frame.samples, frame.sample_rate, frame.format.name, frame.layout.nb_channels)
        if frame.pts is None or shape != (FRAME, rate, "fltp", len(columns)):
            raise NotAlikeError
        at = run.slot(frame.pts) * FRAME
        first, stop = max(at, begin), min(at + FRAME, end)
        if first >= stop:
            continue
        for column, plane in zip(columns, frame.planes, strict=True):
            heard = array("f", bytes(plane)[: 4 * FRAME])
            column[first - low : stop - low] = heard[first - at : stop - at]


class _Encoder:
    """Encodes short runs, each with a separate encoder."""

    def __init__(self, rate: int, layout: str, config: bytes) -> None:
        self._rate, self._layout, self._config = rate, layout, config
        self._channels = av.AudioLayout(layout).nb_channels

    def silence(self) -> bytes:
        """Return a packet of silence, to be used between other such packets."""
        columns = [array("f", bytes(4 * 6 * FRAME)) for _ in range(self._channels)]
        return dict(self.encode(columns, 0))[3]

    def encode(self, columns: list[array[float]], first: int) -> Iterator[tuple[int, bytes]]:
        """Encode the samples of whole packets; yield each packet with its position, counted from `first`."""
        encoder = av.CodecContext.create("aac", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate, encoder.layout, encoder.format = self._rate, self._layout, "fltp"
        encoder.time_base = Fraction(1, self._rate)
        encoder.bit_rate = BIT_RATE_A_CHANNEL * self._channels
        encoder.flags |= Flags.global_header
        encoder.open()
        if (encoder.extradata or b"")[:2] != self._config[:2]:
            raise NotAlikeError
        for at in [*range(0, len(columns[0]), FRAME), None]:
            frame = None
            if at is not None:
                frame = av.AudioFrame("fltp", self._layout, FRAME)
                for plane, column in zip(frame.planes, columns, strict=True):
                    data = without_noise(column[at : at + FRAME]).tobytes()
                    plane.update(data + bytes(plane.buffer_size - len(data)))
                frame.sample_rate, frame.pts, frame.time_base = self._rate, at, Fraction(1, self._rate)
            for packet in encoder.encode(frame):
                assert packet.pts is not None
                yield first + packet.pts // FRAME, bytes(packet)

"""Makes a clip's audio tracks: copied packet by packet, or decoded, joined and encoded."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import pairwise, repeat
from operator import sub

import av
from av.codec.context import Flags

from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.index import Description, Track, TrackName, layout_of, sound_entry
from cutback.cutting.mp4.audio_config import SAMPLE_RATES
from cutback.cutting.mp4.entries import aac_entry
from cutback.cutting.mp4.layout import SPOOL, OutTrack, SoundMark
from cutback.cutting.plan.crossfades import Crossfade
from cutback.cutting.plan.plan import FrameRange
from cutback.cutting.sound.crossfade import Tail
from cutback.cutting.sound.decode import exact_sound, faded, without_noise
from cutback.cutting.source.footage import MediaSource
from cutback.cutting.spool import Spool

TEXT = frozenset({"tx3g", "wvtt", "stpp", "c608"})
"""Sample entries of subtitles in MP4. Time codes and data tracks are dropped: they would be wrong in a clip."""

FRAME = 1024
"""Samples of an AAC packet."""

_PREROLL = {"opus": Fraction(8, 100), "mp3": Fraction(6, 100)}
"""Seconds that a decoder needs to converge (RFC 7845 for Opus, the bit reservoir of MP3); other codecs: one packet."""

NEAR = 64
"""Packets that are examined to find the duration of one."""

_OPUS_RATE = 48_000
"""Hz that Opus is always decoded to (RFC 7845, 4), whatever its entry says."""

BIT_RATE_A_CHANNEL = 96_000

MARGIN = Fraction(1, 1000)
"""Seconds by which copied sound may deviate in a finished clip."""

MOST_JUMPS = 100
"""Maximum jumps in a clip's sound that are checked."""


def keeps_sound(sound: Description) -> bool:
    """Whether sound is copied. Uncompressed sound is encoded, because MP4 players do not expect it."""
    return bool(sound.raw) and not sound.codec.startswith("pcm_")


def copy_sound(media: MediaSource, track: Track, piece: FrameRange, spool: Spool, group: int | None) -> OutTrack | None:
    """Copy a range's packets, of sound or subtitles; the edit list cuts them to the exact sample.

    None if this track has nothing in the range.
    """
    begin, end = track.ticks(piece.start), track.ticks(piece.end)
    stop = track.rank_at(end)
    first = track.rank_at(begin)
    if first and (first == len(track.order) or track.pts[track.order[first]] > begin) and _reaches(track, first, begin):
        first -= 1  # the packet that is heard when the range begins
    if first >= stop or track.end <= piece.start:
        return None
    sounding = max(begin, Fraction(max(track.pts[track.order[first]], track.window[0])))
    codec = track.descriptions[track.description_of(track.order[first])].codec
    lead = max(_PREROLL.get(codec, Fraction(0)) * track.timescale, Fraction(1))
    # There are packets before the first presented one if the source's own edit list hides its priming.
    sample = track.order[first]
    # At a step back in time, one earlier packet is enough to prepare the decoder.
    while track.kind == "audio" and sample > 0 and abs(track.pts[track.order[first]] - track.pts[sample]) < lead:
        sample -= 1
    if track.kind == "audio":
        sample = min(sample, sound_entry(track, sample))
    synced = frozenset(track.sync) if track.kind == "audio" and len(track.sync) < len(track.pts) else None
    out = OutTrack(
        track.kind,
        track.timescale,
        [entry.raw for entry in track.descriptions],
        language=track.language,
        title=track.title,
        handler=track.handler,
        delay=(sounding - begin) / track.timescale,
        duration=min(piece.end, track.end) - track.seconds(0) - sounding / track.timescale,
    )
    last = track.order[stop - 1]
    numbers: Sequence[int] = range(sample, last + 1)
    if track.kind == "audio" and last - track.order[first] != stop - 1 - first:  # some are not heard
        numbers = [*range(sample, track.order[first]), *track.order[first:stop]]
    times = _without_hole(track, numbers, track.order[first])
    sync = repeat(1) if synced is None else (number in synced for number in numbers)
    out.extend(times, media.copy(track, numbers, spool), sync, track.descriptions_of(numbers), group=group)
    out.last_duration = track.duration(last)
    if track.kind == "audio":
        out.skip = round(sounding) - times[0]
        out.last_duration = max(1, out.last_duration)
        out.marks = _marks(track, numbers, piece, len(numbers) - (stop - first))
        _count_in_samples(out, _rate(track.descriptions[track.description_of(last)]))
    else:
        # A text can simply begin later and end earlier; players disagree about edit lists in the middle of one.
        out.pts[0] = round(sounding)
        out.last_duration = max(1, min(out.last_duration, round(end) - out.pts[-1]))
    return out


def _reaches(track: Track, rank: int, moment: Fraction) -> bool:
    """Whether the previous packet is still heard at a time; at a hole, it has the usual duration."""
    sample = track.order[rank - 1]
    lasts = track.duration(sample)
    if track.kind == "audio":
        usual = sorted(map(track.duration, track.order[max(0, rank - NEAR) : rank]))
        if lasts > 4 * usual[len(usual) // 2]:
            lasts = usual[len(usual) // 2]
    return track.pts[sample] + lasts > moment


def _marks(track: Track, numbers: Sequence[int], piece: FrameRange, first: int) -> list[SoundMark]:
    """Return the `first`-th packet, the last one, and those around jumps."""
    times = [track.pts[number] for number in numbers]
    steps = list(map(sub, times[1:], times))
    usual = sorted(steps)[len(steps) // 2] if steps else 0
    jumps = [place for place, step in enumerate(steps) if not usual // 2 <= step <= 2 * usual]
    places = {first, len(numbers) - 1, *jumps[:MOST_JUMPS], *(place + 1 for place in jumps[:MOST_JUMPS])}
    wanted = (place for place in sorted(places) if place >= first)
    return [SoundMark(place, track.seconds(times[place]) - piece.start, MARGIN) for place in wanted]


def _rate(sound: Description) -> int:
    """Samples per second; 0 if unknown."""
    return _OPUS_RATE if sound.codec == "opus" else sound.sample_rate


def _count_in_samples(out: OutTrack, rate: int) -> None:
    """Make the sample rate the time scale, because players take the edit list's media time for a number of samples.

    A scale of twice or half the rate stays, as sound with spectral band replication (SBR) has it.
    """
    scale = out.timescale
    if not rate or scale in {rate, 2 * rate, rate // 2}:
        return
    times = [round(Fraction(time * rate, scale)) for time in out.pts]
    steps = Counter(after - before for before, after in pairwise(times))
    size = steps.most_common(1)[0][0] if steps else 0
    smooth = [times[0] + number * size for number in range(len(times))]
    # Packets of one size are contiguous, whatever the rounding of their times.
    if all(abs(time - even) <= 1 + rate // scale for time, even in zip(times, smooth, strict=True)):
        times = smooth
    out.skip = round(Fraction((out.pts[0] + out.skip) * rate, scale)) - times[0]
    out.last_duration = max(1, round(Fraction(out.last_duration * rate, scale)))
    out.pts = array("q", times)
    out.timescale = rate


def _without_hole(track: Track, numbers: Sequence[int], first: int) -> list[int]:
    """Return the PTS of samples, with those before the `first` presented one moved directly before it.

    The earlier ones only prepare the decoder. It skips as many samples as the edit list hides, but a hole or a step
    back in the times contains none.
    """
    times = [track.pts[number] for number in numbers]
    if first == numbers[0]:
        return times
    durations = (track.duration(number) for number in numbers[:NEAR])
    nominal = min((duration for duration in durations if duration > 0), default=1)
    for place in range(first - numbers[0] - 1, -1, -1):
        times[place] = times[place + 1] - nominal
    return times


def encode_sound(
    pieces: list[tuple[MediaSource, FrameRange]],
    number: TrackName,
    spool: Spool,
    edited: Callable[[Sound], Sound] | None = None,
    crossfades: Sequence[Crossfade] = (),
) -> OutTrack | None:
    """Decode the audio track `number` of each range, join them exactly, edit them, and encode the result as AAC.

    Rate and channels are the first range's. Gaps, and ranges without that track, are silent. None if no range has it.
    """
    sound = sound_of(pieces, number, crossfades)
    if sound is None:
        return None
    if edited is not None:
        sound = edited(sound)
    like = next(track for track in _tracks(pieces, number) if track is not None)
    return encode(sound, spool, like.language)


def encode(sound: Sound, spool: Spool, language: str = "und") -> OutTrack:
    """Encode sound as a track of AAC. `language` is its code in ISO 639-2."""
    writer = _AacWriter(sound.rate, sound.layout, language, spool)
    for block in sound.blocks():
        writer.write(block)
    return writer.finish(sound.duration)


def sound_of(
    pieces: list[tuple[MediaSource, FrameRange]], number: TrackName, crossfades: Sequence[Crossfade] = ()
) -> Sound | None:
    """Return the audio track `number` of a clip, decoded and joined exactly, as the first range has it.

    Gaps, and ranges without that track, are silent. None if no range has it.
    """
    tracks = _tracks(pieces, number)
    like = next((track for track in tracks if track is not None), None)
    if like is None:
        return None
    rate, layout = _shape(pieces, tracks, like)
    total = sum((piece.duration for _, piece in pieces), Fraction(0))
    return Sound(rate, layout, total, lambda: _joined(pieces, tracks, number, rate, layout, crossfades))


def layout_heard(pieces: list[tuple[MediaSource, FrameRange]], number: TrackName) -> str | None:
    """Return the channels of the audio track `number` of a clip if it is encoded. Decodes the first of its sound.

    None if no range has it.
    """
    tracks = _tracks(pieces, number)
    like = next((track for track in tracks if track is not None), None)
    return None if like is None else _shape(pieces, tracks, like)[1]


def _tracks(pieces: list[tuple[MediaSource, FrameRange]], number: TrackName) -> list[Track | None]:
    return [media.index.audio_track(number) if piece.fill is None else None for media, piece in pieces]


def _joined(
    pieces: list[tuple[MediaSource, FrameRange]],
    tracks: list[Track | None],
    number: TrackName,
    rate: int,
    layout: str,
    crossfades: Sequence[Crossfade],
) -> Iterator[av.AudioFrame]:
    position, due = 0, Fraction(0)
    starting = {crossfade.start: crossfade for crossfade in crossfades}
    tail: Tail | None = None
    for place, ((media, piece), track) in enumerate(zip(pieces, tracks, strict=True)):
        crossed = starting.get(due)
        if crossed is not None:
            # Decoded before what follows, as both may be of one recording.
            tail = Tail(crossed, _tail_sound(crossed, number, rate, layout), rate)
        due += piece.duration
        wanted = round(due * rate) - position
        sound = exact_sound(media, track, piece, rate, layout, wanted)
        at_start, at_end = place > 0 and crossed is None, place < len(pieces) - 1 and due not in starting
        faded_sound = faded(sound, wanted, rate, at_start=at_start, at_end=at_end)
        yield from faded_sound if tail is None else tail.mixed_into(faded_sound, position)
        position += wanted


def _tail_sound(crossfade: Crossfade, number: TrackName, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    position, due = round(crossfade.start * rate), crossfade.start
    for media, _, piece in crossfade.tail:
        track = media.index.audio_track(number)
        due += piece.duration
        wanted = round(due * rate) - position
        position += wanted
        yield from exact_sound(media, track, piece, rate, layout, wanted)


def _shape(pieces: list[tuple[MediaSource, FrameRange]], tracks: list[Track | None], like: Track) -> tuple[int, str]:
    """Return Hz and layout of the first decoded sound, because containers are often wrong about them.

    If there is none, everything is silent, and the first track's description applies.
    """
    for (media, piece), track in zip(pieces, tracks, strict=True):
        if track is not None:
            with closing(media.sound(track, piece.start, piece.end)) as sound:
                if (frame := next(sound, None)) is not None:
                    return _encodable(frame.sample_rate), layout_of(frame.layout.nb_channels)
    return _encodable(like.descriptions[0].sample_rate), layout_of(like.descriptions[0].channels)


def _encodable(rate: int) -> int:
    return rate if rate in SAMPLE_RATES else 48_000


class _AacWriter:
    """Encodes sound as one AAC track, with its samples in the spool."""

    def __init__(self, rate: int, layout: str, language: str, spool: Spool) -> None:
        self._channels = av.AudioLayout(layout).nb_channels
        encoder = av.CodecContext.create("aac", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate = rate
        encoder.layout = layout
        encoder.format = "fltp"
        encoder.time_base = Fraction(1, rate)
        encoder.bit_rate = BIT_RATE_A_CHANNEL * self._channels
        encoder.flags |= Flags.global_header
        encoder.open()
        self._encoder, self._rate = encoder, rate
        self._spool = spool
        self._fifo = av.AudioFifo()
        self._position = 0
        self._out = OutTrack("audio", rate, [], language=language)

    def write(self, block: av.AudioFrame) -> None:
        """Append sound; its PTS are ignored."""
        block.pts = None
        block.time_base = Fraction(1, self._rate)  # the queue accepts only this time base from then on
        self._fifo.write(block)
        while self._fifo.samples >= FRAME:
            self._encode(self._fifo.read(FRAME))

    def finish(self, duration: Fraction) -> OutTrack:
        """Flush the encoder; the track presents `duration` seconds."""
        if self._fifo.samples:
            self._encode(self._fifo.read(0, partial=True))
        self._encode(None)
        encoder, out = self._encoder, self._out
        out.duration = duration
        out.skip = max(0, -out.pts[0])  # the encoder's priming has negative times
        first, last = Fraction(out.pts[0], self._rate), Fraction((len(out) - 1) * FRAME, self._rate)
        out.marks = [SoundMark(0, first, MARGIN), SoundMark(len(out) - 1, first + last, MARGIN)]
        out.last_duration = FRAME
        config = encoder.extradata or b""
        out.entries = [aac_entry(self._rate, self._channels, config, BIT_RATE_A_CHANNEL * self._channels)]
        return out

    def _encode(self, frame: av.AudioFrame | None) -> None:
        if frame is not None:
            frame.pts, frame.time_base = self._position, Fraction(1, self._rate)
            self._position += frame.samples
            for plane in frame.planes:
                heard = array("f", bytes(plane)[: 4 * frame.samples])
                if (kept := without_noise(heard)) is not heard:
                    data = kept.tobytes()
                    plane.update(data + bytes(plane.buffer_size - len(data)))
        try:
            packets = self._encoder.encode(frame)
        except av.FFmpegError as error:
            raise media_error("Its sound cannot be encoded", error) from error
        for packet in packets:
            data = bytes(packet)
            assert packet.pts is not None
            offset = self._spool.append(data)
            self._out.add(pts=packet.pts, size=len(data), sync=True, origin=SPOOL, offset=offset)

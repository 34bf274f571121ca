"""Sound for a clip: copied packet by packet, or decoded, joined and encoded."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.codec.context import Flags

from cutback.cutting.footage import Footage
from cutback.cutting.index import Track
from cutback.cutting.mp4.entries import aac_entry
from cutback.cutting.mp4.layout import SPOOL, OutTrack
from cutback.cutting.plan import Piece
from cutback.cutting.spool import Spool

FRAME = 1024
"""Samples of an AAC packet."""

_PREROLL = {"opus": Fraction(8, 100), "mp3": Fraction(6, 100)}
"""Seconds a decoder needs to settle; one packet where not named (RFC 7845 for Opus, the bit reservoir of MP3)."""

BIT_RATE_A_CHANNEL = 96_000


def copy_sound(footage: Footage, track: Track, piece: Piece, spool: Spool, group: int | None) -> OutTrack | None:
    """The packets of a piece as they are; the edit list cuts them to the exact samples.

    None when no sound of this track falls into the piece.
    """
    begin, end = track.ticks(piece.start), track.ticks(piece.end)
    stop = track.rank_at(end)
    first = track.rank_at(begin)
    if first and (first == len(track.order) or track.pts[track.order[first]] > begin):
        first -= 1  # the packet that sounds while the piece begins
    if first >= stop:
        return None
    sounding = max(begin, Fraction(max(track.pts[track.order[first]], track.window[0])))
    codec = track.descriptions[track.description_of(track.order[first])].codec
    lead = max(_PREROLL.get(codec, Fraction(0)) * track.timescale, Fraction(1))
    # Packets before the first presented one exist where the source's own edit list hides its priming.
    sample = track.order[first]
    while sample > 0 and track.pts[track.order[first]] - track.pts[sample] < lead:
        sample -= 1
    out = OutTrack(
        "audio",
        track.timescale,
        [entry.raw for entry in track.descriptions],
        language=track.language,
        delay=(sounding - begin) / track.timescale,
        duration=min(piece.end, track.end) - track.seconds(0) - sounding / track.timescale,
    )
    last = track.order[stop - 1]
    numbers = range(sample, last + 1)
    for number, place in zip(numbers, footage.copy(track, numbers, spool), strict=True):
        out.add(
            pts=track.pts[number],
            size=place.length,
            sync=True,
            origin=place.origin,
            offset=place.offset,
            group=group,
            entry=track.description_of(number),
        )
    out.skip = round(sounding) - track.pts[sample]
    out.last_duration = track.duration(last)
    return out


def encode_sound(pieces: list[tuple[Footage, Piece]], spool: Spool) -> OutTrack | None:
    """The first sound track of each piece, decoded, joined to the sample and encoded as AAC.

    Rate and channels are the first piece's; a piece without sound is silent. None when none has any.
    """
    like = next((footage.index.audio[0] for footage, _ in pieces if footage.index.audio), None)
    if like is None:
        return None
    description = like.descriptions[0]
    rate = description.sample_rate or 48000
    layout = "mono" if description.channels == 1 else "stereo"
    writer = _AacWriter(rate, layout, like.language, spool)
    position, due = 0, Fraction(0)
    for footage, piece in pieces:
        due += piece.duration
        wanted = round(due * rate) - position
        position += wanted
        for block in exact_sound(footage, piece, rate, layout, wanted):
            writer.write(block)
    return writer.finish(due)


class _AacWriter:
    """Encodes sound as one AAC track whose samples go to the spool."""

    def __init__(self, rate: int, layout: str, language: str, spool: Spool) -> None:
        self._channels = 1 if layout == "mono" else 2
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
        """Append sound; its PTS are not looked at."""
        block.pts = None
        self._fifo.write(block)
        while self._fifo.samples >= FRAME:
            self._encode(self._fifo.read(FRAME))

    def finish(self, duration: Fraction) -> OutTrack:
        """Flush; the track presents `duration` seconds."""
        if self._fifo.samples:
            self._encode(self._fifo.read(0, partial=True))
        self._encode(None)
        encoder, out = self._encoder, self._out
        out.duration = duration
        out.skip = max(0, -out.pts[0])  # the encoder's priming has negative times
        out.last_duration = FRAME
        config = encoder.extradata or b""
        out.entries = [aac_entry(self._rate, self._channels, config, BIT_RATE_A_CHANNEL * self._channels)]
        return out

    def _encode(self, frame: av.AudioFrame | None) -> None:
        if frame is not None:
            frame.pts, frame.time_base = self._position, Fraction(1, self._rate)
            self._position += frame.samples
        for packet in self._encoder.encode(frame):
            data = bytes(packet)
            assert packet.pts is not None
            offset = self._spool.append(data)
            self._out.add(pts=packet.pts, size=len(data), sync=True, origin=SPOOL, offset=offset)


def exact_sound(footage: Footage, piece: Piece, rate: int, layout: str, wanted: int) -> Iterator[av.AudioFrame]:
    """Exactly `wanted` samples of a piece's first sound track from the piece's start; silence where it has none."""
    position = 0
    if footage.index.audio:
        track = footage.index.audio[0]
        resampler = av.AudioResampler("fltp", layout, rate)
        placed = False
        skip = 0
        for decoded in footage.sound(track, piece.start, piece.end):
            if decoded.pts is None:
                continue
            if not placed:
                offset = round((track.seconds(decoded.pts) - piece.start) * rate)
                placed = True
                if offset > 0:
                    gap = min(offset, wanted)
                    yield from _silence(gap, rate, layout)
                    position += gap
                skip = max(0, -offset)
            decoded.pts = None
            for block in resampler.resample(decoded):
                trimmed = _part(block, skip, wanted - position)
                skip -= min(skip, block.samples)
                if trimmed is not None:
                    position += trimmed.samples
                    yield trimmed
            if position >= wanted:
                return
    yield from _silence(wanted - position, rate, layout)


def _part(block: av.AudioFrame, skip: int, most: int) -> av.AudioFrame | None:
    """Samples [skip, skip + most) of a block; None when there are none."""
    if skip >= block.samples or most <= 0:
        return None
    if not skip and block.samples <= most:
        return block
    fifo = av.AudioFifo()
    block.pts = None
    fifo.write(block)
    if skip:
        fifo.read(skip)
    return fifo.read(min(most, fifo.samples))


def _silence(samples: int, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    while samples > 0:
        frame = av.AudioFrame("fltp", layout, min(samples, rate))
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = rate
        samples -= frame.samples
        yield frame

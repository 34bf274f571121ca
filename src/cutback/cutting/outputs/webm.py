"""WebM: the pictures that were cut, and the sound of the clip as Opus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream

from cutback.cutting.assembled import Assembled
from cutback.cutting.chapters import as_libav
from cutback.cutting.clip_form import ClipForm
from cutback.cutting.cut import Cut
from cutback.cutting.edits.sound_stream import Sound, exactly
from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.mp4.layout import Extent
from cutback.cutting.output_values import WebM
from cutback.cutting.outputs.coded import coded_forms, cut_coded, plan_coded
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.outputs.played import PlayedClip
from cutback.cutting.outputs.spool_file import SpoolFile
from cutback.cutting.outputs.webm_head import ENOUGH, completed_head
from cutback.cutting.source.source_file import SourceFile
from cutback.cutting.tags import texts_of
from cutback.cutting.turns import shape_of_pixels
from cutback.domain.errors import OutputImpossibleError

_RATE = 48_000
"""Hz: Opus has no other rate that matters."""

_BIT_RATE_A_CHANNEL = 64_000


_FORM = ClipForm(sound=False, texts=False)
"""The sound is added when the file is written."""


class WebMFormat(Format[WebM]):
    """See `Format`."""

    extension = ".webm"

    def make(self, value: WebM, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        written: list[Extent] = []

        def size_of(cut: Cut) -> int:
            written[:] = [_write(cut, bench)]
            return written[0].length

        made = cut_coded(value, bench, _FORM, size_of)
        if not written:
            size_of(made)
        file = OutputFile(self.file_name(name), tuple(written))
        return Made(MadeOutput(name, replace(made.facts, size=file.size), (file,)), made.still)

    def forms(self, value: WebM, bench: Workbench) -> tuple[ClipForm, ...]:
        """See `Format.forms`."""
        del bench
        return coded_forms(value, _FORM)

    def plan(self, value: WebM, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`."""
        form = ClipForm(texts=False, sound_codecs=frozenset(), sound_becomes="Opus",
                        bit_rate_a_channel=_BIT_RATE_A_CHANNEL)  # fmt: skip
        planned = plan_coded(value, bench, form)
        frames = planned.report["frames"]
        if not frames["copy"] + frames["encode"]:
            raise OutputImpossibleError("The clip has no pictures; choose a format of sound, such as m4a.")
        return planned


def _write(made: Cut, bench: Workbench) -> Extent:
    """Write a checked clip without sound as WebM, with the clip's sound. The packets of pictures stay as they are.

    Raises:
        MediaUnsupportedError: it has no pictures.
        CutbackError: the sound cannot be decoded.
    """
    if not made.facts.frames:
        raise OutputImpossibleError("The clip has no pictures; choose a format of sound, such as m4a.")
    clip = Assembled(made.head, made.extents, bench.sources, bench.spool)
    packets = _packets(clip)
    sound = PlayedClip(bench).sound()
    file = SpoolFile(bench.spool)
    try:
        template = next(packets)
        aspect = template.sample_aspect_ratio or shape_of_pixels(made.tracks[0], template.width, template.height)
        with av.open(file, "w", format="webm") as container:
            container.metadata.update(texts_of(made.tags))
            if made.tags.chapters:
                container.set_chapters(as_libav(made.tags.chapters, made.facts.duration))
            pictures = container.add_stream_from_template(template, opaque=True)
            blocks: Iterator[av.AudioFrame] = iter(())
            stream: AudioStream | None = None
            if sound is not None:
                stream, blocks = _opus(container, sound)
            heard = Fraction(0)
            for packet in packets:
                while stream is not None and heard <= (packet.dts or 0) * packet.time_base:
                    block = next(blocks, None)
                    if block is None:
                        break
                    container.mux(stream.encode(block))
                    heard += Fraction(block.samples, _RATE)
                packet.stream = pictures
                container.mux(packet)
            if stream is not None:
                for block in blocks:
                    container.mux(stream.encode(block))
                container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise media_error("It cannot be written as WebM", error) from error
    _complete(file, made.facts.duration, aspect)
    return file.extent


def _complete(file: SpoolFile, duration: Fraction, aspect: Fraction) -> None:
    file.seek(0)
    head = completed_head(file.read(ENOUGH), duration, aspect)
    file.seek(0)
    file.write(head)


def _packets(clip: Assembled) -> Iterator[Any]:
    """Yield the stream of a clip's pictures, then its packets. They are kept apart: nothing else may use the spool."""
    with av.open(SourceFile(clip), "r", format="mp4") as container:
        stream = container.streams.video[0]
        yield stream
        for packet in container.demux(stream):
            if packet.size:
                yield packet


def _opus(container: Any, sound: Sound) -> tuple[AudioStream, Iterator[av.AudioFrame]]:
    stream = container.add_stream("libopus", _RATE)
    stream.codec_context.layout = sound.layout
    stream.codec_context.format = "flt"
    stream.codec_context.bit_rate = _BIT_RATE_A_CHANNEL * av.AudioLayout(sound.layout).nb_channels
    return stream, _numbered(sound)


def _numbered(sound: Sound) -> Iterator[av.AudioFrame]:
    resampler = av.AudioResampler("flt", sound.layout, _RATE)
    position = 0
    blocks = exactly(sound.blocks(), sound.samples, sound.rate, sound.layout)
    for block in blocks:
        block.pts = None
        for part in resampler.resample(block):
            part.pts, part.time_base = position, Fraction(1, _RATE)
            position += part.samples
            yield part
    for part in resampler.resample(None):
        part.pts, part.time_base = position, Fraction(1, _RATE)
        position += part.samples
        yield part

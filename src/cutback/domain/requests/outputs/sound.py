"""Sound alone: the same sound as that of the clip, without its pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cutback.domain.requests.outputs.model import OutputModel, format_field


class SoundOutput(OutputModel):
    """A file of sound."""

    precision: Literal["exact"] = Field("exact", description="`exact`: to the sample.")


class M4aOutput(SoundOutput):
    """AAC in an MP4. It is copied where it is AAC and no edit changes it."""

    extension = ".m4a"

    format: Literal["m4a"] = format_field("m4a", "AAC.")


class Mp3Output(SoundOutput):
    """MP3. It has at most two channels."""

    extension = ".mp3"

    format: Literal["mp3"] = format_field("mp3", "MP3.")


class WavOutput(SoundOutput):
    """Uncompressed sound, with 16 or 24 bits, as it was recorded."""

    extension = ".wav"

    format: Literal["wav"] = format_field("wav", "WAV.")


class OpusOutput(SoundOutput):
    """Opus in Ogg, at 48 kHz."""

    extension = ".opus"

    format: Literal["opus"] = format_field("opus", "Opus in Ogg.")


class FlacOutput(SoundOutput):
    """Sound compressed without loss, with 16 or 24 bits, as it was recorded."""

    extension = ".flac"

    format: Literal["flac"] = format_field("flac", "FLAC.")

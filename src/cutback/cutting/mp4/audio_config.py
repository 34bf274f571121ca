"""The AudioSpecificConfig of AAC (ISO/IEC 14496-3, 1.6.2.1): the rate and channels that its packets decode to."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.bits import BitReader

SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""The rates of the sampling frequency index (ISO/IEC 14496-3, table 1.18)."""

_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
"""The channels of the channel configuration (table 1.19)."""

_LC, _SBR, _PS = 2, 5, 29
_GENERAL = frozenset({1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23})
"""Object types whose configuration continues with a GASpecificConfig (4.4.1)."""
_SYNC, _PS_SYNC = 0x2B7, 0x548


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """The contents of an AudioSpecificConfig."""

    object_type: int
    """2 is AAC-LC; with SBR, the object type of the core."""
    core_rate: int
    """The rate of the core in Hz, without SBR."""
    sample_rate: int
    """The decoded rate in Hz: with SBR, usually twice the core's."""
    channels: int
    """The decoded channels: with PS two, although one is coded."""
    sbr: bool
    """Whether SBR is signalled. If not, packets may still have it; only decoding shows that."""
    short: bool
    """Whether a packet has 960 samples instead of 1024."""

    @property
    def plain(self) -> bool:
        """Whether it is AAC-LC in packets of 1024 samples, and nothing else."""
        return self.object_type == _LC and not self.sbr and not self.short

    def decoded(self, rate: int, channels: int) -> tuple[int, int]:
        """Return the decoded rate in Hz and channels, given the container's `rate` and `channels`.

        The container is believed only if it indicates SBR and PS that the configuration does not signal.
        """
        if self.sbr or rate != 2 * self.core_rate:
            return self.sample_rate, self.channels
        return rate, channels if self.channels == 1 and channels <= 2 else self.channels


def parse_audio_config(config: bytes) -> AudioConfig | None:
    """Parse an AudioSpecificConfig; None if it is truncated or has no rate or no channels."""
    reader = BitReader(config)
    try:
        return _parse(reader, len(config) * 8)
    except IndexError:
        return None


def _parse(reader: BitReader, length: int) -> AudioConfig | None:
    kind = _object_type(reader)
    core_rate = _rate(reader)
    configuration = reader.bits(4)
    sample_rate, sbr, ps = core_rate, kind in {_SBR, _PS}, kind == _PS
    if sbr:
        sample_rate = _rate(reader)
        kind = _object_type(reader)
        if kind == 22:
            configuration = reader.bits(4)
    channels = _CHANNELS.get(configuration, 0)
    short = False
    if kind in _GENERAL:
        short = reader.flag()
        if reader.flag():
            reader.bits(14)  # coreCoderDelay
        extended = reader.flag()
        if not configuration:
            channels = _program_channels(reader)
        if kind in {6, 20}:
            reader.bits(3)
        if extended:
            reader.bits({22: 16, 17: 3, 19: 3, 20: 3, 23: 3}.get(kind, 0))
            reader.flag()
        if not sbr and length - reader.position >= 16 and reader.bits(11) == _SYNC and reader.bits(5) == _SBR:
            sbr = reader.flag()
            if sbr:
                sample_rate = _rate(reader)
                ps = length - reader.position >= 12 and reader.bits(11) == _PS_SYNC and reader.flag()
    if not core_rate or not sample_rate or not channels:
        return None
    return AudioConfig(kind, core_rate, sample_rate, 2 if ps and channels == 1 else channels, sbr, short)


def _object_type(reader: BitReader) -> int:
    kind = reader.bits(5)
    return 32 + reader.bits(6) if kind == 31 else kind


def _rate(reader: BitReader) -> int:
    index = reader.bits(4)
    if index == 15:
        return reader.bits(24)
    return SAMPLE_RATES[index] if index < len(SAMPLE_RATES) else 0


def _program_channels(reader: BitReader) -> int:
    """Return the channels of a program_config_element (4.4.1.1)."""
    reader.bits(4 + 2 + 4)
    front, side, back = reader.bits(4), reader.bits(4), reader.bits(4)
    low = reader.bits(2)
    data, coupling = reader.bits(3), reader.bits(4)
    for width in (4, 4, 3):  # mono, stereo and matrix mixdown
        if reader.flag():
            reader.bits(width)
    pairs = 0
    for _ in range(front + side + back):
        pairs += reader.flag()
        reader.bits(4)
    reader.bits(4 * low + 4 * data + 5 * coupling)
    reader.bits(-reader.position % 8)
    reader.bits(8 * reader.bits(8))
    return front + side + back + pairs + low

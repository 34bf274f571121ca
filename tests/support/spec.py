"""What a test recording is made of: `MediaSpec`, a value that names every choice."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property

FASTSTART: Mapping[str, str] = {"movflags": "+faststart"}
"""Muxer options for an MP4 with its index in front."""

FRAGMENTED: Mapping[str, str] = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
"""Muxer options for a fragmented MP4, one fragment per GOP, as live recorders write it.

With B-frames its first frame comes at the reorder delay, not at 0: no edit list takes the delay away.
"""

FRAGMENTED_DELAYED: Mapping[str, str] = {"movflags": "+frag_keyframe+delay_moov+default_base_moof"}
"""Muxer options for a fragmented MP4 that does have edit lists, so that its first frame comes at 0."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MediaSpec:
    """One generated recording. Equal specs make files with equal numbers, times, keyframes and sound.

    Nearly always the files are equal to the byte; x264 chooses differently in about one run of two hundred.

    Picture n of the file shows the number `first_counter + n`. The sound is one endless reference signal
    per seed and sample rate: the file holds its part from `sound_start` on, so that recordings which follow
    one another (`first_counter` of the second = frames of the first) sound on without a break.
    """

    width: int = 320
    height: int = 180
    fps: Fraction = Fraction(30)
    frames: int = 300
    first_counter: int = 0
    """The number shown by the first frame."""
    seed: int = 1
    """Another seed, another scene and another sound."""

    codec: str | None = "libx264"
    """libx264, libx265, libsvtav1, libvpx-vp9, mpeg4, mjpeg; None for sound only."""
    codec_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Encoder options; they win over those derived from the fields below. An unknown one is an error."""
    pix_fmt: str = "yuv420p"
    gop: int | None = 30
    """Frames from one keyframe to the next, exactly but for mpeg4; None leaves it to the encoder."""
    open_gop: bool = False
    """Whether frames before a keyframe may refer across it (libx264, libx265)."""
    bframes: int = 2
    """Consecutive B-frames (libx264, libx265, mpeg4)."""
    tag: str | None = None
    """The track's four-character code, such as hvc1; None for the muxer's choice."""
    rotation: int = 0
    """Degrees counter-clockwise that a player is told to turn the picture by."""

    audio: str | None = "aac"
    """aac, libmp3lame, libopus, ac3, pcm_s16le; None for no sound."""
    audio_bitrate: int = 128_000
    sample_rate: int = 48_000
    channels: int = 2
    """1, 2 or 6; every channel carries the same signal."""

    suffix: str = ".mp4"
    """.mp4, .mov, .mkv, .webm, .ts: chooses the container."""
    muxer_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """See `FASTSTART`, `FRAGMENTED`."""
    pts: tuple[int, ...] | None = None
    """The frames' times in ticks of `time_base`, for a variable frame rate."""
    time_base: Fraction | None = None
    """Seconds per tick of `pts`; 1/fps if None."""
    start: Fraction = Fraction(0)
    """Seconds added to every timestamp, as in a TS that was cut out of a running stream."""

    def __post_init__(self) -> None:
        """Refuse what cannot be read back."""
        if self.pts is not None and len(self.pts) != self.frames:
            raise ValueError(f"{len(self.pts)} pts for {self.frames} frames")
        if self.pts is not None and self.time_base is None:
            raise ValueError("pts need a time_base")
        if self.codec is None and self.audio is None:
            raise ValueError("neither picture nor sound")

    def __hash__(self) -> int:
        """Consistent with equality in spite of the mappings."""
        return hash(self.digest())

    @cached_property
    def tick(self) -> Fraction:
        """Seconds per tick of the frames' times."""
        return self.time_base or 1 / self.fps

    @cached_property
    def ticks(self) -> tuple[int, ...]:
        """The frames' times in ticks, without `start`."""
        if self.pts is not None:
            return self.pts
        return tuple(int(n / self.fps / self.tick) for n in range(self.frames))

    @cached_property
    def tick_durations(self) -> tuple[int, ...]:
        """How long each frame is shown, in ticks; the last one like the one before it."""
        ticks = self.ticks
        durations = [later - sooner for sooner, later in itertools.pairwise(ticks)]
        return (*durations, durations[-1] if durations else round(1 / self.fps / self.tick))

    @cached_property
    def times(self) -> tuple[Fraction, ...]:
        """The frames' times in seconds, without `start`."""
        return tuple(ticks * self.tick for ticks in self.ticks)

    @property
    def duration(self) -> Fraction:
        """Seconds of picture, and so of sound."""
        return (self.ticks[-1] + self.tick_durations[-1]) * self.tick

    @property
    def counters(self) -> range:
        """The numbers the frames show."""
        return range(self.first_counter, self.first_counter + self.frames)

    @property
    def sound_start(self) -> Fraction:
        """Seconds into the reference signal at which this file's sound begins."""
        return self.first_counter / self.fps

    def digest(self) -> str:
        """A name for this spec, equal for equal specs and hardly ever otherwise."""
        fields = {
            field.name: dict(value) if isinstance(value, Mapping) else value
            for field in dataclasses.fields(self)
            for value in (getattr(self, field.name),)
        }
        text = json.dumps(fields, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

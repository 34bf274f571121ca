"""The edits of a job: plain values, one class for each kind. Their fields are those of the request's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from cutback.domain.measures import AtMoment, Finished, Measure, Percent, Place, Point
from cutback.domain.times import FromEnd

# --- deinterlace -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deinterlace:
    """Make whole pictures of interlaced ones."""


# --- rotate, crop, scale -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn the pictures clockwise, then mirror them."""

    degrees: Literal[0, 90, 180, 270]
    flip: Literal["horizontal", "vertical"] | None


@dataclass(frozen=True, slots=True)
class CropPoint:
    """Where a moving part is at a point of the clip."""

    at: Point
    x: Measure | None
    y: Measure | None


@dataclass(frozen=True, slots=True)
class Crop:
    """Show a part of the picture."""

    aspect: Fraction | None
    """Width divided by height of the largest part with that shape."""
    gravity: Place | None
    """Which part, if it has no place; None: in the middle."""
    x: Measure | None
    y: Measure | None
    width: Measure | None
    height: Measure | None
    path: tuple[CropPoint, ...] = ()
    """If it moves: where it is when, in order."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Change the size of the pictures."""

    width: int | None
    height: int | None
    mode: Literal["fit", "fill", "pad"]
    enlarge: bool


# --- sdr ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sdr:
    """Convert HDR to SDR."""


# --- colour, denoise, blur ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Colour:
    """Change the colours of the pictures. Each is in percent; 0 changes nothing."""

    brightness: Fraction
    contrast: Fraction
    saturation: Fraction
    temperature: Fraction


@dataclass(frozen=True, slots=True)
class Denoise:
    """Reduce noise."""

    strength: Literal["light", "medium", "strong"]


@dataclass(frozen=True, slots=True)
class Blur:
    """Make a part of the pictures unrecognizable."""

    x: Measure
    y: Measure
    width: Measure
    height: Measure
    mode: Literal["blur", "pixelate"]
    strength: Measure
    """Of its shorter side."""
    start: Point | None
    duration: Fraction | None
    """Seconds in finished time; None: to the end."""


# --- time --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeedSpan:
    """A part of the clip with a speed of its own."""

    start: Point
    end: Point
    speed: Fraction


@dataclass(frozen=True, slots=True)
class Speed:
    """Show the clip, or parts of it, faster or slower."""

    speed: Fraction | None
    """Of the whole clip; None if it has spans."""
    spans: tuple[SpeedSpan, ...]
    sound: Literal["pitch", "resample", "drop"] | None
    between: Literal["repeat", "blend", "interpolate"] = "repeat"
    ramp: Fraction = Fraction(0)
    """Seconds in cut time over which one speed turns into the next."""


@dataclass(frozen=True, slots=True)
class Timelapse:
    """Show the clip in a certain time."""

    duration: Fraction
    """Seconds."""
    fps: Fraction


@dataclass(frozen=True, slots=True)
class Reverse:
    """Show the clip backwards."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Hold a picture for a while."""

    at: Point
    duration: Fraction
    """Seconds in finished time by which it is shown longer."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Show the clip, or a part of it, several times."""

    times: int
    start: Point | None
    """None: the beginning."""
    end: Point | None
    """None: the end."""


# --- overlays ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOverlay:
    """What all overlays have in common: where and when they are shown."""

    place: Place
    margin: Measure
    start: Point | None
    duration: Fraction | None
    """Seconds in finished time; None: to the end."""
    fade_in: Fraction = Fraction(0)
    """Seconds in finished time in which it appears."""
    fade_out: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering(PlacedOverlay):
    """What overlays of letters have in common: how they look."""

    font: str | None = None
    """The family; None: the one that is part of Cutback."""
    size: Measure
    """The height of a line."""
    weight: Literal["regular", "bold"]
    color: str
    """Six hexadecimal digits, behind #."""
    box: bool
    """Whether a dark box is behind the letters."""
    shadow: bool = False
    """Whether the letters cast a shadow."""
    zone: str = "UTC"
    drawn_as: Literal["pictures", "subtitles"] = "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOverlay(Lettering):
    """Letters on the pictures."""

    text: str
    """With fields, as in `cutback.domain.text_fields`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOverlay(Lettering):
    """The clock of the camera on the pictures."""

    show: Literal["datetime", "date", "time"]
    camera: bool
    """Whether the camera's name is in front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOverlay(PlacedOverlay):
    """A picture from the assets on the pictures."""

    asset: str
    width: Measure | None
    """None: it follows from the height, or is its own."""
    height: Measure | None
    opacity: Fraction
    """From above 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsetOverlay(PlacedOverlay):
    """The pictures of another camera or recording, on the pictures or beside them."""

    camera: str | None
    """None: of a recording."""
    recording: str | None
    begins: Fraction
    """Seconds in the recording at which it begins."""
    layout: Literal["over", "beside", "below"]
    width: Measure | None
    """None: it follows from the height, or is 30 %."""
    height: Measure | None
    opacity: Fraction
    """From above 0 to 1."""

    @property
    def shows(self) -> str:
        """The name of the camera or of the recording."""
        return self.camera or self.recording or ""


# --- fade --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fade:
    """Fade pictures and sound in and out."""

    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction
    color: Literal["black", "white"]


# --- sound -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One of the audio tracks alone. Either field is None."""

    number: int | None
    """From 1."""
    language: str | None
    """As ISO 639-2 writes it."""


@dataclass(frozen=True, slots=True)
class Music:
    """A track from the assets, with the sound of the clip or instead of it."""

    asset: str
    mode: Literal["mix", "replace"]
    db: Fraction
    """Decibels by which it is louder."""
    start: Fraction
    """Seconds in the track at which it begins."""
    loop: bool
    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction
    duck: Fraction
    """Decibels by which it is quieter while the clip's sound is heard; 0 for none."""
    duck_above: Fraction
    """The level of sound that counts as heard, in dBFS."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Mono or stereo."""

    to: Literal["mono", "stereo"]
    take: Literal["left", "right"] | None
    """The only channel that is heard; None: all."""


@dataclass(frozen=True, slots=True)
class SoundFade:
    """Fade the sound alone in and out."""

    fade_in: Fraction
    """Seconds in finished time; 0 for none."""
    fade_out: Fraction


@dataclass(frozen=True, slots=True)
class Mute:
    """Leave out the sound."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Make the sound louder or quieter."""

    db: Fraction
    """Decibels."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Bring the sound to a loudness by a constant gain."""

    lufs: Fraction
    """The integrated loudness to reach."""
    true_peak: Fraction
    """The highest true peak, in dBTP."""


Edit: TypeAlias = (
    Deinterlace
    | Rotate
    | Crop
    | Scale
    | Sdr
    | Colour
    | Denoise
    | Blur
    | Speed
    | Timelapse
    | Reverse
    | Freeze
    | Loop
    | TextOverlay
    | ClockOverlay
    | ImageOverlay
    | InsetOverlay
    | Fade
    | AudioTrack
    | Music
    | Mute
    | Channels
    | Gain
    | Loudness
    | SoundFade
)

KINDS: Mapping[str, type[Edit]] = {
    "deinterlace": Deinterlace,
    "rotate": Rotate,
    "crop": Crop,
    "scale": Scale,
    "sdr": Sdr,
    "colour": Colour,
    "denoise": Denoise,
    "blur": Blur,
    "speed": Speed,
    "timelapse": Timelapse,
    "reverse": Reverse,
    "freeze": Freeze,
    "loop": Loop,
    "text": TextOverlay,
    "clock": ClockOverlay,
    "image": ImageOverlay,
    "inset": InsetOverlay,
    "fade": Fade,
    "audio_track": AudioTrack,
    "mute": Mute,
    "music": Music,
    "channels": Channels,
    "gain": Gain,
    "loudness": Loudness,
    "sound_fade": SoundFade,
}
"""The classes by the names that requests use."""

PARTS: tuple[type, ...] = (Percent, FromEnd, Finished, AtMoment, CropPoint, SpeedSpan)
"""The classes of which the fields of edits consist, besides texts, numbers and fractions."""

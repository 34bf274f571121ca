"""The edits of a request: what is done to the pictures and the sound of a clip. One model each, in stage order.

The media side of an edit is in `cutting/edits/`, and its plain values are in `cutting/edit_values.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from fractions import Fraction
from functools import reduce
from itertools import combinations, pairwise
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from cutback.domain.base import Model
from cutback.domain.cameras.local_time import zone_of
from cutback.domain.measures import MAX_PIXELS, Finished, Percent, Place
from cutback.domain.requests.edit_fields import AspectField, Between, LengthField, MeasureField, PointField
from cutback.domain.requests.sources import Key, Text
from cutback.domain.text_fields import check_fields

MAX_EDITS = 100
"""Maximum edits of one request."""

MAX_PATH = 1000
"""Maximum points of a moving crop."""

Stage = Literal["deinterlace", "rotate", "crop", "scale", "colour", "time", "overlay", "fade", "sound"]
STAGES: tuple[str, ...] = get_args(Stage)
"""The order in which edits stand in a request, and in which they are done."""


def _check_zone(name: str) -> str:
    zone_of(name)
    return name


class EditModel(Model):
    """An edit. Its `edit` names its kind."""

    stage: ClassVar[Stage]
    repeats: ClassVar[bool] = False
    """Whether a request may have several of this kind."""

    edit: str

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return ()


# --- deinterlace -------------------------------------------------------------------------------------


class DeinterlaceEdit(EditModel):
    """Make whole pictures of interlaced ones. Re-encodes all pictures, unless the recording is progressive."""

    stage = "deinterlace"
    edit: Literal["deinterlace"]


# --- rotate, crop, scale -----------------------------------------------------------------------------


class RotateEdit(EditModel):
    """Turn the pictures clockwise. Alone and without `flip`, it re-encodes nothing: the clip tells players to turn."""

    stage = "rotate"
    edit: Literal["rotate"]
    degrees: Literal[0, 90, 180, 270] = Field(0, description="Clockwise.")
    flip: Literal["horizontal", "vertical"] | None = Field(None, description="Mirror the turned pictures.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.degrees and self.flip is None:
            raise ValueError("needs degrees or flip")
        return self


class CropPointField(Model):
    """Where a moving part is at a point of the clip."""

    at: PointField = Field(description="When it is there.")
    x: MeasureField | None = Field(None, description="The left edge; in the middle if left out.")
    y: MeasureField | None = Field(None, description="The top edge; in the middle if left out.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.x is None and self.y is None:
            raise ValueError("needs x, y or both")
        return self


class CropEdit(EditModel):
    """Show a part of the pictures, which are measured upright and with square pixels. Re-encodes all of them."""

    stage = "crop"
    edit: Literal["crop"]
    aspect: AspectField | None = Field(None, description="The largest part with this shape, such as `9:16`.")
    gravity: Place | None = Field(None, description="Where the part is, without `x` and `y`; `center` by default.")
    x: MeasureField | None = Field(None, description="The left edge.")
    y: MeasureField | None = Field(None, description="The top edge.")
    width: MeasureField | None = Field(None, description="The width.")
    height: MeasureField | None = Field(None, description="The height.")
    path: Annotated[tuple[CropPointField, ...], Field(max_length=MAX_PATH)] = Field(
        (), description="Where the part is at points of the clip, in order; it moves smoothly from one to the next."
    )

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        for name in ("x", "y", "gravity"):
            if self.path and getattr(self, name) is not None:
                raise ValueError(f"path and {name} contradict each other; leave one of them out")
        for name in ("x", "y"):
            if len({getattr(point, name) is None for point in self.path}) > 1:
                raise ValueError(f"path has {name} at some points only; write it at all of them or at none")
        known = [point.at for point in self.path if isinstance(point.at, Fraction)]
        if any(after <= before for before, after in pairwise(known)):
            raise ValueError("the points of path must be in order of time")
        return self

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in ("x", "y", "width", "height") if getattr(self, name) is not None]
        if self.aspect is not None and given:
            raise ValueError(f"aspect and {given[0]} contradict each other; leave one of them out")
        if self.aspect is None and not {"width", "height"} & set(given):
            raise ValueError("needs aspect, or width, height or both")
        if {"x", "y"} & set(given) and self.gravity is not None:
            raise ValueError(f"gravity and {given[0]} contradict each other; leave one of them out")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        return self


_Size = Annotated[int, Field(strict=True, ge=16, le=MAX_PIXELS)]


class ScaleEdit(EditModel):
    """Change the size of the pictures. Re-encodes all of them."""

    stage = "scale"
    edit: Literal["scale"]
    width: _Size | None = Field(
        None, description="Pixels. If only one of `width` and `height` is given, the other follows."
    )
    height: _Size | None = Field(None, description="Pixels.")
    mode: Literal["fit", "fill", "pad"] = Field(
        "fit",
        description="With both: `fit` keeps all of the picture within them, `fill` fills them and cuts the rest off, "
        "`pad` adds black bars.",
    )
    enlarge: Annotated[bool, Field(strict=True)] = Field(False, description="Whether pictures may become larger.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width is None and self.height is None:
            raise ValueError("needs width, height or both")
        if self.mode != "fit" and (self.width is None or self.height is None):
            raise ValueError(f"{self.mode} needs width and height")
        return self


# --- colour, denoise, blur ---------------------------------------------------------------------------

_Amount = Annotated[Fraction, Between("-100", "100")]


class ColourEdit(EditModel):
    """Change brightness, contrast, saturation and temperature. Re-encodes all pictures."""

    stage = "colour"
    edit: Literal["colour"]
    brightness: _Amount = Field(Fraction(0), description="Percent of the way from black to white that is added.")
    contrast: _Amount = Field(Fraction(0), description="Percent more or less; -100 is grey.")
    saturation: _Amount = Field(Fraction(0), description="Percent more or less; -100 is black and white.")
    temperature: _Amount = Field(Fraction(0), description="Positive is warmer, negative is colder.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not (self.brightness or self.contrast or self.saturation or self.temperature):
            raise ValueError("needs brightness, contrast, saturation or temperature")
        return self


class DenoiseEdit(EditModel):
    """Reduce noise by comparing each picture with its neighbours. Re-encodes all pictures."""

    stage = "colour"
    edit: Literal["denoise"]
    strength: Literal["light", "medium", "strong"] = Field("medium", description="How much noise is reduced.")


class BlurEdit(EditModel):
    """Make a part of the pictures unrecognizable, such as a face. Only the pictures that show it are re-encoded."""

    stage = "colour"
    repeats = True
    edit: Literal["blur"]
    x: MeasureField = Field(description="The left edge.")
    y: MeasureField = Field(description="The top edge.")
    width: MeasureField = Field(description="The width.")
    height: MeasureField = Field(description="The height.")
    mode: Literal["blur", "pixelate"] = Field("blur", description="Whether it is blurred or shown as large squares.")
    strength: MeasureField = Field(
        Percent(Fraction(20)), description="How far it is blurred, or the squares' size; percent of its shorter side."
    )
    start: PointField | None = Field(None, alias="from", description="Where it begins; the beginning if left out.")
    duration: LengthField | None = Field(None, description="For how long; to the end if left out.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("width", "height", "strength"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        if self.duration is not None and not self.duration:
            raise ValueError("duration must not be zero")
        return self


# --- time --------------------------------------------------------------------------------------------


class SpeedSpanField(Model):
    """A part of the clip with a speed of its own."""

    start: PointField = Field(alias="from", description="Where it begins.")
    end: PointField = Field(alias="to", description="Where it ends.")
    speed: Annotated[Fraction, Between("0.0625", "100")] = Field(description="2 is twice as fast, 0.5 half as fast.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.start, Finished) or isinstance(self.end, Finished):
            raise ValueError("its points must be in the time before the change of speed, not finished")  # noqa: TRY004
        if isinstance(self.start, Fraction) and isinstance(self.end, Fraction) and self.end <= self.start:
            raise ValueError("to must be after from")
        return self


class SpeedEdit(EditModel):
    """Show the clip, or parts of it, faster or slower. Up to 60 frames a second, nothing is re-encoded for it."""

    stage = "time"
    edit: Literal["speed"]
    speed: Annotated[Fraction, Between("0.0625", "100")] | None = Field(None, description="Of the whole clip.")
    spans: Annotated[tuple[SpeedSpanField, ...], Field(max_length=100)] = Field(
        (), description="Parts with a speed of their own, in order; the rest keeps its speed."
    )
    sound: Literal["pitch", "resample", "drop"] | None = Field(
        None,
        description="`pitch` keeps the pitch, `resample` changes it like a tape, `drop` is silent. By default, `drop` "
        "below a speed of 0.5 and above 4, and `pitch` between.",
    )

    between: Literal["repeat", "blend", "interpolate"] = Field(
        "repeat",
        description="What slow motion shows between the frames: `repeat` holds each of them, without re-encoding; "
        "`blend` mixes neighbours; `interpolate` computes motion, which takes long.",
    )
    ramp: LengthField = Field(
        Fraction(0), description="Seconds, before the change of speed, over which one speed turns into the next."
    )

    @model_validator(mode="after")
    def _check_ramp(self) -> Self:
        if self.ramp and not self.spans:
            raise ValueError("ramp needs spans")
        if self.ramp > 60:
            raise ValueError("ramp must be at most 60 seconds")
        return self

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.speed is None) == (not self.spans):
            raise ValueError("needs either speed or spans")
        return self


class TimelapseEdit(EditModel):
    """Show the clip in a certain time, without sound. Exactly duration times fps frames; only they are decoded."""

    stage = "time"
    edit: Literal["timelapse"]
    duration: LengthField = Field(description="Seconds of the finished clip, up to an hour.")
    fps: Annotated[Fraction, Between("1", "60")] = Field(Fraction(30), description="Frames a second.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not Fraction(1, 10) <= self.duration <= 3600:
            raise ValueError("duration must be from 0.1 to 3600 seconds")
        return self


class ReverseEdit(EditModel):
    """Show the clip backwards, without sound. Re-encodes all pictures."""

    stage = "time"
    edit: Literal["reverse"]


class FreezeEdit(EditModel):
    """Hold a picture for a while; the sound is silent meanwhile. Re-encodes no pictures."""

    stage = "time"
    edit: Literal["freeze"]
    at: PointField = Field(description="Which picture: the one that is shown at this point.")
    duration: LengthField = Field(description="For how many seconds longer it is shown, up to an hour.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not Fraction(1, 100) <= self.duration <= 3600:
            raise ValueError("duration must be from 0.01 to 3600 seconds")
        if isinstance(self.at, Finished):
            raise ValueError("its point must be in the time before the change of speed, not finished")  # noqa: TRY004
        return self


class LoopEdit(EditModel):
    """Show the clip, or a part of it, several times. Pictures are copied as often as they are shown."""

    stage = "time"
    edit: Literal["loop"]
    times: Annotated[int, Field(strict=True, ge=2, le=100)] = Field(description="How often it is shown.")
    start: PointField | None = Field(None, alias="from", description="Where the part begins; the beginning by default.")
    end: PointField | None = Field(None, alias="to", description="Where the part ends; the end by default.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.start, Finished) or isinstance(self.end, Finished):
            raise ValueError("its points must be in the time before the change of speed, not finished")  # noqa: TRY004
        if isinstance(self.start, Fraction) and isinstance(self.end, Fraction) and self.end <= self.start:
            raise ValueError("to must be after from")
        return self


# --- overlays ----------------------------------------------------------------------------------------


class OverlayModel(EditModel):
    """What all overlays have in common: where and when they are shown."""

    stage = "overlay"
    repeats = True
    place: Place = Field("bottom", description="Where in the picture.")
    margin: MeasureField = Field(Percent(Fraction(3)), description="From the edges; percent of the shorter side.")
    start: PointField | None = Field(None, alias="from", description="Where it appears; the beginning if left out.")
    duration: LengthField | None = Field(None, description="For how long; to the end if left out.")
    fade_in: LengthField = Field(Fraction(0), description="Seconds in which it appears.")
    fade_out: LengthField = Field(Fraction(0), description="Seconds in which it disappears, at its end.")

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.duration is None:
            return self
        if not self.duration:
            raise ValueError("duration must not be zero")
        if self.fade_in + self.fade_out > self.duration:
            raise ValueError("fade_in and fade_out must not be longer than duration together")
        return self


class _Lettering(OverlayModel):
    """What overlays of letters have in common: how they look."""

    font: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The family of a font in the folder of `CUTBACK_FONTS`; DejaVu Sans if left out."
    )
    size: MeasureField = Field(Percent(Fraction(5)), description="Height of a line; percent of the shorter side.")
    weight: Literal["regular", "bold"] = Field("regular", description="The weight of the letters.")
    color: Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = Field("#ffffff", description="Such as `#ffcc00`.")
    box: Annotated[bool, Field(strict=True)] = Field(True, description="Whether a dark box is behind the letters.")
    shadow: Annotated[bool, Field(strict=True)] = Field(False, description="Whether the letters cast a shadow.")
    zone: Annotated[str, Field(max_length=64), AfterValidator(_check_zone)] = Field(
        "UTC", description="The time zone, such as `Australia/Sydney`."
    )
    drawn_as: Literal["pictures", "subtitles"] = Field(
        "pictures",
        alias="as",
        description="`subtitles`: a track that players show and hide, without re-encoding pictures.",
    )


class TextEdit(_Lettering):
    """Draw a text on the pictures. Only the pictures that show it are re-encoded, up to the next keyframe."""

    edit: Literal["text"]
    text: Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(check_fields)] = Field(
        description="One line. `{camera}`, `{date}`, `{title}`, `{labels.NAME}` and others are filled in."
    )


class ClockEdit(_Lettering):
    """Draw the clock of the camera on the pictures: the time at which each of them was recorded."""

    edit: Literal["clock"]
    show: Literal["datetime", "date", "time"] = Field("datetime", description="What of it is shown.")
    camera: Annotated[bool, Field(strict=True)] = Field(True, description="Whether the camera's name is in front.")


class ImageEdit(OverlayModel):
    """Draw a picture from the assets, such as a logo. Only the pictures that show it are re-encoded."""

    edit: Literal["image"]
    asset: Key = Field(description="Its name in the assets store: a PNG, JPEG or WebP.")
    place: Place = Field("bottom-right", description="Where in the picture.")
    width: MeasureField | None = Field(None, description="Its width; percent of the picture's. Its own by default.")
    height: MeasureField | None = Field(None, description="Its height; percent of the picture's.")
    opacity: Annotated[Fraction, Between("0", "1")] = Field(Fraction(1), description="0 is invisible, 1 opaque.")

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that it needs."""
        return (self.asset,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.opacity:
            raise ValueError("opacity must not be zero")
        for name in ("width", "height"):
            value = getattr(self, name)
            if value == 0 or (isinstance(value, Percent) and not value.percent):
                raise ValueError(f"{name} must not be zero")
        return self


# --- fade --------------------------------------------------------------------------------------------


class FadeEdit(EditModel):
    """Fade pictures and sound in and out. Only what fades is re-encoded, up to the next keyframe."""

    stage = "fade"
    edit: Literal["fade"]
    fade_in: LengthField = Field(Fraction(0), alias="in", description="Seconds at the beginning of the clip.")
    fade_out: LengthField = Field(Fraction(0), alias="out", description="Seconds at its end.")
    color: Literal["black", "white"] = Field("black", description="What the pictures come from and turn into.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.fade_in and not self.fade_out:
            raise ValueError("needs in, out or both")
        return self


# --- sound -----------------------------------------------------------------------------------------


class AudioTrackEdit(EditModel):
    """Keep one of the audio tracks. It is copied, and so are the pictures."""

    stage = "sound"
    edit: Literal["audio_track"]
    number: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(None, description="Counted from 1.")
    language: Annotated[str, Field(pattern=r"^[a-z]{3}$")] | None = Field(
        None, description="Instead of `number`: its language, three letters such as `eng` (ISO 639-2)."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.number is None) == (self.language is None):
            raise ValueError("needs either number or language")
        return self


class ChannelsEdit(EditModel):
    """Make the sound mono or stereo. Pictures stay copied."""

    stage = "sound"
    edit: Literal["channels"]
    to: Literal["mono", "stereo"] = Field(description="The channels of the clip.")
    take: Literal["left", "right"] | None = Field(
        None, description="Only this channel of stereo sound is heard; all of them if left out."
    )


class SoundFadeEdit(EditModel):
    """Fade the sound alone in and out. Pictures stay copied."""

    stage = "sound"
    edit: Literal["sound_fade"]
    fade_in: LengthField = Field(Fraction(0), alias="in", description="Seconds at the beginning of the clip.")
    fade_out: LengthField = Field(Fraction(0), alias="out", description="Seconds at its end.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.fade_in and not self.fade_out:
            raise ValueError("needs in, out or both")
        return self


class MuteEdit(EditModel):
    """Leave out the sound. Pictures stay copied."""

    stage = "sound"
    edit: Literal["mute"]


class GainEdit(EditModel):
    """Make the sound louder or quieter. Pictures stay copied."""

    stage = "sound"
    edit: Literal["gain"]
    db: Annotated[Fraction, Between("-60", "30")] = Field(description="Decibels; negative is quieter.")


class LoudnessEdit(EditModel):
    """Bring the sound to a loudness (EBU R128), by one constant gain. Pictures stay copied."""

    stage = "sound"
    edit: Literal["loudness"]
    lufs: Annotated[Fraction, Between("-50", "-5")] = Field(description="The integrated loudness to reach, in LUFS.")
    true_peak: Annotated[Fraction, Between("-20", "0")] = Field(
        Fraction(-1), description="The highest true peak, in dBTP. The gain stays below what would exceed it."
    )


# --- the list --------------------------------------------------------------------------------------

_MODELS: tuple[type[EditModel], ...] = (
    DeinterlaceEdit,
    RotateEdit,
    CropEdit,
    ScaleEdit,
    ColourEdit,
    DenoiseEdit,
    BlurEdit,
    SpeedEdit,
    TimelapseEdit,
    ReverseEdit,
    FreezeEdit,
    LoopEdit,
    TextEdit,
    ClockEdit,
    ImageEdit,
    FadeEdit,
    AudioTrackEdit,
    MuteEdit,
    ChannelsEdit,
    GainEdit,
    LoudnessEdit,
    SoundFadeEdit,
)

KINDS: Mapping[str, type[EditModel]] = {get_args(kind.model_fields["edit"].annotation)[0]: kind for kind in _MODELS}
"""Every kind of edit, by its name."""

_TIMING = ("speed", "timelapse", "reverse", "freeze", "loop")

EXCLUSIVE = (
    *(frozenset(pair) for pair in combinations(_TIMING, 2)),
    frozenset({"deinterlace", "timelapse"}),
    frozenset({"denoise", "timelapse"}),
    frozenset({"gain", "loudness"}),
    *(
        frozenset({silent, heard})
        for silent in ("mute", "timelapse", "reverse")
        for heard in ("audio_track", "channels", "gain", "loudness", "sound_fade")
    ),
)
"""Kinds that contradict each other."""


def _check_kind(value: object) -> object:
    """Refuse an edit of unknown kind; name the nearest one."""
    if isinstance(value, EditModel):
        return value
    if not isinstance(value, dict):
        raise ValueError('must be an object such as {"edit": "mute"}')  # noqa: TRY004 - pydantic collects ValueErrors
    name = value.get("edit")
    if name is None:
        raise ValueError(f'has no "edit", which names its kind: {", ".join(KINDS)}')
    if not isinstance(name, str) or name not in KINDS:
        shown = "".join(c if c.isprintable() else "?" for c in str(name)[:40])
        near = get_close_matches(shown.lower(), KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"the edits are {', '.join(KINDS)}"
        raise ValueError(f"unknown edit {shown!r}; {hint}")
    return value


def _check_list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")  # noqa: TRY004 - pydantic collects ValueErrors
    if len(value) > MAX_EDITS:
        raise ValueError(f"must have at most {MAX_EDITS} items")
    return value


def _check_order(edits: tuple[EditModel, ...]) -> tuple[EditModel, ...]:
    """Refuse another order than that of the stages, a kind that occurs twice, and edits that contradict each other."""
    names = [edit.edit for edit in edits]
    for name, kind in KINDS.items():
        if not kind.repeats and names.count(name) > 1:
            raise ValueError(f"{name} occurs {names.count(name)} times; it may occur once")
    for pair in EXCLUSIVE:
        if pair <= set(names):
            first, second = sorted(pair, key=names.index)
            raise ValueError(f"{first} and {second} contradict each other; leave one of them out")
    if any(_place(after) < _place(before) for before, after in pairwise(edits)):
        right = [edit.edit for edit in sorted(edits, key=_place)]
        raise ValueError(f"are done in another order than they stand in; write them as {', '.join(right)}")
    return edits


def _place(edit: EditModel) -> int:
    return STAGES.index(edit.stage)


def _kind(value: Any) -> str:
    name = value.get("edit") if isinstance(value, dict) else getattr(value, "edit", "")
    return name if isinstance(name, str) else ""


if TYPE_CHECKING:
    Edits: TypeAlias = tuple[EditModel, ...]
else:
    _any_kind = reduce(or_, (Annotated[kind, Tag(name)] for name, kind in KINDS.items()))
    Edits = Annotated[
        tuple[Annotated[_any_kind, Discriminator(_kind), BeforeValidator(_check_kind)], ...],
        BeforeValidator(_check_list),
        AfterValidator(_check_order),
    ]
"""A request's edits, in stage order."""


def assets_of(edits: tuple[EditModel, ...]) -> tuple[str, ...]:
    """Return the assets that edits need, each once."""
    return tuple(dict.fromkeys(name for edit in edits for name in edit.assets))


def needs_exact(edits: tuple[EditModel, ...]) -> str | None:
    """Return the kind of an edit that changes pictures or times, which only exact clips allow; None without one."""
    return next((edit.edit for edit in edits if edit.stage != "sound"), None)

"""The catalogue of generated recordings: one of each kind that the cutter must handle."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from tests.support.media import FASTSTART, FRAGMENTED, FRAGMENTED_DELAYED, MediaSpec

Change = str
"""How a generated file is changed afterwards: see `changes.changed`."""


@dataclass(frozen=True)
class Recipe:
    """A generated recording and what is done to it."""

    spec: MediaSpec
    change: Change = ""
    copies: bool = False
    """Whether whole groups of pictures can be copied out of it, so that not doing so is a fault."""
    parts: tuple[MediaSpec, ...] = ()
    """Recordings that it is put together from; `spec` then says what they are in all."""
    shown_as: str = ""
    """The recipe of a recording that shows the same, where FFmpeg by itself would not present it rightly."""


def _vfr(frames: int) -> tuple[int, ...]:
    chance = random.Random(5)
    ticks = [0]
    while len(ticks) < frames:
        ticks.append(ticks[-1] + chance.choice([1500, 3000, 3003, 6000, 9001]))
    return tuple(ticks)


def _held() -> dict[str, object]:
    """25 frames a second to 2 s, one frame held from 1.96 s to 6 s, others from 7 s and from 9 s, then on to 11 s."""
    frames = [*range(50), *range(150, 176), 225, *range(251, 275)]
    return {"frames": len(frames), "pts": tuple(512 * n for n in frames), "time_base": Fraction(1, 12_800)}


def _twice() -> dict[str, object]:
    """25 frames a second, and here and there one more right behind another: in coarser ticks they have one time."""
    ticks = sorted([3600 * n for n in range(150)] + [3600 * n + 1 for n in (11, 24, 25, 60, 74, 100)])
    return {"frames": len(ticks), "pts": tuple(ticks), "time_base": Fraction(1, 90_000)}


def _faster(frames: int) -> tuple[int, ...]:
    """30, then 60, then 24 frames a second."""
    ticks = [0]
    while len(ticks) < frames:
        ticks.append(ticks[-1] + (3000 if len(ticks) < 70 else 1500 if len(ticks) < 140 else 3750))
    return tuple(ticks)


def _spec(frames: int = 200, **choices: object) -> MediaSpec:
    return MediaSpec(frames=frames, **choices)  # type: ignore[arg-type]


def _x264(params: str) -> dict[str, str]:
    return {"x264-params": params}


def _x265(params: str) -> dict[str, str]:
    return {"x265-params": params}


def _two(first: dict[str, object], second: dict[str, object], **both: object) -> tuple[MediaSpec, MediaSpec]:
    """Two consecutive recordings of 100 frames."""
    start = both.pop("start", Fraction(0))
    assert isinstance(start, Fraction)
    return (
        _spec(100, start=start, **both, **first),
        _spec(100, start=start + Fraction(100, 30), first_counter=100, **both, **second),
    )


_PYRAMID = _x264("b-pyramid=normal:ref=4:b-adapt=0")
_HYBRID = {"movflags": "+frag_keyframe"}
"""Samples in the index, and in fragments behind it."""
_VP9 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}
_VP8 = {"b": "600k", "deadline": "realtime", "cpu-used": "8"}
_NEGATIVE = {"movflags": "+negative_cts_offsets"}
_HDR10 = _x265(
    "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
)
_HLG = _x265("colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc")
_CAVLC: dict[str, object] = {"codec_options": _x264("cabac=0:ref=2"), "gop": 20}
_CABAC: dict[str, object] = {"codec_options": _x264("ref=4:8x8dct=1:b-pyramid=normal"), "gop": 25}
_WRAP = Fraction(2**33, 90000) - 3
"""Seconds: three before the clock of MPEG-TS wraps around."""

H264: dict[str, Recipe] = {
    "pyramid": Recipe(_spec(gop=48, bframes=3, codec_options=_PYRAMID, muxer_options=FASTSTART), copies=True),
    "no-vui": Recipe(_spec(gop=36, bframes=2, codec_options=_x264("b-pyramid=none")), "no-vui", copies=True),
    "no-vui-pyramid": Recipe(_spec(gop=48, bframes=3, codec_options=_PYRAMID), "no-vui", copies=True),
    "no-b-frames": Recipe(_spec(gop=25, bframes=0, fps=Fraction(25)), copies=True),
    "open-gop": Recipe(_spec(gop=40, bframes=3, open_gop=True)),
    "open-gop-cavlc": Recipe(_spec(gop=32, bframes=3, open_gop=True, codec_options=_x264("cabac=0:b-pyramid=normal"))),
    "10-bit": Recipe(_spec(120, gop=30, pix_fmt="yuv420p10le"), copies=True),
    "one-gop": Recipe(_spec(gop=1000)),
    "intra-refresh": Recipe(_spec(gop=40, bframes=0, codec_options=_x264("intra-refresh=1"))),
    "slices": Recipe(_spec(gop=20, codec_options=_x264("slices=4:sps-id=31")), copies=True),
    "slices-2": Recipe(
        _spec(120, gop=20, first_counter=200, codec_options=_x264("slices=4:sps-id=31")),
        copies=True,
    ),
    "baseline": Recipe(
        _spec(bframes=0, codec_options={"profile": "baseline"}, muxer_options={"video_track_timescale": "30"}),
        copies=True,
    ),
    "interlaced": Recipe(_spec(codec_options=_x264("tff=1"))),
    "field-pictures": Recipe(_spec(96, gop=12, audio=None), "paff"),
    "4:4:4": Recipe(_spec(pix_fmt="yuv444p", frames=120)),
    "ts-changing": Recipe(
        _spec(suffix=".ts", audio=None), parts=_two(_CAVLC, _CABAC, suffix=".ts", audio=None, start=Fraction(2))
    ),
    "avc3-changing": Recipe(
        _spec(audio=None),
        "remux .mp4 avc3",
        parts=_two(_CAVLC, _CABAC, suffix=".ts", audio=None, start=Fraction(2)),
    ),
    "two-entries": Recipe(_spec(audio=None), "entries", parts=_two(_CAVLC, _CABAC, audio=None)),
}

OTHER_CODECS: dict[str, Recipe] = {
    "hevc": Recipe(_spec(codec="libx265", tag="hvc1", gop=30)),
    "hevc-open": Recipe(_spec(160, codec="libx265", tag="hvc1", gop=30, bframes=3, open_gop=True)),
    "hevc-10": Recipe(_spec(120, codec="libx265", tag="hev1", gop=30, pix_fmt="yuv420p10le")),
    "hevc-hdr10": Recipe(
        _spec(120, codec="libx265", tag="hvc1", gop=30, pix_fmt="yuv420p10le", codec_options=_HDR10, audio=None)
    ),
    "hevc-hlg-mkv": Recipe(
        _spec(120, codec="libx265", suffix=".mkv", gop=30, pix_fmt="yuv420p10le", codec_options=_HLG)
    ),
    "hevc-ts": Recipe(_spec(120, codec="libx265", suffix=".ts", gop=30, audio=None, start=Fraction(7, 2))),
    "av1": Recipe(_spec(120, codec="libsvtav1", gop=30)),
    "av1-mkv": Recipe(_spec(120, codec="libsvtav1", gop=30, audio="libopus", suffix=".mkv")),
    "opus-vp9": Recipe(_spec(frames=120, codec="libvpx-vp9", audio="libopus", suffix=".webm")),
    "vp9": Recipe(_spec(120, codec="libvpx-vp9", gop=30)),
    "vp8": Recipe(_spec(120, codec="libvpx", gop=40, audio="libopus", suffix=".webm", codec_options=_VP8)),
    "vp8-hidden": Recipe(
        _spec(120, codec="libvpx", gop=40, audio="libopus", suffix=".webm", codec_options=_VP8), "hide"
    ),
    "vp9-hidden": Recipe(_spec(120, codec="libvpx-vp9", gop=40, codec_options=_VP9), "hide"),
    "vp9-hidden-webm": Recipe(
        _spec(120, codec="libvpx-vp9", gop=40, audio="libopus", suffix=".webm", codec_options=_VP9), "hide"
    ),
    "mpeg4": Recipe(_spec(120, codec="mpeg4", gop=12)),
    "mjpeg": Recipe(_spec(90, codec="mjpeg", suffix=".mov", gop=None)),
}

CONTAINERS: dict[str, Recipe] = {
    "fragmented": Recipe(_spec(gop=30, muxer_options=FRAGMENTED), copies=True),
    "fragmented-delayed": Recipe(_spec(gop=30, muxer_options=FRAGMENTED_DELAYED), copies=True),
    "hybrid": Recipe(_spec(gop=30, bframes=0, audio=None, muxer_options=_HYBRID), copies=True),
    "hybrid-b-frames": Recipe(_spec(gop=30, bframes=2, muxer_options=_HYBRID), copies=True),
    "hybrid-without-tfdt": Recipe(
        _spec(gop=30, bframes=0, audio=None, muxer_options=_HYBRID), "boxes tfdt free", copies=True, shown_as="hybrid"
    ),
    "negative-cts": Recipe(_spec(gop=30, bframes=3, muxer_options=_NEGATIVE), copies=True),
    "mkv": Recipe(_spec(suffix=".mkv", gop=36)),
    "ts": Recipe(_spec(suffix=".ts", gop=36, start=Fraction(21, 2))),
    "ts-wrap": Recipe(_spec(suffix=".ts", gop=36, start=_WRAP)),
    "ts-forward": Recipe(_spec(suffix=".ts", gop=36, start=Fraction(21, 2)), "clock +5000", shown_as="ts"),
    "ts-back": Recipe(_spec(suffix=".ts", gop=36, start=Fraction(21, 2)), "clock -12.25", shown_as="ts"),
    "sound-late": Recipe(_spec(gop=30), "audio +0.37"),
    "picture-late": Recipe(_spec(gop=30), "video +0.3"),
    "edit-list": Recipe(_spec(gop=30), "both -0.7"),
    "ends-early": Recipe(_spec(gop=30), "first 4.1 s"),
    "rotated": Recipe(_spec(rotation=90), copies=True),
    "anamorphic": Recipe(_spec(codec_options=_x264("sar=64/45")), copies=True),
    "anamorphic-ts": Recipe(_spec(120, suffix=".ts", codec_options=_x264("sar=64/45"), gop=20)),
}

RATES: dict[str, Recipe] = {
    "vfr": Recipe(_spec(gop=30, bframes=3, pts=_vfr(200), time_base=Fraction(1, 90000)), copies=True),
    "held": Recipe(MediaSpec(gop=25, bframes=2, **_held()), copies=True),  # type: ignore[arg-type]
    "held-fragmented": Recipe(
        MediaSpec(gop=20, bframes=0, muxer_options=FRAGMENTED_DELAYED, **_held()),  # type: ignore[arg-type]
        copies=True,
    ),
    "held-ts": Recipe(MediaSpec(gop=25, bframes=0, suffix=".ts", start=Fraction(3), **_held())),  # type: ignore[arg-type]
    "held-mkv": Recipe(MediaSpec(gop=25, bframes=2, suffix=".mkv", audio=None, **_held())),  # type: ignore[arg-type]
    "twice-mkv": Recipe(MediaSpec(gop=26, bframes=0, suffix=".mkv", **_twice())),  # type: ignore[arg-type]
    "twice-mkv-b": Recipe(MediaSpec(gop=26, bframes=3, suffix=".mkv", **_twice())),  # type: ignore[arg-type]
    "twice-mp4": Recipe(MediaSpec(gop=26, bframes=0, **_twice()), "zero"),  # type: ignore[arg-type]
    "slow": Recipe(_spec(40, fps=Fraction(2), gop=8, bframes=0), copies=True),
    "rate-changes": Recipe(_spec(gop=25, bframes=3, pts=_faster(200), time_base=Fraction(1, 90000)), copies=True),
    "23.976": Recipe(_spec(gop=48, fps=Fraction(24000, 1001)), copies=True),
    "29.97": Recipe(_spec(gop=30, fps=Fraction(30000, 1001)), copies=True),
    "59.94": Recipe(_spec(frames=300, gop=60, fps=Fraction(60000, 1001), bframes=3), copies=True),
    "120": Recipe(_spec(frames=480, gop=120, fps=Fraction(120), bframes=3), copies=True),
}

SOUNDS: dict[str, Recipe] = {
    "no-sound": Recipe(_spec(audio=None), copies=True),
    "sound-alone": Recipe(_spec(codec=None, suffix=".mp4")),
    "44.1-mono": Recipe(_spec(sample_rate=44100, channels=1), copies=True),
    "5.1": Recipe(_spec(120, channels=6), copies=True),
    "mono-said-stereo": Recipe(_spec(120, channels=1, sample_rate=16_000), "said 2", copies=True),
    "5.1-said-stereo": Recipe(_spec(120, channels=6), "said 2", copies=True),
    "mono-said-6": Recipe(_spec(120, channels=1, sample_rate=44_100), "said 6", copies=True),
    # AAC-LC of 24 kHz, mono, under a configuration that announces SBR, and PS: it decodes to 48 kHz, mono and stereo.
    "sbr": Recipe(_spec(120, channels=1, sample_rate=24_000), "config 2b098800", copies=True),
    "ps": Recipe(_spec(120, channels=1, sample_rate=24_000), "config eb098800", copies=True),
    "mp3": Recipe(_spec(audio="libmp3lame"), copies=True),
    "opus": Recipe(_spec(120, audio="libopus"), copies=True),
    "ac3-5.1": Recipe(_spec(120, audio="ac3", channels=6), "said 2", copies=True),
    "ac3": Recipe(_spec(120, audio="ac3"), copies=True),
    "ac3-ts": Recipe(_spec(audio="ac3", suffix=".ts", bframes=0)),
    "mov": Recipe(_spec(suffix=".mov", audio="pcm_s16le", gop=24, fps=Fraction(24)), copies=True),
    "ipcm": Recipe(_spec(120, audio="pcm_s24le"), copies=True),
    "fpcm-fragmented": Recipe(_spec(120, gop=30, audio="pcm_f32be", muxer_options=FRAGMENTED), copies=True),
    "pcm-mkv": Recipe(_spec(120, suffix=".mkv", audio="pcm_s16le")),
}

RECIPES = {**H264, **OTHER_CODECS, **CONTAINERS, **RATES, **SOUNDS}

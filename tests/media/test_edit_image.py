"""Pictures from the assets on pictures: drawn where and as they should be, and refused where they cannot be."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.media.cuts import CutResult, ask, cut_in_child, cut_ranges
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented, decode_warnings
from tests.support.sampling import slow_except
from tests.support.shape import shape_of

from cutback.cutting.edit_value import Edit
from cutback.cutting.edit_values.crop import Crop
from cutback.cutting.edit_values.overlay import ImageOverlay, TextOverlay
from cutback.cutting.edits.steps.image import placed
from cutback.cutting.job import CutGap, CutRange, Limits
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import Percent, Place
from cutback.sandbox.cutter import ChildCutter

Recordings = Callable[[str], ReferenceRecording]
Pixels = NDArray[np.uint8]

RANGE = ask((0, Fraction(0), Fraction(1)))
WHOLE = ask((0, Fraction(0), Fraction(5)))
LOGO = ImageOverlay(
    asset="logo", place="bottom-right", margin=Percent(Fraction(3)), width=None, height=None, opacity=Fraction(1),
    start=None, duration=None,
)  # fmt: skip


def logo(size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Red with a blue, half transparent bar; its corners are invisible, in green that must never be seen."""
    image = Image.new("RGBA", size, (200, 40, 40, 255))
    width, height = size
    image.paste((30, 60, 220, 128), (0, height // 2, width, height))
    image.paste((0, 255, 0, 0), (0, 0, width // 4, height // 4))
    return image


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


ASSETS: Mapping[str, bytes] = {"logo": saved(logo())}


def edited(
    recording: Path,
    *edits: Edit,
    ranges: Sequence[CutRange | CutGap] = RANGE,
    assets: Mapping[str, bytes] = ASSETS,
    limits: Limits | None = None,
) -> CutResult:
    return cut_ranges([recording], ranges, edits=edits, assets=assets, limits=limits)


def pictures(clip: CutResult | bytes) -> list[Pixels]:
    """All pictures of a clip, RGB."""
    data = clip if isinstance(clip, bytes) else clip.data
    assert decode_warnings(data) == []
    with av.open(BytesIO(data), "r") as container:
        return [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]


def over(image: Image.Image, edit: ImageOverlay, below: Pixels) -> Pixels:
    """The picture with the image on it, computed by numpy."""
    rgba = np.asarray(placed(edit, image, below.shape[1], below.shape[0])).astype(np.float32)
    alpha = rgba[..., 3:] / 255
    return (below * (1 - alpha) + rgba[..., :3] * alpha).astype(np.uint8)


def off(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(np.float32) - b).mean())


@pytest.mark.parametrize("place", ["top-left", "center", "bottom-right"])
@pytest.mark.parametrize("opacity", slow_except([Fraction(1), Fraction("0.5")], Fraction("0.5")))
def test_an_image_is_drawn_at_its_place_with_its_colours(
    recording: Recordings, place: Place, opacity: Fraction
) -> None:
    one = recording("pyramid")
    edit = replace(LOGO, place=place, opacity=opacity)
    plain, clip = pictures(edited(one.path)), pictures(edited(one.path, edit))
    assert len(plain) == len(clip) == 30
    for before, after in list(zip(plain, clip, strict=True))[::12]:
        wanted = over(logo(), edit, before)
        there = wanted != before
        assert off(after[there], wanted[there]) < off(wanted[there], before[there]) / 4
        assert off(after[~there], before[~there]) < 3


def test_nothing_is_seen_of_the_colours_of_invisible_pixels(recording: Recordings) -> None:
    """Not even at the edges, where four pixels share a colour."""
    one = recording("pyramid")
    found = []
    for hidden in ((0, 255, 0, 0), (0, 0, 255, 0)):
        image = Image.new("RGBA", (64, 64), hidden)
        image.paste((200, 40, 40, 255), (17, 17, 46, 46))  # odd edges
        clip = edited(one.path, replace(LOGO, place="center"), assets={"logo": saved(image)})
        found.append(pictures(clip)[20])
    assert off(*found) == 0


def test_only_the_pictures_with_the_image_are_re_encoded(recording: Recordings) -> None:
    one = recording("pyramid")
    clip = edited(one.path, replace(LOGO, start=Fraction(1), duration=Fraction(1)), ranges=WHOLE)
    plain = edited(one.path, ranges=WHOLE)
    changed = [
        off(after[-40:, -60:], before[-40:, -60:]) > 10
        for before, after in zip(pictures(plain), pictures(clip), strict=True)
    ]
    assert changed == [30 <= number < 60 for number in range(150)]
    assert clip.facts.frames_copied >= 60
    assert decode_presented(clip.data).audio_end == decode_presented(plain.data).audio_end
    assert clip.facts.edits == ("image: logo",)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("WEBP", "RGB"),
        ("PNG", "L"),
        ("PNG", "LA"),
        ("PNG", "P"),
        ("PNG", "1"),
    ],
)
def test_every_kind_of_file_is_drawn(recording: Recordings, kind: str, mode: str) -> None:
    one = recording("no-b-frames")
    image = logo().convert("RGB").convert(mode)
    before, after = (
        pictures(edited(one.path, *edits, assets={"logo": saved(image, kind)}))[5] for edits in ((), (LOGO,))
    )
    assert off(after, over(image.convert("RGBA"), LOGO, before)) < 2.5


def test_sizes_are_percent_of_the_finished_picture(recording: Recordings) -> None:
    one = recording("pyramid")
    crop = Crop(Fraction(1), None, None, None, None, None)
    edit = replace(LOGO, width=Percent(Fraction(50)), place="top-left", margin=0)
    before, after = (pictures(edited(one.path, *edits))[3] for edits in ((crop,), (crop, edit)))
    assert before.shape[:2] == (180, 180)
    image = placed(edit, logo(), 180, 180)
    assert image.getbbox() == (0, 0, 90, 60)
    assert off(after, over(logo(), edit, before)) < 3


def test_an_image_that_is_too_large_shrinks_into_the_picture() -> None:
    edit = replace(LOGO, margin=10)
    assert placed(edit, logo((4000, 1000)), 320, 180).getbbox() == (10, 180 - 10 - 75, 310, 170)
    both = replace(edit, width=40, height=100, place="center")
    assert placed(both, Image.new("RGBA", (9, 9), "red"), 320, 180).getbbox() == (140, 40, 180, 140)


def test_a_photo_is_upright() -> None:
    from cutback.cutting.edits.still_image import decoded

    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    image = Image.new("RGB", (40, 20), "white")
    image.paste((0, 0, 0), (0, 0, 10, 20))
    found = decoded("photo", saved(image, "JPEG", exif=exif), 10**6)
    assert found.size == (20, 40)
    levels = np.asarray(found.convert("L"))
    assert levels[2, 10] < 60
    assert levels[37, 10] > 200


def test_sixteen_bits_of_grey_keep_their_levels() -> None:
    from cutback.cutting.edits.still_image import decoded

    image = Image.new("I;16", (4, 4), 0x8000)
    assert decoded("grey", saved(image), 100).getpixel((1, 1)) == (128, 128, 128, 255)


@pytest.mark.parametrize("name", slow_except(["rotated", "hevc", "open-gop"], "rotated"))
def test_an_image_is_upright_on_other_recordings(recording: Recordings, name: str) -> None:
    one = recording(name)
    turns = shape_of(one.path).rotation // 90
    before, after = (np.rot90(pictures(edited(one.path, *edits))[10], turns) for edits in ((), (LOGO,)))
    expected = over(logo(), LOGO, before)
    there = expected != before
    assert off(after[there], expected[there]) < off(after[there], before[there]) / 4


def test_overlays_are_painted_in_order(recording: Recordings) -> None:
    one = recording("pyramid")
    cover = replace(
        LOGO, asset="cover", place="center", width=Percent(Fraction(100)), height=Percent(Fraction(100)), margin=0
    )
    text = TextOverlay(
        text="Left", place="center", margin=8, size=20, weight="bold", color="#ffffff", box=True, shadow=False,
        start=None, duration=None,
    )  # fmt: skip
    assets = {"cover": saved(Image.new("RGB", (32, 18), (90, 90, 90)))}
    above, below = (pictures(edited(one.path, *edits, assets=assets))[3] for edits in ((cover, text), (text, cover)))
    assert np.abs(below.astype(int) - 90).max() < 12, "the cover hides the text"
    assert above.max() > 200


def huge_png(width: int, height: int) -> bytes:
    """A PNG that claims a size; it has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (huge_png(30_000, 30_000), "logo has 30000×30000 pixels; the limit is 25000000"),
        (huge_png(16, 16), "logo is not a readable PNG, JPEG or WebP"),
        (animated("PNG"), "logo is animated"),
        (animated("WEBP"), "logo is animated"),
        (animated("GIF"), "logo is not a readable PNG, JPEG or WebP"),
        (saved(logo())[:-60], "logo is not a readable PNG, JPEG or WebP"),
        (b"<svg/>", "logo is not a readable PNG, JPEG or WebP"),
        (b"", "logo is not a readable PNG, JPEG or WebP"),
    ],
    ids=["huge", "empty-pixels", "apng", "webp", "gif", "cut-off", "svg", "empty"],
)
def test_what_cannot_be_drawn_is_refused_by_name(recording: Recordings, data: bytes, said: str) -> None:
    with pytest.raises(EditImpossibleError, match=said):
        edited(recording("pyramid").path, LOGO, assets={"logo": data})


def test_a_file_that_is_too_large_is_not_read(recording: Recordings) -> None:
    with pytest.raises(EditImpossibleError, match="logo has 2000 bytes; the limit is 1024"):
        edited(recording("pyramid").path, LOGO, assets={"logo": bytes(2000)}, limits=Limits(image_bytes=1024))


def test_an_image_that_has_no_room_or_time_is_refused(recording: Recordings) -> None:
    one = recording("pyramid")
    with pytest.raises(EditImpossibleError, match="image: a margin of 90 pixels leaves no room"):
        edited(one.path, replace(LOGO, margin=90))
    with pytest.raises(EditImpossibleError, match="image: 9 s is not within the clip"):
        edited(one.path, replace(LOGO, start=Fraction(9)))
    gap: list[CutRange | CutGap] = [CutRange(0, Fraction(1), Fraction(2)), CutGap(Fraction(1), "freeze")]
    with pytest.raises(EditImpossibleError, match="image: it would be on a filled gap"):
        edited(one.path, LOGO, ranges=gap)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_confined_child_decodes_images(recording: Recordings, cutter: ChildCutter, kind: str) -> None:
    one = recording("pyramid")
    data = saved(logo().convert("RGB"), kind)
    wanted = (0, Fraction(0), Fraction(1))
    clip = cut_in_child(cutter, [one.path], wanted, edits=[LOGO], assets={"logo": data})
    before = pictures(edited(one.path, ranges=ask(wanted)))[5]
    assert off(pictures(clip)[5], over(logo().convert("RGB").convert("RGBA"), LOGO, before)) < 2.5


def test_the_child_names_an_image_that_it_cannot_decode(recording: Recordings, cutter: ChildCutter) -> None:
    with pytest.raises(EditImpossibleError, match="logo has 30000×30000 pixels"):
        cut_in_child(
            cutter,
            [recording("pyramid").path],
            (0, Fraction(0), Fraction(1)),
            edits=[LOGO],
            assets={"logo": huge_png(30_000, 30_000)},
        )

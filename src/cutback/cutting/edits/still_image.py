"""Decodes pictures from the assets. Imported only where one is drawn."""

from __future__ import annotations

from io import BytesIO

import av
from PIL import Image, ImageOps

from cutback.cutting.edits.overlay_image import frame_of
from cutback.domain.errors import EditImpossibleError

Image.MAX_IMAGE_PIXELS = None  # a limit of our own applies, before anything is decoded

FORMATS = ("PNG", "JPEG", "WEBP")


def decoded(name: str, data: bytes, most_pixels: int) -> Image.Image:
    """Return a picture, upright, as RGBA. `name` is the asset's.

    Raises:
        EditImpossibleError: it has another format, it is animated or damaged, or it has more than `most_pixels`.
    """
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check(name, image, most_pixels)
            upright = ImageOps.exif_transpose(image)
            return _eight_bits(upright).convert("RGBA")
    except (EditImpossibleError, MemoryError):
        raise
    except Exception as error:
        raise EditImpossibleError(f"{name} is not a readable PNG, JPEG or WebP.") from error


def _check(name: str, image: Image.Image, most_pixels: int) -> None:
    width, height = image.size
    if width * height > most_pixels:
        raise EditImpossibleError(f"{name} has {width}×{height} pixels; the limit is {most_pixels}.")
    if getattr(image, "is_animated", False):
        raise EditImpossibleError(f"{name} is animated; only pictures that stand still can be drawn.")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with 8: Pillow would clip its values instead of scaling them."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value / 256).convert("L")


def import_formats() -> None:
    """Decode a picture of each format once while files can be opened: Pillow imports their modules when needed."""
    for name in FORMATS:
        stream = BytesIO()
        Image.new("RGB", (16, 16)).save(stream, name)
        frame_of(decoded(name, stream.getvalue(), 256), av.VideoFrame(64, 64, "yuv420p"))

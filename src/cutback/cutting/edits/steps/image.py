"""`image`: a picture from the assets on the pictures, such as a logo."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av

from cutback.cutting.edit_values.overlay import ImageOverlay
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import fades, opacity_at, part_of
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.job import CutJob
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import anchored, in_pixels

if TYPE_CHECKING:
    from PIL import Image


class ImageStep(EditStep[ImageOverlay]):
    """Draws the picture once, and puts it onto the pictures."""

    edit = ImageOverlay
    depends_on_size = True

    def prepare(self, edit: ImageOverlay, job: CutJob) -> None:
        """See `EditStep`."""
        from cutback.cutting.edits.still_image import import_formats

        del edit, job
        import_formats()

    def progresses(self, edit: ImageOverlay) -> bool:
        """See `EditStep`."""
        return fades(edit)

    def painted(self, edit: ImageOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        scene.assets.image(edit.asset)
        return (part_of("image", edit, scene),)

    def paint(
        self, edit: ImageOverlay, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""

        def draw(width: int, height: int) -> Image.Image:
            return placed(edit, scene.assets.image(edit.asset), width, height)

        opacity = opacity_at(at.finished, edit, part_of("image", edit, scene))
        return scene.overlays.put(frame, edit, edit, draw, view, opacity)

    def described(self, edit: ImageOverlay) -> str:
        """See `EditStep`."""
        return f"image: {edit.asset}"


def placed(edit: ImageOverlay, image: Image.Image, width: int, height: int) -> Image.Image:
    """Return a transparent picture of this size with the image at its place. An image that is too large shrinks.

    Raises:
        EditImpossibleError: nothing of it would be left.
    """
    from PIL import Image

    margin = round(in_pixels(edit.margin, min(width, height)))
    room = width - 2 * margin, height - 2 * margin
    if min(room) < 1:
        raise EditImpossibleError(f"image: a margin of {margin} pixels leaves no room for it in {width}×{height}.")
    size = _size(edit, image.size, (width, height), room)
    image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    if edit.opacity < 1:
        image = image.copy()
        image.putalpha(image.getchannel("A").point([round(level * edit.opacity) for level in range(256)]))
    x, y = anchored(edit.place, Fraction(room[0] - size[0]), Fraction(room[1] - size[1]))
    canvas = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    canvas.paste(image, (margin + round(x), margin + round(y)))
    return canvas


def _size(edit: ImageOverlay, own: tuple[int, int], picture: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size of an image on a picture. Without both, its shape stays; it is never larger than its room."""
    wide = None if edit.width is None else in_pixels(edit.width, picture[0])
    high = None if edit.height is None else in_pixels(edit.height, picture[1])
    aspect = Fraction(*own)
    if wide is None:
        wide = Fraction(own[0]) if high is None else high * aspect
    if high is None:
        high = wide / aspect
    shrink = min(Fraction(1), room[0] / wide, room[1] / high)
    return max(1, round(wide * shrink)), max(1, round(high * shrink))

"""`inset`: the pictures of another camera or recording, in the pictures of the clip or beside them."""

from __future__ import annotations

from fractions import Fraction

import av

from cutback.cutting.codecs.colours import for_swscale, matrix_of, range_of
from cutback.cutting.codecs.dynamic_range import ToHdr, ToSdr
from cutback.cutting.codecs.encoder import in_encodable_format
from cutback.cutting.codecs.hdr_levels import is_hdr
from cutback.cutting.edit_values.overlay import InsetOverlay
from cutback.cutting.edits.graph import Filter, MixGraph, OverlayGraph, PictureGraph
from cutback.cutting.edits.inset_footage import ShownPicture
from cutback.cutting.edits.overlay import Orientation
from cutback.cutting.edits.overlay_part import opacity_at, part_of
from cutback.cutting.edits.shape_chain import ShapeChain, even, upright
from cutback.cutting.edits.step import EditStep, PaintedClip, PaintedPart, ShownAt
from cutback.cutting.turns import shape_of_pixels, turns_of, undone
from cutback.domain.errors import EditImpossibleError
from cutback.domain.measures import MAX_PIXELS, Percent, anchored, in_pixels

_USUAL_WIDTH = Percent(Fraction(30))


class InsetStep(EditStep[InsetOverlay]):
    """Puts the picture of the same moment onto each picture."""

    edit = InsetOverlay

    def shapes(self, edit: InsetOverlay) -> bool:
        """See `EditStep`."""
        return edit.layout != "over"

    def shape(
        self, edit: InsetOverlay, canvas: ShapeChain, said: list[str], scene: PaintedClip | None = None
    ) -> ShapeChain:
        """See `EditStep`."""
        del said, scene
        if edit.layout == "over":
            return canvas
        width, height = -(-canvas.width // 2) * 2, -(-canvas.height // 2) * 2
        width, height = (2 * width, height) if edit.layout == "beside" else (width, 2 * height)
        if max(width, height) > MAX_PIXELS:
            raise EditImpossibleError(f"inset: {width}×{height} pixels are too many; scale the pictures first.")
        return canvas.through(Filter("pad", {"w": width, "h": height, "x": 0, "y": 0}), width, height)

    def painted(self, edit: InsetOverlay, scene: PaintedClip) -> tuple[PaintedPart, ...]:
        """See `EditStep`."""
        if edit.camera is not None and not scene.time.cameras:
            raise EditImpossibleError("inset: a camera needs a source that names a camera.")
        scene.insets.check(edit.shows)
        return (part_of("inset", edit, scene),)

    def paint(
        self, edit: InsetOverlay, frame: av.VideoFrame, at: ShownAt, scene: PaintedClip, view: Orientation
    ) -> av.VideoFrame:
        """See `EditStep`."""
        part = part_of("inset", edit, scene)
        opacity = opacity_at(at.finished, edit, part) * edit.opacity
        other = _other(edit, at.cut, scene, part) if opacity > 0 else None
        if other is None:
            return frame
        size = view.size(frame)
        own = _size_of(other)
        box = _over(edit, own, size) if edit.layout == "over" else _in_half(edit, own, size)
        left, top, right, bottom = (even(edge) for edge in view.coded(*box, frame))
        width, height = max(2, right - left), max(2, bottom - top)
        image = _converted(edit, other, frame, view, (width, height), scene)
        made = scene.graphs.graph(
            (edit, "put", left, top, width, height), frame, lambda: OverlayGraph(frame, image, left, top)
        ).apply(frame, image)
        if opacity >= 1:
            return made
        return scene.graphs.graph((edit, "mix"), frame, lambda: MixGraph(frame)).apply(made, frame, opacity)

    def described(self, edit: InsetOverlay) -> str:
        """See `EditStep`."""
        return f"inset: {edit.shows}, {edit.layout} the pictures"


Box = tuple[Fraction, Fraction, Fraction, Fraction]
"""Left, top, right and bottom, in pixels of the shown picture."""


def _other(edit: InsetOverlay, cut: Fraction, scene: PaintedClip, part: PaintedPart) -> ShownPicture | None:
    if edit.recording is not None:
        return scene.insets.at_time(edit.recording, edit.begins + cut - scene.cut(part.start))
    moment = scene.time.moment(cut)
    return None if moment is None else scene.insets.at_moment(edit.shows, moment[0])


def _chain(other: ShownPicture) -> ShapeChain:
    frame = other.picture.frame
    aspect = other.picture.aspect or shape_of_pixels(other.track, frame.width, frame.height)
    return upright(frame.width, frame.height, Fraction(aspect), turns_of(other.track.matrix))


def _size_of(other: ShownPicture) -> tuple[int, int]:
    chain = _chain(other)
    return chain.width, chain.height


def _over(edit: InsetOverlay, own: tuple[int, int], size: tuple[int, int]) -> Box:
    """Return where an inset is in a picture: at its anchor, never larger than the room within the margins."""
    margin = round(in_pixels(edit.margin, min(size)))
    room = size[0] - 2 * margin, size[1] - 2 * margin
    if min(room) < 2:
        raise EditImpossibleError(f"inset: a margin of {margin} pixels leaves no room for it in {size[0]}×{size[1]}.")
    aspect = Fraction(*own)
    wanted = edit.width if edit.width is not None or edit.height is not None else _USUAL_WIDTH
    wide = None if wanted is None else in_pixels(wanted, size[0])
    high = None if edit.height is None else in_pixels(edit.height, size[1])
    if wide is None:
        assert high is not None
        wide = high * aspect
    high = wide / aspect if high is None else high
    shrink = min(Fraction(1), room[0] / wide, room[1] / high)
    wide, high = wide * shrink, high * shrink
    x, y = anchored(edit.place, room[0] - wide, room[1] - high)
    return margin + x, margin + y, margin + x + wide, margin + y + high


def _in_half(edit: InsetOverlay, own: tuple[int, int], size: tuple[int, int]) -> Box:
    """Return where an inset is in the new half of a picture: as large as it fits, in its middle."""
    across, down = (2, 1) if edit.layout == "beside" else (1, 2)
    half = Fraction(size[0], across), Fraction(size[1], down)
    left, top = size[0] - half[0], size[1] - half[1]
    scale = min(half[0] / own[0], half[1] / own[1])
    wide, high = own[0] * scale, own[1] * scale
    x, y = left + (half[0] - wide) / 2, top + (half[1] - high) / 2
    return x, y, x + wide, y + high


def _converted(
    edit: InsetOverlay,
    other: ShownPicture,
    frame: av.VideoFrame,
    view: Orientation,
    size: tuple[int, int],
    scene: PaintedClip,
) -> av.VideoFrame:
    """Return a picture in the size, the orientation, the colours and the depth that it has on another one."""
    picture = in_encodable_format(other.picture.frame)
    chain = _chain(other).turned([undone(turn) for turn in reversed(view.turns)]).scaled(*size)
    like = edit, other.track.matrix, other.picture.aspect, view.turns, size
    shaped = scene.graphs.graph(like, picture, lambda: PictureGraph(picture, chain.filters)).apply(picture)
    shaped.colorspace = matrix_of(picture)  # what players assume if it is unspecified depends on its size
    shaped = _in_dynamic_range(edit, shaped, frame, scene)
    made = shaped.reformat(
        format="yuva420p10le" if frame.format.components[0].bits > 8 else "yuva420p",
        src_colorspace=for_swscale(matrix_of(shaped)),
        dst_colorspace=for_swscale(matrix_of(frame)),
        src_color_range=range_of(shaped),
        dst_color_range=range_of(frame),
    )
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    return made


def _in_dynamic_range(
    edit: InsetOverlay, picture: av.VideoFrame, like: av.VideoFrame, scene: PaintedClip
) -> av.VideoFrame:
    """Return a picture with the transfer characteristic of another one, if one of the two is that of HDR."""
    own, wanted = int(picture.color_trc), int(like.color_trc)
    if own == wanted or not (is_hdr(own) or is_hdr(wanted)):
        return picture
    sdr = scene.graphs.graph((edit, "sdr"), picture, ToSdr).apply(picture)
    if not is_hdr(wanted):
        return sdr
    return scene.graphs.graph((edit, "hdr"), sdr, lambda: ToHdr(wanted)).apply(sdr)

"""The pictures that `cutback cut` writes beside a clip: posters, sprites, a preview, a waveform."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from cutback.domain.errors import MediaCrashedError, MediaTooLargeError, MediaTooSlowError
from cutback.storage import clip_file

if TYPE_CHECKING:
    from cutback.cutting.job import Rendition


class WrittenPictures(NamedTuple):
    """What was written beside a clip."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """What could not be made."""


NONE = WrittenPictures((), ())


def check(target: Path, kinds: Collection[str], sources: Sequence[Path], *, force: bool) -> None:
    """Check, before the work, that no file is in the way. Raises like `clip_file.check_replaceable`."""
    for name in _names(kinds):
        clip_file.check_replaceable(_beside(target, name), sources, force=force)


def write(
    target: Path, rendition: Rendition, sources: Sequence[Path], *, force: bool, stopped: Callable[[], bool]
) -> WrittenPictures:
    """Write the pictures of a clip that is already written. If one cannot be written, new ones are removed.

    Raises:
        CutbackError: as `clip_file.write`.
    """
    from cutback.lifecycle.clip_pictures import SHEET, picture_files

    sheet = _beside(target, SHEET)
    written: list[Path] = []
    added: list[Path] = []

    def put(name: str, content: bytes) -> None:
        path = _beside(target, name)
        is_new = not path.exists()
        clip_file.check_replaceable(path, sources, force=force)
        clip_file.write(path, [content], force=force, stopped=stopped)
        written.append(path)
        if is_new:
            added.append(path)

    try:
        for poster in rendition.posters():
            put(f"poster-{poster.fits}.jpg", rendition.read_poster(poster))
        made = rendition.pictures()
        for name, content in picture_files(made, rendition, quote(sheet.name)):
            put(name, content)
    except (MediaCrashedError, MediaTooLargeError, MediaTooSlowError):
        return WrittenPictures(tuple(written), ("Its pictures could not be made.",))
    except BaseException:
        for path in added:
            path.unlink(missing_ok=True)
        raise
    return WrittenPictures(tuple(written), made.notes)


def _beside(target: Path, name: str) -> Path:
    return target.with_name(f"{target.stem}.{name}")


def _names(kinds: Collection[str]) -> Iterator[str]:
    if "poster" in kinds:
        from cutback.cutting.posters.choose import WIDTHS

        yield from (f"poster-{width}.jpg" for width in WIDTHS)
    if "sprites" in kinds:
        yield from ("sprites.vtt", "sprites.jpg")
    if "preview" in kinds:
        yield "preview.webp"
    if "waveform" in kinds:
        yield from ("waveform.json", "waveform.svg")

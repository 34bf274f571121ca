"""Stores what comes with a clip besides its posters: sprites, a preview, a waveform."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cutback.cutting.job import ClipPictures, Rendition
from cutback.domain.clips.clip import PictureFile
from cutback.domain.errors import MediaCrashedError, MediaTooLargeError, MediaTooSlowError
from cutback.domain.scrubbing import sprites_vtt, waveform_svg
from cutback.lifecycle.lease import Lease
from cutback.storage.store import Store

log = logging.getLogger(__name__)

SHEET = "sprites.jpg"


def store_pictures(
    clips: Store, folder: str, rendition: Rendition, lease: Lease
) -> tuple[tuple[PictureFile, ...], tuple[str, ...]]:
    """Store a clip's pictures under `folder`, which belongs to one attempt only; return them, and notes.

    A clip whose pictures cannot be made is a clip without them.

    Raises:
        ObjectExistsError: an object is already there.
        StorageUnavailableError: the store does not answer.
        StoppedError: the work was stopped.
    """
    try:
        made = rendition.pictures()
    except (MediaCrashedError, MediaTooLargeError, MediaTooSlowError) as error:
        log.warning("stage=pictures reason=%s", error)
        return (), ("Its pictures could not be made.",)
    files = list(picture_files(made, rendition))
    if not files:
        return (), made.notes

    def store(name: str, content: bytes) -> PictureFile:
        lease.raise_if_stopped()
        clips.put(folder + name, [content], size=len(content), if_absent=True)
        return PictureFile(name=name, key=folder + name, size=len(content))

    # In parallel, like posters.
    with ThreadPoolExecutor(len(files), thread_name_prefix="cutback-pictures") as threads:
        return tuple(threads.map(lambda file: store(*file), files)), made.notes


def picture_files(made: ClipPictures, rendition: Rendition, sheet: str = SHEET) -> Iterator[tuple[str, bytes]]:
    """Yield the names and the contents of a clip's pictures. `sheet` is the address of the sprites' sheet."""
    if made.tiles is not None and made.sheet is not None:
        yield "sprites.vtt", sprites_vtt(made.tiles, sheet).encode()
        yield SHEET, rendition.read_picture(made.sheet)
    if made.preview is not None:
        yield "preview.webp", rendition.read_picture(made.preview)
    if made.waveform is not None:
        yield "waveform.json", json.dumps(made.waveform, separators=(",", ":")).encode()
        yield "waveform.svg", waveform_svg(made.waveform["coarse"]["peaks"], made.waveform["scale"]).encode()

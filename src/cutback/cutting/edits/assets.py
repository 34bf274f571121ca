"""What edits need from the assets store: pictures, decoded once for a clip, and sound. Runs in the child process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cutback.cutting.job import ByteSource, CutJob
from cutback.cutting.source.sound_file import SoundFile
from cutback.domain.errors import (
    EditImpossibleError,
    MediaTooLargeError,
    MediaUnreadableError,
    MediaUnsupportedError,
)

if TYPE_CHECKING:
    from PIL import Image


class Assets:
    """The assets of one job, by name."""

    def __init__(self, job: CutJob, sources: Sequence[ByteSource]) -> None:
        """Nothing is read yet."""
        self._numbers, self._sources, self._limits = job.assets, sources, job.limits
        self._images: dict[str, Image.Image] = {}
        self._sounds: dict[str, SoundFile] = {}

    def source(self, name: str) -> tuple[ByteSource, int]:
        """Return an asset, and its number among the job's sources."""
        number = self._numbers[name]
        return self._sources[number], number

    def image(self, name: str) -> Image.Image:
        """Return a picture, upright, with transparency.

        Raises:
            EditImpossibleError: it is no PNG, JPEG or WebP, it is animated or damaged, or it is larger than the limits.
        """
        from cutback.cutting.edits.still_image import decoded

        if name not in self._images:
            source, _ = self.source(name)
            if source.size > self._limits.image_bytes:
                raise EditImpossibleError(f"{name} has {source.size} bytes; the limit is {self._limits.image_bytes}.")
            self._images[name] = decoded(name, source.read_at(0, source.size), self._limits.image_pixels)
        return self._images[name]

    def sound(self, name: str) -> SoundFile:
        """Return a file that is read for its sound.

        Raises:
            EditImpossibleError: it has none, it cannot be read, or it is larger than the limits.
        """
        if name not in self._sounds:
            source, _ = self.source(name)
            with naming(name):
                self._sounds[name] = SoundFile(source, self._limits)
        return self._sounds[name]


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Say which asset is wrong with the media.

    Raises:
        EditImpossibleError: the media of an asset are damaged, unsupported or too large.
    """
    try:
        yield
    except (MediaUnreadableError, MediaUnsupportedError, MediaTooLargeError) as error:
        raise EditImpossibleError(f"{name} cannot be used. {error.detail}") from error

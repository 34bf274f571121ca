"""A clip that is cut but not stored yet: its bytes are assembled while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable

from cutback.cutting.job import ByteSource, ClipPictures, Poster, RenderedFile, SpooledPicture
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput
from cutback.domain.byte_ranges import coalesced
from cutback.sandbox.heap import give_back

_CHUNK = 4 * 1024 * 1024

_SMALL = 512 * 1024
"""Extents up to this size are read through the source's cache: much of them was read before, for decoding."""


_APART = 256 * 1024
"""Small extents this close are fetched in one request: that is cheaper than another request."""


@runtime_checkable
class _Streaming(Protocol):
    def stream(self, offset: int, length: int) -> Iterator[bytes]: ...


class Drawing(Protocol):
    """The posters and other pictures of a clip while they are made."""

    def posters(self) -> tuple[Poster, ...]:
        """See `Rendition.posters`."""
        ...

    def pictures(self) -> ClipPictures:
        """See `Rendition.pictures`. `posters` must be called before."""
        ...

    def close(self) -> None:
        """Stop making them."""
        ...


class FinishedClip:
    """A `Rendition` with the spool; copied media is read from the sources while the clip is stored."""

    def __init__(
        self,
        outputs: tuple[MadeOutput, ...],
        sources: Sequence[ByteSource],
        spool: BinaryIO,
        drawing: Drawing,
    ) -> None:
        """`spool` and `drawing` are closed by `__exit__`."""
        self._sources, self._spool = sources, spool
        self._drawing = drawing
        self._posters: tuple[Poster, ...] | None = None
        self.outputs = outputs
        self.facts = outputs[0].facts

    def chunks(self, file: RenderedFile | None = None) -> Iterator[bytes]:
        """See `Rendition.chunks`."""
        return self.bytes_of(self.extents(file))

    def extents(self, file: RenderedFile | None = None) -> tuple[Extent, ...]:
        """Return where the bytes of a file are, by default of the first one. Origins are numbers of sources."""
        return next(each for output in self.outputs for each in output.files if file is None or each is file).extents

    def bytes_of(self, extents: Sequence[Extent]) -> Iterator[bytes]:
        """Yield these bytes. Chunks have at most 4 MiB, or are as the source streams them."""
        self._announce_small(extents)
        for extent in extents:
            if extent.origin == SPOOL:
                yield from self._from_spool(extent)
                continue
            source = self._sources[extent.origin]
            if isinstance(source, _Streaming) and extent.length > _SMALL:
                yield from source.stream(extent.offset, extent.length)
            else:
                for at in range(extent.offset, extent.offset + extent.length, _CHUNK):
                    yield source.read_at(at, min(_CHUNK, extent.offset + extent.length - at))

    def _announce_small(self, all_extents: Sequence[Extent]) -> None:
        """Announce small extents: around edges, sound is scattered between pictures that the clip does not copy."""
        for number, source in enumerate(self._sources):
            extents = [extent for extent in all_extents if extent.origin == number]
            crumbs = [(extent.offset, extent.offset + extent.length) for extent in extents if extent.length <= _SMALL]
            # The end of a large extent, which was not decoded, is fetched together with the small ones after it.
            ends = [extent.offset + extent.length for extent in extents if extent.length > _SMALL]
            crumbs += [(end - _APART, end) for end in ends if any(end <= start < end + _APART for start, _ in crumbs)]
            joined = coalesced(crumbs, _APART)
            if joined:
                source.prefetch([(start, end - start) for start, end in joined])

    def _from_spool(self, extent: Extent) -> Iterator[bytes]:
        for at in range(extent.offset, extent.offset + extent.length, _CHUNK):
            yield os.pread(self._spool.fileno(), min(_CHUNK, extent.offset + extent.length - at), at)

    def posters(self) -> tuple[Poster, ...]:
        """See `Rendition.posters`."""
        if self._posters is None:
            self._posters = self._drawing.posters()
        return self._posters

    def read_poster(self, poster: Poster) -> bytes:
        """See `Rendition.read_poster`."""
        return b"".join(self._from_spool(Extent(SPOOL, poster.offset, poster.size)))

    def pictures(self) -> ClipPictures:
        """See `Rendition.pictures`."""
        self.posters()  # which are made before
        return self._drawing.pictures()

    def read_picture(self, picture: SpooledPicture) -> bytes:
        """See `Rendition.read_picture`."""
        return b"".join(self._from_spool(Extent(SPOOL, picture.offset, picture.size)))

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the temporary file, and free the memory that reading and storing used."""
        self._drawing.close()
        self._spool.close()
        give_back()

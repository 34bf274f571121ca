"""A real worker whose cutter does nothing, to measure everything except the cut."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

from cutback.adapters.build import build
from cutback.cutting.job import (
    ByteSource,
    ClipPictures,
    CutJob,
    Facts,
    Poster,
    ProgressHook,
    RealSpan,
    RenderedFile,
    SpooledPicture,
)
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.settings.settings import Settings
from cutback.worker.logs import configure_logging
from cutback.worker.poll import Worker
from cutback.worker.signals import stopping_on_signals

_CLIP = bytes(1024)


@dataclass(frozen=True, slots=True)
class EmptyRendition:
    """A kibibyte."""

    facts: Facts

    @property
    def outputs(self) -> tuple[MadeOutput, ...]:
        """See `Rendition.outputs`."""
        return (MadeOutput("clip", self.facts, (OutputFile("clip.mp4", (Extent(SPOOL, 0, len(_CLIP)),)),)),)

    def chunks(self, file: RenderedFile | None = None) -> Iterator[bytes]:
        """See `Rendition.chunks`."""
        del file
        yield _CLIP

    def posters(self) -> tuple[Poster, ...]:
        """See `Rendition.posters`; it has none."""
        return ()

    def read_poster(self, poster: Poster) -> bytes:
        """See `Rendition.read_poster`; it has none."""
        del poster
        return b""

    def pictures(self) -> ClipPictures:
        """See `Rendition.pictures`; it has none."""
        return ClipPictures()

    def read_picture(self, picture: SpooledPicture) -> bytes:
        """See `Rendition.read_picture`; it has none."""
        del picture
        return b""

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do."""


class IdleCutter:
    """Reads nothing, cuts nothing, is ready at once."""

    def warm_up(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing to close."""

    def render(
        self, job: CutJob, sources: Sequence[ByteSource], *, on_progress: ProgressHook, stopped: Callable[[], bool]
    ) -> EmptyRendition:
        """See `Cutter.render`."""
        del sources, on_progress, stopped
        spans = tuple(RealSpan(piece.source, Fraction(0), Fraction(1), clamped=False) for piece in job.footage)
        return EmptyRendition(Facts(len(_CLIP), Fraction(1), 16, 16, 30, 30, 0, spans))


def main() -> None:
    """Argument: the data folder. Works until SIGTERM."""
    configure_logging("WARNING")
    stop = threading.Event()
    with stopping_on_signals(stop), build(Settings(data=Path(sys.argv[1])), cutter=IdleCutter()) as services:
        Worker(services).run(stop)


if __name__ == "__main__":
    main()

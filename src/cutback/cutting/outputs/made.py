"""What is made of a job: outputs that consist of files. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from cutback.cutting.job import Facts
from cutback.cutting.mp4.layout import Extent


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file: consecutive bytes of the sources and the spool."""

    name: str
    """Below the clip's prefix, such as `clip.mp4`."""
    extents: tuple[Extent, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(extent.length for extent in self.extents)


@dataclass(frozen=True, slots=True)
class MadeOutput:
    """A finished output."""

    name: str
    facts: Facts
    files: tuple[OutputFile, ...]
    """The first one is what people open; `facts.size` is the size of all of them."""

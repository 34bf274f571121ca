"""What a format knows: which tracks it takes, and how they are written."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, TypeVar

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.codecs.codec import WholeIndexNeededError
from cutback.cutting.cut import Cut, Encoded, OpenedFootage, cut
from cutback.cutting.job import ByteSource, CutJob, CutProgress, Memory
from cutback.cutting.mp4.layout import SPOOL, Extent
from cutback.cutting.outputs.made import MadeOutput, OutputFile
from cutback.cutting.posters.still import Still
from cutback.cutting.spool import Spool
from cutback.domain.errors import MediaUnreadableError

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Workbench:
    """What an output is made with."""

    job: CutJob
    """With the precision of this output."""
    footage: OpenedFootage
    sources: Sequence[ByteSource]
    spool: Spool
    progress: Callable[[CutProgress], None]
    memory: Memory | None
    encoded: Mapping[ClipForm, Encoded] = field(default_factory=dict)
    """Pictures that are encoded already, because several outputs share a decoder."""

    def cut(self, form: ClipForm) -> Cut:
        """Cut the tracks for an output, and check them. Raises like `cutting.cut.cut`."""
        return cut(
            self.job,
            self.sources,
            self.spool,
            self.progress,
            self.memory,
            footage=self.footage,
            form=form,
            encoded=self.encoded.get(form),
        )

    def retried(self, work: Callable[[], T]) -> T:
        """Return what `work` makes of the ranges; it is called again if more of an index is needed than was read.

        Raises:
            CutbackError: as `work` does, or something is wrong with the media or with a range.
        """
        try:
            try:
                return work()
            except WholeIndexNeededError:
                self.footage.read_whole_index()
                return work()
        except (IndexError, OverflowError, struct.error) as error:
            raise MediaUnreadableError("Its index is damaged.") from error

    def stored(self, data: bytes) -> Extent:
        """Keep bytes in the spool; return where they are."""
        return Extent(SPOOL, self.spool.append(data), len(data))


@dataclass(frozen=True, slots=True)
class Made:
    """An output, and the picture for the clip's posters if one is known."""

    output: MadeOutput
    still: Still | None = None
    clip: ByteSource | None = None
    """The same clip as one file, if the output is not one."""


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """An output that is planned."""

    report: dict[str, Any]
    """See `plan_report`."""
    size: int
    """Bytes of all its files, estimated."""

    @property
    def encoded(self) -> int:
        """How many pictures are encoded."""
        frames: int = self.report["frames"]["encode"]
        return frames

    @property
    def copied(self) -> int:
        """How many pictures are copied."""
        frames: int = self.report["frames"]["copy"]
        return frames


class Format(Generic[V]):
    """A format whose tracks are cut: copied where possible."""

    extension: ClassVar[str]
    """Of its file, with the dot: as that of the request's model."""
    plays: ClassVar[Literal["pictures", "sound", "nothing"]] = "pictures"
    """What pictures for scrubbing, or a waveform, can be made of."""

    def make(self, value: V, name: str, bench: Workbench) -> Made:
        """Make the output named `name`.

        Raises:
            CutbackError: something is wrong with the media, with a range, or with what the output asks for.
        """
        raise NotImplementedError

    def forms(self, value: V, bench: Workbench) -> tuple[ClipForm, ...]:
        """Return the forms that `make` cuts in any case, as far as they are known: their pictures are decoded once.

        Raises:
            CutbackError: as `make`.
        """
        del value, bench
        return ()

    def plan(self, value: V, bench: Workbench) -> PlannedOutput:
        """Plan the output: nothing is made of it but samples.

        Raises:
            CutbackError: what it would fail with, as far as that is known without making it.
        """
        raise NotImplementedError

    def file_name(self, name: str) -> str:
        """Return the name of an output's file."""
        return name + self.extension


def one_file(made: Cut, name: str, file: str, bench: Workbench) -> Made:
    """Return an output that is the cut itself, as MP4."""
    return Made(MadeOutput(name, made.facts, (_file(made, file, bench.spool),)), made.still)


def as_clip(made: Cut, spool: Spool) -> MadeOutput:
    """Return a cut as the only output of a job."""
    return MadeOutput("clip", made.facts, (_file(made, "clip.mp4", spool),))


def _file(made: Cut, name: str, spool: Spool) -> OutputFile:
    return OutputFile(name, (Extent(SPOOL, spool.append(made.head), len(made.head)), *made.extents))

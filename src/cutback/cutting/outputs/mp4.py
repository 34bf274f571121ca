"""MP4 and MOV, as they were cut."""

from __future__ import annotations

from dataclasses import replace

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.mp4.write import as_quicktime
from cutback.cutting.output_values import Mov, Mp4
from cutback.cutting.outputs.coded import cut_coded
from cutback.cutting.outputs.format import Format, Made, Workbench, one_file


class Mp4Format(Format[Mp4]):
    """See `Format`."""

    extension = ".mp4"

    def make(self, value: Mp4, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        made = cut_coded(value, bench, ClipForm(), lambda cut: cut.facts.size)
        return one_file(made, name, self.file_name(name), bench)


class MovFormat(Format[Mov]):
    """See `Format`."""

    extension = ".mov"

    def make(self, value: Mov, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        made = cut_coded(value, bench, ClipForm(), lambda cut: cut.facts.size)
        return one_file(replace(made, head=as_quicktime(made.head)), name, self.file_name(name), bench)

"""MP4, as it was cut."""

from __future__ import annotations

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.output_values import Mp4
from cutback.cutting.outputs.format import Format, Made, Workbench, one_file


class Mp4Format(Format[Mp4]):
    """See `Format`."""

    extension = ".mp4"

    def make(self, value: Mp4, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        del value
        return one_file(bench.cut(ClipForm()), name, self.file_name(name), bench)

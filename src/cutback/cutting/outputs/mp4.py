"""MP4 and MOV, as they were cut."""

from __future__ import annotations

from dataclasses import replace

from cutback.cutting.clip_form import ClipForm
from cutback.cutting.codecs.memory import pixels_of
from cutback.cutting.cut import Cut
from cutback.cutting.mp4.write import as_quicktime
from cutback.cutting.output_values import Mov, Mp4
from cutback.cutting.outputs.coded import coded_forms, cut_coded, plan_coded
from cutback.cutting.outputs.format import Format, Made, PlannedOutput, Workbench, one_file
from cutback.cutting.outputs.fragmented_mp4 import fragmented_file
from cutback.cutting.outputs.made import MadeOutput, OutputFile

_PICTURES = frozenset({"h264", "hevc"})
_SOUND = frozenset({"aac", "ac3", "alac", "eac3", "mp3"})
"""Codecs that players of QuickTime files know."""

_MOV = ClipForm(sound_codecs=_SOUND)


def _form(value: Mp4) -> ClipForm:
    """Players do not change the sample entry from one fragment to the next."""
    return ClipForm(one_entry=value.fragmented)


class Mp4Format(Format[Mp4]):
    """See `Format`."""

    extension = ".mp4"

    def make(self, value: Mp4, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        if not value.fragmented:
            made = cut_coded(value, bench, _form(value), lambda cut: cut.facts.size)
            return one_file(made, name, self.file_name(name), bench)

        def written(cut: Cut) -> OutputFile:
            return fragmented_file(cut, self.file_name(name), bench)

        made = cut_coded(value, bench, _form(value), lambda cut: written(cut).size)
        file = written(made)
        return Made(MadeOutput(name, replace(made.facts, size=file.size), (file,)), made.still)

    def forms(self, value: Mp4, bench: Workbench) -> tuple[ClipForm, ...]:
        """See `Format.forms`."""
        del bench
        return coded_forms(value, _form(value))

    def plan(self, value: Mp4, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`."""
        return plan_coded(value, bench, _form(value))


class MovFormat(Format[Mov]):
    """See `Format`."""

    extension = ".mov"

    def make(self, value: Mov, name: str, bench: Workbench) -> Made:
        """See `Format.make`."""
        value = _known(value, bench)
        made = cut_coded(value, bench, _MOV, lambda cut: cut.facts.size)
        return one_file(replace(made, head=as_quicktime(made.head)), name, self.file_name(name), bench)

    def forms(self, value: Mov, bench: Workbench) -> tuple[ClipForm, ...]:
        """See `Format.forms`."""
        return coded_forms(_known(value, bench), _MOV)

    def plan(self, value: Mov, bench: Workbench) -> PlannedOutput:
        """See `Format.plan`."""
        return plan_coded(_known(value, bench), bench, _MOV)


def _known(value: Mov, bench: Workbench) -> Mov:
    """Return an output with a codec that players know, if the recording's is not."""
    track = bench.retried(bench.footage.pieces)[0][0].index.video
    if value.codec is not None or track is None or track.descriptions[0].codec in _PICTURES:
        return value
    return replace(value, codec="hevc" if pixels_of(track.descriptions[0]).depth > 8 else "h264")

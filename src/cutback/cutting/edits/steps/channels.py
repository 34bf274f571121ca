"""`channels`: mono or stereo, of all channels or of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import av

from cutback.cutting.edit_values.sound import Channels
from cutback.cutting.edits.graph import sound_through
from cutback.cutting.edits.sound_stream import Sound
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.domain.errors import EditImpossibleError

_PLACE = {"left": 0, "right": 1}


class ChannelsStep(EditStep[Channels]):
    """Mixes channels, or repeats one."""

    edit = Channels
    changes_sound = True
    needs_sound = True

    def keeps_channels(self, edit: Channels) -> int | None:
        """See `EditStep`."""
        return av.AudioLayout(edit.to).nb_channels if edit.take is None else None

    def check_sound(self, edit: Channels, layout: str) -> None:
        """See `EditStep`."""
        there = av.AudioLayout(layout).nb_channels
        if edit.take is not None and there != 2:
            has = "one channel" if there == 1 else f"{there} channels"
            raise EditImpossibleError(f"channels: take needs stereo sound; this has {has}.")

    def sound(self, edit: Channels, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del scene
        there = av.AudioLayout(sound.layout).nb_channels
        said.append(f"channels: {edit.to}" + ("" if edit.take is None else f", of the {edit.take} one"))
        if edit.to == sound.layout and edit.take is None:
            return sound
        blocks, place = sound.blocks, _PLACE.get(edit.take or "", 0)

        def changed() -> Iterator[av.AudioFrame]:
            if edit.take is not None or there == 1:  # FFmpeg would make a channel quieter if it becomes two
                return _repeated(blocks(), place, edit.to, sound.rate)
            return sound_through(blocks(), sound.rate, sound.layout, (), to=edit.to)

        return replace(sound, layout=edit.to, blocks=changed)


def _repeated(blocks: Iterator[av.AudioFrame], place: int, layout: str, rate: int) -> Iterator[av.AudioFrame]:
    for block in blocks:
        made = av.AudioFrame("fltp", layout, block.samples)
        made.sample_rate = rate
        data = bytes(block.planes[place])[: 4 * block.samples]
        for plane in made.planes:
            plane.update(data + bytes(plane.buffer_size - len(data)))
        yield made

"""`loudness`: brings the sound to a loudness as EBU R128 measures it, by one constant gain.

FFmpeg's loudnorm would compress dynamically instead; so the sound is measured first, then amplified.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import av

from cutback.cutting.edit_values.sound import Loudness
from cutback.cutting.edits.graph import Filter, sound_through
from cutback.cutting.edits.sound_stream import Sound, silence
from cutback.cutting.edits.step import EditStep, PaintedClip
from cutback.cutting.edits.steps.gain import amplified

_QUIETEST = -69.0
"""LUFS. R128 does not count what is quieter than -70."""


class LoudnessStep(EditStep[Loudness]):
    """Measures the loudness, then amplifies the sound."""

    edit = Loudness
    changes_sound = True
    needs_sound = True

    def sound(self, edit: Loudness, sound: Sound, scene: PaintedClip, said: list[str]) -> Sound:
        """See `EditStep`."""
        del scene
        measured, peak = measure(sound)
        if measured < _QUIETEST:
            said.append("loudness: unchanged, because the sound is too quiet or too short to be measured")
            return sound
        wanted, allowed = float(edit.lufs) - measured, float(edit.true_peak) - peak
        gain = min(wanted, allowed)
        about = f"loudness: {measured:.1f} LUFS measured, {gain:+.1f} dB"
        if gain < wanted:
            about += (
                f", {measured + gain:.1f} LUFS reached instead of {float(edit.lufs):g}: "
                f"more would exceed a true peak of {float(edit.true_peak):g} dBTP"
            )
        said.append(about)
        return amplified(sound, gain)


def measure(sound: Sound) -> tuple[float, float]:
    """Return the integrated loudness in LUFS and the true peak in dBTP."""
    heard, loudness, peak = 0, -math.inf, 0.0

    def padded() -> Iterator[av.AudioFrame]:
        # FFmpeg measures whole tenths of a second, and says nothing about a last one that is shorter.
        nonlocal heard
        for block in sound.blocks():
            heard += block.samples
            yield block
        yield from silence(sound.rate // 5, sound.rate, sound.layout)

    meter = Filter("ebur128", {"metadata": 1, "peak": 4})  # 4: true peaks
    for block in sound_through(padded(), sound.rate, sound.layout, [meter]):
        found = dict(block.metadata)
        if not found:
            continue
        peak = float(found["lavfi.r128.true_peak"])
        if (block.pts or 0) + block.samples <= heard:  # silence behind the sound does not count
            loudness = float(found["lavfi.r128.I"])
    return loudness, 20 * math.log10(peak) if peak > 0 else -math.inf

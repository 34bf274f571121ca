"""Imports everything that a job may need: a confined child cannot open files, so it cannot import modules.

PyAV and the standard library import some of their modules only when a recording needs them.
"""

from __future__ import annotations

from importlib import import_module

_JOBS = (
    "cutback.cutting.outputs.clip_pictures",
    "cutback.cutting.outputs.make",
    "cutback.cutting.activity",
    "cutback.cutting.excerpt",
    "cutback.cutting.posters.choose",
    "cutback.cutting.frame_map",
    "cutback.cutting.motion",
    "cutback.cutting.outputs.plan",
    "cutback.cutting.probe",
    "cutback.cutting.sprites",
    "cutback.cutting.waveform",
)
_ON_DEMAND = (
    "av.subtitles.codeccontext",
    "av.subtitles.stream",
    "av.subtitles.subtitle",
)
"""Modules that PyAV imports for a stream of subtitles."""
_TO_REPORT = ("linecache", "tokenize", "traceback")
"""Modules that printing a traceback needs."""

_TEXTS = ("encodings.cp1252", "encodings.utf_16", "encodings.utf_16_be", "encodings.utf_16_le")
"""Encodings of tags; Python imports each when it is first used."""


def preload_own_parser() -> None:
    """Import what a probe needs that uses Cutback's own parser alone."""
    for name in ("cutback.cutting.probe_mp4", *_TEXTS, *_TO_REPORT):
        import_module(name)


def preload() -> None:
    """Import all of them. This takes about 0.2 s, so the child does it before its job arrives."""
    for name in (*_JOBS, *_ON_DEMAND, *_TEXTS, *_TO_REPORT):
        import_module(name)

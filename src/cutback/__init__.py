"""Cutback cuts frame-exact clips out of long recordings, driven by events.

From Python, use the names in `__all__`; docs/python.md shows how. Everything else is private and may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "CameraSpan",
    "Client",
    "Clip",
    "ClipRequest",
    "CutProgress",
    "CutResult",
    "CutbackError",
    "Event",
    "FrameNumber",
    "Limits",
    "Mp4Output",
    "Plan",
    "Probe",
    "ProbedTrack",
    "Range",
    "RealSpan",
    "RemoteClip",
    "RemoteEvent",
    "__version__",
    "cut",
    "errors",
    "parse_request",
    "plan",
    "probe",
]

if TYPE_CHECKING:
    from cutback.client import ApiError, Client, RemoteClip, RemoteEvent
    from cutback.cutting.job import CutProgress, Limits, RealSpan
    from cutback.domain import errors
    from cutback.domain.clips.clip import Clip
    from cutback.domain.clips.event import Event
    from cutback.domain.errors import CutbackError
    from cutback.domain.requests.outputs.mp4 import Mp4Output
    from cutback.domain.requests.request import ClipRequest, parse_request
    from cutback.domain.requests.sources import CameraSpan, Range
    from cutback.domain.times import FrameNumber
    from cutback.library import CutResult, Plan, Probe, ProbedTrack, cut, plan, probe

_MODULES = {
    "ApiError": "cutback.client",
    "Client": "cutback.client",
    "RemoteClip": "cutback.client",
    "RemoteEvent": "cutback.client",
    "CameraSpan": "cutback.domain.requests.sources",
    "Clip": "cutback.domain.clips.clip",
    "ClipRequest": "cutback.domain.requests.request",
    "CutProgress": "cutback.cutting.job",
    "CutResult": "cutback.library",
    "CutbackError": "cutback.domain.errors",
    "Event": "cutback.domain.clips.event",
    "FrameNumber": "cutback.domain.times",
    "Limits": "cutback.cutting.job",
    "Mp4Output": "cutback.domain.requests.outputs.mp4",
    "Plan": "cutback.library",
    "Probe": "cutback.library",
    "ProbedTrack": "cutback.library",
    "Range": "cutback.domain.requests.sources",
    "RealSpan": "cutback.cutting.job",
    "cut": "cutback.library",
    "parse_request": "cutback.domain.requests.request",
    "plan": "cutback.library",
    "probe": "cutback.library",
}
"""Where each public name is defined. Names are imported on first use, so that `import cutback` is cheap."""


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("cutback.domain.errors")
    if name not in _MODULES:
        raise AttributeError(f"module 'cutback' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

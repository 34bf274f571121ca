"""What the document of the API (OpenAPI 3.1) says beyond what FastAPI finds out by itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from cutback.domain.clips.clip import ClipState
from cutback.domain.requests.request import ClipDescription, ClipRequest

_REFERENCES = "#/components/schemas/{model}"


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCES.format(model=name)}


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "required": ["type", "title", "status", "detail", "reason", "retryable", "remedy"],
    "properties": {
        "type": {"type": "string", "description": "A link to the documentation of the reason."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string"},
        "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
        "remedy": {"type": "string", "description": "What to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "problem"],
                "properties": {"path": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}

_CLIP: dict[str, Any] = {
    "type": "object",
    "description": "A clip, as events have it, with links.",
    "required": ["id", "state", "request", "title", "tags", "labels", "revision", "self", "events"],
    "properties": {
        "id": {"type": "string"},
        "state": {"enum": [state.value for state in ClipState]},
        "request": {"type": "object", "description": "The request, as it was accepted."},
        "title": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "revision": {"type": "integer"},
        "attempt": {"type": "integer"},
        "progress": {"type": "object"},
        "result": {"type": "object", "description": "What was really cut."},
        "failure": {
            "type": "object",
            "required": ["reason", "message", "type", "retryable", "remedy"],
            "properties": {
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "type": {"type": "string"},
                "retryable": {"type": "boolean"},
                "remedy": {"type": "string"},
            },
        },
        "delete_at": {"type": "string", "format": "date-time"},
        "recorded": {
            "type": "object",
            "description": "The camera that recorded the first frame and when. For a request that names a recording by "
            "its key, the catalogue tells, and only answers to `GET` have this.",
            "required": ["camera"],
            "properties": {"camera": {"type": "string"}, "begins": {"type": "string", "format": "date-time"}},
        },
        "self": {"type": "string"},
        "events": {"type": "string"},
        "media": {
            "type": "object",
            "properties": {
                "clip": {"type": "string"},
                "pictures": {"type": "object", "additionalProperties": {"type": "string"}},
                "posters": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]},
                },
            },
        },
    },
}

_CLIPS: dict[str, Any] = {
    "type": "object",
    "required": ["items", "next"],
    "properties": {
        "items": {"type": "array", "items": _ref("Clip")},
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last one."},
        "total": {"type": "integer", "description": "How many clips match; only if you ask for it."},
    },
}

_MOMENT = {"type": "string", "format": "date-time"}

_PAGE: dict[str, Any] = {
    "type": "object",
    "required": ["items", "next"],
    "properties": {
        "items": {"type": "array", "items": {"type": "object"}},
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null on the last one."},
    },
}

_CAMERA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "recordings", "first", "last", "time_zone"],
    "properties": {
        "name": {"type": "string"},
        "recordings": {"type": "integer"},
        "first": _MOMENT,
        "last": _MOMENT,
        "time_zone": {"type": "string"},
    },
}

_RECORDING: dict[str, Any] = {
    "type": "object",
    "required": ["key", "etag", "size", "camera", "start", "end", "duration", "self"],
    "properties": {
        "key": {"type": "string"},
        "etag": {"type": "string"},
        "size": {"type": "integer"},
        "camera": {"type": "string"},
        "start": _MOMENT,
        "end": _MOMENT,
        "duration": {"type": "string", "description": "Seconds, as a decimal."},
        "self": {"type": "string"},
    },
}

_PERIODS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["begins", "ends"],
        "properties": {"begins": _MOMENT, "ends": _MOMENT},
    },
}

_COVERAGE: dict[str, Any] = {
    "type": "object",
    "required": ["camera", "from", "to", "covered", "gaps", "growing"],
    "properties": {
        "camera": {"type": "string"},
        "from": _MOMENT,
        "to": _MOMENT,
        "covered": _PERIODS,
        "gaps": _PERIODS,
        "growing": _PERIODS,
    },
}

_MOMENTS: dict[str, Any] = {
    "type": "object",
    "required": ["camera", "from", "to", "items", "notes"],
    "properties": {
        "camera": {"type": "string"},
        "from": _MOMENT,
        "to": _MOMENT,
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["begins", "ends", "peak", "strength", "poster"],
                "properties": {
                    "begins": _MOMENT,
                    "ends": _MOMENT,
                    "peak": {**_MOMENT, "description": "The second with the highest activity."},
                    "strength": {"type": "number", "description": "0 to 1; 0.5 is just unusual."},
                    "poster": {"type": "string", "description": "A picture of the peak."},
                },
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}

_THUMBNAILS: dict[str, Any] = {
    "type": "object",
    "required": ["camera", "from", "to", "sheet", "width", "height", "items"],
    "properties": {
        "camera": {"type": "string"},
        "from": _MOMENT,
        "to": _MOMENT,
        "sheet": {"type": ["string", "null"], "description": "The JPEG with all pictures; null without pictures."},
        "width": {"type": "integer", "description": "Pixels of a picture."},
        "height": {"type": "integer"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["begins", "ends", "at", "recording", "frame", "x", "y"],
                "properties": {
                    "begins": {**_MOMENT, "description": "From when to show it."},
                    "ends": _MOMENT,
                    "at": {**_MOMENT, "description": "The moment that it shows."},
                    "recording": {"type": "string"},
                    "frame": {"type": "integer", "description": "Its number in the recording, from 0."},
                    "x": {"type": "integer", "description": "Its place on the sheet, in pixels."},
                    "y": {"type": "integer"},
                },
            },
        },
    },
}

_ACTIVITY: dict[str, Any] = {
    "type": "object",
    "required": ["step", "values", "kinds"],
    "properties": {
        "step": {"type": "integer", "description": "Seconds per value."},
        "values": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "From the recording's time zero. 1000: as many bytes in a second as one keyframe takes.",
        },
        "kinds": {
            "type": "array",
            "items": {"type": "array"},
            "description": "[number of a value, codec and size]: from there on. Values of two kinds differ.",
        },
    },
}

_PEAKS: dict[str, Any] = {
    "type": "object",
    "required": ["seconds", "peaks"],
    "properties": {
        "seconds": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 2,
            "maxItems": 2,
            "description": "Seconds per peak, as a fraction.",
        },
        "peaks": {"type": "array", "items": {"type": "integer"}, "description": "Low, high, low, high and so on."},
    },
}

_WAVEFORM: dict[str, Any] = {
    "type": "object",
    "required": ["scale", "fine", "coarse"],
    "properties": {
        "scale": {"type": "integer", "description": "The value of full scale."},
        "fine": _PEAKS,
        "coarse": _PEAKS,
    },
}

_CAMERA_ACTIVITY: dict[str, Any] = {
    "type": "object",
    "required": ["camera", "items", "notes"],
    "properties": {
        "camera": {"type": "string"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["begins", *_ACTIVITY["required"]],
                "properties": {"begins": _MOMENT, **_ACTIVITY["properties"]},
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
}

_DEPENDENCY: dict[str, Any] = {
    "type": "object",
    "required": ["name", "ok", "seconds", "reason"],
    "properties": {
        "name": {"type": "string"},
        "ok": {"type": "boolean"},
        "seconds": {"type": "number"},
        "reason": {"type": ["string", "null"]},
    },
}

_WORKER: dict[str, Any] = {
    "type": "object",
    "required": ["name", "host", "started_at", "clip", "stage", "beat_seconds"],
    "properties": {
        "name": {"type": "string"},
        "host": {"type": "string"},
        "started_at": {**_MOMENT, "type": ["string", "null"]},
        "clip": {"type": ["string", "null"], "description": "The clip that it makes; null while it waits for work."},
        "stage": {"type": ["string", "null"], "description": "What it does with the clip."},
        "beat_seconds": {
            "type": ["number", "null"],
            "description": "Seconds since the worker noted this; null if it could not.",
        },
    },
}

_STATUS: dict[str, Any] = {
    "type": "object",
    "required": ["dependencies", "attention"],
    "description": "Only what is required is there while records or queue do not answer.",
    "properties": {
        "queue": {"type": "object", "additionalProperties": {"type": "integer"}},
        "webhooks": {"type": ["object", "null"], "additionalProperties": {"type": "integer"}},
        "clips": {"type": "object", "additionalProperties": {"type": "integer"}},
        "oldest_queued_seconds": {"type": "number"},
        "waiting_for": {"type": "object", "additionalProperties": {"type": "integer"}},
        "failed_last_day": {"type": "object", "additionalProperties": {"type": "integer"}},
        "workers": {"type": "array", "items": _WORKER},
        "workers_of_another_database": {"type": "array", "items": {"type": "string"}},
        "disk_free": {"type": "integer"},
        "dependencies": {"type": "array", "items": _DEPENDENCY},
        "attention": {"type": "array", "items": {"type": "string"}},
    },
}

_SPREAD: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Seconds; null without a clip.",
    "required": ["median", "p95"],
    "properties": {"median": {"type": "number"}, "p95": {"type": "number"}},
}

_STATUS_DAY: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to", "items", "read_at", "complete"],
    "properties": {
        "from": _MOMENT,
        "to": _MOMENT,
        "items": {
            "type": "array",
            "description": "One for each hour.",
            "items": {
                "type": "object",
                "required": [
                    "begins",
                    "ready",
                    "failed",
                    "requested_to_ready",
                    "attempt",
                    "stored_bytes",
                    "read_bytes",
                ],
                "properties": {
                    "begins": _MOMENT,
                    "ready": {"type": "integer"},
                    "failed": {"type": "integer"},
                    "requested_to_ready": _SPREAD,
                    "attempt": _SPREAD,
                    "stored_bytes": {"type": "integer"},
                    "read_bytes": {"type": "integer"},
                },
            },
        },
        "read_at": _MOMENT,
        "complete": {"type": "boolean", "description": "False if there were too many clips to count all."},
    },
}

_PLAN: dict[str, Any] = {
    "type": "object",
    "required": ["precision", "clip_duration", "frames", "bytes", "spans", "gaps", "outputs", "expected", "notes"],
    "properties": {
        "precision": {"type": "string"},
        "clip_duration": {"type": "string", "description": "Seconds, as a decimal."},
        "frames": {"type": "object", "additionalProperties": {"type": "integer"}},
        "bytes": {"type": "object", "additionalProperties": {"type": "integer"}},
        "spans": {"type": "array", "items": {"type": "object"}},
        "gaps": {"type": "array", "items": {"type": "object"}},
        "outputs": {
            "type": "array",
            "description": "What each output would be; the first one is the clip.",
            "items": {
                "type": "object",
                "required": ["name", "format", "size", "frames_copied", "frames_encoded"],
                "properties": {
                    "name": {"type": "string"},
                    "format": {"type": "string"},
                    "size": {"type": "integer", "description": "Bytes of all its files, estimated."},
                    "frames_copied": {"type": "integer"},
                    "frames_encoded": {"type": "integer"},
                },
            },
        },
        "expected": {
            "type": "object",
            "required": ["size", "bytes_read", "seconds"],
            "properties": {
                "size": {"type": "integer"},
                "bytes_read": {"type": "integer"},
                "seconds": {"type": ["number", "null"]},
            },
        },
    },
}

_FRAMES: dict[str, Any] = {
    "type": "object",
    "required": ["key", "version", "time_scale", "start", "end", "frames", "durations", "keyframes"],
    "properties": {
        "key": {"type": "string"},
        "version": {"type": "string"},
        "time_scale": {"type": "integer", "description": "Ticks per second."},
        "start": {"type": "string", "description": "When the first frame is shown: seconds, as a decimal."},
        "end": {"type": "string"},
        "frames": {"type": "integer"},
        "durations": {
            "type": "array",
            "description": "Run-length coded: [ticks, how many frames in a row].",
            "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        },
        "keyframes": {"type": "array", "items": {"type": "integer"}},
    },
}

_RESULTS: dict[str, Any] = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": {"type": "integer"},
                    "clip": _ref("Clip"),
                    "problem": _ref("Problem"),
                },
            },
        }
    },
}


_BATCH = {"type": "array", "items": _ref("ClipRequest"), "minItems": 1, "maxItems": 100}


def components() -> dict[str, Any]:
    """Return the schemas to which others refer, by name."""
    found: dict[str, Any] = {
        "Problem": _PROBLEM,
        "Clip": _CLIP,
        "ClipPage": _CLIPS,
        "Results": _RESULTS,
        "ClipRequests": _BATCH,
        "Page": _PAGE,
        "FrameMap": _FRAMES,
        "Plan": _PLAN,
        "Camera": _CAMERA,
        "Recording": _RECORDING,
        "Coverage": _COVERAGE,
        "Moments": _MOMENTS,
        "Thumbnails": _THUMBNAILS,
        "Activity": _ACTIVITY,
        "Waveform": _WAVEFORM,
        "CameraActivity": _CAMERA_ACTIVITY,
        "Status": _STATUS,
        "StatusDay": _STATUS_DAY,
    }
    for kind in (ClipRequest, ClipDescription):
        schema = kind.model_json_schema(ref_template=_REFERENCES)
        found |= schema.pop("$defs", {})
        found[kind.__name__] = schema
    return {name: _without_object_defaults(schema) for name, schema in found.items()}


def _without_object_defaults(schema: Any) -> Any:
    """Leave out defaults that are objects: pydantic writes a measure such as `3%` as no request would."""
    if isinstance(schema, list):
        return [_without_object_defaults(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_object_defaults(value)
        for name, value in schema.items()
        if name != "default" or not isinstance(value, dict)
    }


def body_of(*names: str) -> dict[str, Any]:
    """Return what a route says about its body: JSON of one of these schemas."""
    schemas = [_ref(name) for name in names]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def responses(name: str, *statuses: int, errors: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """Return what a route says about its answers: a schema for these statuses, and problems for `errors`."""
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": _ref(name)}},
        }
        for status in statuses
    }
    for status in errors:
        found[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        }
    return found

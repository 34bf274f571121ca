"""Reads the file with an installation's own presets.

Each table is a preset: its `edits` are those of a request, and its table `output` has fields of a request's output.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.presets import PRESETS, Preset
from cutback.domain.requests.request import validate_request
from cutback.domain.text_fields import LABEL, fields_in

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)

_FIELDS = ("edits", "output")


def check_presets(path: str) -> str:
    """Check the file with the presets, if one is named.

    Raises:
        ValueError: it cannot be read, or a preset is invalid; the message names the file, the preset and the field.
    """
    read_presets(path)
    return path


@lru_cache(maxsize=8)
def read_presets(path: str) -> Mapping[str, Preset]:
    """Return the presets in a file, by name. It is read once in a process, like all settings. Raises `ValueError`."""
    if not path:
        return {}
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"the file {path} does not exist") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    faults: list[str] = []
    presets = {name: _preset(name, fields, faults) for name, fields in content.items()}
    if faults:
        raise ValueError(f"{path}: {'; '.join(faults)}")
    return presets


def _preset(name: str, fields: Any, faults: list[str]) -> Preset:
    """Return a preset; add what is wrong with it to `faults`."""
    nothing = Preset((), {})
    if name in PRESETS:
        faults.append(f"{name}: is a built-in preset; choose another name")
    elif _NAME.fullmatch(name) is None:
        faults.append(f"{name[:64]!r}: must be 1 to 64 lower-case letters, digits, - or _, not beginning with - or _")
    if not isinstance(fields, dict):
        faults.append(f"{name[:64]}: must be a table with {' or '.join(_FIELDS)}")
        return nothing
    unknown = [field for field in fields if field not in _FIELDS]
    faults += [f"{name[:64]}.{field[:64]}: is not a field; the fields are edits and output" for field in unknown]
    output = fields.get("output", {})
    if isinstance(output, dict) and "preset" in output:
        faults.append(f"{name[:64]}.output.preset: a preset cannot contain another one")
        return nothing
    try:
        # A request whose source, title and labels fit any preset.
        request = validate_request(
            {
                "source": {"recording": "any", "start": 0, "end": 1},
                "title": "any",
                "labels": dict.fromkeys(_labels(fields.get("edits")), "any"),
                **{field: value for field, value in fields.items() if field in _FIELDS},
            }
        )
    except InvalidRequestError as error:
        faults += [f"{name[:64]}.{fault.path}: {fault.problem}" for fault in error.faults]
        return nothing
    return Preset(request.edits, output)


def _labels(edits: Any) -> list[str]:
    """Return the labels that texts show, so far as they can be read."""
    found: list[str] = []
    for edit in edits if isinstance(edits, list) else []:
        try:
            found += fields_in(str(edit["text"]))
        except (KeyError, TypeError, ValueError):
            continue
    return [field.removeprefix(LABEL) for field in found if field.startswith(LABEL)]

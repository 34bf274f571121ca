"""Names of the files that `cutback cut` writes: the default, and patterns such as `{name}.{from}-{to}.mp4`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cutback.cli.commands import arguments
from cutback.cutting.job import RenderedFile, RenderedOutput
from cutback.domain.errors import WrongUsageError

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def default_name(key: str, typed: list[arguments.Typed], extension: str = ".mp4") -> str:
    """Return `NAME.FROM-TO` with the extension, and characters that every file system allows."""
    times = "+".join(f"{piece.start}-{_end(piece)}" for piece in typed)
    return _allowed(f"{Path(key).stem}.{times}")[:200] + extension


def fill_pattern(pattern: str, key: str, typed: Sequence[arguments.Typed], number: int) -> str:
    """Replace `{name}`, `{from}`, `{to}` and `{number}` in a file's name. `number` counts the sources from 1.

    Raises:
        WrongUsageError: it has another placeholder.
    """
    values = {
        "name": Path(key).stem,
        "from": typed[0].start,
        "to": _end(typed[-1]),
        "number": str(number),
    }
    for name in _PLACEHOLDER.findall(pattern):
        if name not in values:
            known = ", ".join(f"{{{each}}}" for each in values)
            raise WrongUsageError(f"-o {pattern}: {{{name}}} is unknown; use {known}.")
    return _PLACEHOLDER.sub(lambda match: _allowed(values[match[1]])[:200], pattern)


def files_beside(target: Path | None, outputs: Sequence[RenderedOutput]) -> list[tuple[RenderedFile, Path]]:
    """Return all files of a clip and where they are written: the first one to `target`, the others beside it.

    A further file of the first output keeps its name, because the first one may refer to it.

    Raises:
        WrongUsageError: there are several, and the first one is written to standard output (None).
    """
    folder, stem = (Path(), "") if target is None else (target.parent, target.stem)
    first, *rest = outputs
    files = [(file, folder / file.name) for file in first.files]
    files += [(file, folder / f"{stem}.{file.name}") for output in rest for file in output.files]
    if target is None and len(files) > 1:
        raise WrongUsageError("The clip consists of several files; they cannot be written to standard output.")
    return [(files[0][0], target or Path()), *files[1:]]


def has_placeholder(text: str) -> bool:
    """Whether the text is a pattern."""
    return _PLACEHOLDER.search(text) is not None


def _end(piece: arguments.Typed) -> str:
    return "end" if piece.end == arguments.END else piece.end


def _allowed(text: str) -> str:
    return re.sub(r"[^\w.+=@-]", "_", text.replace(":", "."))

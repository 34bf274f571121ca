"""Names of the files that `cutback cut` writes: the default, and patterns such as `{name}.{from}-{to}.mp4`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cutback.cli.commands import arguments
from cutback.cutting.job import RenderedOutput
from cutback.domain.errors import WrongUsageError
from cutback.storage import clip_file, clip_folder

MANY_FILES = ".m3u8"
"""The extension of the only format with several files."""

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


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """Where an output is written: a file or, if it consists of several files, a folder."""

    path: Path
    is_folder: bool = False

    def check(self, sources: Sequence[Path], *, force: bool) -> None:
        """Check it before the work. Raises like `clip_file.check_replaceable` and `clip_folder.check`."""
        if self.is_folder:
            clip_folder.check(self.path, force=force)
        else:
            clip_file.check_replaceable(self.path, sources, force=force)

    def files(self, output: RenderedOutput) -> list[Path]:
        """Return where the files of an output are written. In a folder they keep their names: one refers to others."""
        return [self.path / file.name for file in output.files] if self.is_folder else [self.path]


def places(target: Path, outputs: Mapping[str, str]) -> list[OutputPlace]:
    """Return where outputs are written: the first one to `target`, the others beside it.

    `outputs` are the extensions of their files, by name. HLS gets a folder, with the name of its file but without the
    extension.
    """
    found: list[OutputPlace] = []
    for name, extension in outputs.items():
        path = target.with_name(f"{target.stem}.{name}{extension}") if found else target
        if extension != MANY_FILES:
            found.append(OutputPlace(path))
        else:
            found.append(
                OutputPlace(path.with_suffix("") if path.suffix.lower() == extension else path, is_folder=True)
            )
    return found


def has_placeholder(text: str) -> bool:
    """Whether the text is a pattern."""
    return _PLACEHOLDER.search(text) is not None


def _end(piece: arguments.Typed) -> str:
    return "end" if piece.end == arguments.END else piece.end


def _allowed(text: str) -> str:
    return re.sub(r"[^\w.+=@-]", "_", text.replace(":", "."))

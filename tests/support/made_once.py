"""Files that several test processes share: the first one makes them, completely or not at all."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """The file at `path`; if it is missing, `make` is called with a path of the same suffix to write it to.

    Other processes that want the same file wait for it. A run that is interrupted leaves nothing that counts.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed, also by the end of the process
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent) as making:
                new = Path(making) / f"new{path.suffix}"
                make(new)
                new.replace(path)
    return path

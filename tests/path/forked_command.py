"""Runs a command of `cutback` in a process that is forked from one which has imported everything already.

Starting Python and importing takes most of a short command's time, and tests run hundreds of them. What matters is as
in `python -m cutback`: a process of its own, with its own folder, environment, standard streams and exit code. Tests
of starting itself, of signals and of pipes start the program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.forking import ForkedProcess
from tests.support.waiting import PATIENCE


def run_forked(arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run `cutback` with these arguments. Returns its exit code and what it wrote to standard output and error."""
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = ForkedProcess(_command, arguments, folder, dict(environment), out.name, err.name)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise TimeoutError(f"cutback {' '.join(arguments)} takes longer than {PATIENCE} s") from None
        return code, Path(out.name).read_text(encoding="utf-8"), Path(err.name).read_text(encoding="utf-8")


def _command(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], out: str, err: str) -> None:
    for descriptor, file in ((0, os.devnull), (1, out), (2, err)):
        opened = os.open(file, os.O_RDWR)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["cutback", *arguments]

    from cutback.cli.app import main

    main()

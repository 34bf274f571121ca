"""The real program `cutback api`, in a folder of its own and on a free port."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.path.shell import Shell, lines_until


class ApiProcess:
    """A running `cutback api`."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        """Return once it answers."""
        self.shell = shell
        self.process = shell.start("api", "--json", *arguments)
        line = lines_until(self.process, lambda line: '"url"' in line)[-1]
        self.url: str = json.loads(line)["url"]
        self.host, _, port = self.url.removeprefix("http://").partition(":")
        self.port = int(port)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        self.process.send_signal(number)


@contextmanager
def api_process(folder: Path, *arguments: str, **settings: str) -> Iterator[ApiProcess]:
    """A running `cutback api` until the block ends; `settings` are variables without their prefix."""
    shell = Shell(folder)
    shell.environment |= {f"CUTBACK_{name.upper()}": value for name, value in settings.items()}
    try:
        yield ApiProcess(shell, *arguments)
    finally:
        for process in shell.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


def output_of(process: subprocess.Popen[str]) -> str:
    """Everything that an ended process wrote from here on."""
    out, err = process.communicate()
    return out + err

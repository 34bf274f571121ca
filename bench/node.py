"""A real `cutback api` on this machine, and what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def start_node(
    data: Path, port: int, *, environment: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[str], int]:
    """Start it on a port (0: any that is free). Returns the process and its port once it answers.

    Raises:
        OSError: it did not start.
    """
    command = [sys.executable, "-m", "cutback", "api", "--json", "--listen", f"127.0.0.1:{port}", "--data", str(data)]
    node = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert node.stdout is not None
    for line in node.stdout:
        if '"url"' in line:
            return node, int(json.loads(line)["url"].rpartition(":")[2])
    raise OSError("cutback api did not start")


def processor_of(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

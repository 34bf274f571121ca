"""Runs a handler like Lambda: in a separate process whose only import path is the unpacked zip.

`python -I -S runner.py ZIP_FOLDER MODULE.FUNCTION SECONDS < event.json`; the answer is the last line printed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from types import SimpleNamespace


def main() -> None:
    """Import the handler, call it once, print what it answers."""
    folder, handler, seconds = sys.argv[1:]
    # What it starts itself, it starts by the interpreter that it was started by.
    sys.executable = os.environ.pop("CUTBACK_TEST_INTERPRETER", sys.executable)
    sys.path[:] = [folder, *(path for path in sys.path if "site-packages" not in path and path)]
    event = json.load(sys.stdin)
    module, _, name = handler.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    ends = time.monotonic() + float(seconds)
    context = SimpleNamespace(
        aws_request_id="11111111-2222-3333-4444-555555555555",
        function_name="cutback-worker",
        function_version="$LATEST",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:cutback-worker",
        get_remaining_time_in_millis=lambda: int(1000 * (ends - time.monotonic())),
    )
    answer = function(event, context)
    outside = sorted(path for each in list(sys.modules.values()) if "site-packages" in (path := file_of(each)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"answer": answer, "outside": outside, "memory": memory}))  # noqa: T201


def file_of(module: object) -> str:
    """Where a module came from."""
    return str(getattr(module, "__file__", None) or "")


if __name__ == "__main__":
    main()

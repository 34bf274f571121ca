"""A program: does what the child does with recordings, and prints what was imported or opened after the preload.

Arguments: the recordings. It prints JSON: for each kind of work on each recording its outcome, and the names.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from cutback.sandbox.preload import preload

preload()

# Nothing here may import what `preload` should.
from cutback.cutting.cut import cut  # noqa: E402
from cutback.cutting.job import ByteSource, CutGap, CutJob, CutRange, Limits, Precision  # noqa: E402
from cutback.cutting.posters.choose import draw  # noqa: E402
from cutback.cutting.preview import preview  # noqa: E402
from cutback.cutting.probe import probe  # noqa: E402
from cutback.cutting.spool import Spool  # noqa: E402
from cutback.domain.errors import CutbackError  # noqa: E402


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]

    def prefetch(self, ranges: object) -> None:
        pass


RANGES: dict[str, tuple[CutRange | CutGap, ...]] = {
    "one": (CutRange(0, Fraction("0.71"), Fraction("2.33")),),
    "joined": (
        CutRange(0, Fraction("0.71"), Fraction("1.9")),
        CutGap(Fraction(1, 2), "freeze"),
        CutRange(0, Fraction("2.2"), Fraction("3")),
    ),
}
PRECISIONS: tuple[tuple[str, Precision], ...] = (("one", "exact"), ("joined", "exact"), ("one", "instant"))


def kinds(data: bytes, file: Any) -> dict[str, Callable[[], object]]:
    """Each kind of work on a recording."""
    source: ByteSource = _Bytes(data)
    work: dict[str, Callable[[], object]] = {"probe": lambda: probe(source, Limits())}

    def make(job: CutJob) -> None:
        spool = Spool(file)
        draw(cut(job, [source], spool, lambda _: None).still, spool)

    for name, precision in PRECISIONS:
        work[f"{precision} {name}"] = partial(make, CutJob((source.size,), RANGES[name], precision))
    work["preview"] = lambda: preview(CutJob((source.size,), RANGES["one"]), [source])
    return work


def main() -> None:
    """See the module."""
    recordings = {path: Path(path).read_bytes() for path in sys.argv[1:]}
    outcomes: dict[str, str] = {}
    opened: list[str] = []
    before = set(sys.modules)
    with tempfile.TemporaryFile() as file:
        watching = [True]

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            if watching[0] and event == "open":
                opened.append(str(arguments[0]))

        sys.addaudithook(watch)
        for path, data in recordings.items():
            for name, work in kinds(data, file).items():
                try:
                    work()
                    outcomes[f"{path} {name}"] = "done"
                except CutbackError as error:
                    outcomes[f"{path} {name}"] = error.reason
        watching[0] = False
    imported = sorted(set(sys.modules) - before)
    sys.stdout.write(json.dumps({"outcomes": outcomes, "imported": imported, "opened": opened}))


if __name__ == "__main__":
    main()

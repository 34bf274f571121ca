"""A worker that only reads, cuts and stores: takes jobs as lines of JSON, and answers in the same form.

Reading, cutting and storing are combined like in `cutback.make_clip`, without records and queue.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from cutback.adapters.build import build
from cutback.domain.requests.request import parse_request
from cutback.reading.resolve import resolve
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.storage.store import Store


class LikeRemoteStore(Store):
    """A folder that is read as an object store is: in few and large requests."""

    @property
    def is_folder(self) -> bool:
        """No, it says."""
        return False


def main() -> None:
    """Arguments: the data folder, the source store, perhaps `remote`. Ends with its input."""
    data, store, *remote = sys.argv[1:]
    with build(Settings(data=Path(data), source_store=store)) as built:
        services = replace(built, sources=LikeRemoteStore.open(store)) if remote else built
        services.cutter.warm_up()
        _answer({"ready": True})
        for line in sys.stdin:
            task = json.loads(line)
            _answer(_make(services, task["request"], task["key"]))


def _make(services: Services, body: str, key: str) -> dict[str, Any]:
    cpu = _processor_seconds()
    began = time.perf_counter()
    request = parse_request(body)
    with resolve(request, services.sources, services.cache, stopped=_never) as footage:
        job = footage.job(request, services.settings.limits)
        with services.cutter.render(job, footage.readers, on_progress=lambda _: None, stopped=_never) as rendition:
            facts = rendition.facts
            services.clips.put(key, rendition.chunks(), size=facts.size, if_absent=True)
            rendition.posters()
        wall = time.perf_counter() - began
        return {
            "wall": wall,
            "cpu": _processor_seconds() - cpu,
            "path": services.clips.url_for(key),
            "bytes_read": footage.bytes_read,
            "requests": footage.requests,
            "frames_encoded": facts.frames_encoded,
            "notes": facts.notes,
        }


def _never() -> bool:
    return False


def _processor_seconds() -> float:
    """Of this process and the children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _answer(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

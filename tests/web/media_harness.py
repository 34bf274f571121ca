"""The harness for tests of the REST API that look at real media."""

from __future__ import annotations

from pathlib import Path

from tests.web.harness import WebHarness

from cutback.catalogue.register import register
from cutback.sandbox.cutter import ChildCutter
from cutback.services import Services

KEY = "north-point.2026-06-21T05-30-00Z.mp4"


class MediaHarness(WebHarness):
    """A web harness with the real cutter and a recording of a camera."""

    is_turned = False
    """Whether players turn the recording's pictures, so that what they show must be turned back to be read."""

    def __init__(self, folder: Path, recording: Path) -> None:
        super().__init__(folder)
        self.cutter_process = ChildCutter(warm=False)
        services = self.another(cutter=self.cutter_process, prober=self.cutter_process)
        self.services.close()
        self.services: Services = services
        self.serve(services)
        for name in (KEY, "sea.mp4"):
            (folder / "recordings" / name).write_bytes(recording.read_bytes())
        register(services, KEY)

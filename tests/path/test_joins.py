"""Crossfades, intros and outros on the whole way: from a request to a clip, with the real cutter."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.path.shell import SHORT, Shell, frames_in
from tests.support.spec import MediaSpec

from cutback.adapters.build import build
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.requests.request import validate_request
from cutback.lifecycle import accept
from cutback.lifecycle.plan import plan_clip
from cutback.services import Services
from cutback.settings.settings import Settings
from cutback.worker.poll import Worker

INTRO = MediaSpec(frames=60, seed=7)
OUTRO = MediaSpec(frames=45, seed=8, width=320, height=240, fps=Fraction(15), sample_rate=44100)

CROSSED: dict[str, Any] = {
    "source": [
        {"recording": "a.mp4", "start": 1, "end": 3},
        {"recording": "a.mp4", "start": 6, "end": 9, "join": {"crossfade": 0.5}},
    ],
    "edits": [
        {"edit": "image", "asset": "logo.png", "place": "bottom-right", "margin": "3%", "width": "12%", "opacity": 0.8}
    ],
}
BETWEEN: dict[str, Any] = {
    "source": [
        {"asset": "intro.mp4"},
        {"recording": "a.mp4", "start": 1, "end": 9, "join": {"crossfade": 0.5}},
        {"asset": "outro.mp4", "join": {"crossfade": 0.5}},
    ],
    "edits": [
        {"edit": "text", "text": "Left at the point", "from": {"finished": 3}, "duration": 3, "place": "bottom"},
        {"edit": "fade", "out": 1},
    ],
    "output": {"preset": "share"},
}


@pytest.fixture
def stocked(tmp_path: Path, media: Callable[[MediaSpec], Path]) -> Path:
    """A data folder with a recording and assets."""
    data = tmp_path / "cutback-data"
    for name in ("recordings", "assets"):
        (data / name).mkdir(parents=True)
    shutil.copy(media(SHORT), data / "recordings" / "a.mp4")
    shutil.copy(media(INTRO), data / "assets" / "intro.mp4")
    shutil.copy(media(OUTRO), data / "assets" / "outro.mp4")
    Image.new("RGBA", (64, 32), (250, 250, 250, 200)).save(data / "assets" / "logo.png")
    return data


@pytest.fixture
def services(stocked: Path) -> Iterator[Services]:
    with build(Settings(data=stocked)) as made:
        yield made


def worked(services: Services, **request: Any) -> Clip:
    clip = accept.submit(services, validate_request(request))
    Worker(services).work_once(threading.Event(), wait=timedelta())
    found = services.records.get_clip(clip.id)
    assert found is not None
    return found


def frames_of(services: Services, clip: Clip) -> int:
    assert clip.result is not None
    return frames_in(services.settings.data / "clips" / clip.result.key)


def test_a_worker_crossfades_two_ranges_with_a_logo(services: Services) -> None:
    clip = worked(services, **CROSSED)
    assert clip.state is ClipState.READY, clip.failure
    assert clip.result is not None
    assert clip.result.duration == Fraction("4.5")
    assert clip.result.frames == frames_of(services, clip) == 60 + 90 - 15
    assert clip.result.edits == ("crossfade: 0.5 s at 1.5 s", "image: logo.png")
    assert [(float(span.start), float(span.end)) for span in clip.result.spans] == [(1, 3), (6, 9)]
    assert len(clip.result.posters) > 0


def test_a_worker_puts_a_recording_between_intro_and_outro(services: Services) -> None:
    clip = worked(services, **BETWEEN)
    assert clip.state is ClipState.READY, clip.failure
    assert clip.result is not None
    assert clip.result.duration == 2 + 8 + 3 - 1
    # In the overlaps, the frames are those of what follows.
    assert clip.result.frames == frames_of(services, clip) == 45 + 225 + 45
    assert "Pictures of 320×240 are scaled to 320×180, with black bars." in clip.result.notes
    assert [(span.recording, span.asset) for span in clip.result.spans] == [
        ("intro.mp4", True),
        ("a.mp4", False),
        ("outro.mp4", True),
    ]
    assert clip.request.assets == ("intro.mp4", "outro.mp4")
    assert [edit.edit for edit in clip.request.edits] == ["scale", "text", "fade", "loudness"]
    assert clip.result.edits[-1].startswith("loudness:")


def test_an_intro_that_fits_is_copied_with_the_recording(services: Services) -> None:
    clip = worked(services, source=[{"asset": "intro.mp4", "end": 1}, {"recording": "a.mp4", "start": 1, "end": 9}])
    assert clip.result is not None
    assert clip.result.frames == 270
    assert clip.result.frames_copied > 200


def test_the_plan_names_the_assets(services: Services) -> None:
    request = validate_request(BETWEEN)
    planned = plan_clip(services, request, limits=services.settings.limits, stopped=lambda: False)
    assert [(span["recording"], span.get("asset", False)) for span in planned["spans"]] == [
        ("intro.mp4", True),
        ("a.mp4", False),
        ("outro.mp4", True),
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("none.mp4", "asset_not_found"), ("logo.png", "media_unsupported"), ("text", "media_")]
)
def test_an_intro_that_cannot_be_used_fails_the_clip(services: Services, name: str, reason: str) -> None:
    (services.settings.data / "assets" / "text").write_text("no video")
    clip = worked(services, source=[{"asset": name}, {"recording": "a.mp4", "start": 1, "end": 2}])
    assert clip.state is ClipState.FAILED
    assert clip.failure is not None
    assert clip.failure.reason.startswith(reason)


@pytest.mark.parametrize(("request_made", "frames"), [(CROSSED, 135), (BETWEEN, 315)], ids=["crossed", "between"])
def test_cut_makes_such_requests_from_a_file(
    shell: Shell, stocked: Path, request_made: dict[str, Any], frames: int
) -> None:
    (shell.folder / "request.json").write_text(json.dumps(request_made))
    source = str(stocked / "recordings" / "a.mp4")
    made = shell.json("cut", source, "--request", "request.json", "-o", "made.mp4")
    assert made["frames"] == frames == frames_in(shell.folder / "made.mp4")
    planned = shell.json("plan", source, "--request", "request.json")
    reasons = {segment["reason"] for part in planned["parts"] for segment in part["segments"]}
    assert any("joined: crossfade" in reason for reason in reasons)
    code, out, _ = shell.run("plan", source, "--request", "request.json")
    assert code == 0
    assert "crossfade" in out

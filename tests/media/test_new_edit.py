"""A new edit is three new files: its model, its values and its step. Everything else learns of it by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.media.recordings import ReferenceRecording
from tests.support.decode import decode_presented

import cutback

Recordings = Callable[[str], ReferenceRecording]

FILES = {
    "domain/requests/edits/mirror.py": """
from typing import Annotated, Literal
from pydantic import Field
from cutback.domain.requests.edit_model import EditModel

class MirrorEdit(EditModel):
    \"\"\"Show what a mirror shows.\"\"\"

    stage = "colour"
    contradicts = frozenset({"blur"})
    edit: Literal["mirror"]
    clean: bool = Field(True, description="Whether it is clean.")
""",
    "cutting/edit_values/mirror.py": """
from dataclasses import dataclass
from cutback.cutting.edit_value import Edit

@dataclass(frozen=True, slots=True)
class Mirror(Edit):
    kind = "mirror"
    clean: bool
""",
    "cutting/edits/steps/mirror.py": """
from fractions import Fraction
from cutback.cutting.edit_values.mirror import Mirror
from cutback.cutting.edits.graph import Filter, PictureGraph
from cutback.cutting.edits.step import EditStep, PaintedPart

class MirrorStep(EditStep[Mirror]):
    edit = Mirror
    whole_clip = True

    def painted(self, edit, scene):
        return (PaintedPart(Fraction(0), scene.duration),)

    def paint(self, edit, frame, at, scene, view):
        return scene.graphs.graph(edit, frame, lambda: PictureGraph(frame, [Filter("hflip")])).apply(frame)

    def described(self, edit):
        return "mirror: clean" if edit.clean else "mirror"
""",
}


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python with a copy of Cutback that has one edit more."""
    copy = tmp_path / "lib" / "cutback"
    shutil.copytree(Path(cutback.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, content in FILES.items():
        (copy / name).write_text(content, encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = os.environ | {"PYTHONPATH": str(copy.parent)}
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def luma(clip: Path) -> NDArray[np.float64]:
    """The luma of the sixth picture of a clip."""
    found = decode_presented(clip, luma=True).frames[5].luma
    assert found is not None
    return found.astype(np.float64)


def test_a_new_edit_works_on_the_command_line_once_its_files_are_there(
    recording: Recordings, tmp_path: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    arguments = ("cut", str(recording("pyramid").path), "--from", "1", "--to", "1.5")
    edit = json.dumps({"edit": "mirror"})
    for name, more in (("plain", ()), ("mirrored", ("--edit", edit))):
        made = python("-m", "cutback", *arguments, *more, "-o", str(tmp_path / f"{name}.mp4"))
        assert made.returncode == 0, made.stderr
    plain, mirrored = (luma(tmp_path / f"{name}.mp4") for name in ("plain", "mirrored"))
    assert np.abs(plain - mirrored).mean() > 5
    assert np.abs(plain[:, ::-1] - mirrored).mean() < 5


def test_a_new_edit_is_validated_and_described_once_its_files_are_there(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    code = """
import json
from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.request import ClipRequest, validate_request
def problems(*edits):
    try:
        validate_request({"source": {"recording": "a", "start": 0, "end": 1}, "edits": list(edits)})
    except InvalidRequestError as error:
        return [fault.problem for fault in error.faults]
print(json.dumps({
    "schema": sorted(ClipRequest.model_json_schema()["$defs"]["MirrorEdit"]["properties"]),
    "misspelt": problems({"edit": "miror"}),
    "misplaced": problems({"edit": "fade", "in": 1}, {"edit": "mirror"}),
    "with blur": problems({"edit": "mirror"}, {"edit": "blur", "x": 0, "y": 0, "width": 9, "height": 9}),
}))
"""
    made = python("-c", code)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {
        "schema": ["clean", "edit"],
        "misspelt": ["unknown edit 'miror'; did you mean 'mirror'?"],
        "misplaced": ["are done in another order than they stand in; write them as mirror, fade"],
        "with blur": ["mirror and blur contradict each other; leave one of them out"],
    }

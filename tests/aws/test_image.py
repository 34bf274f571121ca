"""The image's content, built step by step in a fresh Debian and run as its own user; and a check of the Dockerfile."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from infra.lambda_zip import PYTHON
from tests.aws.image import Image, python_of, stages
from tests.aws.terraform import ROOT
from tests.support.decode import decode_presented
from tests.support.media import MediaSpec, cached_media

DOCKERFILE = ROOT / "Dockerfile"
AUTHORITIES = "cutback/adapters/mongodb/amazon-rds-roots.pem"
HADOLINT = ROOT / ".venv-checkov" / "bin" / "hadolint"


def test_clean_by_hadolint() -> None:
    if not HADOLINT.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("`make test-aws` installs hadolint; it is not there")
    done = subprocess.run([HADOLINT, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_image_and_functions_run_the_same_python() -> None:
    assert {python_of(stage.base) for stage in stages(DOCKERFILE.read_text(encoding="utf-8"))} == {PYTHON}


def test_what_the_dockerfile_may_not_say_is_refused() -> None:
    with pytest.raises(ValueError, match="before FROM"):
        stages("RUN true\nFROM python:3.13-slim")
    with pytest.raises(ValueError, match="slim"):
        python_of("alpine:3")


@pytest.mark.timeout(3600)
def test_the_image_cuts_a_clip_as_its_own_user(image: Image, tmp_path: Path) -> None:
    assert image.user not in {"", "0", "root"}
    data = image.root / "var/lib/cutback"
    recording = data / "sea.mp4"
    recording.write_bytes(cached_media(MediaSpec(frames=60, gop=30), tmp_path).read_bytes())
    done = subprocess.run(
        image.words("cut", "sea.mp4", "--range", "0.5..1.5", "-o", "wave.mp4", "--json"),
        env=image.environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)
    assert decode_presented((data / "wave.mp4").read_bytes()).counters == list(range(15, 45))
    assert (data / "wave.mp4").stat().st_uid == int(image.user)


@pytest.mark.timeout(3600)
def test_the_image_holds_what_the_locks_name_and_no_build_tools(image: Image) -> None:
    names = {path.name.lower() for path in (image.root / "opt/cutback/lib").glob("python3*/site-packages/*.dist-info")}
    installed = {re.sub(r"[._]", "-", name.split("-")[0]) for name in names}
    locked = re.findall(r"(?m)^([a-z0-9-]+)==", (ROOT / "requirements-image.lock").read_text(encoding="utf-8"))
    assert {"cutback", "av", "obstore", "pymongo"} <= installed
    assert installed - {"cutback", "pip"} <= set(locked)
    assert "hatchling" not in installed
    (roots,) = (image.root / "opt/cutback/lib").glob(f"python3*/site-packages/{AUTHORITIES}")
    assert roots.read_bytes() == (ROOT / "src" / AUTHORITIES).read_bytes()


def test_the_zip_holds_the_authorities_of_databases(unpacked: tuple[str, Path]) -> None:
    assert (unpacked[1] / AUTHORITIES).read_bytes() == (ROOT / "src" / AUTHORITIES).read_bytes()

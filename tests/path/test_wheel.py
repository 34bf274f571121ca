"""The wheel, installed in a fresh environment, serves the pages: every file that they need is in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from tests.path.shell import lines_until
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of a fresh environment with the wheel in it; what the wheel requires is taken from this one."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "fresh", with_pip=False, symlinks=True)
    program = tmp_path / "fresh" / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "--python",
        str(program),
        "--no-deps",
        "--offline",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=PATIENCE)
    (site,) = (tmp_path / "fresh" / "lib").glob("python*/site-packages")
    # A path alone: this environment's own .pth files, which lead to the checkout, are not read.
    (site / "required.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return program


def test_the_installed_wheel_serves_the_page_and_every_file_of_it(python: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CUTBACK_", "PYTHON"))}
    where = subprocess.run(
        [str(python), "-c", "import cutback; print(cutback.__file__)"],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE,
    ).stdout  # fmt: skip
    assert where.startswith(str(tmp_path / "fresh")), "not the checkout"
    command = [str(python.with_name("cutback")), "api", "--json", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = json.loads(lines_until(process, lambda line: '"url"' in line)[-1])["url"]
            page = httpx.get(url + "/").text
            assert "<title>Cutback</title>" in page
            (imports,) = re.findall(r'<script type="importmap"[^>]*>(.*?)</script>', page)
            files = {*json.loads(imports)["imports"].values(), *re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)}
            assert {name.rpartition("/")[2].partition(".")[0] for name in files} >= {"main", "style", "mediabunny"}
            answers = {name: httpx.get(urljoin(url, name)).status_code for name in files}
            assert set(answers.values()) == {200}, answers
        finally:
            process.terminate()

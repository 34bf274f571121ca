"""Builds the content of an image without a container engine: runs a Dockerfile's steps in roots made by debootstrap.

A root is Debian's release that `python:X-slim` stands on, with Debian's own Python of the same version. What an engine
does beside the steps (layers, the official image's own files) is not played. It needs root, for chroot.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.aws.terraform import ROOT

RELEASES = {"3.13": "trixie"}
"""The Debian whose Python is of the version that the Dockerfile asks for."""
KEPT = "CUTBACK_TEST_DEBIAN"
"""Names a root that debootstrap made before, with the packages below, to save the time."""
MIRROR = "http://deb.debian.org/debian"
SECONDS = 1800
_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass
class Stage:
    """What one FROM begins."""

    base: str
    name: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instruction and its text, in order."""


@dataclass(frozen=True, slots=True)
class Image:
    """The last stage, built."""

    root: Path
    user: str
    folder: str
    environment: dict[str, str]
    entrypoint: list[str]
    command: list[str]

    def words(self, *arguments: str, entrypoint: Sequence[str] = ()) -> list[str]:
        """The command that runs the image's program with `arguments` as its user, in its folder, with a /proc."""
        inside = f"cd {shlex.quote(self.folder)} && exec {shlex.join([*(entrypoint or self.entrypoint), *arguments])}"
        enter = f'mount -t proc proc "$0/proc" && exec chroot --userspec={self.user}:{self.user} "$0" /bin/sh -c "$1"'
        # The mount is this process's own, and gone with it.
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", enter, str(self.root), inside]


def missing() -> str:
    """Why no image can be built here; empty if one can."""
    if os.geteuid() != 0:
        return "chroot needs root"
    return "" if shutil.which("debootstrap") else "debootstrap is not installed"


def stages(text: str) -> list[Stage]:
    """Read a Dockerfile.

    Raises:
        ValueError: an instruction stands before the first FROM.
    """
    found: list[Stage] = []
    for instruction, rest in _instructions(text):
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base.strip(), name.strip()))
        elif found:
            found[-1].steps.append((instruction, rest))
        else:
            raise ValueError(f"{instruction} before FROM")
    return found


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        if line.strip():
            instruction, _, rest = line.strip().partition(" ")
            yield instruction.upper(), rest.strip()


def fresh_root(python: str, folder: Path) -> Path:
    """A Debian with that Python and nothing of ours, in `folder`; a copy of the one that CUTBACK_TEST_DEBIAN names."""
    root = folder / "debian"
    if kept := os.environ.get(KEPT):
        subprocess.run(["cp", "-a", "--reflink=auto", kept, str(root)], check=True)
        return _prepared(root)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", RELEASES[python], str(root), MIRROR],
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return _prepared(root)


def _prepared(root: Path) -> Path:
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    # The machine may reach the internet through a proxy with its own certificates.
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    shutil.copy(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
    return root


def build(dockerfile: Path, debian: Path, folder: Path) -> Image:
    """Run all steps of all stages, each in a copy of `debian`.

    Raises:
        AssertionError: a step failed.
        ValueError: an instruction that nobody taught it, or another base than Python's.
    """
    built: dict[str, Path] = {}
    image = None
    for number, stage in enumerate(stages(dockerfile.read_text(encoding="utf-8"))):
        python_of(stage.base)
        root = folder / f"stage-{number}"
        subprocess.run(["cp", "-a", "--reflink=auto", str(debian), str(root)], check=True)
        image = _run(stage, root, built)
        built[stage.name] = root
    assert image is not None
    return image


def python_of(base: str) -> str:
    """The version of Python that a base image has.

    Raises:
        ValueError: it is not one of Python's slim images.
    """
    found = re.fullmatch(r"python:(\d+\.\d+)-slim", base)
    if not found:
        raise ValueError(f"{base} is not python:X.Y-slim")
    return found[1]


def _run(stage: Stage, root: Path, built: dict[str, Path]) -> Image:
    user, folder, entrypoint, command = "0", "/", ["/bin/sh"], list[str]()
    environment = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin", "LANG": "C.UTF-8"}
    for instruction, text in stage.steps:
        match instruction:
            case "WORKDIR":
                folder = text
                (root / text.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(shlex.split(text), root, folder, built)
            case "ENV":
                pairs = [pair.split("=", 1) for pair in shlex.split(text)]
                environment |= {name: value.replace("$PATH", environment["PATH"]) for name, value in pairs}
            case "USER":
                user = text
            case "RUN":
                _shell(root, folder, environment, text)
            case "ENTRYPOINT":
                entrypoint = json.loads(text)
            case "CMD":
                command = json.loads(text)
            case _:
                raise ValueError(f"{instruction} is not taught to tests/aws/image.py")
    return Image(root, user, folder, environment, entrypoint, command)


def _shell(root: Path, folder: str, environment: dict[str, str], text: str) -> None:
    reach = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    done = subprocess.run(
        ["chroot", str(root), "/bin/sh", "-c", f"cd {shlex.quote(folder)} && {text}"],
        env={**environment, **reach, "HOME": "/root", "PIP_CERT": str(_CERTIFICATES)},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"RUN {text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _copy(words: Sequence[str], root: Path, folder: str, built: dict[str, Path]) -> None:
    source = ROOT
    if words[0].startswith("--from="):
        source, words = built[words[0].removeprefix("--from=")], words[1:]
    *names, target = words
    place = root / os.path.normpath(os.path.join(folder, target)).lstrip("/")  # noqa: PTH118 - not on this machine
    for name in names:
        origin = source / name.lstrip("/")
        if origin.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if source == ROOT else None
            shutil.copytree(origin, place, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, place / origin.name)

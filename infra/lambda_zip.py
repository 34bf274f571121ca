"""Builds the zip that Lambda runs: `python infra/lambda_zip.py --arch arm64`.

Building needs no compiler and no Docker, and gives the same bytes every time. The zip contains exactly the
versions in requirements-aws.lock, without what Lambda does not use.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-aws.lock"

# PyAV's wheels need glibc 2.28 or later: Amazon Linux 2023, which runs Python 3.12 and later.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
PYTHON = (ROOT / "infra" / "modules" / "worker" / "python-version").read_text().strip()
"""The version of the runtime: what this file says is what Terraform asks Lambda for."""

UNUSED = {
    "typer", "rich", "click", "shellingham", "markdown-it-py", "mdurl", "pygments",  # the command line
    "boto3", "s3transfer",  # botocore is enough
    "hatchling", "editables", "pathspec", "pluggy", "tomlkit", "trove-classifiers", "packaging",  # installing
}  # fmt: skip

SERVICES = {"sqs", "sns", "s3", "sts", "secretsmanager", "sso", "sso-oidc"}
"""The services that Cutback uses, of the four hundred or so that botocore describes."""

LIMIT = 250 * 1024 * 1024
"""Lambda's limit for the unpacked zip, in bytes."""

_EPOCH = (2020, 1, 1, 0, 0, 0)
_LEFT_OUT = re.compile(
    r"(^|/)(__pycache__|tests|include)/|\.(pyi|pyx|pxd|c|h|hpp|md|rst)$|/(RECORD|INSTALLER|REQUESTED|"
    r"direct_url\.json|WHEEL|entry_points\.txt|top_level\.txt)$|(^|/)bin/"
)


def main() -> int:
    """Build the zips for the chosen architectures, and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=sorted(PLATFORMS), action="append", help="may be repeated; by default, both")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "lambda", help="folder (build/lambda)")
    options = parser.parse_args()
    for arch in options.arch or sorted(PLATFORMS):
        made = build(arch, PYTHON, options.out)
        with zipfile.ZipFile(made) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        print(f"{made.name}: {made.stat().st_size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked")  # noqa: T201
        if unpacked >= LIMIT:
            print(f"Lambda takes at most {LIMIT / 1e6:.0f} MB", file=sys.stderr)  # noqa: T201
            return 1
    return 0


def build(arch: str, python: str, out: Path) -> Path:
    """The zip for a processor (`arm64`, `x86_64`) and a Python (`3.13`), in `out`. Returns its path."""
    out.mkdir(parents=True, exist_ok=True)
    tree = out / f"tree-{arch}"
    shutil.rmtree(tree, ignore_errors=True)
    requirements = out / "requirements.txt"
    requirements.write_text("\n".join(wanted(LOCK.read_text())) + "\n")
    _uv(
        *("pip", "install", "--quiet", "--target", str(tree), "--python-platform", PLATFORMS[arch]),
        *("--python-version", python, "--only-binary", ":all:", "--require-hashes", "--no-deps"),
        *("--link-mode", "copy", "-r", str(requirements)),
    )
    shutil.copytree(ROOT / "src" / "cutback", tree / "cutback", ignore=shutil.ignore_patterns("__pycache__", "demo"))
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, tree / name)
    _trim_botocore(tree / "botocore" / "data")
    _compile(tree, python)
    made = out / f"cutback-{arch}.zip"
    _pack(tree, made)
    bill_of_materials(requirements, made.with_suffix(".cdx.json"))
    return made


def bill_of_materials(requirements: Path, out: Path) -> None:
    """Write what a requirements file installs, with versions and hashes, as CycloneDX JSON. Reproducible."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    subprocess.run(
        [str(program), "requirements", str(requirements), "--output-reproducible", "--of", "JSON", "-o", str(out)],
        check=True,
    )


def wanted(lock: str) -> Iterator[str]:
    """The requirements of a lock file, hashes and markers included, without the unused ones."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", lock)):
        name = re.match(r"[A-Za-z0-9._-]+", entry.strip())
        if name and re.sub(r"[._-]+", "-", name[0]).lower() not in UNUSED:
            yield entry.strip()


def find_python(version: str) -> str | None:
    """An interpreter of that version on this machine: on the path, or one of pyenv's; None when there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [sys.executable, shutil.which(f"python{version}")]
    candidates += [str(each) for each in sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)]
    for candidate in filter(None, candidates):
        asked = [candidate, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, check=False, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def _uv_program() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


def _uv(*arguments: str) -> None:
    # Behind a proxy that decrypts, only the system has the certificate of its authority.
    subprocess.run([_uv_program(), *arguments], check=True, env={"UV_SYSTEM_CERTS": "true", **os.environ})


def _trim_botocore(data: Path) -> None:
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in SERVICES:
            shutil.rmtree(entry)


def _compile(tree: Path, python: str) -> None:
    """Bytecode that Lambda's read-only disk could not keep. Made by the same Python, or left out.

    Unchecked: the sources' times are of no account in a zip, and looking at them would cost each cold start.
    """
    interpreter = find_python(python)
    if interpreter is None:
        print(f"No python{python} on this machine: the zip has no bytecode and starts more slowly.", file=sys.stderr)  # noqa: T201
        return
    subprocess.run(
        [
            *(interpreter, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(tree), "-p", "/var/task", str(tree)),
        ],
        check=True,
    )


def _pack(tree: Path, made: Path) -> None:
    """Sorted names, one date and one mode for all files: the same content gives the same zip."""
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            name = path.relative_to(tree).as_posix()
            compiled = "/__pycache__/" in f"/{name}" and name.endswith(".pyc")
            if _LEFT_OUT.search(name.replace("__pycache__/", "") if compiled else name):
                continue
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = (0o755 if ".so" in path.name else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())

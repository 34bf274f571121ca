"""What people read is true: docs and code are held together, and the examples run."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest
from tests.support.media import MediaSpec, cached_media
from tests.support.waiting import PATIENCE
from typer.main import get_command

import cutback
from cutback.cli.app import app
from cutback.cli.exit_codes import MEANINGS, exit_of
from cutback.domain.clips import retry
from cutback.domain.clips.clip import Clip, ClipState, CutSpan, Failure, Gap
from cutback.domain.clips.event import CHANGED, Event
from cutback.domain.errors import CutbackError, InvalidRequestError
from cutback.domain.requests.batch import requests_in
from cutback.domain.requests.edit_list import KINDS as EDITS
from cutback.domain.requests.older_format import LegacyMessage
from cutback.domain.requests.outputs.known import KINDS as OUTPUTS
from cutback.domain.requests.request import ClipRequest, parse_request
from cutback.domain.requests.sources import AssetRange, CameraSpan, Range
from cutback.settings.config_file import CONFIG
from cutback.settings.settings import Settings, load_settings, variable

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "cutback"

FOR_DEVELOPERS = {
    "CUTBACK_TEST_CACHE",
    "CUTBACK_BENCH_CACHE",
    "CUTBACK_TEST_CUTS",
    "CUTBACK_TEST_SEED",
    "CUTBACK_TEST_FUZZ_SECONDS",
    "CUTBACK_TEST_EDIT_LISTS",
    "CUTBACK_TEST_KILLS",
    "CUTBACK_TEST_MONGODB",
    "CUTBACK_TEST_PACKAGE",
    "CUTBACK_TEST_TERRAFORM_PLUGINS",
}
"""Variables of tests and benchmarks; CONTRIBUTING.md describes them."""
MISSPELT_ON_PURPOSE = {"CUTBACK_LEES"}
SHARED_OPTIONS = {"--json", "--data", "--debug", "--help"}
RETRIED = {
    retry.Retry: "yes",
    retry.Fail: "no",
    retry.MoveToDeadLetters: "parked",
    retry.HandBack: "handed back",
    retry.HandOver: "parked",
}


def project_files() -> list[Path]:
    """Every file that belongs to the project, whether it is committed yet or not."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:  # not a clone
        found = [path for path in ROOT.rglob("*") if not {".venv", "__pycache__", "cutback-data"} & set(path.parts)]
    return sorted(path for path in found if path.is_file())


PAGES = [path for path in project_files() if path.suffix == ".md"]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a page's tables: what stands in backticks in the first cell → all cells."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and (match := re.match(r"(?:<a [^>]+></a>)?`([^`]+)`", cells[0])):
            found[match[1]] = [cell.strip("| ") for cell in cells]
    return found


@dataclass(frozen=True)
class Block:
    """A fenced block of a page and the comment right above it."""

    page: str
    language: str
    text: str
    marker: str


def blocks(path: Path) -> Iterator[Block]:
    fence = re.compile(r"(?:^<!-- test: ([^>]*) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for match in fence.finditer(path.read_text(encoding="utf-8")):
        yield Block(named(path), match[2], match[3], match[1] or "")


BLOCKS = [block for path in PAGES for block in blocks(path)]


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    cells = rows(page("docs/settings.md")).get(variable(name))
    assert cells, f"docs/settings.md has no row for {variable(name)}"
    default = Settings.model_fields[name].default
    assert len(cells[2]) > 10
    if isinstance(default, tuple) and default:
        assert cells[1] == f"`{','.join(part if isinstance(part, str) else f'{part:g}' for part in default)}`"
    elif default not in (None, "", (), {}):
        assert cells[1] == f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_page_names_a_setting_that_does_not_exist(path: Path) -> None:
    known = {variable(name) for name in Settings.model_fields} | MISSPELT_ON_PURPOSE | {CONFIG}
    used = set(re.findall(r"CUTBACK_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    assert {name for name in used - known if not name.startswith(("CUTBACK_TEST_", "CUTBACK_BENCH_"))} == set()


@pytest.mark.parametrize("block", [block for block in BLOCKS if "export CUTBACK_" in block.text], ids=lambda b: b.page)
def test_settings_in_examples_are_accepted(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in block.text.splitlines():
        name, _, value = shlex.split(line)[1].partition("=")
        monkeypatch.setenv(name, value)
    load_settings()


# --- reasons, events, fields -----------------------------------------------------------------------


def all_errors() -> list[type[CutbackError]]:
    for module in pkgutil.walk_packages(cutback.__path__, "cutback."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, left = [], [CutbackError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.startswith("cutback."):
            found.append(kind)
    return found


def test_every_reason_is_documented_with_its_retries_and_exit_code() -> None:
    documented = rows(page("docs/failures.md"))
    expected = {}
    for kind in all_errors():
        error = kind([]) if kind is InvalidRequestError else kind()
        decision = retry.decide(error, 1, retry.Policy())
        expected[kind.reason] = [RETRIED[type(decision)], str(exit_of(error).value)]
    assert expected == {reason: cells[3:] for reason, cells in documented.items()}
    assert all(len(cells[1]) > 10 for cells in documented.values())
    anchors = set(re.findall(r'<a id="(.+?)"></a>', page("docs/failures.md")))
    assert anchors == set(documented), "the API's errors link to the row of their reason"


def test_every_exit_code_is_documented() -> None:
    table = re.findall(r"^\| (\d+) \| (.*) \|$", page("docs/commands.md"), re.MULTILINE)
    assert [(str(code.value), meaning) for code, meaning in MEANINGS.items()] == table


def test_every_event_is_documented_and_no_other() -> None:
    known = {f"clip.{state}" for state in ClipState} | {CHANGED}
    assert set(rows(page("docs/events.md"))) & known == known
    for path in PAGES:
        mentioned = set(re.findall(r"`(clip\.[a-z]+)`", path.read_text(encoding="utf-8")))
        assert mentioned - known - {"clip.py"} == set(), named(path)


def test_every_field_and_precision_of_a_request_is_documented() -> None:
    documented = set(rows(page("docs/request.md")))
    span = {field.alias or name for name, field in CameraSpan.model_fields.items()}
    fields = {*ClipRequest.model_fields, *Range.model_fields, *AssetRange.model_fields, *span}
    for output in OUTPUTS.values():
        fields |= set(output.model_fields)
    precisions = set(get_args(OUTPUTS["mp4"].model_fields["precision"].annotation))
    assert fields | precisions == documented
    assert precisions <= set(rows(page("README.md")))


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_and_its_fields_are_documented_with_an_example(name: str) -> None:
    sections = re.split(r"^#{2,3} ", page("docs/edits.md"), flags=re.MULTILINE)
    [section] = [text for text in sections if text.startswith(f"`{name}`\n")]
    fields = {field.alias or own for own, field in EDITS[name].model_fields.items()} - {"edit"}
    assert fields <= set(rows(section)), "a row for each field"
    assert f'"edit": "{name}"' in section


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "json"], ids=lambda b: b.page)
def test_json_in_pages_is_what_it_claims_to_be(block: Block) -> None:
    content = json.loads(block.text)
    if "specversion" in content:
        event = Event.model_validate_json(block.text)
        clip = Clip.model_validate(content["data"])
        assert clip.event().model_dump(mode="json") == event.model_dump(mode="json")
    elif "clipId" in content and "status" in content:
        assert set(content) == {*LegacyMessage.model_fields, "status", "bucket", "clip", "thumbnail"}
    elif "clipId" in content:
        assert requests_in(block.text)
    elif "spans" in content:
        for span in content["spans"]:
            CutSpan.model_validate(span)
        for gap in content["gaps"]:
            Gap.model_validate(gap)
    elif "failure" in content:
        Failure.model_validate(content["failure"])
    else:
        parse_request(block.text)


# --- commands --------------------------------------------------------------------------------------

GROUP: Any = get_command(app)


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command with its name: `cut`, or `keys list` where commands stand in a group."""
    for name in GROUP.list_commands(None):
        found = GROUP.get_command(None, name)
        members = getattr(found, "commands", {})
        yield from ((f"{name} {each}", command) for each, command in members.items())
        if not members:
            yield name, found


COMMANDS: dict[str, Any] = dict(all_commands())
GROUPS = {name.partition(" ")[0] for name in COMMANDS if " " in name}


def options_of(command: Any) -> set[str]:
    shown = [param for param in command.params if not getattr(param, "hidden", False)]
    return {option for param in shown for option in param.opts if option.startswith("--")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    sections = re.split(r"^##+ ", page("docs/commands.md"), flags=re.MULTILINE)
    section = next((text for text in sections if re.match(rf"`cutback {name}[ `]", text)), None)
    assert section, f"docs/commands.md has no section for cutback {name}"
    said = set(re.findall(r"--[a-z-]+", section))
    assert options_of(COMMANDS[name]) - SHARED_OPTIONS - said == set()


def typed_commands(path: Path) -> Iterator[list[str]]:
    """What pages tell people to type: in shell blocks and between backticks, split into words."""
    text = path.read_text(encoding="utf-8")
    lines = [line for block in blocks(path) if block.language == "sh" for line in block.text.splitlines()]
    for line in [*lines, *re.findall(r"`(cutback [^`]+)`", text)]:
        for part in re.split(r"[|;]\s", line):
            if part.strip().startswith("cutback "):
                yield shlex.split(part, comments=True)[1:]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_page_names_a_command_or_option_that_does_not_exist(path: Path) -> None:
    for words in typed_commands(path):
        if words[0].startswith("-") or words[0] == "COMMAND":
            continue
        if words in ([group] for group in GROUPS):
            continue
        name = " ".join(words[: 1 + (words[0] in GROUPS)])
        assert name in COMMANDS, " ".join(words)
        options = {word.split("=")[0] for word in words if word.startswith("--")}
        assert options - options_of(COMMANDS[name]) == set(), " ".join(words)


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    for path in PAGES:
        used = set(re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert used - targets == set(), named(path)


# --- pages -----------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        assert aim.is_file() or (aim.is_dir() and not anchor), target
        assert not anchor or anchor in anchors(aim), target


def test_the_index_of_the_docs_has_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", page("docs/README.md")))
    there = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES if path.is_relative_to(ROOT / "docs")}
    assert there - {"README.md"} == linked


def test_the_architecture_page_names_files_that_exist() -> None:
    named_files = set(re.findall(r"(?:\w+/)*\w+\.py\b", page("docs/architecture.md")))
    assert len(named_files) > 40
    assert {name for name in named_files if not (SOURCE / name).is_file()} == set()


def test_the_diagram_of_packages_shows_every_package_and_no_other() -> None:
    diagram = next(block.text for block in blocks(ROOT / "docs/architecture.md") if "┌" in block.text)
    shown = set(re.findall(r"│ (\w+(?:/|\.py)) ", diagram))
    packages = {f"{path.parent.name}/" for path in SOURCE.glob("*/__init__.py")}
    modules = {path.name for path in SOURCE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert packages | modules == shown


def glossary() -> list[str]:
    """The words that docs/glossary.md defines, in order."""
    cells = [line.strip("|").split(" | ") for line in page("docs/glossary.md").splitlines() if line.startswith("| **")]
    return [re.sub(r"\*\*", "", word.strip()) for word, _ in cells]


def test_the_glossary_defines_each_word_once() -> None:
    words = [word.casefold() for word in glossary()]
    assert len(words) > 20
    assert {word for word in words if words.count(word) > 1} == set()
    defined_elsewhere = re.findall(r"\*\*", page("docs/glossary.md"))
    assert len(defined_elsewhere) == 2 * len(words), "a word is defined inside another's meaning"


def test_the_glossary_and_the_code_know_the_same_states_of_a_clip() -> None:
    row = next(line for line in page("docs/glossary.md").splitlines() if line.startswith("| **state** "))
    assert {str(state) for state in ClipState} == set(re.findall(r"[a-z]{5,}", " ".join(re.findall(r"`([^`]+)`", row))))


@pytest.mark.parametrize("word", glossary())
def test_a_word_of_the_glossary_names_one_class_at_most(word: str) -> None:
    name = "".join(part.title() for part in word.split())
    files = [
        named(path) for path in SOURCE.rglob("*.py") if re.search(rf"^class {name}\b", path.read_text(), re.MULTILINE)
    ]
    assert len(files) <= 1, f"{name} is two things: {', '.join(files)}"


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(page("pyproject.toml"))["project"]["version"]
    assert version == cutback.__version__
    assert re.search(rf"^## .*{re.escape(version)}", page("CHANGELOG.md"), re.MULTILINE)


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    own = rf"(?<![\w.$}}]){'/'}(?:work|root|home/\w+|Users/\w+){'/'}"
    hosts = r"(?:index-url|find-links)[ =]+\S*//|files\.pythonhosted\.org|registry\.npmjs\.org|//[^/\s]*/simple\b"
    pattern = re.compile(f"{own}|{hosts}".encode())
    found = {}
    for path in project_files():
        if path != Path(__file__) and (match := pattern.search(path.read_bytes())):
            found[named(path)] = match[0].decode()
    assert found == {}


# --- examples run ----------------------------------------------------------------------------------

RECORDINGS = ("sea.mp4", "north-point.2026-06-21T05-30-00Z.mp4")
RUN = [block for block in BLOCKS if block.language in {"sh", "python"} and re.match("run|fails", block.marker)]
INTERPRETERS = {"sh": ("bash", "-euo", "pipefail", "-c"), "python": ("python", "-c")}


@dataclass(frozen=True)
class Room:
    """A folder like that of a reader who follows the pages: recordings, `cutback` on the path, running workers."""

    folder: Path
    environment: dict[str, str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Room]:
    folder, tools = tmp_path_factory.mktemp("reader"), tmp_path_factory.mktemp("bin")
    made = cached_media(MediaSpec(frames=900, gop=60), Path(pytestconfig.cache.mkdir("media")))
    recordings = folder / "cutback-data" / "recordings"
    recordings.mkdir(parents=True)
    for name in RECORDINGS:
        shutil.copy(made, recordings / name)
    for name, arguments in (("cutback", "-m cutback"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CUTBACK_")}
    environment |= {"PATH": f"{tools}:{environment['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    environment["CUTBACK_LISTEN"] = "127.0.0.1:0"  # several such rooms may be there at once
    here = Room(folder, environment)
    with here.start("cutback", "up", "--workers", "1") as workers:
        try:
            yield here
        finally:
            workers.send_signal(signal.SIGINT)
            said, _ = workers.communicate(timeout=PATIENCE)
    assert workers.returncode == 0, said


@pytest.mark.parametrize("name", sorted({block.page for block in RUN}))
def test_examples_run_as_they_stand(room: Room, name: str) -> None:
    """All of a page's, in order: later ones build on earlier ones."""
    for left in room.folder.glob("*.mp4"):
        left.unlink()  # another page's clips
    for block in RUN:
        if block.page != name:
            continue
        with room.start(*INTERPRETERS[block.language], block.text) as shell:
            said, _ = shell.communicate(timeout=PATIENCE)
        expected = {"run": 0, "fails with 1": 1}[block.marker]
        assert expected == shell.returncode, f"{block.text}\n{said}"


def test_the_first_request_of_the_readme_shows_what_the_readme_shows(room: Room) -> None:
    first = next(block.text for block in RUN if "wave.json" in block.text)
    with room.start("bash", "-euo", "pipefail", "-c", first) as shell:
        said, _ = shell.communicate(timeout=PATIENCE)
    assert shell.returncode == 0, said
    shown = next(block.text for block in BLOCKS if block.page == "README.md" and block.text.startswith("clip "))
    # The recording here is smaller than the demo's, but has its frame rate and its keyframes; times differ.
    others = ("result", "read", "took", "poster", "requested at", "done after")
    expected = [line for line in shown.splitlines() if not line.startswith(others)]
    assert expected == [line for line in map(str.rstrip, said.splitlines()) if line in expected]
    assert (room.folder / "cutback-data/clips/first-wave/1/clip.mp4").stat().st_size > 10_000


def test_the_receiver_of_webhooks_in_the_docs_accepts_an_event(room: Room) -> None:
    program = next(block.text for block in BLOCKS if block.marker == "receiver")
    (room.folder / "receiver.py").write_text(program)
    secret = room.folder / "cutback-data" / "webhook-secret"
    await_condition(secret.exists)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with room.start("python", "receiver.py", str(port)) as receiver:
        try:
            await_condition(lambda: answers(port))
            times = ["--recording", RECORDINGS[0], "--from", "1", "--to", "2", "--id", "heard"]
            with room.start("cutback", "submit", *times, "--webhook", f"http://127.0.0.1:{port}/") as shell:
                assert shell.wait(PATIENCE) == 0
            assert receiver.stdout is not None
            printed = (line.strip() for line in receiver.stdout)
            heard = list(islice((line for line in printed if line.startswith("clip.")), 3))
        finally:
            receiver.kill()
    assert sorted(["clip.queued heard", "clip.processing heard", "clip.ready heard"]) == sorted(heard)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def await_condition(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)

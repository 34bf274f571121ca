"""The documents of the pages, their policy and their files, as servers send them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.web.harness import WebHarness, assert_problem

from cutback.web.pages.shell import Shell
from cutback.web.pages.static_files import StaticFile, static_files

PATHS = [
    "/",
    "/cameras/north%2Fpoint",
    "/recordings",
    "/cut?recording=a.mp4",
    "/clips",
    "/clips/wave-1",
    "/status",
    "/settings",
]
VENDOR = Path(__file__).parents[2] / "src/cutback/web/pages/static/vendor"
LIMIT = 200_000
"""Bytes with gzip, without the decoder; the decoder has as many of its own."""
DECODER = "vendor/mediabunny.js"


@pytest.mark.parametrize("path", PATHS)
def test_only_scripts_of_this_answer_run(web: WebHarness, path: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    (nonce,) = re.findall(r"'nonce-([^']{20,})'", policy)
    assert "unsafe" not in policy
    scripts = re.findall(r"<script\b[^>]*>|<link rel=\"modulepreload\"[^>]*>", answer.text)
    assert len(scripts) > 10
    assert all(f'nonce="{nonce}"' in each for each in scripts)
    assert not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", answer.text), "the policy refuses them"
    assert web.get(path).headers["content-security-policy"] != policy


def test_the_policy_lets_the_page_reach_the_store_only_where_it_must(make_web: Callable[..., WebHarness]) -> None:
    def connects(**settings: str) -> str:
        policy = make_web(**settings).get("/").headers["content-security-policy"]
        (found,) = re.findall(r"connect-src ([^;]+);", policy)
        return str(found)

    assert connects() == "'self'"
    assert connects(media_delivery="redirect", clip_store="s3://clips") == "'self' https:"
    shell = Shell(static_files(), "n", store_media=False, store_uploads=True)
    assert "connect-src 'self' https:;" in shell.security_policy


def test_every_file_that_a_document_names_is_there_for_ever(web: WebHarness) -> None:
    text = web.get("/").text
    named = set(re.findall(r'"(/assets/[^"]+\.[0-9a-f]{12}\.\w+)"', text))
    imports = json.loads(re.findall(r'<script type="importmap"[^>]*>(.*?)</script>', text)[0])["imports"]
    assert set(imports.values()) <= named | set(imports.values())
    for address in named | set(imports.values()):
        answer = web.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        assert hashlib.sha256(answer.content).hexdigest()[:12] in address
        assert answer.headers["content-type"].startswith(("text/javascript", "text/css", "image/svg+xml"))
    assert_problem(web.get("/assets/app/main.js"), 404, "not_found")
    assert_problem(web.get("/assets/../../../pyproject.toml"), 404, "not_found")


def test_files_are_sent_compressed_to_those_who_take_it(web: WebHarness) -> None:
    address = static_files().address("app/main.js")
    plain = web.client.get(address, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers
    assert web.get(address).headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == "Accept-Encoding"


def test_modules_import_only_what_there_is_and_nothing_from_elsewhere() -> None:
    files = static_files()
    for name, file in files.by_name.items():
        if not name.startswith("app/"):
            continue
        text = file.content.decode()
        for wanted in _imports(text):
            found = f"/assets/app/{wanted[2:]}" if wanted.startswith("./") else wanted
            assert found in files.imports, f"{name} imports {wanted}"
        assert not re.search(r"['\"`](https?:)?//(?!example\.com)[a-z]", text), f"{name} names another host"


def test_all_modules_are_reached_and_the_pages_stay_small() -> None:
    files = static_files()
    reached, left = set[str](), ["app/main.js"]
    while left:
        name = left.pop()
        if name in reached:
            continue
        reached.add(name)
        wanted = _imports(files.by_name[name].content.decode())
        left += [f"app/{each[2:]}" for each in wanted if each.startswith("./")]
    assert reached == {name for name in files.by_name if name.startswith("app/")}

    def size(files: list[StaticFile]) -> int:
        return sum(len(each.compressed) for each in files)

    assert size([file for name, file in files.by_name.items() if name != DECODER]) < LIMIT
    assert size([files.by_name[DECODER]]) < LIMIT


def test_libraries_are_those_that_their_table_names() -> None:
    rows = re.findall(r"^\| (\S+\.js) \|.*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {path.name for path in VENDOR.glob("*.js")}
    for name, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    for licence in re.findall(r"\]\((LICENSE\.\w[\w-]*)\)", (VENDOR / "README.md").read_text()):
        assert (VENDOR / licence).stat().st_size > 500


def test_colours_are_named_in_one_place() -> None:
    for name, file in static_files().by_name.items():
        if name == "style.css" or name.startswith("app/"):
            found = re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", file.content.decode())
            assert not found, f"{name}: {found}"


def _imports(text: str) -> list[str]:
    return re.findall(r"^(?:import|export)\b[^;]*? from '([^']+)';", text, re.MULTILINE) + re.findall(
        r"\bimport\('([^']+)'\)", text
    )


def test_compressed_files_are_the_same_files() -> None:
    for file in static_files().by_name.values():
        assert gzip.decompress(file.compressed) == file.content

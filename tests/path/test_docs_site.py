"""`make docs`: the site builds without broken links, and requests nothing from other hosts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.browser import chromium, without_complaints
from tests.support.serving import serving

ROOT = Path(__file__).resolve().parents[2]
FETCHED = re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=\"?(https?://[^\" >]+)")
"""What a browser loads by itself, unlike the links that a reader follows."""


def build(pages: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of the docs in `pages`, a copy of the project's docs/ and mkdocs.yml."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", site],
        cwd=pages, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    there = {path.relative_to(site) for path in site.rglob("*.html")}
    assert {page.with_name("index.html") if page.stem == "README" else page for page in pages} - there == set()


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    found = {
        (path.name, address)
        for path in site.rglob("*.html")
        for address in FETCHED.findall(path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    for path in (
        Path("mkdocs.yml"),
        *(path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*") if path.is_file()),
    ):
        (pages / path).parent.mkdir(parents=True, exist_ok=True)
        (pages / path).write_bytes((ROOT / path).read_bytes())
    with (pages / "docs/quickstart.md").open("a", encoding="utf-8") as page:
        page.write("\n[a heading that is not there](request.md#no-such-heading)\n")
    built = build(pages, tmp_path / "site")
    assert built.returncode != 0
    assert "no-such-heading" in built.stdout + built.stderr


@pytest.mark.slow
def test_a_browser_that_opens_the_site_asks_no_other_host(site: Path) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with serving(handler) as address, chromium(address) as page, without_complaints(page.context):
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        for name in ("index", "settings"):
            page.goto(f"{address}/{name}.html", wait_until="networkidle")
        assert page.title().startswith("Settings")
    assert hosts == {urlsplit(address).netloc}

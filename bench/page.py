"""Writes the parts of docs/performance.md that a run measures, each between two markers."""

from __future__ import annotations

from pathlib import Path


class PageError(Exception):
    """The page has no place for a part."""


def replace_part(page: Path, part: str, content: str) -> None:
    """Put `content` between the markers of `part`; all else on the page stays.

    Raises:
        PageError: the page or its markers are missing.
    """
    begin, end = f"<!-- bench:{part} -->", f"<!-- /bench:{part} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise PageError(f"{page} has no {begin} … {end}.")
    page.write_text(f"{before}{begin}\n\n{content}\n\n{end}{after}", encoding="utf-8")

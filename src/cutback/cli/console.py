"""The terminal. All output passes through here, so that text from outside cannot control it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from cutback.domain.visible import visible


def escape(text: str) -> str:
    """Escape text from outside for markup: on one line, with unsafe characters visible and literal brackets."""
    return markup.escape(visible(text))


class SafeConsole(Console):
    """A console that writes no control characters except its own."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Make characters visible before the layout, so that columns have the right width."""
        return super().render_str(visible(text, keep="\n\t"), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Do the same just before the output, for text that is already a `Text`."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text, keep="\n"), segment.style)

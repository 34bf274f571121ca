"""The terminal. Whatever is printed passes through here, so that nothing from outside can command it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import markup
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from cutback.domain.visible import visible


def escape(text: str) -> str:
    """Text from outside, for use in markup: on one line, with unsafe characters visible and brackets literal."""
    return markup.escape(visible(text))


class SafeConsole(Console):
    """A console that writes no control characters but its own, whatever it is given."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Made visible before it is laid out, so that columns have their right width."""
        return super().render_str(visible(text, keep="\n\t"), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The last step before the stream, for text that came as a `Text`."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text, keep="\n"), segment.style)

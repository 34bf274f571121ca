"""How the log looks: one line an entry, with nothing in it that a terminal would obey."""

from __future__ import annotations

import logging

from cutback.domain.visible import visible


class LineFormatter(logging.Formatter):
    """One line an entry: line breaks in messages and tracebacks, and unsafe characters, are written as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry as one line."""
        return visible(super().format(record))


def configure_logging(level: str) -> None:
    """One line an entry, `name=value`, on the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])

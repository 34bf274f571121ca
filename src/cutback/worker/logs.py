"""Formats the log: one line per entry, without characters that a terminal would interpret."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Literal

from cutback.domain.visible import visible, visible_in_json

_PAIR = re.compile(r"(?:^|\s)([a-z_]+)=(\S+)")
_OWN = {"time", "level", "logger", "message", "exception"}


class LineFormatter(logging.Formatter):
    """Formats an entry as one line: line breaks and unsafe characters are written as escapes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as one line."""
        return visible(super().format(record))


class JsonFormatter(logging.Formatter):
    """Formats an entry as a JSON object: `time`, `level`, `logger`, `message`, and the message's `name=value` pairs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the entry as one line of JSON."""
        message = record.getMessage()
        entry = {
            **{name: value for name, value in _PAIR.findall(message) if name not in _OWN},
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return visible_in_json(json.dumps(entry, ensure_ascii=False))


def configure_logging(level: str, style: Literal["text", "json"] = "text") -> None:
    """Log to standard error, one entry per line: `name=value` or JSON."""
    handler = logging.StreamHandler()
    text = LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonFormatter() if style == "json" else text)
    logging.basicConfig(level=level, handlers=[handler])

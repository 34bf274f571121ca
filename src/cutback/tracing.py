"""Spans of traces. Without a collector, nothing is recorded; adapters/traces.py is the other implementation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool
SpanKind: TypeAlias = Literal["internal", "server", "producer", "consumer"]


class Span(Protocol):
    """A span that has not ended."""

    def rename(self, name: str) -> None:
        """Give it another name."""
        ...

    def note(self, **attributes: Value) -> None:
        """Add attributes."""
        ...

    def fail(self, reason: str) -> None:
        """Say that it failed, and why, as one of the names of errors."""
        ...


class Tracer(Protocol):
    """Records spans. Threads may share it. Nothing that it does raises."""

    @property
    def is_active(self) -> bool:
        """Whether anything is recorded."""
        ...

    def span(
        self, name: str, kind: SpanKind = "internal", *, parent: str | None = None, **attributes: Value
    ) -> AbstractContextManager[Span]:
        """Record what is done in this context, as a part of the span around it.

        With `parent`, a `traceparent` of W3C Trace Context, it is a part of that span, in another process. An invalid
        one begins a new trace.
        """
        ...

    def add(
        self, name: str, began: float, ended: float, parts: Sequence[tuple[str, float]] = (), **attributes: Value
    ) -> None:
        """Record what was done between two readings of `time.monotonic`, as a part of the current span.

        `parts` are its own parts, one after the other up to its end, with their seconds.
        """
        ...

    def traceparent(self) -> str | None:
        """Return the current span for another process; None if there is none."""
        ...

    def flush(self) -> None:
        """Send what is recorded, now: the process may be frozen next."""
        ...

    def close(self) -> None:
        """Send what is recorded, for a few seconds at most."""
        ...


class _NoSpan:
    def rename(self, name: str) -> None: ...

    def note(self, **attributes: Value) -> None: ...

    def fail(self, reason: str) -> None: ...


class _NoTracer:
    is_active = False

    @contextmanager
    def span(
        self, name: str, kind: SpanKind = "internal", *, parent: str | None = None, **attributes: Value
    ) -> Iterator[Span]:
        del name, kind, parent, attributes
        yield _NoSpan()

    def add(
        self, name: str, began: float, ended: float, parts: Sequence[tuple[str, float]] = (), **attributes: Value
    ) -> None: ...

    def traceparent(self) -> str | None:
        return None

    def flush(self) -> None: ...

    def close(self) -> None: ...


NO_TRACES: Tracer = _NoTracer()
"""Records nothing."""

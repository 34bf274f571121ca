"""The end of traces: a collector that hangs delays no process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from cutback.adapters import traces


class Hanging(SpanExporter):
    """Takes spans, and does not end before it is told."""

    def __init__(self) -> None:
        self.told, self.ended = threading.Event(), threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        del spans
        self.told.wait(10)
        self.ended.set()
        return SpanExportResult.FAILURE


def test_a_collector_that_hangs_does_not_hold_the_end_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_FLUSH_MILLISECONDS", 50)
    exporter = Hanging()
    tracer = traces.OpenTelemetryTracer("", "worker-1", exporter)
    with tracer.span("cut"):
        pass
    tracer.close()
    assert not exporter.ended.is_set()
    exporter.told.set()


def test_what_is_left_is_sent_at_the_end() -> None:
    exporter = Hanging()
    exporter.told.set()
    tracer = traces.OpenTelemetryTracer("", "worker-1", exporter)
    with tracer.span("cut"):
        pass
    tracer.close()
    assert exporter.ended.is_set()

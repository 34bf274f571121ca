"""A collector of traces: takes OTLP over HTTP on loopback and keeps the spans."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.serving import serving


@dataclass(frozen=True, slots=True)
class CollectedSpan:
    """A span as it came."""

    name: str
    trace: str
    id: str
    parent: str
    """Empty for the first of a trace."""
    instance: str
    """The process that sent it."""
    service: str
    began: int
    """Nanoseconds since 1970."""
    ended: int
    attributes: dict[str, object]


@dataclass
class Collector:
    """What a collector received so far."""

    url: str = ""
    spans: list[CollectedSpan] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def named(self, name: str) -> list[CollectedSpan]:
        """The spans of this name."""
        with self.lock:
            return [span for span in self.spans if span.name == name]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Start a collector, and stop it at the end."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            found = list(_read(body))
            with collector.lock:
                collector.spans += found
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as collector.url:
        yield collector


def _read(body: bytes) -> Iterator[CollectedSpan]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield CollectedSpan(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    about["service.instance.id"],
                    about["service.name"],
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes},
                )

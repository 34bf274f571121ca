"""Traces: one for each clip, from the request over the queue and the worker to the announcement."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.path.shell import SHORT, Shell, lines_until
from tests.support.collector import Collector, collecting
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually

from cutback.domain.requests.envelope import RequestItem, open_envelope, traceparent_of, with_traceparent

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def stocked(shell: Shell, media: Callable[[MediaSpec], Path]) -> Shell:
    """With a recording."""
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SHORT), folder / "short.mp4")
    return shell


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, out + err


@pytest.mark.slow
def test_a_clip_is_one_trace_over_the_processes_of_api_and_worker(stocked: Shell, collector: Collector) -> None:
    stocked.environment["CUTBACK_TRACES"] = collector.url
    api = stocked.start("api", "--json")
    url = json.loads(lines_until(api, lambda line: '"url"' in line)[-1])["url"]
    worker = stocked.start("worker")
    request = {"id": "w", "source": {"recording": "short.mp4", "start": 1, "end": 4.5}}
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        answer = client.post("/v1/clips", json=request, headers={"traceparent": TRACEPARENT})
        assert answer.status_code == 202, answer.text
        eventually(lambda: client.get("/v1/clips/w").json()["state"] == "ready", "the clip")
    stop(worker)
    stop(api)

    (asked,) = collector.named("POST /v1/clips")
    assert f"00-{asked.trace}-{asked.parent}-01" == TRACEPARENT  # the client's trace goes on
    assert (asked.attributes["http.route"], asked.attributes["http.response.status_code"]) == ("/v1/clips", 202)
    (accepted,), (received,) = collector.named("accept"), collector.named("receive")
    assert (accepted.trace, accepted.parent) == (asked.trace, asked.id)
    assert (received.trace, received.parent) == (asked.trace, accepted.id)
    assert received.instance != accepted.instance
    stages = ["parse", "look up", "claim", "locate", "read", "cut", "store", "record", "announce"]
    inside = sorted((span for span in collector.spans if span.parent == received.id), key=lambda span: span.ended)
    assert sorted(span.name for span in inside) == sorted(stages)
    done = [span.name for span in inside if span.name != "read"]
    assert done == [stage for stage in stages if stage != "read"]  # in the order of the path
    assert all(received.began <= span.began <= span.ended <= received.ended for span in inside)
    (cut,) = collector.named("cut")
    parts = [span for span in collector.spans if span.parent == cut.id]
    assert [span.name for span in sorted(parts, key=lambda span: span.began)] == ["open", "make", "check"]
    assert sum(span.ended - span.began for span in parts) <= cut.ended - cut.began
    assert all(span.trace == asked.trace for span in [*inside, *parts])


@pytest.mark.slow
def test_a_collector_that_is_gone_stops_nothing(stocked: Shell) -> None:
    stocked.environment["CUTBACK_TRACES"] = "http://127.0.0.1:9"
    worker = stocked.start("worker")
    stocked.json("submit", "--recording", "short.mp4", "--range", "1..2", "--id", "w")
    eventually(lambda: stocked.json("show", "w")["state"] == "ready", "the clip")
    stop(worker)


def test_without_a_collector_nothing_of_opentelemetry_is_imported_by_the_worker(tmp_path: Path) -> None:
    program = (
        "import sys; from cutback.adapters.build import build; from cutback.settings.settings import Settings;"
        "import cutback.worker.poll; build(Settings()).close();"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CUTBACK_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_opentelemetrys_own_variable_turns_traces_on(tmp_path: Path, collector: Collector) -> None:
    program = (
        "from cutback.adapters.build import build; from cutback.settings.settings import Settings;"
        "services = build(Settings())\n"
        "with services.tracer.span('here', clip='w'): pass\n"
        "services.close()"
    )
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "mine"}
    subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True)
    (span,) = collector.named("here")
    assert (span.parent, span.attributes["clip"], span.service) == ("", "w", "mine")


def test_a_message_carries_its_trace_in_a_form_that_versions_without_traces_read() -> None:
    body = json.dumps({"id": "w", "source": {"recording": "sea.mp4", "start": "1.50", "end": 2}, "title": 'a "wave" é'})
    message = with_traceparent(body, TRACEPARENT)
    assert traceparent_of(message) == TRACEPARENT
    assert open_envelope(message) == open_envelope(body)
    assert isinstance(open_envelope(message)[0], RequestItem)
    assert with_traceparent(body, None) == body


@pytest.mark.parametrize(
    "body",
    [
        'no JSON, but it names a "traceparent"',
        '{"id": "traceparent"}',
        '["traceparent"]',
        '{"MessageAttributes": {"traceparent": {"Value": 1}}}',
        '{"MessageAttributes": {"traceparent": "00"}}',
        '{"MessageAttributes": {"traceparent": {"Value": "00-xyz"}}}',
        "[" * 100_000 + '"traceparent"',
    ],
    ids=range(7),
)
def test_a_message_with_something_else_there_has_no_trace(body: str) -> None:
    assert traceparent_of(body) is None

"""The metrics of workers; and every metric, alert and runbook of deploy/ holds against the real processes."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from tests.path.shell import SHORT, Shell, lines_until
from tests.support.spec import MediaSpec
from tests.support.waiting import PATIENCE, eventually

from cutback.domain.base import read_stored, utc_now
from cutback.domain.clips.event import Answer, Event
from cutback.domain.workers import WorkerFigures, WorkerNote
from cutback.worker.counts import WorkerCounts
from cutback.worker.metrics import figure_metrics

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy/grafana/cutback.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
RUNBOOK = ROOT / "docs/operations.md"
NAME = re.compile(r"\b(cutback_\w+)(?:\{(.*?)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')


def samples_of(text: str) -> dict[str, set[str]]:
    """Name of every sample → its labels; also of those that have no value yet."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        ends = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        for end in ends:
            found.setdefault(family.name + end, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def expressions() -> list[str]:
    """Everything that dashboard and alerts ask Prometheus."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]] + [rule["expr"] for rule in alerts()]


def event(state: str, **data: Any) -> Event:
    return Event(id="w.1", type=f"clip.{state}", subject="w", time=utc_now(), data=data)


def figures(*events: Event) -> WorkerFigures:
    """Of a worker that announced these."""
    counts = WorkerCounts()
    for each in events:
        counts.announce(each)
    return counts.figures


def page_of(**workers: WorkerFigures) -> str:
    class Page(Collector):
        def collect(self) -> Iterator[Metric]:
            return figure_metrics(workers)

    registry = CollectorRegistry()
    registry.register(Page())
    return generate_latest(registry).decode()


def test_a_worker_counts_what_it_announces() -> None:
    counted = figures(
        event("ready", result={"seconds": 1.5, "bytes_read": 7, "size": 5}),
        event("ready", result={"seconds": 2000.0, "bytes_read": 1, "size": 1}),
        event("failed", failure={"reason": "media_crashed"}),
        event("processing"),
        Answer(**event("ready").model_dump(), content={}),
    )
    text = page_of(surf=counted)
    assert 'cutback_worker_clips_total{state="ready",worker="surf"} 2.0' in text
    assert 'cutback_worker_failures_total{reason="media_crashed",worker="surf"} 1.0' in text
    assert 'cutback_worker_clip_seconds_bucket{le="2.5",worker="surf"} 1.0' in text
    assert 'cutback_worker_clip_seconds_bucket{le="1.0",worker="surf"} 0.0' in text
    assert 'cutback_worker_clip_seconds_bucket{le="1800.0",worker="surf"} 1.0' in text
    assert 'cutback_worker_clip_seconds_bucket{le="+Inf",worker="surf"} 2.0' in text
    assert 'cutback_worker_clip_seconds_sum{worker="surf"} 2001.5' in text
    assert 'cutback_worker_read_bytes_total{worker="surf"} 8.0' in text
    assert 'cutback_worker_stored_bytes_total{worker="surf"} 6.0' in text
    assert "processing" not in text


def test_a_new_worker_shows_zeros_from_which_rates_can_begin() -> None:
    text = page_of(surf=figures())
    for state in ("ready", "failed", "waiting"):
        assert f'cutback_worker_clips_total{{state="{state}",worker="surf"}} 0.0' in text
    assert 'cutback_worker_clip_seconds_count{worker="surf"} 0.0' in text


def test_figures_survive_the_registry() -> None:
    note = WorkerNote(
        name="surf-7-ab12cd", started_at=utc_now(), beat_at=utc_now(),
        figures=figures(event("ready", result={"seconds": 1.5, "bytes_read": 7, "size": 5})),
    )  # fmt: skip
    assert note == read_stored(WorkerNote, json.loads(json.dumps(note.model_dump(mode="json"))))


def test_expressions_count_a_worker_once_however_many_pages_show_it() -> None:
    """Each server of the API shows every worker, and so does a worker's own page: the maximum is taken first."""
    for expression in expressions():
        names = re.findall(r"cutback_worker_\w+", expression)
        once = re.findall(r"max by \(worker\b[^)]*\) \((?:\w+\()?cutback_worker_\w+", expression)
        assert len(once) == len(names), expression


def test_the_page_of_operations_names_every_metric() -> None:
    table = RUNBOOK.read_text(encoding="utf-8").partition("### Metrics")[2].partition("### Alerts")[0]
    shown = samples_of(page_of(surf=figures()))
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} - {"cutback_worker_clips"}
    assert {name for name in names if f"`{name}`" not in table} == set()


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    headings = re.findall(r"^#### (Cutback\w+)\n\n(?=\S)", text, re.MULTILINE)
    assert [rule["alert"] for rule in alerts()] == headings
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert (page.endswith("/docs/operations.md"), anchor) == (True, rule["alert"].lower())
        assert {"expr", "for", "labels"} <= set(rule)


def test_a_port_that_is_taken_ends_the_worker_with_advice(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, said = shell.run("worker", "--metrics", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == 2
    assert "--metrics" in said


MADE = {'clips_total{state="ready"} 1.0', 'clips_total{state="failed"} 1.0'}


def _worker_lines(text: str) -> set[str]:
    """The clips that workers have counted, without the names of workers."""
    return set(re.findall(r"^cutback_worker_(clips_total.*)$", re.sub(r',worker="[^"]*"', "", text), re.MULTILINE))


@pytest.mark.slow
def test_dashboard_and_alerts_ask_for_what_api_and_worker_show(
    shell: Shell, media: Callable[[MediaSpec], Path]
) -> None:
    folder = shell.folder / "cutback-data" / "recordings"
    folder.mkdir(parents=True)
    shutil.copy(media(SHORT), folder / "short.mp4")
    api = shell.start("api", "--json")
    url = json.loads(lines_until(api, lambda line: '"url"' in line)[-1])["url"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shell.start("worker", "--metrics", f"127.0.0.1:{port}")
    with httpx.Client(timeout=PATIENCE) as client:
        for name, recording in (("good", "short.mp4"), ("bad", "none.mp4")):
            request = {"id": name, "source": {"recording": recording, "start": 1, "end": 2}}
            assert client.post(f"{url}/v1/clips", json=request).status_code == 202
        ended = {"good": "ready", "bad": "failed"}
        eventually(
            lambda: {name: client.get(f"{url}/v1/clips/{name}").json()["state"] for name in ended} == ended,
            "the clips",
        )
        worker = f"http://127.0.0.1:{port}/metrics"
        eventually(lambda: _worker_lines(client.get(worker).text) >= MADE, "the clip on the worker's own page")
        page = f"{url}/metrics"
        eventually(lambda: _worker_lines(client.get(page).text) >= MADE, "the clip in the worker's next note")
        of_worker, of_api = client.get(worker).text, client.get(page).text
    own = {line for line in of_worker.splitlines() if line.startswith("cutback_worker_")}
    assert own
    assert own <= set(of_api.splitlines())
    shown = samples_of(of_api)
    assert len(expressions()) > 20
    for expression in expressions():
        for name, selector in NAME.findall(expression):
            assert name in shown, expression
            assert set(LABEL.findall(selector)) <= shown[name], expression
    asked = {name for expression in expressions() for name, _ in NAME.findall(expression)}
    assert {"cutback_worker_clip_seconds_bucket", "cutback_http_requests_total", "cutback_info"} <= asked

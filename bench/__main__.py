"""`python -m bench [SECTION]`: measure, print, and write into the docs. `--help` has more."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from deploy.cluster.servers import ServerError

from bench.api import measure_api
from bench.cameras import measure_cameras
from bench.cancelling import measure_cancel
from bench.catalogue import measure_catalogue
from bench.cluster import measure_failures, measure_reads
from bench.cold_start import measure_cold_start
from bench.cutting import measure_cuts
from bench.edits import measure_edits, measure_timelapse
from bench.events import measure_events
from bench.far import measure_far, measure_jobs
from bench.far_store import Distance
from bench.machine import Circumstances, circumstances
from bench.moments import measure_moments
from bench.page import PageError, replace_part
from bench.pages import measure_pages
from bench.pictures import measure_pictures
from bench.queueing import QueueStuckError, measure_queue
from bench.queues import measure_queues
from bench.scanning import measure_scans
from bench.soak import CLIPS as SOAKED
from bench.soak import measure_soak
from bench.sources import SourcesError, prepare, prepare_hour
from bench.start_up import measure_start_up
from bench.tables import (
    api_tables,
    cameras_table,
    cancel_table,
    catalogue_table,
    cluster_table,
    cold_start_table,
    cut_tables,
    edits_table,
    events_table,
    far_jobs_table,
    far_table,
    moments_table,
    pages_table,
    pictures_table,
    queue_table,
    queues_table,
    reads_table,
    scans_table,
    soak_table,
    start_up_table,
    target_table,
    timelapse_table,
)
from bench.targets import targets

_ROOT = Path(__file__).resolve().parent.parent
_PAGE = _ROOT / "docs" / "performance.md"
_QUEUES_PAGE = _ROOT / "docs" / "queues.md"
_CACHE = "CUTBACK_BENCH_CACHE"
_SECTIONS = [
    "all",
    "cut",
    "queue",
    "queues",
    "catalogue",
    "cameras",
    "scan",
    "start-up",
    "cold-start",
    "far",
    "events",
    "edits",
    "moments",
    "pictures",
    "soak",
    "cluster",
    "cluster-reads",
    "api",
    "pages",
]


def main() -> int:
    """Run the requested sections. Exit code 1: something could not be measured."""
    options = _options()
    cache = Path(os.environ.get(_CACHE) or _ROOT / ".bench").resolve()
    for name in [name for name in os.environ if name.startswith("CUTBACK_")]:
        del os.environ[name]  # settings of this shell must not affect the figures, and ours are not Cutback's
    # The programs that are measured find this package and Cutback wherever they are started.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, sys.path)])
    where = circumstances(" ".join(["python -m bench", *sys.argv[1:]]))
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", file=sys.stderr, flush=True)

    try:
        if options.section in {"all", "cut"}:
            sources = prepare(cache, with_long=options.long, say=say)
            results = measure_cuts(sources, cache, rounds=options.runs, quick=options.quick, say=say)
            _publish("targets", target_table(targets(results)), where, options)
            _publish("cut", cut_tables(results), where, options)
        if options.section in {"all", "queue"}:
            cache.mkdir(parents=True, exist_ok=True)
            found = measure_queue(cache, clips=options.clips, workers=options.workers, say=say)
            cancelled = measure_cancel(cache, runs=options.runs * 4, say=say)
            _publish("queue", f"{queue_table(found)}\n\n{cancel_table(cancelled)}", where, options)
        if options.section == "queues":
            cache.mkdir(parents=True, exist_ok=True)
            waiting = 10_000 if options.quick else options.waiting
            speeds = measure_queues(cache, messages=500 if options.quick else 4000, waiting=waiting, say=say)
            _publish("queues", queues_table(speeds), where, options, _QUEUES_PAGE)
        if options.section in {"all", "catalogue"}:
            cache.mkdir(parents=True, exist_ok=True)
            sizes = (10, options.recordings)
            _publish("catalogue", catalogue_table(measure_catalogue(cache, sizes, say=say)), where, options)
        if options.section in {"all", "cameras"}:
            cache.mkdir(parents=True, exist_ok=True)
            found_cameras = measure_cameras(cache, runs=options.runs, say=say)
            _publish("cameras", cameras_table(found_cameras), where, options)
        if options.section in {"all", "start-up"}:
            _publish("start-up", start_up_table(measure_start_up(runs=options.runs, say=say)), where, options)
        if options.section in {"all", "scan"}:
            cache.mkdir(parents=True, exist_ok=True)
            files = 100 if options.quick else 1000
            _publish("scan", scans_table(measure_scans(cache, files=files, say=say)), where, options)
        if options.section in {"all", "events"}:
            cache.mkdir(parents=True, exist_ok=True)
            clients = 100 if options.quick else 1000
            told = measure_events(cache, clients=clients, clips=5 if options.quick else 20, say=say)
            _publish("events", events_table(told), where, options)
        if options.section in {"all", "cluster"}:
            cache.mkdir(parents=True, exist_ok=True)
            requests = 30 if options.quick else 200
            endured = [measure_failures(cache, each, requests=requests, say=say) for each in ("nginx", "haproxy")]
            _publish("cluster", "\n\n".join(cluster_table(each) for each in endured), where, options)
        if options.section in {"all", "cluster-reads"}:
            cache.mkdir(parents=True, exist_ok=True)
            _publish("cluster-reads", reads_table(measure_reads(cache, say=say)), where, options)
        if options.section in {"all", "api"}:
            cache.mkdir(parents=True, exist_ok=True)
            _publish("api", api_tables(measure_api(cache, quick=options.quick, say=say)), where, options)
        if options.section in {"all", "edits"}:
            cache.mkdir(parents=True, exist_ok=True)
            edits = edits_table(measure_edits(cache, runs=options.runs, quick=options.quick, say=say))
            if options.long:
                edits += f"\n\n{timelapse_table(measure_timelapse(cache, say=say))}"
            _publish("edits", edits, where, options)
        if options.section in {"all", "moments"}:
            cache.mkdir(parents=True, exist_ok=True)
            shown = _ROOT / "docs" / "pictures" / "moments.svg" if options.write else None
            _publish("moments", moments_table(measure_moments(cache, say=say, picture=shown)), where, options)
        if options.section in {"all", "pictures"}:
            cache.mkdir(parents=True, exist_ok=True)
            _publish("pictures", pictures_table(measure_pictures(cache, quick=options.quick, say=say)), where, options)
        if options.section in {"all", "pages"}:
            cache.mkdir(parents=True, exist_ok=True)
            _publish("pages", pages_table(measure_pages(cache, say=say)), where, options)
        if options.section in {"all", "soak"}:
            cache.mkdir(parents=True, exist_ok=True)
            soaked = measure_soak(prepare_hour(cache, say=say), cache, clips=80 if options.quick else SOAKED, say=say)
            _publish("soak", soak_table(soaked), where, options)
        if options.section in {"all", "far"}:
            recording = prepare(cache, with_long=False, say=say, names=("g2",))[0].path
            distance = Distance(options.round_trip / 1000, options.bandwidth * 1e6)
            hour = prepare_hour(cache, say=say)
            far = measure_far(recording, hour, cache, runs=options.runs, distance=distance, say=say)
            _publish("far", far_table(far), where, options)
            clips, bursts = 4 if options.quick else 8, []
            for each in (distance, Distance(0.150, 10e6)):
                bursts += measure_jobs(recording, cache, jobs=(1, 4), clips=clips, distance=each, say=say)
            _publish("far-jobs", far_jobs_table(bursts), where, options)
        if options.section in {"all", "cold-start"}:
            cache.mkdir(parents=True, exist_ok=True)
            cold = measure_cold_start(cache, runs=options.runs, say=say)
            _publish("cold-start", cold_start_table(cold), where, options)
    except (SourcesError, QueueStuckError, PageError, ServerError) as error:
        say(str(error))
        return 1
    say("done")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "section",
        nargs="?",
        default="all",
        choices=_SECTIONS,
    )
    parser.add_argument("--quick", action="store_true", help="one run of each, 50 clips; to see that it works")
    parser.add_argument("--runs", type=int, metavar="N", help="timed runs of each (5); the medians are shown")
    parser.add_argument("--clips", type=int, metavar="N", help="clips through the queue (500)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="workers for the queue's burst (2)")
    parser.add_argument(
        "--waiting", type=int, default=1_000_000, metavar="N", help="messages in a deep queue (1000000)"
    )
    parser.add_argument("--round-trip", type=float, default=30, metavar="MS", help="of the far store (30)")
    parser.add_argument("--bandwidth", type=float, default=80, metavar="MB/S", help="of its connections (80)")
    parser.add_argument("--recordings", type=int, metavar="N", help="in the large catalogue (10000000; about 8 GB)")
    parser.add_argument(
        "--long", action="store_true", help="also cut, and make a timelapse, from a two-hour recording (5 GB)"
    )
    parser.add_argument(
        "--write",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write the tables into docs/performance.md; the default, but not with --quick",
    )
    options = parser.parse_args()
    options.runs = options.runs or (1 if options.quick else 5)
    options.clips = options.clips or (50 if options.quick else 500)
    options.recordings = options.recordings or (100_000 if options.quick else 10_000_000)
    options.write = not options.quick if options.write is None else options.write
    return options


def _publish(part: str, content: str, where: Circumstances, options: argparse.Namespace, page: Path = _PAGE) -> None:
    hasty = "\n\nA quick run: one run of each, with memory sampled. It shows that everything works, not how fast."
    text = f"{where.line()}{hasty if options.quick else ''}\n\n{content}"
    print(f"\n## {part}\n\n{text}\n", flush=True)
    if options.write:
        replace_part(page, part, text)


if __name__ == "__main__":
    sys.exit(main())

"""`cutback worker`: runs one worker process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from cutback.cli.command import command
from cutback.cli.screen import Screen
from cutback.domain.errors import CutbackError, WrongUsageError
from cutback.settings.listen_address import ListenAddress, listen_address

if TYPE_CHECKING:
    from cutback.services import Services
    from cutback.worker.counts import WorkerCounts

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 2.0
"""Between two tries to start."""

_MOST_JOBS = 64


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "worker",
        panel=panel,
        examples=(
            ("", "run one worker, which logs to standard error"),
            ("--jobs 4", "make up to four clips at once, for distant stores"),
            ("--metrics 127.0.0.1:9109", "show its metrics to Prometheus as well"),
        ),
    )(worker)


def worker(
    screen: Screen,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve this worker's metrics for Prometheus here."),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option("--jobs", min=1, max=_MOST_JOBS, metavar="N", help="Make up to this many clips at once."),
    ] = 1,
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Run one worker until Ctrl-C, for example under systemd.

    It makes one clip at a time, or as many as `--jobs` says.

    After Ctrl-C or SIGTERM, unfinished work returns to the queue immediately.
    """
    from cutback.catalogue.scan import scanning
    from cutback.lifecycle.arrivals import enter_recordings
    from cutback.sandbox.cutter import ChildCutter
    from cutback.worker.jobs import all_present, jobs_of, run_jobs
    from cutback.worker.logs import configure_logging
    from cutback.worker.signals import die_with_parent, stopping_on_signals

    address = None if metrics is None else _address(metrics)
    settings = screen.settings()
    configure_logging(settings.log_level, settings.log_format)
    stop = threading.Event()
    with stopping_on_signals(stop):
        if with_parent:
            die_with_parent()
            # Notices where the kernel does not: on other systems, or if the parent has ended by now.
            threading.Thread(target=_stop_with_parent, args=[stop], name="parent", daemon=True).start()
        services = _build_patiently(screen, stop)
        if services is None:
            return
        all_jobs = jobs_of(services, jobs, lambda: ChildCutter(fonts=settings.fonts))
        with (
            _own_page({job.services.worker: job.counts for job in all_jobs}, address),
            all_present(all_jobs),
            scanning(services, stop, enter_recordings),
        ):
            run_jobs(all_jobs, stop)
        services.tracer.close()
    screen.document({"worker": services.worker, "stopped": True})


def _own_page(counts: Mapping[str, WorkerCounts], address: ListenAddress | None) -> AbstractContextManager[None]:
    if address is None:
        return nullcontext()
    from cutback.worker.metrics import own_page

    return own_page(counts, address)


def _address(text: str) -> ListenAddress:
    try:
        return listen_address(text)
    except ValueError as error:
        raise WrongUsageError(f"--metrics: {error}.") from None


def _build_patiently(screen: Screen, stop: threading.Event) -> Services | None:
    """Wait for what is not available yet, such as a full disk or a database that does not answer; None if stopped."""
    while not stop.is_set():
        try:
            services = screen.services()
            services.check()
        except CutbackError as error:
            if not error.transient:
                raise
            log.warning("stage=start put_off=yes reason=%s", error)
            stop.wait(_PAUSE_SECONDS)
        else:
            return services
    return None


def _stop_with_parent(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()

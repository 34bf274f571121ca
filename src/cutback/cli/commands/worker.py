"""`cutback worker`: runs one worker process."""

from __future__ import annotations

import logging
import os
import sys
import threading
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


def register(app: typer.Typer, panel: str) -> None:
    """Add the command."""
    command(
        app,
        "worker",
        panel=panel,
        examples=(
            ("", "run one worker, which logs to standard error"),
            ("--metrics 127.0.0.1:9109", "show its metrics to Prometheus as well"),
        ),
    )(worker)


def worker(
    screen: Screen,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve this worker's metrics for Prometheus here."),
    ] = None,
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="Stop when standard input ends.")
    ] = False,
) -> None:
    """Run one worker until Ctrl-C, for example under systemd.

    After Ctrl-C or SIGTERM, unfinished work returns to the queue immediately.
    """
    from cutback.catalogue.scan import scanning
    from cutback.lifecycle.arrivals import enter_recordings
    from cutback.worker.counts import WorkerCounts
    from cutback.worker.logs import configure_logging
    from cutback.worker.poll import Worker
    from cutback.worker.presence import present
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
        database = settings.database_path if settings.uses_sqlite else None
        counts = WorkerCounts()
        with (
            _own_page(services.worker, counts, address),
            present(settings.data, services.worker, database),
            scanning(services, stop, enter_recordings),
        ):
            Worker(services, counts).run(stop)
        services.tracer.close()
    screen.document({"worker": services.worker, "stopped": True})


def _own_page(worker: str, counts: WorkerCounts, address: ListenAddress | None) -> AbstractContextManager[None]:
    if address is None:
        return nullcontext()
    from cutback.worker.metrics import own_page

    return own_page(worker, counts, address)


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

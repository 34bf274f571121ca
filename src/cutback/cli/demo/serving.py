"""Serves the pages of the demo: starts them, checks them, and stays up."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx

from cutback.catalogue.scan import scanning
from cutback.cli.demo.script import SubmittedWish
from cutback.cli.exit_codes import UnforeseenError
from cutback.cli.folder_lock import only_one
from cutback.cli.screen import Screen
from cutback.cli.views.live import View, follow
from cutback.domain.clips.clip import ClipState
from cutback.lifecycle.api_keys import any_key
from cutback.lifecycle.arrivals import enter_recordings
from cutback.services import Services
from cutback.settings.listen_address import listen_address
from cutback.web.api.serve import ApiServer
from cutback.worker.crew import Crew

_PORTS = 100
"""How many ports are tried."""
_PATIENCE_SECONDS = 30.0
_BEGINNING = "bytes=0-1023"


@contextmanager
def serving(screen: Screen, services: Services, stop: threading.Event) -> Iterator[ApiServer]:
    """Serve the pages, on the next free port if the one that is set is taken, and enter recordings as they appear.

    Raises:
        AlreadyRunningError: another process serves this data folder.
        SettingsError: no port is free, or the address is not one of this machine.
    """
    wanted = listen_address(services.settings.listen).port
    with only_one(services.settings.data), ApiServer(services, ports=_PORTS) as server:
        port = httpx.URL(server.url).port
        if wanted not in {0, port}:
            screen.warn(f"Port {wanted} is taken by another program; {port} is the next free one.")
        screen.show(f"The pages are at [bold]{server.url}/[/]", "")
        with scanning(services, stop, enter_recordings):
            yield server


def check_pages(screen: Screen, services: Services, url: str, asked: Sequence[SubmittedWish]) -> None:
    """Open the pages and the finished clips as a browser does.

    Raises:
        UnforeseenError: something did not answer, or differently than it should.
    """
    clips = sorted({each.clip.id for each in asked if each.clip.state is ClipState.READY})
    with httpx.Client(base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False) as client:
        page = _get(client, "/")
        if "<title>Cutback</title>" not in page.text:
            raise UnforeseenError(f"{url}/ does not answer with the pages.")
        if any_key(services):
            screen.show(f"[green]✓[/] {url}/ answers. [dim]Sign in with an API key to see the clips.[/]")
            return
        for clip in clips:
            state = _get(client, f"/v1/clips/{clip}").json()
            if state["state"] != ClipState.READY or not _get(client, state["media"]["clip"], {"Range": _BEGINNING}):
                raise UnforeseenError(f"{clip} is not ready. To see why: cutback show {clip}")
    screen.show(f"[green]✓[/] {url}/ answers, and {len(clips)} clips are ready to play.")


def _get(client: httpx.Client, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    try:
        answer = client.get(path, headers=headers)
    except httpx.HTTPError as error:
        raise UnforeseenError(f"{client.base_url.join(path)} does not answer.") from error
    if not answer.is_success:
        raise UnforeseenError(f"{client.base_url.join(path)} answers {answer.status_code}.")
    return answer


def stay_up(screen: Screen, services: Services, crew: Crew, server: ApiServer, stop: threading.Event) -> None:
    """Show what happens until `stop` is set, which a Ctrl-C does."""
    screen.show("", f"The pages are at [bold]{server.url}/[/]", "")
    follow(screen, View(services, "cutback demo"), crew, stop)
    screen.hint(f"Stopped. Everything is kept in {services.settings.data}.")

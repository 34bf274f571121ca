"""`cutback submit --wait`: follows one clip until it is done."""

from __future__ import annotations

import threading
import time

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cutback.cli.exit_codes import ClipNotMadeError
from cutback.cli.screen import Screen, ShownError
from cutback.cli.views import formatting
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import StoppedError
from cutback.lifecycle.lookup import clip_url, get_clip
from cutback.services import Services
from cutback.worker.signals import stopping_on_signals

POLL_SECONDS = 0.2
_LONELY = "No worker has started it yet. To run workers: cutback up"
_HINT_AFTER = 5.0


def wait_for(screen: Screen, services: Services, clip: Clip) -> Clip:
    """Wait until a clip is done, show it and return it.

    Raises:
        ShownError: it was not made; the shown clip says why.
        StoppedError: interrupted; the clip is made nevertheless.
    """
    stop = threading.Event()
    with stopping_on_signals(stop), Live(console=screen.err, transient=True, auto_refresh=False) as live:
        began, told = time.monotonic(), False
        while not clip.state.final:
            if screen.live:
                live.update(_view(clip, time.monotonic() - began), refresh=True)
            elif not told and clip.state is ClipState.QUEUED and time.monotonic() - began > _HINT_AFTER:
                told = True
                screen.hint(_LONELY)
            if stop.wait(POLL_SECONDS):
                raise StoppedError(f"The clip is still being made. To see it: cutback show {clip.id}")
            clip = get_clip(services, clip.id)
    path = clip_url(services, clip)
    screen.document({**clip.public(), **({"path": path} if path else {})})
    screen.show(formatting.clip_card(clip, formatting.ClipFacts(path), services.clock()))
    if clip.state is not ClipState.READY:
        raise ShownError(ClipNotMadeError(f"It is {clip.state}."))
    return clip


def _view(clip: Clip, waited: float) -> Group:
    line = Table.grid(padding=(0, 1))
    line.add_row(
        Text(clip.id, style="bold"),
        formatting.state(clip),
        formatting.bar(clip.progress.fraction),
        formatting.took(waited),
    )
    lonely = clip.state is ClipState.QUEUED and waited > _HINT_AFTER
    hint = _LONELY if lonely else "Ctrl-C stops waiting, not the clip."
    return Group(line, Text(hint, style="yellow" if lonely else "dim"))

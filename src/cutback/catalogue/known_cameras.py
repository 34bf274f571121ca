"""Says at once that no camera has a name, with the names that are meant perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from cutback.domain.errors import CameraUnknownError, SymlinkOutsideError
from cutback.reading.missing import LINK_ADVICE

if TYPE_CHECKING:
    from cutback.services import Services

_NEAREST = 3
_LIKENESS = 0.6
"""Ratio of characters in common, as difflib counts, from which a name is proposed."""


def check_known(services: Services, names: Iterable[str], *, advice: str = "") -> None:
    """Check that each of the cameras has a recording in the catalogue. `advice` ends the message if one has none.

    Raises:
        CameraUnknownError: a camera has none; the message has the nearest names.
        SymlinkOutsideError: the name is that of a link in the source store that leads out of it, or lies behind one.
        RecordsUnavailableError: the catalogue does not answer.
    """
    for name in dict.fromkeys(names):
        if services.catalogue.list_recordings(name, limit=1).recordings:
            continue
        link = services.sources.link_outside(name)
        if link is not None:
            raise SymlinkOutsideError(f"{name} in {services.sources.url} leads to {link}. {LINK_ADVICE}")
        known = [camera.name for camera in services.catalogue.cameras()]
        raise CameraUnknownError(" ".join(filter(None, [_said(name, known), advice])))


def _said(name: str, known: Sequence[str]) -> str:
    if not known:
        return f"It is {name!r}; the catalogue is empty. To look for recordings: cutback scan."
    near = nearest_names(name, known)
    meant = f"Did you mean {' or '.join(near)}?" if near else "To list the cameras: cutback cameras."
    return f"It is {name!r}. {meant}"


def nearest_names(name: str, known: Sequence[str]) -> list[str]:
    """Return up to three known names that resemble `name`, the most similar first. Upper and lower case are alike.

    A name that only lacks its folders, or a part of it, resembles it too. Pure.
    """
    folded: dict[str, list[str]] = {}
    for each in known:
        folded.setdefault(each.casefold(), []).append(each)
    wanted = name.casefold()
    close = get_close_matches(wanted, folded, n=_NEAREST, cutoff=_LIKENESS)
    if len(wanted) > 1:
        close += sorted(each for each in folded if wanted in each)
    return [each for fold in dict.fromkeys(close) for each in folded[fold]][:_NEAREST]

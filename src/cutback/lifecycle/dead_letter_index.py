"""Finds the clips that dead letters request. Each dead letter is parsed only once, whatever it contains."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.batch import requests_in
from cutback.domain.requests.request import ClipRequest
from cutback.domain.requests.rules import RequestRules
from cutback.ports import DeadLetter

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class WantedClip:
    """A clip that a dead letter requests. Small, because a dead letter may have a megabyte."""

    clip_id: str
    fingerprint: bytes


class DeadLetterIndex:
    """Remembers which clips each dead letter requests.

    An unreadable dead letter requests nothing. It is logged once and not parsed again, so that it cannot stop
    housekeeping or slow it down. It stays among the queue's dead letters, where you can see it.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._known: OrderedDict[tuple[str, int, RequestRules], tuple[WantedClip, ...]] = OrderedDict()

    def wanted(self, letter: DeadLetter, rules: RequestRules) -> tuple[WantedClip, ...]:
        """Return the clips of the valid requests in a dead letter; for `rules`, see `validate_request`.

        Raises nothing.
        """
        key = (letter.id, hash(letter.body), rules)
        if key not in self._known:
            self._known[key] = _read(letter, rules)
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]


def fingerprint(request: ClipRequest) -> bytes:
    """Return a value that is equal for requests with the same meaning, even if they are written differently."""
    ignored = {"legacy"}  # the retries that an older pipeline has counted do not change what it requests
    content = request.model_dump(mode="json", exclude=ignored)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _read(letter: DeadLetter, rules: RequestRules) -> tuple[WantedClip, ...]:
    try:
        found = requests_in(letter.body, rules)
        return tuple(WantedClip(request.stored_id, fingerprint(request)) for request in found)
    except InvalidRequestError as error:
        log.warning("stage=housekeeping letter=%s quarantined=yes message=%r", letter.id, error.message[:500])
    except Exception:  # no content may end the process, or be parsed again in every round
        log.exception("stage=housekeeping letter=%s quarantined=yes", letter.id)
    return ()

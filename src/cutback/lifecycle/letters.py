"""What dead letters ask for. Each is parsed once, whatever it holds."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass

from cutback.domain.errors import InvalidRequestError
from cutback.domain.requests.batch import requests_in
from cutback.domain.requests.request import ClipRequest
from cutback.ports import DeadLetter

log = logging.getLogger(__name__)

_MOST_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class WantedClip:
    """A clip that a dead letter asks for, in little memory: a letter may have a megabyte."""

    clip_id: str
    fingerprint: bytes


class LetterIndex:
    """Remembers what each dead letter asks for.

    A letter that cannot be read asks for nothing. It is named in the log once and not parsed again, so that it can
    neither stop housekeeping nor slow it down. It stays in the queue's dead letters, where you can see it.
    """

    def __init__(self) -> None:
        """It knows no letter yet."""
        self._known: OrderedDict[tuple[str, int], tuple[WantedClip, ...]] = OrderedDict()

    def wanted(self, letter: DeadLetter) -> tuple[WantedClip, ...]:
        """The clips that the valid requests in the letter ask for. Raises nothing."""
        key = (letter.id, hash(letter.body))
        if key not in self._known:
            self._known[key] = _read(letter)
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]


def fingerprint(request: ClipRequest) -> bytes:
    """Equal for two requests that ask for the same, however they were written."""
    ignored = {"legacy"}  # which tries an older pipeline has counted does not change what it asks for
    content = request.model_dump(mode="json", exclude=ignored)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


def _read(letter: DeadLetter) -> tuple[WantedClip, ...]:
    try:
        return tuple(WantedClip(request.id, fingerprint(request)) for request in requests_in(letter.body))
    except InvalidRequestError as error:
        log.warning("stage=housekeeping letter=%s quarantined=yes message=%r", letter.id, error.message[:500])
    except Exception:  # a letter of any content must not end the process, or come up again in every round
        log.exception("stage=housekeeping letter=%s quarantined=yes", letter.id)
    return ()

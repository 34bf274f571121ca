"""Shares in the registry: make one, find what it shows, list them, revoke one."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta

from cutback.domain.base import read_stored
from cutback.domain.clips.clip import Clip, ClipState
from cutback.domain.errors import NotFoundError, TooManyError, WrongStateError
from cutback.domain.readable import readable_documents
from cutback.domain.shares import KIND, Share, make_token, read_token
from cutback.ports import Document, every_document
from cutback.services import Services

log = logging.getLogger(__name__)

MOST_SHARES = 10_000
"""Of one tenant; those that have expired are removed first."""

_SECRET_KIND, _SECRET_ID = "secret", "shares"


def share_clip(services: Services, clip: Clip, *, expires_in: int, download: bool) -> tuple[Share, str]:
    """Make a share of a clip. Returns it, and the token of its link.

    Raises:
        WrongStateError: the clip is not ready.
        TooManyError: its tenant has too many shares.
        RecordsUnavailableError: the registry does not answer.
    """
    if clip.state is not ClipState.READY:
        raise WrongStateError(f"It is {clip.state}; only a clip that is ready can be shared.")
    _make_room(services, clip.tenant)
    now = services.clock()
    share = Share(
        id=secrets.token_hex(12),
        tenant=clip.tenant,
        clip=clip.id,
        shown_clip=clip.shown_id,
        download=download,
        created_at=now,
        expires_at=now + timedelta(seconds=expires_in),
    )
    services.registry.put_new(KIND, share.id, share.model_dump(mode="json"), owner=share.tenant)
    log.info("share=%s clip=%s made=yes", share.id, share.clip)
    return share, token_of(services, share)


def token_of(services: Services, share: Share) -> str:
    """Return the token of a share's link. Raises like the registry."""
    return make_token(share.id, _secret(services))


def list_shares(
    services: Services, *, tenant: str | None, limit: int, cursor: str | None
) -> tuple[list[Share], str | None]:
    """Return shares of a tenant (None: of all) by id, and the cursor of the next page.

    Raises:
        ValueError: `cursor` was not made by this function.
        RecordsUnavailableError: the registry does not answer.
    """
    page = services.registry.list(KIND, owner=tenant, limit=limit, cursor=cursor)
    return readable_documents(_read, page.documents), page.next_cursor


def get_share(services: Services, share_id: str, *, tenant: str | None) -> Share:
    """Return a share of a tenant (None: of any).

    Raises:
        NotFoundError: there is none.
        RecordsUnavailableError: the registry does not answer.
    """
    return _read(_document(services, share_id, tenant))


def revoke_share(services: Services, share_id: str, *, tenant: str | None) -> None:
    """Make a share's link stop working. Raises like `get_share`."""
    services.registry.remove(_document(services, share_id, tenant))  # shares never change
    log.info("share=%s revoked=yes", share_id)


def open_share(services: Services, token: str) -> tuple[Share, Clip]:
    """Return what a link shows.

    Raises:
        NotFoundError: the token is forged, the share has expired or was revoked, or its clip is gone.
        SurroundingsError: registry or records do not answer.
    """
    share_id = read_token(token, _secret(services))
    document = None if share_id is None else services.registry.get(KIND, share_id)
    if document is None:
        raise NotFoundError
    share, now = _read(document), services.clock()
    clip = None if share.is_over(now) else services.records.get_clip(share.clip)
    if clip is None or clip.result is None or clip.state is not ClipState.READY or clip.delete_at is not None:
        raise NotFoundError
    return share, clip


def _make_room(services: Services, tenant: str) -> None:
    now, count = services.clock(), 0
    stored = every_document(services.registry, KIND, owner=tenant)
    for document, share in readable_documents(lambda each: (each, _read(each)), stored):
        count += not (share.is_over(now) and services.registry.remove(document))
        if count >= MOST_SHARES:
            raise TooManyError(f"There are {MOST_SHARES} shares.")


def _document(services: Services, share_id: str, tenant: str | None) -> Document:
    document = services.registry.get(KIND, share_id)
    if document is None or tenant not in {None, document.owner}:
        raise NotFoundError(f"There is no share {share_id[:64]}.")
    return document


def _read(document: Document) -> Share:
    return read_stored(Share, document.content)


def _secret(services: Services) -> bytes:
    found = services.registry.get(_SECRET_KIND, _SECRET_ID)
    while found is None:
        services.registry.put_new(_SECRET_KIND, _SECRET_ID, {"secret": secrets.token_hex(32)})
        found = services.registry.get(_SECRET_KIND, _SECRET_ID)
    return bytes.fromhex(found.content["secret"])

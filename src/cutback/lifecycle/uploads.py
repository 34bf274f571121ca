"""Uploads of recordings: begin one, take its parts, complete it, remove those that were abandoned."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cutback.catalogue.register import Arrival
from cutback.domain.base import read_stored
from cutback.domain.cameras.key_pattern import read_key
from cutback.domain.cameras.placing import Told, camera_of
from cutback.domain.cameras.recording import PlaceEvidence
from cutback.domain.clips.retry import is_transient
from cutback.domain.errors import (
    CutbackError,
    Fault,
    InvalidRequestError,
    NotFoundError,
    ObjectExistsError,
    ObjectNotFoundError,
    PlaceUnknownError,
    StoppedError,
    StorageUnavailableError,
    TooManyError,
    UploadRefusedError,
    WrongStateError,
)
from cutback.domain.readable import readable_documents
from cutback.domain.uploads import (
    FINISHED_KEPT,
    KIND,
    Upload,
    UploadedPart,
    UploadFields,
    UploadState,
    check_content,
    check_parts,
    part_size_of,
)
from cutback.lifecycle.arrivals import enter_recording
from cutback.ports import Document, every_document
from cutback.reading.range_reader import RangeReader
from cutback.services import Services

log = logging.getLogger(__name__)

MOST_OPEN = 200
"""Uploads of one tenant that exist at once."""
SIGNED_AT_ONCE = 100
SIGNED_FOR = timedelta(hours=1)
"""How long a signed URL works. If it does not suffice, sign the part again."""
COMPLETING = timedelta(minutes=15)
"""How long completing may take before another call may begin again."""


def begin_upload(
    services: Services, fields: UploadFields, *, tenant: str, may_see_camera: Callable[[str], bool]
) -> Upload:
    """Begin an upload.

    `may_see_camera` decides whether the recording may belong to a camera.

    Raises:
        InvalidRequestError: it is too large, or its camera belongs to somebody else.
        ObjectExistsError: there is a recording with this key, or a file whose name the key would need for a folder.
        TooManyError: the tenant has too many uploads.
        SurroundingsError: store or registry do not answer.
    """
    limit = services.settings.limit_upload_bytes
    if fields.size > limit:
        raise InvalidRequestError([Fault("size", f"must be at most {limit}")])
    camera = _camera(services, fields)
    if camera and not may_see_camera(camera):
        raise InvalidRequestError([Fault("key" if fields.camera is None else "camera", "names a camera of others")])
    if len(services.registry.list(KIND, owner=tenant, limit=MOST_OPEN).documents) >= MOST_OPEN:
        raise TooManyError(f"There are {MOST_OPEN} uploads.")
    _check_free(services, fields.key)
    now = services.clock()
    upload = Upload(
        id=f"up_{secrets.token_hex(12)}",
        tenant=tenant,
        part_size=part_size_of(fields.size),
        token=services.part_store.begin(fields.key, fields.content_type),
        created_at=now,
        expires_at=now + timedelta(seconds=services.settings.upload_lifetime),
        **{name: getattr(fields, name) for name in UploadFields.model_fields},
    )
    services.registry.put_new(KIND, upload.id, _content(upload), owner=tenant)
    return upload


def untold(services: Services, fields: UploadFields) -> list[str]:
    """Return which of `camera` and `start` neither the caller nor the key tells. The container may tell the start."""
    named = read_key(fields.key, services.settings.key_rules.patterns)
    told = {
        "camera": bool(_camera(services, fields)),
        "start": fields.start is not None or (named is not None and named.start is not None),
    }
    return [name for name, known in told.items() if not known]


def get_upload(services: Services, upload_id: str, *, tenant: str | None) -> Upload:
    """Return an upload of a tenant (None: of any).

    Raises:
        NotFoundError: there is none.
        RecordsUnavailableError: the registry does not answer.
    """
    return _read(_document(services, upload_id, tenant))


def list_uploads(
    services: Services, *, tenant: str | None, limit: int, cursor: str | None
) -> tuple[list[Upload], str | None]:
    """Return uploads by id, and the cursor of the next page.

    Raises:
        ValueError: `cursor` was not made by this function.
        RecordsUnavailableError: the registry does not answer.
    """
    page = services.registry.list(KIND, owner=tenant, limit=limit, cursor=cursor)
    return readable_documents(_read, page.documents), page.next_cursor


def sign_parts(services: Services, upload: Upload, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return, for each part, where to `PUT` it, and how many bytes it must have.

    Raises:
        InvalidRequestError: there is no such part.
        WrongStateError: the upload is not open.
    """
    _check_open(upload)
    lifetime = min(SIGNED_FOR, upload.expires_at - services.clock())
    signed = []
    for number in numbers:
        size = _size_of(upload, number)
        url = f"/v1/uploads/{upload.id}/parts/{number}"
        if services.part_store.is_direct:
            url = services.part_store.sign(upload.key, upload.token, number, lifetime=lifetime)
        signed.append({"number": number, "size": size, "method": "PUT", "url": url})
    return signed


def put_part(services: Services, upload: Upload, number: int, chunks: Iterable[bytes]) -> UploadedPart:
    """Store a part that came to this process.

    Raises:
        InvalidRequestError: there is no such part, or parts are to be sent to the store itself.
        WrongStateError: the upload is not open.
        SurroundingsError: the store does not answer or is full.
        Exception: what `chunks` raised, unchanged; nothing is stored then.
    """
    _check_open(upload)
    if services.part_store.is_direct:
        raise InvalidRequestError([Fault("", "send parts to the URLs that POST /v1/uploads/ID/parts returns")])
    size = _size_of(upload, number)
    return UploadedPart(number, size, services.part_store.put_part(upload.token, number, chunks, size=size))


def list_parts(services: Services, upload: Upload) -> list[UploadedPart]:
    """Return the parts that have arrived. Raises like the store; `WrongStateError` if the upload is not open."""
    _check_open(upload)
    return services.part_store.parts(upload.key, upload.token, most=upload.parts)


def abort_upload(services: Services, upload_id: str, *, tenant: str | None) -> None:
    """Remove an upload and its parts. A recording that is complete stays. Raises like `get_upload` and the store."""
    document = _document(services, upload_id, tenant)
    upload = _read(document)
    if _is_completing(services, upload):
        raise WrongStateError("It is being completed.")
    if services.registry.remove(document) and upload.state in {UploadState.OPEN, UploadState.COMPLETING}:
        services.part_store.discard(upload.key, upload.token)


def complete_upload(services: Services, upload_id: str, *, tenant: str | None) -> Upload:
    """Make the parts a recording, check what it is, and register it. Repeating this has no further effect.

    Raises:
        NotFoundError: there is no such upload.
        WrongStateError: another call is completing it.
        UploadIncompleteError: parts are missing.
        UploadRefusedError: it is not what was announced, or not a recording; it is removed.
        ObjectExistsError: meanwhile, there is another recording with this key.
        SurroundingsError: a store or the registry does not answer; complete it again.
    """
    document = _document(services, upload_id, tenant)
    upload = _read(document)
    if upload.state is UploadState.DONE:
        return upload
    if upload.state is UploadState.REFUSED:
        raise UploadRefusedError(upload.failure or "")
    if _is_completing(services, upload):
        raise WrongStateError("It is being completed.")
    begun = _note(services, document, state=UploadState.COMPLETING, completing_until=services.clock() + COMPLETING)
    try:
        catalogued = _make_recording(services, upload, again=upload.state is UploadState.COMPLETING)
    except UploadRefusedError as error:
        log.warning("upload=%s key=%r refused=%s", upload.id, upload.key, error.detail)
        _note(services, begun, state=UploadState.REFUSED, failure=error.detail, expires_at=_later(services))
        services.part_store.discard(upload.key, upload.token)
        raise
    except CutbackError:
        _note(services, begun, state=UploadState.OPEN, completing_until=None)
        raise
    done = _note(services, begun, state=UploadState.DONE, catalogued=catalogued, expires_at=_later(services))
    services.part_store.discard(upload.key, upload.token)
    log.info("upload=%s key=%r done=yes", upload.id, upload.key)
    return _read(done)


def remove_abandoned(services: Services) -> int:
    """Remove uploads that nobody completed in time, with their parts, and outcomes that are old. Returns how many.

    Raises:
        SurroundingsError: a store or the registry does not answer.
    """
    now, removed = services.clock(), 0
    found = readable_documents(lambda each: (each, _read(each)), every_document(services.registry, KIND))
    for document, upload in found:
        if upload.expires_at > now or _is_completing(services, upload):
            continue
        # The parts first: without the document, nobody would know of them.
        if upload.state in {UploadState.OPEN, UploadState.COMPLETING}:
            services.part_store.discard(upload.key, upload.token)
            log.info("upload=%s key=%r abandoned=yes", upload.id, upload.key)
        removed += services.registry.remove(document)
    return removed


# --- steps -----------------------------------------------------------------------------------------


def _make_recording(services: Services, upload: Upload, *, again: bool) -> bool:
    """Complete the upload in the store, look into it, and register it. Returns whether it is in the catalogue."""
    if not (again and _is_stored(services, upload)):
        _check_way(services, upload.key)
        parts = check_parts(upload, services.part_store.parts(upload.key, upload.token, most=upload.parts))
        try:
            services.part_store.complete(upload.key, upload.token, parts)
        except StorageUnavailableError:
            _check_way(services, upload.key)  # what is in the way may have come meanwhile
            raise
    services.checkpoint("uploaded")
    try:
        _examine(services, upload)
    except CutbackError as error:
        if is_transient(error) or isinstance(error, StoppedError):
            raise
        services.sources.delete(upload.key)
        detail = error.detail if isinstance(error, UploadRefusedError) else error.message
        raise UploadRefusedError(detail) from None
    arrival = Arrival(upload.key, camera=upload.camera or "", start=upload.start)
    try:
        enter_recording(services, arrival.key, camera=arrival.camera, start=arrival.start, again=True)
    except PlaceUnknownError:
        return False
    return True


def _is_stored(services: Services, upload: Upload) -> bool:
    """Whether an earlier call, which died, has completed the upload in the store."""
    try:
        return services.sources.head(upload.key).size == upload.size
    except ObjectNotFoundError:
        return False


def _examine(services: Services, upload: Upload) -> None:
    reader = RangeReader.open(services.sources, upload.key)
    try:
        if reader.size != upload.size:
            raise UploadRefusedError(f"It was announced with {upload.size} bytes, and has {reader.size}.")
        found = services.prober.probe(reader, limits=services.settings.limits, stopped=lambda: False)
    finally:
        reader.close()
    check_content(upload, found)


def _camera(services: Services, fields: UploadFields) -> str:
    told = Told(fields.key, PlaceEvidence(camera=fields.camera or ""))
    try:
        return camera_of(told, services.settings.key_rules)[0]
    except PlaceUnknownError:
        return ""


def _check_free(services: Services, key: str) -> None:
    _check_way(services, key)
    with suppress(ObjectNotFoundError):
        services.sources.head(key)
        raise ObjectExistsError(f"{key}.")


def _check_way(services: Services, key: str) -> None:
    other = services.sources.blocked_by(key)
    if other == key:
        raise ObjectExistsError(f"{key} is a folder with other recordings.")
    if other is not None:
        raise ObjectExistsError(f"{other}, so nothing can be stored below it as {key}.")


def _check_open(upload: Upload) -> None:
    if upload.state is not UploadState.OPEN:
        raise WrongStateError(f"It is {upload.state}.")


def _is_completing(services: Services, upload: Upload) -> bool:
    until = upload.completing_until
    return upload.state is UploadState.COMPLETING and until is not None and services.clock() < until


def _size_of(upload: Upload, number: int) -> int:
    try:
        return upload.size_of(number)
    except ValueError as error:
        raise InvalidRequestError([Fault("number", str(error))]) from None


def _document(services: Services, upload_id: str, tenant: str | None) -> Document:
    document = services.registry.get(KIND, upload_id)
    if document is None or tenant not in {None, document.owner}:
        raise NotFoundError(f"There is no upload {upload_id[:64]}.")
    return document


def _note(services: Services, document: Document, **changes: Any) -> Document:
    changed = services.registry.replace(document, _content(_read(document).model_copy(update=changes)))
    if changed is None:
        raise WrongStateError("Another request is changing it.")
    return changed


def _later(services: Services) -> Any:
    return services.clock() + FINISHED_KEPT


def _read(document: Document) -> Upload:
    return read_stored(Upload, document.content)


def _content(upload: Upload) -> dict[str, Any]:
    return upload.model_dump(mode="json")

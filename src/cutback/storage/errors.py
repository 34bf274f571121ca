"""Whatever a store answers, translated in this one place into Cutback's own errors."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from cutback.domain.errors import (
    CutbackError,
    Fault,
    InvalidRequestError,
    ObjectExistsError,
    ObjectNotFoundError,
    SourceChangedError,
    StorageFullError,
    StorageUnavailableError,
)
from cutback.domain.requests.sources import check_key

log = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}


def check(key: str) -> None:
    """Let only keys pass.

    Raises:
        InvalidRequestError: it is none; see `check_key`.
    """
    try:
        check_key(key)
    except ValueError as error:
        raise InvalidRequestError([Fault("", f"the key {key[:100]!r} {error}")]) from None


@contextmanager
def translating(key: str, *, writing: bool = False) -> Iterator[None]:
    """Errors of obstore and of the system leave this block as Cutback's, naming `key`.

    Nothing of the original text reaches the new message: an answer's body or an address may hold
    credentials. A cleaned first line of it goes to the debug log.

    Raises:
        ObjectNotFoundError: reading, and there is no such object.
        ObjectExistsError: it was to be created and is there already.
        SourceChangedError: it is no longer the version asked for.
        StorageFullError: no room, or over quota.
        InvalidRequestError: no object of this store can have such a key.
        StorageUnavailableError: anything else.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        log.debug("%s: %s", key, _cleaned(str(error)))
        raise _translate(error, key, writing=writing) from None


def _translate(error: Exception, key: str, *, writing: bool) -> CutbackError:
    from obstore import exceptions

    text = str(error)
    number = _errno(error, text)
    status = _http_status(text)
    if isinstance(error, exceptions.AlreadyExistsError):
        return ObjectExistsError(f"{key}.")
    if isinstance(error, exceptions.PreconditionError) or status == 416 or _beyond_end(text):
        return SourceChangedError(f"{key}.")
    if number in _NO_ROOM or status == 507:
        return StorageFullError(f"{key}.")
    if _no_such_name(error, number, status, text):
        return InvalidRequestError([Fault("", f"{key!r} cannot be the name of an object in this store")])
    if status == 404 or number in _NO_SUCH_FILE or isinstance(error, FileNotFoundError):
        if not writing:
            return ObjectNotFoundError(f"{key}.")
        return StorageUnavailableError(f"{key}: its bucket or folder does not exist, or a file is in its way.")
    return StorageUnavailableError(f"{key}: {_hint(error, number, status, text)}")


def _hint(error: Exception, number: int | None, status: int | None, text: str) -> str:
    from obstore import exceptions

    denied = isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
    if number in _NOT_ALLOWED:
        return "this user may not do that there, or the file system is read-only."
    if number == errno.ENOENT:
        return "the folder is gone."
    if status in {401, 403} or denied:
        return "access was denied; check the credentials and what they are allowed to do."
    if "169.254.169.254" in text or "metadata.google.internal" in text:
        return "no credentials were found."
    if status is not None:
        return f"the store answered with HTTP status {status}."
    if "builder error" in text:
        return "its address cannot be used; plain http:// needs the option allow_http."
    if "error sending request" in text:
        return "there was no answer in time; check the endpoint and the network."
    if number is not None:
        return f"the system said {errno.errorcode.get(number, number)}."
    return "the request failed; the debug log has more."


def _errno(error: Exception, text: str) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    # obstore passes the folder store's system errors on as text alone.
    found = re.search(r"\(os error (\d+)\)", text)
    return int(found[1]) if found else None


def _http_status(text: str) -> int | None:
    found = re.search(r"status code: (\d{3})", text)
    return int(found[1]) if found else None


def _beyond_end(text: str) -> bool:
    return "Requested range was invalid" in text or "Out of range" in text


def _no_such_name(error: Exception, number: int | None, status: int | None, text: str) -> bool:
    from obstore.exceptions import InvalidPathError

    return (
        number == errno.ENAMETOOLONG
        or (status == 400 and "KeyTooLong" in text)
        or "Filenames containing trailing" in text
        or isinstance(error, InvalidPathError | ValueError)
    )


def _cleaned(text: str) -> str:
    """The first line without an answer's body and without what stands after `?` in an address."""
    first = text.split("\n", 1)[0].split("<", 1)[0]
    return re.sub(r"(\?)\S+|(//)[^/\s]*@", r"\1\2", first)[:300]

"""Translates all errors of stores to Cutback's own."""

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
    """Check that this is a valid key.

    Raises:
        InvalidRequestError: it is not; see `check_key`.
    """
    try:
        check_key(key)
    except ValueError as error:
        raise InvalidRequestError([Fault("", f"the key {key[:100]!r} {error}")]) from None


@contextmanager
def translating(key: str, *, writing: bool = False) -> Iterator[None]:
    """Translate errors of obstore and of the system in this block, with `key` in the message.

    The original text never becomes part of the message: an answer's body or a URL may contain credentials. Its first
    line goes to the debug log, without them.

    Raises:
        ObjectNotFoundError: the object to read does not exist.
        ObjectExistsError: the object to create already exists.
        SourceChangedError: the object no longer has the requested version.
        StorageFullError: the disk is full or a quota is reached.
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
        return InvalidRequestError([Fault("", f"{key!r} is not a valid object name in this store")])
    if status == 404 or number in _NO_SUCH_FILE or isinstance(error, FileNotFoundError):
        if not writing:
            return ObjectNotFoundError(f"{key}.")
        return StorageUnavailableError(f"{key}: its bucket or folder does not exist, or a file has the folder's name.")
    return StorageUnavailableError(f"{key}: {_hint(error, number, status, text)}")


def _hint(error: Exception, number: int | None, status: int | None, text: str) -> str:
    from obstore import exceptions

    denied = isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError)
    if number in _NOT_ALLOWED:
        return "this user lacks the permission, or the file system is read-only."
    if number == errno.ENOENT:
        return "the folder does not exist any more."
    if status in {401, 403} or denied:
        return "access was denied; check the credentials and their permissions."
    if "169.254.169.254" in text or "metadata.google.internal" in text:
        return "no credentials were found."
    if status is not None:
        return f"the store answered with HTTP status {status}."
    if "builder error" in text:
        return "its endpoint cannot be used; plain http:// needs the option allow_http."
    if "error sending request" in text:
        return "the store did not answer in time; check the endpoint and the network."
    if number is not None:
        return f"the system reported {errno.errorcode.get(number, number)}."
    return "the request failed; the debug log has more."


def _errno(error: Exception, text: str) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    # obstore passes on system errors of folders only as text.
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
    """Return the first line, without an answer's body and without the query of a URL."""
    first = text.split("\n", 1)[0].split("<", 1)[0]
    return re.sub(r"(\?)\S+|(//)[^/\s]*@", r"\1\2", first)[:300]

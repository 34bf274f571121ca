"""Makes large objects of S3 of parts, under a condition that obstore cannot send when it completes an upload."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from cutback.adapters.aws.bucket import S3Bucket
from cutback.adapters.aws.clients import error_code, error_status, translating
from cutback.domain.errors import CutbackError, ObjectExistsError, SourceChangedError, StorageUnavailableError
from cutback.storage.multipart import CopiedRange, Part

_SENT = 3
"""Parts with bytes that are on their way at once: each is in memory."""
_COPIED = 16
"""Parts that the service copies at once."""


class S3Multipart(S3Bucket):
    """Implements MultipartUploads on S3 and what speaks its protocol."""

    def assemble(
        self, key: str, parts: Iterable[Part], *, content_type: str | None, reserve: Callable[[], None]
    ) -> str:
        """See `MultipartUploads.assemble`."""
        place = {"Bucket": self._bucket, "Key": self._prefix + key}
        typed = {} if content_type is None else {"ContentType": content_type}
        with _calling(key):
            upload = {**place, "UploadId": self._client.create_multipart_upload(**place, **typed)["UploadId"]}
        try:
            sent = self._send_all(key, upload, parts)
            return self._complete(key, upload, sent, reserve)
        except BaseException:
            with suppress(CutbackError), _calling(key):
                self._client.abort_multipart_upload(**upload)
            raise

    def _send_all(self, key: str, upload: Mapping[str, str], parts: Iterable[Part]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        copying: deque[Future[dict[str, Any]]] = deque()
        sending: deque[Future[dict[str, Any]]] = deque()
        with ThreadPoolExecutor(_SENT + _COPIED, thread_name_prefix="multipart") as pool:
            for number, part in enumerate(parts, 1):
                waiting, most = (copying, _COPIED) if isinstance(part, CopiedRange) else (sending, _SENT)
                if len(waiting) == most:
                    sent.append(waiting.popleft().result())
                waiting.append(pool.submit(self._send, key, upload, number, part))
            sent += [future.result() for future in (*copying, *sending)]
        return sorted(sent, key=lambda part: int(part["PartNumber"]))

    def _send(self, key: str, upload: Mapping[str, str], number: int, part: Part) -> dict[str, Any]:
        numbered = {**upload, "PartNumber": number}
        if not isinstance(part, CopiedRange):
            with _calling(key):
                return {"PartNumber": number, "ETag": self._client.upload_part(**numbered, Body=part)["ETag"]}
        with _calling(part.key, copying=True):
            answer = self._client.upload_part_copy(
                **numbered,
                CopySource={"Bucket": part.bucket, "Key": part.key},
                CopySourceIfMatch=part.etag,
                CopySourceRange=f"bytes={part.offset}-{part.offset + part.length - 1}",
            )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    def _complete(
        self, key: str, upload: Mapping[str, str], sent: list[dict[str, Any]], reserve: Callable[[], None]
    ) -> str:
        from botocore.exceptions import ClientError

        whole = {**upload, "MultipartUpload": {"Parts": sent}}
        with _calling(key):
            try:
                return str(self._client.complete_multipart_upload(**whole, IfNoneMatch="*")["ETag"])
            except ClientError as error:
                if error_status(error) in {404, 409, 412} and (etag := self._own(upload, sent)):
                    return etag
                if error_status(error) != 501 and error_code(error) != "NotImplemented":
                    raise
        reserve()
        try:
            with _calling(key):
                return str(self._client.complete_multipart_upload(**whole)["ETag"])
        except BaseException:
            with suppress(CutbackError), _calling(key):
                self._client.delete_object(Bucket=upload["Bucket"], Key=upload["Key"])
            raise

    def _own(self, upload: Mapping[str, str], sent: list[dict[str, Any]]) -> str | None:
        """Return the object's ETag if it consists of these parts.

        botocore repeats a request whose answer was lost. If the first one had completed the upload, the second one is
        refused, because the object is there.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = str(self._client.head_object(Bucket=upload["Bucket"], Key=upload["Key"])["ETag"])
        except (ClientError, BotoCoreError):
            return None
        return found if found.strip('"') == _etag_of_parts(sent) else None


def _etag_of_parts(sent: list[dict[str, Any]]) -> str | None:
    """Return the ETag of an object of these parts; None if theirs are no MD5 sums, as with some kinds of encryption.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    sums = [str(part["ETag"]).strip('"') for part in sent]
    if not all(re.fullmatch("[0-9a-f]{32}", each) for each in sums):
        return None
    joined = hashlib.md5(b"".join(map(bytes.fromhex, sums)), usedforsecurity=False).hexdigest()
    return f"{joined}-{len(sums)}"


@contextmanager
def _calling(key: str, *, copying: bool = False) -> Iterator[None]:
    from botocore.exceptions import ClientError

    with translating(key, StorageUnavailableError):
        try:
            yield
        except ClientError as error:
            refused = error_status(error) == 412 or error_code(error) == "PreconditionFailed"
            if copying and (refused or error_code(error) in {"NoSuchKey", "InvalidRange"}):
                raise SourceChangedError(f"{key}.") from None
            if refused:
                raise ObjectExistsError(f"{key}.") from None
            raise

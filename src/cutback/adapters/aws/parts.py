"""Takes uploads in parts that clients send to S3 itself: multipart uploads, with a signed URL for each part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from cutback.adapters.aws.bucket import S3Bucket
from cutback.adapters.aws.clients import error_code, error_status, translating
from cutback.domain.errors import ObjectExistsError, ObjectNotFoundError, StorageUnavailableError
from cutback.domain.uploads import UploadedPart


class S3Parts(S3Bucket):
    """Implements PartStore on S3 and what speaks its protocol."""

    is_direct = True

    def begin(self, key: str, content_type: str | None) -> str:
        """Begin a multipart upload. Returns its id."""
        typed = {} if content_type is None else {"ContentType": content_type}
        with self._calling(key):
            answer = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._prefix + key, **typed)
        return str(answer["UploadId"])

    def sign(self, key: str, token: str, number: int, *, lifetime: timedelta) -> str:
        """Return a URL for a part. No request."""
        return str(
            self._client.generate_presigned_url(
                "upload_part",
                Params={
                    "Bucket": self._bucket,
                    "Key": self._prefix + key,
                    "UploadId": token,
                    "PartNumber": number,
                },
                ExpiresIn=int(lifetime.total_seconds()),
            )
        )

    def put_part(self, token: str, number: int, chunks: Iterable[bytes], *, size: int) -> str:
        """Is not for this store: clients send parts to it themselves."""
        raise NotImplementedError

    def parts(self, key: str, token: str, *, most: int) -> list[UploadedPart]:
        """Return the parts that have arrived."""
        del most
        with self._calling(key):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self._bucket, Key=self._prefix + key, UploadId=token
            )
            return [
                UploadedPart(int(each["PartNumber"]), int(each["Size"]), str(each["ETag"]))
                for page in pages
                for each in page.get("Parts", ())
            ]

    def complete(self, key: str, token: str, parts: Sequence[UploadedPart]) -> None:
        """Complete the multipart upload, on condition that the key is free."""
        with self._calling(key):
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._prefix + key,
                UploadId=token,
                MultipartUpload={"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in parts]},
                IfNoneMatch="*",
            )

    def discard(self, key: str, token: str) -> None:
        """Abort the multipart upload, which removes its parts."""
        try:
            with self._calling(key):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._prefix + key, UploadId=token)
        except ObjectNotFoundError:
            return

    @contextmanager
    def _calling(self, key: str) -> Iterator[None]:
        from botocore.exceptions import ClientError

        with translating(key, StorageUnavailableError):
            try:
                yield
            except ClientError as error:
                if error_status(error) in {409, 412} or error_code(error) == "PreconditionFailed":
                    raise ObjectExistsError(f"{key}.") from None
                if error_status(error) == 404 or error_code(error) == "NoSuchUpload":
                    raise ObjectNotFoundError(f"{key}: there is no such upload.") from None
                raise

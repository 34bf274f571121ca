"""A bucket of S3, or of what speaks its protocol, by boto3."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cutback.adapters.aws.clients import s3_client


class S3Bucket:
    """A part of a bucket, for any number of threads."""

    def __init__(self, url: str, options: Mapping[str, str]) -> None:
        """`url` is that of a store, `options` are those of obstore. boto3 is loaded on first use."""
        parts = urlsplit(url)
        self._bucket = parts.netloc
        self._prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._options = options
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = s3_client(self._options)
            return self._made

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._made is not None:
                self._made.close()

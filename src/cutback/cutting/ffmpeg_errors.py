"""Translates FFmpeg's errors to Cutback's own."""

from __future__ import annotations

import errno

import av

from cutback.domain.errors import CutbackError, MediaTooLargeError, MediaUnreadableError


def media_error(what: str, error: av.FFmpegError) -> CutbackError:
    """Return the error to raise for an error of FFmpeg; `what` says what failed, such as `It is damaged`."""
    if error.errno == errno.ENOMEM:
        return MediaTooLargeError("It needs more memory or has more streams than the limits allow.")
    return MediaUnreadableError(f"{what} ({error.strerror}).")

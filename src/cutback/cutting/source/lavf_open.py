"""Opens recordings with libavformat, which examines each of their streams, and keeps them open."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import av
import av.subtitles.stream  # PyAV imports it when it opens a container, but a confined process cannot open files
from av.container import InputContainer

from cutback.cutting.ffmpeg_errors import media_error
from cutback.cutting.job import ByteSource, Limits
from cutback.cutting.source.foreign import HEAD, foreign_kind
from cutback.cutting.source.source_file import SourceFile
from cutback.cutting.tags import decode_text
from cutback.domain.errors import CutbackError, MediaTooLargeError, MediaUnreadableError, MediaUnsupportedError

FORMATS = "mov,matroska,webm,mpegts"
_BUFFER = 256 * 1024


def open_container(source: ByteSource, limits: Limits, formats: str = FORMATS) -> InputContainer:
    """Open a recording with libavformat. `formats` are the demuxers that may read it.

    Raises:
        MediaUnreadableError: it is damaged or not a video.
        MediaUnsupportedError: its container is not on the list.
        MediaTooLargeError: it has too many streams.
    """
    try:
        container = av.open(
            SourceFile(source),
            options={"format_whitelist": formats, "protocol_whitelist": "", "max_streams": str(limits.streams + 1)},
            buffer_size=_BUFFER,
            metadata_errors="surrogateescape",  # see `texts_of`
        )
    except av.FFmpegError as error:
        raise _refusal(source, error) from error
    except (ValueError, AttributeError, UnicodeError) as error:  # hostile files raise these too
        raise MediaUnreadableError("Its headers are damaged.") from error
    if not set(container.format.name.split(",")) <= {*formats.split(","), "mp4", "m4a", "3gp", "3g2", "mj2"}:
        container.close()
        raise MediaUnsupportedError(f"It is {container.format.long_name}.")
    if len(container.streams) > limits.streams:
        container.close()
        raise MediaTooLargeError(f"It has {len(container.streams)} streams; the limit is {limits.streams}.")
    assert isinstance(container, InputContainer)
    return container


def texts_of(metadata: Mapping[str, str]) -> dict[str, str | None]:
    """Return the texts of a container or a stream by their names in lower case; None for what is not text."""
    return {name.lower(): decode_text(text.encode("utf-8", "surrogateescape")) for name, text in metadata.items()}


def _refusal(source: ByteSource, error: av.FFmpegError) -> CutbackError:
    """Return the error for a recording that cannot be opened."""
    head = source.read_at(0, HEAD)
    if error.errno == errno.ENOMEM:
        return media_error("It cannot be opened", error)
    if (kind := foreign_kind(head)) is not None:
        return MediaUnsupportedError(f"It is {kind}.")
    if _looks_like_text(head[:512]):
        return MediaUnsupportedError("It is not a video.")
    if error.errno == errno.EINVAL:  # libavformat's error for a format that is not allowed
        return MediaUnsupportedError("It has another format.")
    return media_error("It cannot be opened", error)


def _looks_like_text(head: bytes) -> bool:
    return bool(head) and all(byte >= 32 or byte in b"\t\r\n\f" for byte in head)


class Reopening:
    """A recording's container, which stays open between reads: opening a short one takes longer than copying it.

    An open container uses about a megabyte, so a job with a thousand recordings should not keep all of them.
    """

    def __init__(self, source: ByteSource, limits: Limits, *, keep: bool) -> None:
        """Prepare; nothing is opened yet."""
        self._source, self._limits, self._keep = source, limits, keep
        self._idle: list[InputContainer] = []

    @contextmanager
    def container(self) -> Iterator[InputContainer]:
        """Provide a container. Seek first; its position is undefined. Its decoders may be in use; set no options.

        Raises like `open_container`.
        """
        try:
            container = self._idle.pop()  # atomic: two threads never get the same
        except IndexError:
            container = open_container(self._source, self._limits)
        try:
            yield container
        except GeneratorExit:  # the reader stopped early
            self._put_back(container)
            raise
        except BaseException:
            container.close()
            raise
        self._put_back(container)

    def _put_back(self, container: InputContainer) -> None:
        if self._keep and not self._idle:
            self._idle.append(container)
        else:
            container.close()

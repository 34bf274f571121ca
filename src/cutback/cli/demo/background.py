"""Draws recordings while clips are cut."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from cutback.cli.demo.recordings import DemoRecording
from cutback.domain.errors import StoppedError


class BackgroundDrawing:
    """Draws recordings in the background, one after the other, unless they exist already."""

    def __init__(self, folder: Path, recordings: Sequence[DemoRecording], scratch: Path) -> None:
        """Prepare; entering the context starts it. `scratch` is a folder that nothing scans for recordings."""
        self._folder, self._scratch = folder, scratch
        self._recordings = [each for each in recordings if not (folder / each.key).exists()]
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="drawing", daemon=True)
        self._failure: Exception | None = None
        self._done = 0.0
        """Seconds of recording that are drawn."""

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop an unfinished drawing and remove it; what is finished stays."""
        self._given_up.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def fraction(self) -> float:
        """How much is drawn, from 0 to 1."""
        seconds = sum(each.seconds for each in self._recordings)
        return self._done / seconds if seconds else 1.0

    def has(self, recording: DemoRecording) -> bool:
        """Whether the recording is complete.

        Raises:
            RuntimeError: a drawing process failed.
        """
        if self._failure is not None:
            raise self._failure
        return (self._folder / recording.key).exists()

    def _draw(self) -> None:
        from cutback.cli.demo.drawing.sea import make_recording

        try:
            for each in self._recordings:
                make_recording(
                    self._folder / each.key,
                    seconds=each.seconds,
                    size=each.size,
                    camera=each.camera,
                    start=each.start,
                    only=each.only,
                    scratch=self._scratch,
                    progress=partial(self._note, self._done, each.seconds),
                )
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001 - `has` raises it
            self._failure = error

    def _note(self, before: float, seconds: int, fraction: float) -> None:
        if self._given_up.is_set():
            raise StoppedError
        self._done = before + fraction * seconds

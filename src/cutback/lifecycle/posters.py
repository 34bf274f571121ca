"""Stores a clip's posters next to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from cutback.cutting.job import Poster, Rendition
from cutback.domain.clips.clip import PosterFile
from cutback.domain.errors import StoppedError
from cutback.lifecycle.lease import Lease
from cutback.storage.store import Store


class StoringPosters:
    """The posters of a clip while they are stored."""

    def __init__(self) -> None:
        """Nothing is stored yet."""
        self.files: tuple[PosterFile, ...] = ()
        """The stored posters, once the block of `storing_posters` has ended."""


@contextmanager
def storing_posters(clips: Store, folder: str, rendition: Rendition, lease: Lease) -> Iterator[StoringPosters]:
    """Make and store a clip's posters while the block stores the clip itself.

    They are under `folder`, which belongs to one attempt only, as `poster-640.jpg` and so on. If the block fails, no
    further poster is stored.

    Raises, at the end of the block:
        ObjectExistsError: an object is already there.
        StorageUnavailableError: the store does not answer.
        CutbackError: the posters could not be made.
        StoppedError: the work was stopped.
    """
    storing, abandoned = StoringPosters(), threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="cutback-posters") as thread:
        done = thread.submit(_store, clips, folder, rendition, lease, abandoned)
        try:
            yield storing
        except BaseException:
            abandoned.set()
            raise
        storing.files = done.result()


def _store(
    clips: Store, folder: str, rendition: Rendition, lease: Lease, abandoned: threading.Event
) -> tuple[PosterFile, ...]:
    posters = rendition.posters()
    if not posters:
        return ()

    def store(poster: Poster) -> PosterFile:
        lease.raise_if_stopped()
        if abandoned.is_set():
            raise StoppedError
        key = f"{folder}poster-{poster.fits}.jpg"
        clips.put(key, [rendition.read_poster(poster)], size=poster.size, if_absent=True)
        return PosterFile(key=key, width=poster.width, height=poster.height, size=poster.size)

    # In parallel: they are small, and a distant store takes a while for each.
    with ThreadPoolExecutor(len(posters), thread_name_prefix="cutback-poster") as threads:
        return tuple(threads.map(store, posters))

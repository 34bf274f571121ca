"""Stores a clip's posters next to it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from cutback.cutting.job import Poster, Rendition
from cutback.domain.clips.clip import PosterFile
from cutback.lifecycle.lease import Lease
from cutback.storage.store import Store


def store_posters(clips: Store, folder: str, rendition: Rendition, lease: Lease) -> tuple[PosterFile, ...]:
    """Store a clip's posters under `folder`, which belongs to one attempt only, as `poster-640.jpg` and so on.

    Raises:
        ObjectExistsError: an object is already there.
        StorageUnavailableError: the store does not answer.
        CutbackError: the posters could not be made.
        StoppedError: the work was stopped.
    """
    posters = rendition.posters()
    if not posters:
        return ()

    def store(poster: Poster) -> PosterFile:
        lease.raise_if_stopped()
        key = f"{folder}poster-{poster.fits}.jpg"
        clips.put(key, [rendition.read_poster(poster)], size=poster.size, if_absent=True)
        return PosterFile(key=key, width=poster.width, height=poster.height, size=poster.size)

    # In parallel: they are small, and a distant store takes a while for each.
    with ThreadPoolExecutor(len(posters), thread_name_prefix="cutback-poster") as threads:
        return tuple(threads.map(store, posters))

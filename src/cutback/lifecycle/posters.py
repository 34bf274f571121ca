"""Posters of a clip, stored beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from cutback.cutting.job import Poster, Rendition
from cutback.domain.clips.clip import PosterFile
from cutback.lifecycle.lease import Lease
from cutback.storage.store import Store


def store_posters(clips: Store, place: str, rendition: Rendition, lease: Lease) -> tuple[PosterFile, ...]:
    """Store a clip's posters at `place`, which is its attempt's alone, as `poster-640.jpg` and the like.

    Raises:
        ObjectExistsError: something is there already.
        StorageUnavailableError: the store does not answer.
        CutbackError: they could not be drawn.
        StoppedError: nobody wants the clip any more.
    """
    posters = rendition.posters()
    if not posters:
        return ()

    def store(poster: Poster) -> PosterFile:
        lease.raise_if_stopped()
        key = f"{place}poster-{poster.fits}.jpg"
        clips.put(key, [rendition.read_poster(poster)], size=poster.size, if_absent=True)
        return PosterFile(key=key, width=poster.width, height=poster.height, size=poster.size)

    # A store far away takes its time for each, and they are small.
    with ThreadPoolExecutor(len(posters), thread_name_prefix="cutback-poster") as threads:
        return tuple(threads.map(store, posters))

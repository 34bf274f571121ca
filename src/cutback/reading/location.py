"""One recording that is named by a path or a URL, not by a key in the source store: where it is, and how to open it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cutback.domain.errors import MediaUnsupportedError, NoSuchFileError, RecordingNotFoundError, WrongUsageError

if TYPE_CHECKING:
    from cutback.domain.requests.request import ClipRequest
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import OpenedSources
    from cutback.storage.store import Store

STORES = ("s3://", "gs://", "az://")


@dataclass(frozen=True, slots=True)
class Location:
    """A recording: the store it is in and its key there."""

    store_url: str
    """A folder's path, or the URL of a bucket with a prefix."""
    key: str


def never() -> bool:
    """Return False: do not stop."""
    return False


def locate_recording(source: str) -> Location:
    """Split a path or URL into a store and a key.

    Raises:
        WrongUsageError: it is a folder, has no key, or its kind of store is unknown.
        RecordingNotFoundError: it is a path, and the file does not exist.
    """
    if "://" in source and not source.startswith("file://"):
        store, _, key = source.rpartition("/")
        if not source.startswith(STORES):
            raise WrongUsageError(f"{source}: a source must be a file or the URL of an object ({', '.join(STORES)}).")
        if not key or store.endswith(("/", ":")):
            raise WrongUsageError(f"{source} has no key; write it as s3://bucket/key.")
        return Location(store, key)
    if not source:
        raise WrongUsageError("The source is empty; name a file.")
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        raise WrongUsageError(f"{source} is a folder; name a recording in it.")
    if not path.exists():
        raise NoSuchFileError(f"The file {source} does not exist.")
    path = path.resolve()
    return Location(str(path.parent), path.name)


@contextmanager
def naming(source: str | Path) -> Iterator[None]:
    """Report a missing recording by the name that the caller used, not by a key in the source store.

    Raises:
        NoSuchFileError: instead of any other `RecordingNotFoundError`.
    """
    try:
        yield
    except NoSuchFileError:
        raise
    except RecordingNotFoundError as error:
        missing = error.detail.rstrip(".")
        same = not missing or str(source).endswith(missing)
        raise NoSuchFileError(
            f"{source} does not exist." if same else f"{source} refers to {missing}, which does not exist."
        ) from error


def open_store(location: Location, options: Mapping[str, str] | None = None) -> Store:
    """Open the store of a recording. Raises like `Store.open`."""
    from cutback.storage.store import Store

    return Store.open(location.store_url, options=options)


def open_reader(location: Location, store: Store, *, stopped: Callable[[], bool] = never) -> RangeReader:
    """Open a recording for reading. Raises like the store, and MediaUnsupportedError for a playlist."""
    from cutback.reading.open_playlist import is_playlist
    from cutback.reading.range_reader import RangeReader

    if is_playlist(location.key):
        raise MediaUnsupportedError("A playlist is not a video; name one of its segments.")
    return RangeReader.open(store, location.key, stopped=stopped)


def files_of(location: Location, store: Store) -> list[Path]:
    """Return the files of a recording in a folder: the recording itself, and the segments of a playlist."""
    from cutback.reading.open_playlist import is_playlist, read_playlist

    if not store.is_folder:
        return []
    keys = [location.key]
    if is_playlist(location.key):
        segments = read_playlist(store, location.key).segments
        keys += [part.key for segment in segments for part in (segment.media, segment.init) if part is not None]
    return [Path(store.url_for(key)) for key in dict.fromkeys(keys)]


@contextmanager
def open_recording(
    location: Location,
    request: ClipRequest,
    store: Store,
    *,
    assets: Store | None = None,
    stopped: Callable[[], bool] = never,
) -> Iterator[OpenedSources]:
    """Open the recording or playlist at `location`, for a request whose ranges are all of it, and its assets."""
    from cutback.reading.assets import asset_opener
    from cutback.reading.open_playlist import open_segments
    from cutback.reading.range_reader import RangeReader
    from cutback.reading.resolve import resolve_with

    own, folder = recording_name(location), location.key.rpartition("/")[0]

    def key_of(name: str) -> str:
        """Return a recording's key: those that insets name are beside the recording."""
        return location.key if name == own else f"{folder}/{name}" if folder else name

    with resolve_with(
        request,
        lambda name: RangeReader.open(store, key_of(name), stopped=stopped),
        lambda _, first, last: open_segments(store, location.key, first, last, stopped=stopped),
        open_asset=asset_opener(assets, request.tenant, stopped=stopped),
    ) as sources:
        yield sources


def recording_name(location: Location) -> str:
    """Return the name of the recording in the request: any name will do if it shows whether this is a playlist."""
    from cutback.reading.open_playlist import is_playlist

    return "recording.m3u8" if is_playlist(location.key) else "recording"

"""Opens assets: the pictures, videos and sounds that edits name. They are read like recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from cutback.domain.errors import AssetNotFoundError, RecordingNotFoundError, SymlinkOutsideError
from cutback.reading.range_reader import RangeReader
from cutback.storage.store import Store


def key_of(name: str, tenant: str) -> str:
    """Return the key of an asset. A tenant sees only the assets in the folder with its name."""
    return f"{tenant}/{name}" if tenant else name


def asset_opener(store: Store | None, tenant: str, *, stopped: Callable[[], bool]) -> Callable[[str], RangeReader]:
    """Return a function that opens an asset by its name; without a store, none can be opened.

    The function raises:
        AssetNotFoundError: it does not exist, or is a link out of the store.
        StorageUnavailableError: the store does not answer.
    """
    if store is None:
        return no_assets
    found = store

    def open_asset(name: str) -> RangeReader:
        try:
            return RangeReader.open(found, key_of(name, tenant), stopped=stopped)
        except RecordingNotFoundError:
            raise AssetNotFoundError(f"The name is {name}.") from None
        except SymlinkOutsideError:
            raise AssetNotFoundError(f"{name} is a symbolic link that leads out of it.") from None

    return open_asset


def no_assets(name: str) -> NoReturn:
    """Stand for the function that opens assets where there are none.

    Raises:
        AssetNotFoundError: always.
    """
    raise AssetNotFoundError(f"The name is {name}.")

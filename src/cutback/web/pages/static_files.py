"""The files of the pages: read once, named after their content, so that browsers may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

PREFIX = "/assets/"
"""Where they are served."""

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""By extension; other files, such as licences, are not served."""
_BARE = {
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/preact-hooks.js",
    "@preact/signals": "vendor/preact-signals.js",
    "@preact/signals-core": "vendor/signals-core.js",
    "htm": "vendor/htm.js",
    "mediabunny": "vendor/mediabunny.js",
}
"""Files of libraries, by the names under which modules import them."""
_LATER = {"app/decoder.js", "vendor/mediabunny.js"}
"""Loaded only where they are needed, and so not ahead."""


@dataclass(frozen=True)
class StaticFile:
    """One file."""

    name: str
    """Its path below the folder, such as `app/main.js`."""
    content: bytes

    @cached_property
    def address(self) -> str:
        """Where it is served: its name carries a digest of its content."""
        path = PurePosixPath(self.name)
        digest = hashlib.sha256(self.content).hexdigest()[:12]
        return f"{PREFIX}{path.with_suffix('')}.{digest}{path.suffix}"

    @property
    def media_type(self) -> str:
        """What it is."""
        return f"{_TYPES[PurePosixPath(self.name).suffix]}; charset=utf-8"

    @cached_property
    def compressed(self) -> bytes:
        """With gzip. The same content gives the same bytes."""
        return gzip.compress(self.content, 9, mtime=0)


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All files."""

    by_address: Mapping[str, StaticFile]
    by_name: Mapping[str, StaticFile]

    def address(self, name: str) -> str:
        """Return where a file is served.

        Raises:
            KeyError: there is no such file.
        """
        return self.by_name[name].address

    @property
    def imports(self) -> dict[str, str]:
        """The import map: where each name and each path that modules import is served."""
        paths = {f"{PREFIX}{name}": file.address for name, file in self.by_name.items() if name.endswith(".js")}
        return {**{name: self.address(path) for name, path in _BARE.items()}, **paths}

    @property
    def ahead(self) -> list[str]:
        """Addresses of the modules that every page needs."""
        return [file.address for name, file in self.by_name.items() if name.endswith(".js") and name not in _LATER]


@lru_cache(maxsize=1)
def static_files() -> StaticFiles:
    """Read the files, which are part of the package."""
    found = dict(sorted(_files(resources.files(__package__) / "static", "")))
    return StaticFiles({file.address: file for file in found.values()}, found)


def _files(folder: Traversable, prefix: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for each in folder.iterdir():
        name = prefix + each.name
        if each.is_dir():
            found += _files(each, f"{name}/")
        elif PurePosixPath(name).suffix in _TYPES:
            found.append((name, StaticFile(name, each.read_bytes())))
    return found

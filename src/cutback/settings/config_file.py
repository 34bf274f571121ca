"""The configuration file: settings by name, in TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutback.domain.errors import SettingsError

CONFIG = "CUTBACK_CONFIG"
"""The variable that names the file."""

NAME = "cutback.toml"
"""The file in the data folder, where the variable names none."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says."""

    path: Path
    content: dict[str, Any]
    """By the setting's name: a variable's, in small letters and without `CUTBACK_`."""


def read_config(named: str, data: Path) -> ConfigFile | None:
    """The configuration file; None if there is none.

    Raises:
        SettingsError: the one that is named does not exist, or it cannot be read.
    """
    path = Path(named) if named else data / NAME
    try:
        return ConfigFile(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"\n- {CONFIG}: there is no file {named}") from None
        return None
    except NotADirectoryError:
        return None  # the data folder is a file; whoever makes it says so
    except OSError as error:
        raise SettingsError(f"\n- {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"\n- {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"\n- {path} is not valid TOML{_where(error)}") from None


def _where(error: tomllib.TOMLDecodeError) -> str:
    found = str(error).rpartition("(at ")[2].removesuffix(")")
    return f" ({found})" if found.startswith("line") else ""

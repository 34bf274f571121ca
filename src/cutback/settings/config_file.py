"""Reads the configuration file: settings by name, in TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutback.domain.errors import SettingsError
from cutback.settings.defaults import CONFIG_NAME

CONFIG = "CUTBACK_CONFIG"
"""The variable with the path of the file."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The contents of a file."""

    path: Path
    content: dict[str, Any]
    """By the setting's name: its variable in lower case, without `CUTBACK_`."""


def read_config(named: str, data: Path) -> ConfigFile | None:
    """Read the configuration file; None if there is none.

    Raises:
        SettingsError: the file of the variable does not exist, or a file cannot be read.
    """
    path = Path(named) if named else data / CONFIG_NAME
    try:
        return ConfigFile(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        if named:
            raise SettingsError(f"\n- {CONFIG}: the file {named} does not exist") from None
        return None
    except NotADirectoryError:
        return None  # the data folder is a file, which is reported elsewhere
    except OSError as error:
        raise SettingsError(f"\n- {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"\n- {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"\n- {path} is not valid TOML{_where(error)}") from None


def _where(error: tomllib.TOMLDecodeError) -> str:
    found = str(error).rpartition("(at ")[2].removesuffix(")")
    return f" ({found})" if found.startswith("line") else ""

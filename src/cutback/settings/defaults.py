"""Says whether any setting is set, without building the model of the settings, which takes long to import."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "CUTBACK_"
"""A setting's environment variable is this prefix and the setting's name in capitals."""

DATA = Path("cutback-data")
"""The data folder, if none is named."""

CONFIG_NAME = "cutback.toml"
"""The configuration file in the data folder."""


def all_are_default(data: Path | None = None) -> bool:
    """Whether no setting can differ from its default, apart from the data folder, which `data` may name."""
    if any(name.upper().startswith(PREFIX) for name in os.environ):
        return False
    return not os.path.lexists((data or DATA) / CONFIG_NAME)

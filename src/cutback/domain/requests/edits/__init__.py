"""The edits of a request: what is done to the pictures and the sound of a clip. A file for each stage.

The media side of an edit is in `cutting/edits/`, and its plain values are in `cutting/edit_values.py`.
"""

from cutback.domain.requests.edits.crop import CropPointField
from cutback.domain.requests.edits.edit_list import (
    EXCLUSIVE,
    KINDS,
    Edits,
    assets_of,
    contradictions,
    needs_exact,
)
from cutback.domain.requests.edits.edit_model import STAGES, EditModel
from cutback.domain.requests.edits.inset import InsetEdit
from cutback.domain.requests.edits.overlay import TextEdit
from cutback.domain.requests.edits.time import SpeedSpanField

__all__ = [
    "EXCLUSIVE",
    "KINDS",
    "STAGES",
    "CropPointField",
    "EditModel",
    "Edits",
    "InsetEdit",
    "SpeedSpanField",
    "TextEdit",
    "assets_of",
    "contradictions",
    "needs_exact",
]

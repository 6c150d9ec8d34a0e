"""Values as JSON can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def jsonable(value: object) -> object:
    """The value with paths as text and numbers that are not finite, which JSON lacks, as None."""
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    return str(value) if isinstance(value, Path) else value

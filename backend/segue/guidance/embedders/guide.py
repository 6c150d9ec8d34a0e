"""Where the guiding ear's weights lie, and the tags they know; needs no torch, so that a service's front can ask."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from safetensors import safe_open

HEADER = "musicnn"
GUIDE_WEIGHTS = Path(__file__).parent / "weights" / "msd_musicnn.safetensors"


@cache
def guide_tags() -> tuple[str, ...]:
    """The 50 tags, in the order of the ear's logits."""
    with safe_open(GUIDE_WEIGHTS, "numpy") as file:
        header = json.loads((file.metadata() or {})[HEADER])
    return tuple(str(label) for label in header["labels"])

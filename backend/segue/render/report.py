"""What a render says of itself, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from segue.clip.clip import MODEL_RATE
from segue.clip.recipe import running_versions
from segue.render.memory import peak_mb
from segue.render.region import RenderedRegion
from segue.style.resolve import Resolved


def region_report(rendered: RenderedRegion) -> dict[str, Any]:
    """One gap: where, how well the song recalls it, and its candidates, best first."""
    gap = rendered.gap
    recall = rendered.recallable
    return {
        "gap_seconds": [gap.start / MODEL_RATE, gap.stop / MODEL_RATE],
        "recall": {"distance_db": recall.distance_db, "word": recall.word},
        "candidates": [
            {"rank": rank, "method": take.method, "how": take.how, "seed": take.seed, **asdict(take.scores)}
            for rank, take in enumerate(rendered.takes, 1)
        ],
        "failed": list(rendered.failed),
        "notes": list(rendered.notes),
    }


def render_report(
    task: str, regions: Sequence[RenderedRegion], seconds: dict[str, float], style: Resolved | None = None
) -> dict[str, Any]:
    """The whole render. ``seconds`` of wall time per stage; ``style``: what was wished for."""
    peak = peak_mb()
    return {
        "task": task,
        "style": None if style is None else {**style.steering.plain(), "notes": list(style.notes)},
        "gaps": [region_report(r) for r in regions],
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "peak_memory_mb": None if peak is None else round(peak, 1),
        "versions": running_versions(),
    }

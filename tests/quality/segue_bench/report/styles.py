"""The tables of what styles do: each wish against the rendering of the same gaps without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from segue_bench.scores.kad import bandwidth_of, gap_kad_drawn
from segue_bench.statistics import Interval, bootstrap_interval, percentile_interval

FOLLOWED = 0.8
"""Correlation from which a drawn curve counts as followed."""

FILLED = "none"
"""The wish of a gap that is filled without a style."""

Row = dict[str, Any]
Pairs = list[tuple[Row, Row]]
Values = Float[np.ndarray, " _values"]


def tables(rows: Sequence[Row]) -> str:
    """All tables in Markdown; those without two rows to compare are left out."""
    found = {name: pairs_of(rows, name) for name in dict.fromkeys(row["wish"] for row in rows)}
    found = {name: pairs for name, pairs in found.items() if len(pairs) > 1}
    parts = ((head, "\n".join(lines(found))) for head, lines in _TABLES)
    return "\n\n".join(f"{_header(head)}\n{body}" for head, body in parts if body) + "\n"


def pairs_of(rows: Sequence[Row], wish: str) -> Pairs:
    """Each rendering of a wish with the one beside it, of the same place."""
    by_name = {(row["excerpt"], row["wish"]): row for row in rows}
    own = [row for row in rows if row["wish"] == wish and row["beside"]]
    return [(row, by_name[row["excerpt"], row["beside"]]) for row in own if (row["excerpt"], row["beside"]) in by_name]


def _tag_lines(found: dict[str, Pairs]) -> Iterator[str]:
    for name, pairs in found.items():
        asked = [(row, beside) for row, beside in pairs if row["tag"] is not None]
        groups = [(name, asked)]
        for preset in dict.fromkeys(row["preset"] for row, _ in asked if row["preset"]):
            groups.append((f"{name}: {preset}", [pair for pair in asked if pair[0]["preset"] == preset]))
        for label, some in groups:
            if len(some) < 2:
                continue
            after = np.array([row["tags"][row["tag"]] for row, _ in some])
            before = np.array([beside["tags"][row["tag"]] for row, beside in some])
            change = bootstrap_interval(after - before)
            yield (
                f"| {label} | {len(some)} | {before.mean():.3f} → {after.mean():.3f} ({_range(change, 3)}) "
                f"| {int((after > before).sum())} | {np.median(after / before):.2f} |"
            )


def _curve_lines(found: dict[str, Pairs]) -> Iterator[str]:
    for name, pairs in found.items():
        values = np.array([row["followed"] for row, _ in pairs if row["followed"] is not None])
        if len(values):
            mean = bootstrap_interval(values)
            yield (
                f"| {name} | {len(values)} | {mean.value:.2f} ({_range(mean, 2)}) | {values.min():.2f} "
                f"| {int((values >= FOLLOWED).sum())} |"
            )


def _cost_lines(found: dict[str, Pairs]) -> Iterator[str]:
    for name, pairs in found.items():
        if pairs[0][0]["beside"] != FILLED:  # what was to sound otherwise than the real thing is not nearer to it
            continue
        with_, without, apart = kad_beside(pairs)
        seams = [[one["scores"].get("seam_z") for one in pair] for pair in pairs]
        known = np.array([pair for pair in seams if None not in pair], np.float64).reshape(-1, 2)
        seam = f"{known[:, 1].mean():.2f} → {known[:, 0].mean():.2f}" if len(known) else "none known"
        yield f"| {name} | {without:.1f} → {with_:.1f} | {apart.value:+.1f} ({_range(apart, 1)}) | {seam} |"


def kad_beside(pairs: Pairs) -> tuple[float, float, Interval]:
    """gap-KAD of a wish, of what it is compared with, and of their difference: drawn alike, track by track."""
    real = np.array([row["real"] for row, _ in pairs])
    _, groups = np.unique([row["track"] for row, _ in pairs], return_inverse=True)
    width = bandwidth_of(real)
    (own, drawn), (other, others) = (
        gap_kad_drawn(real, np.array([pair[i]["embedding"] for pair in pairs]), groups=groups, bandwidth=width)
        for i in (0, 1)
    )
    return own, other, percentile_interval(own - other, drawn - others)


def _kept_lines(found: dict[str, Pairs]) -> Iterator[str]:
    for name, pairs in found.items():
        if pairs[0][0]["beside"] == FILLED:  # what was not heard by the renderer cannot be kept
            continue
        for label, rows in ((pairs[0][0]["beside"], [b for _, b in pairs]), (name, [a for a, _ in pairs])):
            clear = [row["kept"]["key"] for row in rows if row["kept"]["clear"]]
            same = sum(original == take for original, take in clear)
            beat, chroma, mel = (
                _values(row["scores"].get(s) for row in rows)
                for s in ("beat_phase_error", "chroma_cosine", "mel_distance")
            )
            rhythm, loud = (_values(row["kept"][k] for row in rows) for k in ("rhythm", "loudness"))
            yield (
                f"| {label} | {same} of {len(clear)} | {_mean(rhythm, 2)} | {_middle(beat)} | {_mean(loud, 2)} "
                f"| {_mean(chroma, 2)} | {_mean(mel, 1)} |"
            )


def _values(values: Iterator[float | None]) -> Values:
    return np.array([value for value in values if value is not None], np.float64)


def _mean(values: Values, digits: int) -> str:
    if not len(values):
        return "none"
    interval = bootstrap_interval(values)
    return f"{interval.value:.{digits}f} ({_range(interval, digits)})"


def _middle(values: Values) -> str:
    return f"{np.median(values):.0f}, in {len(values)}" if len(values) else "none"


def _range(interval: Interval, digits: int) -> str:
    return f"{interval.low:.{digits}f} to {interval.high:.{digits}f}"


def _header(columns: str) -> str:
    return f"| {columns} |\n{'|---' * (columns.count('|') + 1)}|"


_TABLES = (
    ("tags | places | probability without → with (95 % of the difference) | up in | median factor", _tag_lines),
    ("curve | places | Pearson, mean (95 %) | least | 0.8 or more in", _curve_lines),
    ("wish | gap-KAD without → with ↓ | difference (95 %) | seam z without → with ↓", _cost_lines),
    ("rendered | key kept | rhythm ↑ | beat phase, ms ↓ | loudness, LU ↓ | chroma ↑ | mel distance, dB", _kept_lines),
)

"""The page of the comparison of transitions: a table, bad figures first, and the course of the overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from segue.clip.atomic import replacing
from segue.errors import InvalidRequest
from segue_bench.scores.realism import realism, relative_realism

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
REFERENCE = "beat-aligned"
_COLOURS = {"plain": "#999999", "beat-aligned": "#2a7de1", "EQ": "#3a9d5d", "ours": "#d9641e"}

Line = dict[str, Any]


def write_page(lines: Sequence[Line], page: Path) -> None:
    """Put what was measured between the page's marks, and the figure beside it.

    Raises:
        InvalidRequest: the page has no marks, or nothing was measured yet.
    """
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise InvalidRequest(f"expected {BEGIN} and {END} in {page}: put both where the tables shall stand")
    picture = page.with_name(f"{page.stem}-course.png")
    with replacing(picture) as part:
        _figure(lines).savefig(part, format="png")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with replacing(page) as part:
        part.write_text(f"{before}{BEGIN}\n{tables(lines, picture.name)}{END}{after}", encoding="utf-8")


def measured(lines: Sequence[Line]) -> list[Line]:
    """The pairs that were rendered.

    Raises:
        InvalidRequest: none.
    """
    pairs = [line for line in lines if "methods" in line]
    if not pairs:
        raise InvalidRequest("no pair was measured yet: run segue_bench.transitions for longer")
    return pairs


def tables(lines: Sequence[Line], picture: str) -> str:
    """The section in Markdown."""
    pairs = measured(lines)
    real = np.array([line["embedding"] for line in lines if line["name"].startswith("real ")])
    depth = {m: realism(real, np.array([p["methods"][m]["embedding"] for p in pairs])) for m in pairs[0]["methods"]}
    lefts = np.unique([pair["name"].split(" > ")[0] for pair in pairs], return_inverse=True)[1]
    rows, bad = [], []
    for method, realisms in depth.items():
        ratio = relative_realism(realisms, depth[REFERENCE], lefts)
        beat, dip = _values(pairs, method, "beat_ms"), _values(pairs, method, "dip_lu")
        rows.append(
            f"| {method} | {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}) | {_middle(beat)} | {_middle(dip)} "
            f"| {_middle(np.array([unevenness(p['methods'][method]['curve']) for p in pairs]), 3)} |"
        )
        if method == "ours":
            verdict = "is NOT above" if ratio.value <= 1.0 else "is above"
            sure = ", which chance alone could make" if ratio.low <= 1.0 <= ratio.high else ""
            bad.append(f"- Realism {verdict} that of the beat-aligned cross-fade: {ratio.value:.3f}{sure}.")
    bad += [_duel(pairs), *_refusals(lines, len(pairs))]
    best = Counter(p["ranks"][0]["method"] for p in pairs)
    chosen = ", ".join(f"{name} {count}" for name, count in best.most_common())
    head = (
        "| method | realism, of the beat-aligned ↑ (95 %) | beat phase, ms ↓ | dip, LU ↓ | unevenness ↓ |\n"
        "|---|---|---|---|---|\n"
    )
    body = "\n".join(rows)
    return (
        "\n".join(bad) + f"\n\n{len(pairs)} pairs.\n\n{head}{body}\n\nRanked first by ours: {chosen}.\n\n"
        f"![Mel distance to the first track over the overlap]({picture})\n"
    )


def unevenness(curve: Sequence[float]) -> float:
    """How far a course from 0 to 1 is from a straight line: the RMS difference, with its own ends as 0 and 1."""
    course = normalised(curve)
    straight = np.linspace(0.0, 1.0, len(course))
    return float(np.sqrt(np.mean((course - straight) ** 2)))


def normalised(curve: Sequence[float]) -> Float[np.ndarray, " points"]:
    """A course with its first point as 0 and its last as 1; one that ends where it began stays as it is, in dB."""
    course = np.array(curve, np.float64)
    rise = course[-1] - course[0]
    return np.asarray((course - course[0]) / (rise if abs(rise) > 0.1 else 1.0))


def _values(pairs: Sequence[Line], method: str, name: str) -> Float[np.ndarray, " values"]:
    found = [p["methods"][method][name] for p in pairs]
    return np.array([v for v in found if v is not None], np.float64)


def _middle(values: Float[np.ndarray, " values"], digits: int = 1) -> str:
    if not len(values):
        return "-"
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}, n {len(values)})"


def _duel(pairs: Sequence[Line]) -> str:
    """In how many pairs ours is the better one of two, measure by measure; ties are neither's."""
    counts = []
    for name, read in (
        ("beat phase", lambda scores: scores["beat_ms"]),
        ("dip", lambda scores: scores["dip_lu"]),
        ("unevenness", lambda scores: unevenness(scores["curve"])),
    ):
        both = [(read(p["methods"]["ours"]), read(p["methods"][REFERENCE])) for p in pairs]
        known = [(ours, other) for ours, other in both if ours is not None and other is not None]
        worse, better = (sum(sign * (ours - other) > 0.0 for ours, other in known) for sign in (1, -1))
        counts.append(f"{name} worse in {worse} and better in {better} of {len(known)}")
    return f"- Pair by pair against the beat-aligned cross-fade: {', '.join(counts)}."


def _refusals(lines: Sequence[Line], rendered: int) -> list[str]:
    tried = [line for line in lines if not line["name"].startswith("real ")]
    beatless = sum("methods" not in line for line in tried)
    unmatched = sum("tempo" not in line["matched"] for line in tried if "methods" in line)
    return [
        f"- Without a clear beat in both tracks, and so not compared: {beatless} of {len(tried)} pairs.",
        f"- Too far apart in tempo to be stretched to meet, only downbeat on downbeat: {unmatched} of {rendered}.",
    ]


def _figure(lines: Sequence[Line]) -> Figure:
    """Median course of each method, and the middle half of the pairs."""
    pairs = measured(lines)
    figure = Figure(figsize=(8.0, 4.5), dpi=110, layout="constrained")
    ax: Any = figure.subplots()
    for method in pairs[0]["methods"]:
        courses = np.stack([normalised(p["methods"][method]["curve"]) for p in pairs])
        at = (np.arange(courses.shape[1]) + 0.5) / courses.shape[1]
        low, middle, high = np.quantile(courses, (0.25, 0.5, 0.75), axis=0)
        ax.fill_between(at, low, high, color=_COLOURS[method], alpha=0.12, linewidth=0)
        ax.plot(at, middle, color=_COLOURS[method], linewidth=1.8, label=method)
    ax.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--", label="even")
    ax.set_xlabel("part of the overlap")
    ax.set_ylabel("mel distance to the first track")
    ax.set_title(f"{len(pairs)} pairs: median, and the middle half")
    ax.legend()
    return figure

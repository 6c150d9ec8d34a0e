"""What styles do, measured by another ear: ``python -m segue_bench.styles MUSIC OUT.jsonl --excerpts 12``.

For excerpts of the manifest, 2 s of the whole song are filled without a style, towards a tag, and after drawn curves.
Each is scored as the bench scores (gap-KAD, seams) by musicnn MTT, which never guides; a tag by its probability there,
a curve by its correlation with a measure that is not the one that was gone down: momentary loudness of 0.4 s, and the
bench's own onset strength over 0.3 s. Rows are added as they come, so that a run can go on; the summary is made from
all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d

from segue.guidance.curve import Curve
from segue.guidance.operators.loudness import Loudness
from segue.prior.bundle import Bundle
from segue.render.settings import RenderSettings
from segue.style.resolve import resolve
from segue.style.style import Style
from segue_bench.cases import Setting
from segue_bench.contract import RATE, Case, Excerpt, Rendering
from segue_bench.manifest import load
from segue_bench.scores.control import control_correlation
from segue_bench.scores.kad import bandwidth_of, gap_kad
from segue_bench.scores.onsets import HOP, onset_strength
from segue_bench.tools import BenchTools, MakeTools

TAGS = ("ambient", "rock", "electronic", "guitar", "dance", "metal", "pop", "country")
"""Tags that both ears know by one name."""

POINTS = 5
"""Of a drawn curve, evenly over the gap, drawn at random for each excerpt."""

_SMOOTH = 0.3  # seconds: onsets come a quarter of a second apart, and a density is over several

Row = dict[str, Any]
Wish = Callable[[Case, int], Style]


def _drawn(case: Case, number: int, low: float, high: float, spread: float) -> Curve:
    rng = np.random.default_rng(number)
    seconds = np.linspace(case.gap.start, case.gap.stop, POINTS) / RATE
    values = np.clip(rng.uniform(-1.0, 1.0, POINTS) * spread, low, high)
    return Curve(tuple(zip(seconds.tolist(), values.tolist(), strict=True)))


def _around(case: Case) -> float:
    """Median loudness of two seconds before the gap, LUFS."""
    before = case.original[:, max(0, case.gap.start - 2 * RATE) : case.gap.start]
    lufs = Loudness(float(RATE))(torch.from_numpy(before[None].copy()))[0]
    return float(lufs.median())


def _loudness(case: Case, number: int) -> Style:
    middle = _around(case)
    curve = _drawn(case, number, -70.0, 0.0, 8.0)
    return Style.of(follow={"loudness": tuple((t, min(0.0, max(-70.0, middle + v))) for t, v in curve.points)})


def _onsets(case: Case, number: int) -> Style:
    curve = _drawn(case, number, -8.0, 8.0, 1.5)
    return Style.of(follow={"onsets": tuple((t, 2.0**v) for t, v in curve.points)})


WISHES: Mapping[str, Wish] = {
    "none": lambda case, number: Style(),
    "tag": lambda case, number: Style.of(tags=(TAGS[number % len(TAGS)],), strength=0.2),
    "loudness": _loudness,
    "onsets": _onsets,
}


def measure(tools: BenchTools, excerpt: Excerpt, number: int, wish: str, steps: int | None) -> Row:
    """One excerpt in one style: scores, tags and embedding of the first take, and how a curve was followed."""
    case = tools.case(excerpt, Setting("infill", 2.0))
    style = WISHES[wish](case, number)
    settings = RenderSettings()
    asked = None if style.is_empty else resolve(style, RenderSettings(sampler=None, steps=steps), reads_text=False)
    region = tools.renderer.render(case.plan, settings, style=asked).regions[0]
    best = region.takes[0]
    scores = tools.listener(case)(Rendering(best.audio, best.how))
    real = tools.listener(case)(Rendering(case.truth.copy(), "real"))
    return {
        "excerpt": excerpt.name,
        "number": number,
        "wish": wish,
        "method": best.method,
        "asked": best.scores.wish,
        "of_splice": next((t.scores.wish for t in region.takes if t.method == "splice"), None),
        "scores": dict(scores.values),
        "tags": dict(zip(tools.ear.labels, scores.tags.tolist(), strict=True)),
        "embedding": scores.embedding.tolist(),
        "real": real.embedding.tolist(),
        "followed": _followed(case, style, best.audio),
    }


def _followed(case: Case, style: Style, take: Float[np.ndarray, "2 samples"]) -> float | None:
    """Correlation of the drawn curve with what is measured in the gap."""
    if not style.follow:
        return None
    (name, curve), gap = style.follow[0], case.gap
    around = case.original[:, gap.start - RATE : gap.stop + RATE].copy()
    around[:, RATE : RATE + gap.length] = take
    if name == "loudness":
        measured, hop = Loudness(float(RATE))(torch.from_numpy(around[None]))[0].numpy(), 4096
    else:
        gain = 0.1 / max(1e-6, float(np.sqrt(np.mean(around**2))))
        flux = onset_strength(np.asarray(around * np.float32(gain)))
        measured, hop = uniform_filter1d(flux.mean(0), round(_SMOOTH * RATE / HOP)), HOP
    seconds = (gap.start - RATE + np.arange(len(measured)) * hop) / RATE
    inside = (seconds >= gap.start / RATE) & (seconds < gap.stop / RATE)
    return control_correlation(curve.at(seconds[inside]), measured[inside].astype(np.float64))


def summary(rows: list[Row]) -> Iterator[str]:
    """The figures in lines, worst news first within each wish."""
    plain = {row["excerpt"]: row for row in rows if row["wish"] == "none"}
    real = np.array([row["real"] for row in plain.values()])
    for wish in WISHES:
        found = [row for row in rows if row["wish"] == wish and row["excerpt"] in plain]
        if len(found) < 2:
            continue
        line = f"{wish}: {len(found)} excerpts"
        own, beside = (np.array([r[k] for r in found]) for k in ("embedding", "real"))
        width = bandwidth_of(real)
        kad = gap_kad(beside, own, bandwidth=width).value
        unsteered = gap_kad(beside, np.array([plain[r["excerpt"]]["embedding"] for r in found]), bandwidth=width).value
        line += f", gap-KAD {kad:.1f} (unsteered {unsteered:.1f})"
        seams = [(r["scores"].get("seam_z"), plain[r["excerpt"]]["scores"].get("seam_z")) for r in found]
        pairs = np.array([pair for pair in seams if None not in pair], np.float64)
        if len(pairs):
            line += f", seam z {pairs[:, 0].mean():.2f} (unsteered {pairs[:, 1].mean():.2f})"
        if wish == "tag":
            asked = [(r["tags"][TAGS[r["number"] % len(TAGS)]], plain[r["excerpt"]], r["number"]) for r in found]
            before = np.array([p["tags"][TAGS[n % len(TAGS)]] for _, p, n in asked])
            after = np.array([value for value, _, _ in asked])
            line += f", p(tag) by MTT {before.mean():.4f} to {after.mean():.4f}"
            line += f", up in {int((after > before).sum())} of {len(found)}"
            line += f", median factor {np.median(after / before):.2f}"
        followed = [r["followed"] for r in found if r["followed"] is not None]
        if followed:
            line += f", Pearson mean {np.mean(followed):.2f}, least {np.min(followed):.2f}"
            line += f", 0.8 or more in {sum(r >= 0.8 for r in followed)} of {len(followed)}"
        yield line


def main(
    music: Path,
    out: Path,
    excerpts: Annotated[int, typer.Option(help="How many, spread over the manifest.")] = 12,
    steps: Annotated[int | None, typer.Option(help="Of guided renders.", show_default="segue's own")] = None,
    bundle: Annotated[str | None, typer.Option(help="The bundle.", show_default="the embedded one")] = None,
) -> None:
    """Measure what styles do; rows already in OUT are kept."""
    torch.set_num_threads(1)
    manifest = load()
    tools = MakeTools(bundle, Bundle.open(bundle).digest, manifest, music)()
    rows: list[Row] = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    done = {(row["excerpt"], row["wish"]) for row in rows}
    chosen = [manifest.excerpts[i * len(manifest.excerpts) // excerpts] for i in range(excerpts)]
    for number, excerpt in enumerate(chosen):
        for wish in WISHES:
            if (excerpt.name, wish) in done:
                continue
            rows.append(measure(tools, excerpt, number, wish, steps))
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    for line in summary(rows):
        print(line)


if __name__ == "__main__":
    typer.run(main)

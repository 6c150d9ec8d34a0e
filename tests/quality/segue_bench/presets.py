"""How far apart presets are: ``python -m segue_bench.presets MUSIC OUT.jsonl --excerpts 3``.

The same gaps are restyled by every preset with two seeds. Two presets are compared with the same seed, a preset with
itself under the other one; what two presets differ by counts against what two seeds differ by. Rows are added as they
come; the table is made from all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from jaxtyping import Float

from segue.guidance.embedders.musicnn import Musicnn
from segue.guidance.freedom import Freedom
from segue.guidance.operators.loudness import Loudness
from segue.prior.bundle import Bundle
from segue.recall.song import Song
from segue.render.settings import RenderSettings
from segue.style.preset import embedded_presets
from segue.style.resolve import freedom_for, resolve
from segue.style.style import Style
from segue.tasks.plan import Plan, Stereo
from segue.tasks.regenerate import PAPER_K
from segue.tasks.restyle import Restyle
from segue_bench.cases import Setting
from segue_bench.contract import RATE, Case
from segue_bench.listener import ear_window
from segue_bench.manifest import load
from segue_bench.scores.onsets import onset_strength
from segue_bench.style_measures import at_reference
from segue_bench.styles import read
from segue_bench.tools import BenchTools, MakeTools
from segue_export.train.measures import mel_db

SECONDS = 2.0
"""Of a restyled gap."""

MEASURES = ("spectrum", "loudness", "onsets", "ear")
"""Mean difference in dB of the mean log-mel, brought to one level; LU; octaves of onset strength; and the distance of
the scoring ear's embeddings."""

ORIGINAL = "the original"

Row = dict[str, Any]
Heard = Mapping[str, Float[np.ndarray, " _values"]]


def heard(audio: Stereo, embedding: Float[np.ndarray, " features"]) -> dict[str, list[float]]:
    """What the :data:`MEASURES` compare of one take."""
    spectrum = mel_db(audio, bands=40).mean((0, 2))
    lufs = Loudness(float(RATE), n_fft=1 << 16, hop=1 << 15)(torch.from_numpy(audio[None].copy()))[0]
    return {
        "spectrum": (spectrum - spectrum.mean()).tolist(),
        "loudness": [float(lufs.mean())],
        "onsets": [float(np.log2(onset_strength(at_reference(audio)).mean() + 1e-3))],
        "ear": embedding.tolist(),
    }


def apart(one: Heard, other: Heard) -> dict[str, float]:
    """The distance of two takes in each measure."""
    found = {name: np.asarray(one[name], np.float64) - np.asarray(other[name], np.float64) for name in MEASURES}
    return {n: float(np.linalg.norm(d) if n == "ear" else np.abs(d).mean()) for n, d in found.items()}


def embedding(case: Case, take: Stereo, ear: Musicnn) -> Float[np.ndarray, " features"]:
    """What the scoring ear makes of a take in its place."""
    window = ear_window(case.gap, case.original.shape[1])
    audio = case.original.copy()
    audio[:, case.gap.start : case.gap.stop] = take
    with torch.no_grad():
        listened = ear.listen(torch.from_numpy(audio[None, :, window.start : window.stop].copy()))
    return np.asarray(listened.embedding[0].numpy(), np.float32)


def measure(tools: BenchTools, case: Case, song: Song, name: str, steps: int | None) -> Row:
    """One gap restyled by one preset: its takes, by seed; or as it was."""
    if name == ORIGINAL:
        takes = [case.truth.copy()]
    else:
        style = Style.of(name)
        asked = resolve(style, RenderSettings(steps=steps), reads_text=False)
        rendered = tools.renderer.render(_plan(case, style), asked.settings, style=asked, song=song)
        ranked = rendered.regions[0].takes
        takes = [take.audio for take in sorted(ranked, key=lambda take: str(take.seed))]
    found = [heard(take, embedding(case, take, tools.ear)) for take in takes]
    return {"excerpt": case.excerpt.name, "preset": name, "steps": steps, "takes": found}


def _plan(case: Case, style: Style) -> Plan:
    return Restyle((case.gap,), Freedom(freedom_for(style, None, PAPER_K))).plan([case.original])


def between(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, float]]:
    """The distances of each two presets, and of each with itself under another seed: means over the excerpts."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for place in dict.fromkeys(row["excerpt"] for row in rows):
        here = sorted((row for row in rows if row["excerpt"] == place), key=lambda row: str(row["preset"]))
        for a, b in combinations(here, 2):
            found.setdefault((a["preset"], b["preset"]), []).append(apart(a["takes"][0], b["takes"][0]))
        for row in here:
            if len(row["takes"]) > 1:
                found.setdefault((row["preset"],) * 2, []).append(apart(*row["takes"][:2]))
    return {pair: {m: float(np.mean([d[m] for d in apart_])) for m in MEASURES} for pair, apart_ in found.items()}


def table(rows: Sequence[Row]) -> str:
    """Of each preset: how far it is from the original, from itself under another seed, and from the nearest other.

    The nearest is the one whose clearest measure, in multiples of what two seeds differ by on average, is least.
    """
    distances = between(rows)
    names = [name for name in dict.fromkeys(row["preset"] for row in rows) if name != ORIGINAL]
    seeds = [distances[name, name] for name in names if (name, name) in distances]
    usual = {m: float(np.mean([one[m] for one in seeds])) for m in MEASURES}
    head = " | ".join(("preset", *(f"{m}: original, seeds" for m in MEASURES), "nearest", "apart, times two seeds'"))
    lines = [f"| {head} |", "|---" * (len(MEASURES) + 3) + "|"]
    for name in sorted(names):
        own, far = distances.get((name, name)), distances[_pair(name, ORIGINAL)]
        others = {other: distances[_pair(name, other)] for other in names if other != name}
        clearest = {other: max((d[m] / usual[m], m) for m in MEASURES) for other, d in others.items()}
        nearest = min(clearest, key=lambda other: clearest[other])
        times, by = clearest[nearest]
        cells = (f"{far[m]:.2f}, {own[m]:.2f}" if own else f"{far[m]:.2f}" for m in MEASURES)
        lines.append(f"| {' | '.join((name, *cells, nearest))} | {times:.1f} in {by} |")
    return "\n".join(lines) + "\n"


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def main(
    music: Annotated[Path, typer.Argument(help="Where the music is (segue-bench music).")],
    out: Annotated[Path, typer.Argument(help="One line of JSON a rendering; goes on where it was stopped.")],
    excerpts: Annotated[int, typer.Option(help="How many, spread over the manifest.")] = 3,
    steps: Annotated[int | None, typer.Option(help="Of guided renders.", show_default="segue's own")] = None,
) -> None:
    """Measure how far apart presets are, and print the table."""
    torch.set_num_threads(1)
    manifest = load()
    tools = MakeTools(None, Bundle.open(None).digest, manifest, music)()
    rows = read(out) if out.exists() else []
    done = {(row["excerpt"], row["preset"]) for row in rows}
    names = sorted(path.stem for path in embedded_presets().glob("*.toml"))
    with out.open("a", encoding="utf-8") as file:
        for i in range(excerpts):
            case = tools.case(manifest.excerpts[i * len(manifest.excerpts) // excerpts], Setting("infill", SECONDS))
            song = tools.renderer.song(_plan(case, Style()))
            for name in (ORIGINAL, *names):
                if (case.excerpt.name, name) in done:
                    continue
                rows.append(measure(tools, case, song, name, steps))
                file.write(json.dumps(rows[-1]) + "\n")
                file.flush()
    print(table(rows))


if __name__ == "__main__":
    typer.run(main)

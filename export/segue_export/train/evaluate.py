"""How good a prior sounds: gaps of 2 s in held-out tracks, filled by every method, measured against the real gap.

``python -m segue_export.train.evaluate MUSIC [--bundle FOLDER] [--gaps 32]`` prints one row a method: mel
distance, seam excess, error in the high band, Frechet distance of mel statistics; the same for gaps the song recalls
badly (7 dB and over).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from segue.clip.span import Span
from segue.recall.splice import copy
from segue.render.candidates import Candidate
from segue.render.region import Take, join_candidate, render_region, surroundings_of
from segue.render.renderer import Renderer
from segue.render.settings import RenderSettings
from segue.render.sound import MARGIN
from segue.tasks.infill import Infill
from segue.tasks.plan import Stereo
from segue_export.train.corpus import music_files, read_track, split_of
from segue_export.train.measures import frechet, high_band_error, mel_distance, seam_flux, statistics_of

GAP_SECONDS = 2.0
HARD_DB = 7.0


@dataclass(frozen=True)
class Row:
    """One method on one gap."""

    mel: float
    seam: float
    high: float
    statistics: Float[np.ndarray, " n"]
    distance_db: float
    total: float


def held_out_gaps(music: Path, count: int, seed: int = 5) -> Iterator[tuple[str, Stereo, Span]]:
    """``count`` gaps spread evenly over the tracks of the test split, none in silence."""
    tracks = [path for path, package in music_files(music) if split_of(package, path.name) == "test"]
    length = int(GAP_SECONDS * 44100)
    for number, path in enumerate(tracks):
        audio = read_track(path)
        if audio is None:
            continue
        rng = np.random.default_rng(seed + number)
        wanted = count // len(tracks) + (number < count % len(tracks))
        while wanted:
            start = int(rng.integers(7 * 44100, audio.shape[1] - 9 * 44100))
            gap = Span(start, start + length)
            if float(np.sqrt(np.mean(audio[:, gap.start : gap.stop] ** 2))) > 0.01:
                wanted -= 1
                yield path.name, audio, gap


def measure(audio: Stereo, gap: Span, take: Stereo, distance_db: float, total: float) -> Row:
    """Compare a take (2, gap) with what stands in ``audio``."""
    real = audio[:, gap.start : gap.stop]
    around = Span(gap.start - 2 * 44100, gap.stop + 2 * 44100)
    before = audio[:, around.start : around.stop]
    after = before.copy()
    seams = gap.start - around.start, gap.stop - around.start
    after[:, seams[0] : seams[1]] = take
    return Row(
        mel_distance(take, real),
        seam_flux(after, *seams) - seam_flux(before, *seams),
        high_band_error(take, real),
        statistics_of(take),
        distance_db,
        total,
    )


def fill_all(renderer: Renderer, audio: Stereo, gap: Span, settings: RenderSettings) -> dict[str, Row]:
    """Every method on one gap; samples of several seeds under their own names, and "ranked", what a user gets."""
    plan = Infill((gap,)).plan([audio])
    studio = renderer.studio(plan, settings)
    pair = studio.song.donors(gap)
    distance = pair.distance_db if pair is not None else float("nan")
    rendered = render_region(studio, plan.regions[0], renderer.seeds(settings))
    rows: dict[str, Row] = {}

    def add(name: str, take: Take) -> None:
        rows[name] = measure(audio, gap, take.audio, distance, take.scores.total)

    if pair is not None:
        single = Candidate("copy", copy(studio.song, pair, gap, MARGIN), "")
        add("copy", join_candidate(studio, gap, single, surroundings_of(studio.song, gap)))
    for take in rendered.takes:
        add(take.method if take.seed in (None, settings.seed) else f"{take.method} {take.seed}", take)
    add("ranked", rendered.takes[0])
    oracle = min((take for take in rendered.takes), key=lambda t: mel_distance(t.audio, audio[:, gap.start : gap.stop]))
    add("oracle", oracle)
    real = audio[:, gap.start : gap.stop]
    rows["truth"] = measure(audio, gap, real, distance, 0.0)
    return rows


def table(rows: dict[str, list[Row]]) -> str:
    """One line a method."""
    truth = np.stack([r.statistics for r in rows["truth"]])
    lines = [f"{'method':22} {'n':>3} {'mel dB':>7} {'seam dB':>8} {'high dB':>8} {'Frechet':>8} | hard: mel, seam, n"]
    for name, measured in rows.items():
        if len(measured) < len(rows["truth"]) // 2:
            continue
        hard = [r for r in measured if r.distance_db >= HARD_DB]
        distance = frechet(np.stack([r.statistics for r in measured]), truth)
        lines.append(
            f"{name:22} {len(measured):3} {np.mean([r.mel for r in measured]):7.2f} "
            f"{np.mean([r.seam for r in measured]):8.2f} {np.mean([r.high for r in measured]):8.2f} {distance:8.2f} | "
            + (
                f"{np.mean([r.mel for r in hard]):.2f}, {np.mean([r.seam for r in hard]):.2f}, {len(hard)}"
                if hard
                else "-"
            )
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--gaps", type=int, default=32)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--sampler")
    a = parser.parse_args()
    renderer = Renderer(a.bundle)
    settings = RenderSettings(steps=a.steps, sampler=a.sampler)
    rows: dict[str, list[Row]] = {}
    for name, audio, gap in held_out_gaps(a.music, a.gaps):
        filled = fill_all(renderer, audio, gap, settings)
        for method, row in filled.items():
            rows.setdefault(method, []).append(row)
        best = {k: round(v.mel, 2) for k, v in filled.items() if k in ("copy", "splice", "mean", "generated", "ranked")}
        print(f"{name} {gap.start / 44100:.1f} s: {best}", flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()

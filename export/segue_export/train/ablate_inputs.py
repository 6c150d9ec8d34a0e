"""What the network's inputs hold, by themselves: the held-out error of the best linear mixture of the donors.

``python -m segue_export.train.ablate_inputs CORPUS``: least squares over gaps of training tracks, a weight for each
band and donor that may change along the gap; then the squared error in the gaps of :class:`ablate_score.Held`. No
training, so that it takes minutes, and its noise is that of the examples alone. What a network makes of more than one
band or frame at once it does not tell.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from segue_export.train import corpus
from segue_export.train.ablate import Data
from segue_export.train.ablate_score import Held, plain, to_frames
from segue_export.train.batches import BatchSettings, Drawing, Examples
from segue_export.train.settings import PriorSettings

INPUTS = {
    "two donors": BatchSettings(),
    "four donors": BatchSettings(places=4),
    "two donors, harmonic parts": BatchSettings(harmonic=True),
    "two donors, consensus": BatchSettings(consensus=True),
    "four donors, consensus": BatchSettings(places=4, consensus=True),
    "two donors, harmonic parts, consensus": BatchSettings(harmonic=True, consensus=True),
}
_SEED = 7
_RIDGE = 1e-3
_AT_ONCE = 16


@dataclass(frozen=True)
class Cells:
    """The frames of one gap: what is known of each band, and what stands there."""

    known: Float[np.ndarray, "frames bands features"]
    real: Float[np.ndarray, "frames bands"]


def cells_of(examples: Examples, drawings: Sequence[Drawing]) -> Iterator[Cells]:
    """Of each drawing's gap: every donor, the same times the moment in the gap (-1 to 1), its presence, and 1."""
    bands, per, shown = examples.mel.bands, examples.mel.frames_per_token, examples.settings.shown
    for first in range(0, len(drawings), _AT_ONCE):
        b = examples.collate(drawings[first : first + _AT_ONCE])
        real = to_frames(b.x_0, bands).numpy()
        donors = np.stack([to_frames(d, bands).numpy() for d in b.donors.chunk(shown, 1)], -1)
        there = b.presence.repeat_interleave(per, 2).numpy().transpose(0, 2, 1)
        gap = b.mask[:, 0].repeat_interleave(per, 1).numpy() == 0.0
        for i, inside in enumerate(gap):
            count = int(inside.sum())
            moment = np.linspace(-1.0, 1.0, count, dtype=np.float32)[:, None, None]
            present = np.broadcast_to(there[i, inside][:, None], (count, bands, shown))
            mine = donors[i, inside]
            one = np.ones((count, bands, 1), np.float32)
            yield Cells(np.concatenate([mine, mine * moment, present, one], 2), real[i, inside])


def fit(lessons: Iterator[Cells]) -> Float[np.ndarray, "bands features"]:
    """Weights of least squares for each band."""
    squares: Float[np.ndarray, "bands features features"] | None = None
    products = np.zeros(0)
    for cells in lessons:
        square = np.einsum("fbk,fbl->bkl", cells.known, cells.known, optimize=True).astype(np.float64)
        product = np.einsum("fbk,fb->bk", cells.known, cells.real, optimize=True).astype(np.float64)
        squares, products = (square, product) if squares is None else (squares + square, products + product)
    assert squares is not None, "gaps to learn from"
    scale = _RIDGE * np.trace(squares, axis1=1, axis2=2)[:, None, None] / squares.shape[1]
    weights: Float[np.ndarray, "bands features"] = np.linalg.solve(
        squares + scale * np.eye(squares.shape[1]), products[..., None]
    )[..., 0]
    return weights


def errors(weights: Float[np.ndarray, "bands features"], held: Iterator[Cells]) -> Float[np.ndarray, " examples"]:
    """Mean squared error of each gap."""
    return np.array([np.square((c.known * weights).sum(2) - c.real).mean() for c in held])


def compare(data: Data, lessons: int, count: int) -> dict[str, Float[np.ndarray, " examples"]]:
    """The held-out errors of each of :data:`INPUTS`, from so many gaps of training tracks."""
    base = PriorSettings()
    rng = np.random.default_rng(_SEED)
    teacher = data.examples(base, "train")
    taught = [plain(teacher.draw(rng, no_donors=0.0)) for _ in range(lessons)]
    held = Held.draw(data.examples(base, "validation"), count)
    found = {}
    for name, batches in INPUTS.items():
        settings = replace(
            base,
            batches=batches,
            network=replace(base.network, donors=batches.donors, consensus=batches.consensus),
        )
        weights = fit(cells_of(data.examples(settings, "train"), taught))
        found[name] = errors(weights, cells_of(data.examples(settings, "validation"), held.drawings))
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--lessons", type=int, default=1500, help="gaps of training tracks")
    parser.add_argument("--held", type=int, default=512, help="gaps of validation tracks")
    a = parser.parse_args()
    found = compare(Data(a.corpus, corpus.load(a.corpus)), a.lessons, a.held)
    two = next(iter(found.values()))
    print("| inputs | error | against two donors, % |\n|---|---|---|")
    for name, own in found.items():
        apart = 100.0 * (own - two) / two.mean()
        print(f"| {name} | {own.mean():.4f} | {apart.mean():+.1f} ± {apart.std(ddof=1) / np.sqrt(len(own)):.1f} |")


if __name__ == "__main__":
    main()

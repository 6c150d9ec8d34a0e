"""Fits what recall foretells (:mod:`segue.recall.foretold`) on training tracks, and measures the choice on validation.

``python -m segue_export.train.fit_recall MUSIC [--tracks 80] [--gaps 16] [--out FILE]``: non-negative least squares
from the differences beside a place to those in the gap, over gaps of 0.4 to 6 s; then, on tracks of the validation
split, the mean difference (dB, coarse mel) between a gap and what is chosen for it.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from safetensors.numpy import save_file
from scipy.optimize import nnls

from segue.clip.span import Span
from segue.recall.choose import choose
from segue.recall.donors import DonorSearch, donor_search
from segue.recall.features import HOP, RATE, song_features
from segue.recall.foretold import PARTS, foretell
from segue_export.train.corpus import music_files, read_track, splits_of

_LONGEST = 240 * RATE  # samples of a track that are looked at
_QUIET_DB = -15.0  # mean of the loudest band: gaps below hold next to nothing


@dataclass(frozen=True)
class Lesson:
    """A gap whose music is known: the search for its donors, and how far (dB) each place is from it, frame by frame."""

    search: DonorSearch
    apart: Float[np.ndarray, "places length"]

    @property
    def parts(self) -> Float[np.ndarray, "places parts"]:
        """``apart`` by eighths of the gap."""
        return np.stack([part.mean(1) for part in np.array_split(self.apart, PARTS, axis=1)], 1)


def tracks_of(music: Path, split: str, count: int, seed: int = 3) -> Iterator[Float[np.ndarray, "frames bands"]]:
    """The coarse mel of up to ``count`` tracks of a split, in random order; copies of withheld files are withheld."""
    found = list(music_files(music))
    splits = splits_of(found)
    files = [path for path, _ in found if splits[path] == split]
    random.Random(seed).shuffle(files)
    for path in files:
        if path.stem.endswith("_fast"):
            continue  # another tempo of a track that is there
        audio = read_track(path)
        if audio is None or audio.shape[1] < 60 * RATE:
            continue
        yield song_features(audio[:, :_LONGEST])
        count -= 1
        if not count:
            return


def lessons(features: Float[np.ndarray, "frames bands"], count: int, seed: int, seconds: float | None) -> list[Lesson]:
    """Random gaps of a track; of 0.4 to 6 s where ``seconds`` is None."""
    rng = np.random.default_rng(seed)
    frames, found = len(features), []
    for _ in range(count * 4):
        length = int((rng.uniform(0.4, 6.0) if seconds is None else seconds) * RATE / HOP)
        start = int(rng.integers(5 * RATE // HOP, frames - length - 5 * RATE // HOP))
        real = features[start : start + length]
        if real.max(1).mean() < _QUIET_DB:
            continue
        gap = Span(start * HOP, (start + length) * HOP)
        search = donor_search(features, (frames - 1) * HOP, gap, [gap])
        if search is None or len(search.places) < 8:
            continue
        heard = features[search.places[:, None] + np.arange(length)]
        found.append(Lesson(search, np.abs(heard - real).mean(2)))
        if len(found) == count:
            break
    return found


def fit(taught: list[Lesson]) -> dict[str, Float[np.ndarray, "rows parts"]]:
    """Weights for both contexts and for each alone."""
    wanted = np.concatenate([lesson.parts for lesson in taught])
    left, right = (np.concatenate([_cells(lesson, side) for lesson in taught]) for side in (0, 1))
    ones = np.ones((len(wanted), 1))
    weights = {}
    for name, cells in (("both", [left, right]), ("left", [left]), ("right", [right])):
        known = np.concatenate([*cells, ones], 1)
        weights[name] = np.stack([nnls(known, part)[0] for part in wanted.T], 1).astype(np.float32)
    return weights


def _cells(lesson: Lesson, side: int) -> Float[np.ndarray, "places cells"]:
    cells = lesson.search.cells[side]
    assert cells is not None, "lessons have both contexts"
    return cells


def difference(lesson: Lesson, left: int, right: int, switch: int) -> float:
    """Mean difference (dB) of the left place up to ``switch``, then the right one."""
    at = {int(place): row for place, row in zip(lesson.search.places, lesson.apart, strict=True)}
    return float(np.concatenate([at[left][:switch], at[right][switch:]]).mean())


def measure(lesson: Lesson, weights: dict[str, Float[np.ndarray, "rows parts"]]) -> Float[np.ndarray, " methods"]:
    """Differences (dB) of :data:`METHODS`."""
    search = lesson.search
    chosen = choose(search.features, search.places, foretell(*search.cells, lesson.apart.shape[1], weights))
    nearest = int(search.places[0])
    return np.array(
        [
            difference(lesson, nearest, nearest, 0),
            difference(lesson, chosen.copy, chosen.copy, 0),
            difference(lesson, chosen.left, chosen.right, chosen.switch),
            float(lesson.apart.mean(1).min()),
        ]
    )


METHODS = ("nearest contexts", "copy", "pair", "best place")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("music", type=Path)
    parser.add_argument("--tracks", type=int, default=80)
    parser.add_argument("--gaps", type=int, default=16)
    parser.add_argument("--out", type=Path, help="where the weights go; without it they are only measured")
    a = parser.parse_args()
    taught: list[Lesson] = []
    for number, features in enumerate(tracks_of(a.music, "train", a.tracks)):
        taught += lessons(features, a.gaps, number, None)
    weights = fit(taught)
    if a.out is not None:
        save_file(weights, a.out, metadata={"gaps": str(len(taught)), "tracks": str(a.tracks)})
    held: list[Lesson] = []
    for number, features in enumerate(tracks_of(a.music, "validation", 100)):
        held += lessons(features, 8, number, 2.0)
    measured = np.stack([measure(lesson, weights) for lesson in held])
    hard = measured[:, 0] >= np.quantile(measured[:, 0], 2 / 3)
    print(f"{len(taught)} gaps taught, {len(held)} of 2 s held out; dB, all and the third with the worst nearest copy")
    for name, all_of, of_hard in zip(METHODS, measured.mean(0), measured[hard].mean(0), strict=True):
        print(f"{name:18} {all_of:6.3f} {of_hard:6.3f}")


if __name__ == "__main__":
    main()

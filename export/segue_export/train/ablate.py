"""Ablations of the embedded prior: variants trained from scratch for an equal time of the processor.

``python -m segue_export.train.ablate CORPUS OUT --cpu-minutes 5 [--only NAME ...] [--width 320 --layers 8]``. One JSON
a variant goes into OUT, and after each ``ablations.csv`` and ``table.md`` of all that are there; what is there is not
trained again. The variant ``hop-256`` needs a corpus made with ``--hop 512 --hop 256``.

Time is the processor's, not the wall's. A processor shared with others takes up to half as long again for the same
step, so that a variant is timed step by step in turns with the base; the ratio, not the hour, sets its number of steps.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import torch
from jaxtyping import Float

from segue.errors import InvalidRequest
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import corpus
from segue_export.train.ablate_score import COUNT, Held, errors_of
from segue_export.train.ablate_table import Row, write_tables
from segue_export.train.ablate_variants import Variant, chosen, variants_of
from segue_export.train.batches import Examples
from segue_export.train.course import Trainer, averaged
from segue_export.train.settings import PriorSettings

TURNS = 3
"""Steps of each variant that are timed, each beside one of the base."""


@dataclass(frozen=True)
class Data:
    """A corpus, opened; the same statistics for every variant."""

    folder: Path
    tracks: list[corpus.Track]

    @cached_property
    def statistics(self) -> tuple[Float[np.ndarray, " bands"], Float[np.ndarray, " bands"]]:
        """Mean and standard deviation of each band."""
        return corpus.statistics(self.tracks, self.folder)

    def examples(self, settings: PriorSettings, split: str) -> Examples:
        """The examples of one split as a variant sees them."""
        tracks = [t for t in self.tracks if t.split == split]
        return Examples(tracks, self.folder, *self.statistics, settings.batches, settings.mel)


@dataclass(frozen=True)
class Course:
    """A variant in training."""

    trainer: Trainer
    examples: Examples
    rng: np.random.Generator

    @classmethod
    def begin(cls, variant: Variant, examples: Examples) -> Course:
        """From scratch, from the variant's seed."""
        torch.manual_seed(variant.seed)
        trainer = Trainer(MelTransformer(variant.settings.network), variant.settings.training)
        return cls(trainer, examples, np.random.default_rng(variant.seed + 3))

    def step(self, share: float) -> float:
        """One step; the processor's seconds it took, the drawing of the batch among them."""
        began = time.process_time()
        self.trainer.step(self.examples.batch(self.rng), share)
        return time.process_time() - began


def cost(base_variant: Variant, variant: Variant, data: Data) -> tuple[float, float]:
    """Seconds of a step of the base, and how many times as long one of the variant takes, measured in turns."""
    base, other = (Course.begin(v, data.examples(v.settings, "train")) for v in (base_variant, variant))
    turns = [(base.step(0.0), other.step(0.0)) for _ in range(TURNS + 1)][1:]
    return median(b for b, _ in turns), median(o / b for b, o in turns)


def run(variant: Variant, data: Data, held: Held, steps: int, step_seconds: float) -> Row:
    """Train a variant for so many steps; its row."""
    course = Course.begin(variant, data.examples(variant.settings, "train"))
    spent = sum(course.step(step / steps) for step in range(steps))
    s = variant.settings
    heard = steps * s.batches.batch * s.batches.tokens * s.mel.token / s.mel.rate / 3600
    parameters = sum(p.numel() for p in course.trainer.net.parameters())
    errors = errors_of(averaged(course.trainer), data.examples(s, "validation"), held)
    return Row(variant.name, variant.about, parameters, steps, heard, step_seconds, spent, errors)


def _base_seconds(out: Path, base: Variant, data: Data, seconds: float) -> float:
    """Seconds of a step of the base, measured when ``out`` was begun."""
    begun = out / "base.json"
    if not begun.exists():
        out.mkdir(parents=True, exist_ok=True)
        begun.write_text(json.dumps({"seconds": seconds, "step_seconds": cost(base, base, data)[0]}))
    known = json.loads(begun.read_text())
    if known["seconds"] != seconds:
        raise InvalidRequest(f"{out} was begun with {known['seconds'] / 60:g} minutes each, not {seconds / 60:g}")
    return float(known["step_seconds"])


def ablate(data: Data, out: Path, seconds: float, variants: list[Variant], gaps: int = COUNT) -> None:
    """Train what is not in ``out`` yet, for ``seconds`` of the processor each, and tabulate all.

    The first of ``variants`` is the base: the others are timed beside it, and scored on its frames of so many held-out
    ``gaps``.

    Raises:
        InvalidRequest: the corpus lacks what a variant needs, or ``out`` was begun with another time.
    """
    for variant in variants:  # before any is trained
        data.examples(variant.settings, "train")
    base = variants[0]
    base_seconds = _base_seconds(out, base, data, seconds)
    held = Held.draw(data.examples(base.settings, "validation"), gaps)
    for variant in variants:
        path = out / "rows" / f"{variant.name}.json"
        if path.exists():
            continue
        ratio = 1.0 if variant.settings == base.settings else cost(base, variant, data)[1]
        row = run(variant, data, held, max(2, round(seconds / (base_seconds * ratio))), base_seconds * ratio)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(row)))
        write_tables(out)
        print(f"{row.name}: {row.steps} steps, {row.spent:.0f} s, {[round(e, 4) for e in row.means]}", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cpu-minutes", type=float, default=5.0)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--width", type=int, default=MelTransformerSettings.width, help="of the base")
    parser.add_argument("--layers", type=int, default=MelTransformerSettings.layers, help="of the base")
    a = parser.parse_args()
    torch.set_num_threads(1)
    variants = variants_of(MelTransformerSettings(width=a.width, layers=a.layers))
    ablate(Data(a.corpus, corpus.load(a.corpus)), a.out, a.cpu_minutes * 60, chosen(variants, a.only))


if __name__ == "__main__":
    main()

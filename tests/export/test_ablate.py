"""Variants are compared on the same frames of the same gaps, for an equal time of the processor."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from segue.errors import InvalidRequest
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import corpus
from segue_export.train.ablate import Data, ablate
from segue_export.train.ablate_inputs import INPUTS, Cells, compare, errors, fit
from segue_export.train.ablate_score import Held, errors_of
from segue_export.train.ablate_table import Row, against
from segue_export.train.ablate_variants import Variant, chosen, variants_of
from segue_export.train.batches import BatchSettings
from segue_export.train.settings import PriorSettings
from tests.songs import loop_song

SMALL = MelTransformerSettings(width=32, layers=1, head=16, time_width=16)
TINY = PriorSettings(network=SMALL, batches=BatchSettings(batch=2))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """A song to train on, and the same backwards, held out."""
    root = tmp_path_factory.mktemp("ablation")
    (root / "music" / "pack").mkdir(parents=True)
    song = loop_song(44100, 42.0)
    for split, audio in (("train", song), ("validation", song[:, ::-1])):
        name = next(f"{i}.wav" for i in range(1000) if corpus.split_of("pack", f"{i}.wav") == split)
        soundfile.write(root / "music" / "pack" / name, audio.T, 44100)
    wanted = corpus.Preparation((512, 256))
    return Data(root / "corpus", corpus.build(root / "music", root / "corpus", processes=1, wanted=wanted))


def test_an_untrained_network_has_the_same_error_in_every_geometry(data: Data) -> None:
    held = Held.draw(data.examples(PriorSettings(), "validation"), count=6)
    found = {}
    for variant in variants_of(SMALL):
        net = MelTransformer(variant.settings.network).eval()
        errors = errors_of(net, data.examples(variant.settings, "validation"), held)
        found[variant.name] = torch.tensor(errors)
    assert float(found["base"].min()) > 0.0
    for name, errors in found.items():
        torch.testing.assert_close(errors, found["base"], rtol=5e-3, atol=1e-4, msg=name)  # features are float16


def test_variants_are_trained_for_the_same_time_and_a_second_call_trains_nothing(data: Data, tmp_path: Path) -> None:
    variants = [Variant("base", "tiny", TINY), Variant("batch-8", "", replace(TINY, batches=BatchSettings(batch=8)))]
    ablate(data, tmp_path, 0.5, variants, gaps=8)
    with (tmp_path / "ablations.csv").open(newline="") as f:
        rows = {row["variant"]: row for row in csv.DictReader(f)}
    assert set(rows) == {"base", "batch-8"}
    for row in rows.values():
        assert int(row["steps"]) * float(row["cpu_seconds_a_step"]) == pytest.approx(0.5, rel=0.5)
        assert 0.0 < float(row["error_t097"]) < 10.0
    assert int(rows["base"]["steps"]) > int(rows["batch-8"]["steps"])
    assert "| base | tiny |" in (tmp_path / "table.md").read_text()
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "rows").iterdir()}
    ablate(data, tmp_path, 0.5, variants, gaps=8)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "rows").iterdir()} == times
    with pytest.raises(InvalidRequest, match="was begun with"):
        ablate(data, tmp_path, 1.0, variants)


def test_an_unknown_variant_is_refused_and_the_base_always_runs() -> None:
    variants = variants_of()
    assert [v.name for v in chosen(variants, ["wider"])] == ["base", "wider"]
    assert chosen(variants, None) == list(variants)
    with pytest.raises(InvalidRequest, match="narrower"):
        chosen(variants, ["narrower"])


def test_each_variant_differs_from_the_base_in_settings_or_seed_and_the_shapes_are_those_named() -> None:
    base, *others = variants_of()
    assert all((v.settings, v.seed) != (base.settings, base.seed) for v in others)
    about = {v.name: v.about for v in others}
    assert [about[n] for n in ("wider", "deeper", "smaller")] == ["448 x 6", "256 x 12", "256 x 6"]


def test_a_variant_is_judged_against_the_mean_of_the_bases_example_by_example() -> None:
    def row(name: str, errors: np.ndarray) -> Row:
        return Row(name, "", 1, 1, 1.0, 1.0, 1.0, [list(errors)] * 4)

    hard = np.linspace(1.0, 3.0, 9)
    bases = [row("base", hard - 0.2), row("base-seed-1", hard + 0.2)]
    percent, spread = against(row("better", hard - 0.5), bases)
    assert percent == pytest.approx([-25.0] * 3)
    assert spread == pytest.approx(0.0, abs=1e-9)  # every example gained the same


def test_least_squares_find_the_mixture_that_a_gap_was_made_of() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(5, 4))

    def cells(frames: int) -> Cells:
        known = rng.normal(size=(frames, 5, 4))
        return Cells(known, (known * weights).sum(2))

    found = fit(iter([cells(300), cells(100)]))
    np.testing.assert_allclose(found, weights, atol=0.02)
    assert errors(found, iter([cells(50), cells(20)])).max() < 1e-2


def test_every_kind_of_input_tells_what_a_song_that_repeats_goes_on_with(data: Data) -> None:
    found = compare(data, lessons=16, count=6)
    assert found.keys() == INPUTS.keys()
    for name, error in found.items():
        assert error.shape == (6,)
        assert error.mean() < 0.2, name  # of a variance of 1

"""The training recipe, from files to a checkpoint, on music made here."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from segue.errors import InvalidRequest
from segue_export.models.mel_transformer import MelTransformer
from segue_export.train import corpus, curves
from segue_export.train.batches import Examples
from segue_export.train.train import TrainSettings, starting_weights, train
from tests.songs import loop_song

PERIOD = 4 * 44100  # samples after which the songs repeat


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of a training and a validation track."""
    root = tmp_path_factory.mktemp("music")
    wanted = {"train": 0, "validation": 1}
    for split, seed in wanted.items():
        name = next(f"{i}.wav" for i in range(1000) if corpus.split_of("pack", f"{i}.wav") == split)
        (root / "music" / "pack").mkdir(parents=True, exist_ok=True)
        soundfile.write(root / "music" / "pack" / name, loop_song(44100, 44.0, seed).T, 44100)
    corpus.build(root / "music", root / "corpus", processes=1)
    return root / "corpus"


def test_held_out_names_never_reach_the_training_split() -> None:
    for fragments in corpus.held_out().values():
        for fragment in fragments:
            package, _, name = fragment.rpartition(":")
            assert corpus.split_of(package or "any", f"x{name}y.ogg") in ("test", "demo")


def test_variants_of_a_track_fall_on_one_side() -> None:
    for i in range(60):
        assert corpus.split_of("p", f"song{i}.ogg") == corpus.split_of("p", f"Song{i}_fast.ogg")


def test_recall_finds_the_repeat_of_every_training_gap(folder: Path) -> None:
    tracks = {t.split: t for t in corpus.load(folder)}
    assert len(tracks["train"].gaps) > 10
    for gap in tracks["train"].gaps:
        for place in (gap.left, gap.right):
            offset = (place - gap.start) % PERIOD
            assert min(offset, PERIOD - offset) <= 2
        assert gap.distance_db < 2.0


def test_a_donor_never_shows_the_gap_itself(folder: Path) -> None:
    tracks = [t for t in corpus.load(folder) if t.split == "train"]
    bands = MelTransformer().settings.channels // 4
    mean, std = np.zeros(bands, np.float32), np.ones(bands, np.float32)
    examples = Examples(tracks, folder, mean, std)
    rng = np.random.default_rng(0)
    for _ in range(40):
        track, gap = examples.gaps[rng.integers(len(examples.gaps))]
        drawn = examples._with_donors(rng, track, gap)
        real = np.load(folder / f"{track.id}.npy")[gap.start // 512 : gap.stop // 512].astype(np.float32)
        for donor, there in zip(drawn.frames[1:], drawn.presence, strict=True):
            seen = donor[there > 0.5]
            shown = (np.abs(seen[:, None] - real[None, ::8]).max(-1) == 0.0).any()
            assert not shown  # the song's period is no whole number of frames: no other frame equals one of the gap


def test_a_batch_keeps_x_0_whole_and_masks_a_gap(folder: Path) -> None:
    tracks = [t for t in corpus.load(folder) if t.split == "train"]
    mean, std = corpus.statistics(tracks, folder)
    batch = Examples(tracks, folder, mean, std).batch(np.random.default_rng(1), no_donors=0.0)
    assert batch.x_0.shape == (16, 576, 96)
    assert batch.donors.shape == (16, 1152, 96)
    assert set(batch.mask.unique().tolist()) == {0.0, 1.0}
    assert bool(((1.0 - batch.mask).sum((1, 2)) >= 1).all())
    absent = 1.0 - batch.presence.repeat_interleave(576, dim=1)
    assert float((batch.donors * absent).abs().sum()) == 0.0
    assert float(batch.donors.abs().sum()) > 0.0


def test_a_run_leaves_a_checkpoint_that_training_resumes_from(folder: Path, tmp_path: Path) -> None:
    train(folder, tmp_path, TrainSettings(minutes=0.05, validate_every=1000, threads=2))
    rows = list(csv.reader((tmp_path / "curve.csv").read_text().splitlines()))
    assert int(rows[-1][0]) >= 1
    errors = [float(v) for v in rows[-1][4:8]]
    assert all(0.0 < e < 10.0 for e in errors)
    weights = starting_weights(tmp_path, tmp_path / "no bundle is needed")
    MelTransformer().load_state_dict(weights)
    assert all(bool(torch.isfinite(w).all()) for w in weights.values())


def test_copies_of_a_withheld_file_are_withheld_under_every_name(tmp_path: Path) -> None:
    names = {
        s: next(n for i in range(1000) if corpus.split_of("pack", n := f"{i}.wav") == s)
        for s in ("train", "validation")
    }
    other = next(n for i in range(1000, 2000) if corpus.split_of("pack", n := f"{i}.wav") == "train")
    for name, content in ((names["train"], b"one"), (names["validation"], b"one"), (other, b"two")):
        (tmp_path / name).write_bytes(content)
    splits = corpus.splits_of([(p, "pack") for p in sorted(tmp_path.iterdir())])
    assert splits[tmp_path / names["train"]] == splits[tmp_path / names["validation"]] == "validation"
    assert splits[tmp_path / other] == "train"


def test_curves_of_several_runs_are_laid_end_to_end(tmp_path: Path) -> None:
    for run, heard in (("a", (1.0, 2.0)), ("b", (0.5,))):
        (tmp_path / run).mkdir()
        lines = (f"250,60,{h},0.5,0.04,0.06,0.11,0.23\n" for h in heard)
        (tmp_path / run / "curve.csv").write_text("".join(lines))
    points = curves.joined([tmp_path / "a", tmp_path / "b"])
    assert [p.heard for p in points] == [1.0, 2.0, 2.5]
    curves.write_csv(points, tmp_path / "c.csv")
    curves.draw(points, tmp_path / "c.png")
    assert (tmp_path / "c.csv").read_text().splitlines()[-1] == "b,250,60,0.5,0.5,0.04,0.06,0.11,0.23"
    assert (tmp_path / "c.png").stat().st_size > 0


def test_a_run_without_a_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"curve\.csv"):
        curves.joined([tmp_path])

"""The training recipe, from files to a checkpoint, on music made here."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from segue.errors import InvalidRequest
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.prior.folders import embedded_folder
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train import corpus, curves
from segue_export.train.batches import Batch, BatchSettings, Examples
from segue_export.train.course import RunSettings, Trainer, TrainSettings, gap_error
from segue_export.train.harmonic import REACH, harmonic_part
from segue_export.train.settings import PriorSettings, read_settings, settings_of_run, write_settings
from segue_export.train.train import STATISTICS, starting_point, statistics_of, train
from segue_export.train.waveforms import decode
from tests.songs import loop_song

PERIOD = 4 * 44100  # samples after which the songs repeat
ONE_STEP = RunSettings(minutes=1e-9, threads=1)
BANDS = MelSettings().bands
SMALL = MelTransformerSettings(width=32, layers=1, head=16, time_width=16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of a training and a validation track, with all that variants need."""
    root = tmp_path_factory.mktemp("music")
    (root / "music" / "pack").mkdir(parents=True)
    song = loop_song(44100, 44.0)
    for split, audio in (("train", song), ("validation", song[:, ::-1])):
        name = next(f"{i}.wav" for i in range(1000) if corpus.split_of("pack", f"{i}.wav") == split)
        soundfile.write(root / "music" / "pack" / name, audio.T, 44100)
    corpus.build(root / "music", root / "corpus", processes=1, wanted=corpus.Preparation((512, 256)))
    return root / "corpus"


def examples_of(folder: Path, settings: BatchSettings | None = None, mel: MelSettings | None = None) -> Examples:
    """The training track's, not standardised."""
    tracks = [t for t in corpus.load(folder) if t.split == "train"]
    return Examples(tracks, folder, np.zeros(BANDS, np.float32), np.ones(BANDS, np.float32), settings, mel)


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
        for place in gap.donors(2):
            offset = (place - gap.start) % PERIOD
            assert min(offset, PERIOD - offset) <= 2
        assert gap.distance_db < 2.0


def test_further_donors_are_the_likeliest_places_apart_from_the_best_pair() -> None:
    gap = corpus.TrainingGap(0, 100, 1000, 2000, 1.0, places=[1049, 1951, 1050, 3000, 3049, 4000], parts=[])
    assert gap.donors(2) == [1000, 2000]
    assert gap.donors(4) == [1000, 2000, 1050, 3000]
    assert gap.donors(9) == [1000, 2000, 1050, 3000, 4000]


def test_a_gap_remembers_the_likely_places_in_the_order_of_what_is_foretold(folder: Path) -> None:
    for gap in (gap for track in corpus.load(folder) for gap in track.gaps):
        foretold = np.array(gap.parts)
        assert foretold.shape == (len(gap.places), 8)
        assert (np.diff(foretold.mean(1)) > -0.02).all()  # two decimals are kept


@pytest.mark.parametrize(
    "settings",
    [
        BatchSettings(),
        BatchSettings(places=4),
        BatchSettings(harmonic=True),
        BatchSettings(consensus=True, one_sided=1.0),
    ],
    ids=["two", "four", "harmonic", "continuation"],
)
def test_a_donor_never_shows_what_is_hidden(folder: Path, settings: BatchSettings) -> None:
    examples = examples_of(folder, settings)
    rng = np.random.default_rng(0)
    ((identity, frames),) = examples.frames.items()
    reached = 0
    for _ in range(12):
        gap = examples.gaps[rng.integers(len(examples.gaps))]
        drawn = examples._draw_with_donors(rng, *gap)
        shown = examples.collate([drawn])
        unheard = np.array(frames)
        assert drawn.hole is not None
        unheard[gap[1].start // 512 : max(gap[1].stop, drawn.first + drawn.hole[1]) // 512] = 1000.0
        examples.frames[identity] = unheard
        hidden = examples.collate([drawn])
        examples.frames[identity] = frames
        assert torch.equal(shown.donors, hidden.donors)
        reached += float(shown.donors.abs().sum()) > 0.0
    assert reached > 6


def test_a_continuation_is_shown_no_donor_that_was_found_by_what_follows(folder: Path) -> None:
    examples = examples_of(folder, BatchSettings(one_sided=1.0, drop_donor=0.0, reverse=0.0))
    track, gap = examples.gaps[0]
    drawn = examples._draw_with_donors(np.random.default_rng(3), track, gap)
    shown = examples.collate([drawn])
    elsewhere = examples.collate([replace(drawn, gap=replace(gap, right=gap.left + 44100))])
    assert torch.equal(shown.donors, elsewhere.donors)
    left, right = shown.donors.unflatten(1, (2, -1)).unbind(1)
    assert torch.equal(left, right), "as recall has it where it knows one context"
    assert float(left.abs().sum()) > 0.0


def test_the_same_drawing_shows_the_same_frames_at_any_hop_and_token(folder: Path) -> None:
    def read(settings: BatchSettings, mel: MelSettings) -> tuple[torch.Tensor, torch.Tensor]:
        b = examples_of(folder, settings, mel).collate([drawn])
        stride = 512 // mel.hop
        frames = torch.cat([b.x_0[:, None], b.donors.unflatten(1, (2, -1))], 1).transpose(2, 3)
        frames = frames.reshape(3, -1, mel.bands)[:, ::stride]
        return frames, b.mask[0, 0].repeat_interleave(mel.frames_per_token // stride)

    drawn = examples_of(folder)._draw_with_donors(np.random.default_rng(2), *examples_of(folder).gaps[0])
    frames, mask = read(BatchSettings(), MelSettings())
    shorter, mask_2 = read(BatchSettings(tokens=192), MelSettings(frames_per_token=2))
    finer, mask_3 = read(BatchSettings(tokens=96), MelSettings(hop=256, frames_per_token=8))
    assert torch.equal(frames[0], shorter[0])
    assert torch.allclose(frames[0], finer[0], atol=2e-3)  # float16
    assert torch.equal(mask, mask_2)
    assert torch.equal(mask, mask_3)


def test_a_corpus_without_what_is_asked_for_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="--hop 128"):
        examples_of(folder, mel=MelSettings(hop=128))
    tracks = [replace(t, gaps=[replace(g, places=[], parts=[]) for g in t.gaps]) for t in corpus.load(folder)]
    for settings in (BatchSettings(places=4), BatchSettings(consensus=True)):
        with pytest.raises(InvalidRequest, match="likely places"):
            Examples(tracks, folder, np.zeros(BANDS), np.ones(BANDS), settings)


def test_the_harmonic_part_keeps_tones_and_loses_attacks() -> None:
    frames = np.zeros((64, 3), np.float32)
    frames[:, 0] = 1.0
    frames[30, 1] = 5.0
    frames[20:40, 2] = 2.0
    part = harmonic_part(frames)
    assert (part[:, 0] == 1.0).all()
    assert (part[:, 1] == 0.0).all()
    assert (part[20:40, 2] == 2.0).all()
    assert (part[: 20 - REACH, 2] == 0.0).all()


def test_a_batch_keeps_x_0_whole_and_masks_a_gap(folder: Path) -> None:
    batch = examples_of(folder).batch(np.random.default_rng(1), no_donors=0.0)
    assert batch.x_0.shape == (16, 576, 96)
    assert batch.donors.shape == (16, 1152, 96)
    assert set(batch.mask.unique().tolist()) == {0.0, 1.0}
    assert bool(((1.0 - batch.mask).sum((1, 2)) >= 1).all())
    absent = 1.0 - batch.presence.repeat_interleave(576, dim=1)
    assert float((batch.donors * absent).abs().sum()) == 0.0
    assert float(batch.donors.abs().sum()) > 0.0


def test_a_run_leaves_a_checkpoint_and_the_settings_that_it_goes_on_with(folder: Path, tmp_path: Path) -> None:
    settings = PriorSettings(network=SMALL, batches=BatchSettings(batch=2), training=TrainSettings(quiet=0.25))
    train(folder, tmp_path, RunSettings(0.01, validate_every=1000, threads=1), settings)
    rows = list(csv.reader((tmp_path / "curve.csv").read_text().splitlines()))
    assert int(rows[-1][0]) >= 1
    errors = [float(v) for v in rows[-1][4:8]]
    assert all(0.0 < e < 10.0 for e in errors)
    assert settings_of_run(tmp_path) == settings
    weights = starting_point(tmp_path, tmp_path / "no bundle is needed").average
    MelTransformer(SMALL).load_state_dict(weights)
    assert all(bool(torch.isfinite(w).all()) for w in weights.values())


def test_a_run_goes_on_under_the_statistics_of_its_weights(folder: Path, tmp_path: Path) -> None:
    bundle = embedded_folder()
    shipped = Bundle.open(bundle).codec()
    assert isinstance(shipped, MelCodec)
    tmp_path.joinpath("new").mkdir()
    np.savez(tmp_path / "new" / STATISTICS, mean=np.ones(BANDS), std=np.ones(BANDS))  # of no weights: none were left
    np.testing.assert_array_equal(statistics_of(tmp_path / "new", bundle), torch.stack([shipped.mean, shipped.std]))
    settings = PriorSettings(network=SMALL, batches=BatchSettings(batch=2))
    run = tmp_path / "run"
    train(folder, run, ONE_STEP, settings)
    began = dict(np.load(run / STATISTICS))
    np.savez(run / STATISTICS, mean=began["mean"], std=2.0 * began["std"])
    train(folder, run, ONE_STEP, settings, bundle)
    np.testing.assert_array_equal(np.load(run / STATISTICS)["std"], 2.0 * began["std"])
    first, second = list(csv.reader((run / "curve.csv").read_text().splitlines()))
    assert float(second[-1]) == pytest.approx(float(first[-1]) / 4.0, rel=0.02, abs=1e-4)  # the left donor's


def test_a_bundle_is_found_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = statistics_of(tmp_path, embedded_folder())
    monkeypatch.chdir(embedded_folder().parent)
    np.testing.assert_array_equal(statistics_of(tmp_path, Path(embedded_folder().name)), named)


def test_a_run_from_scratch_leaves_a_run_that_is_there_alone(folder: Path, tmp_path: Path) -> None:
    settings = PriorSettings(network=SMALL, batches=BatchSettings(batch=2))
    train(folder, tmp_path, ONE_STEP, settings)
    left = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InvalidRequest, match="choose another RUN"):
        train(folder, tmp_path, ONE_STEP, settings)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == left


def test_settings_that_cannot_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    for text, complaint in (
        ("network.width = 448\n[typo]\nx = 1", "typo"),
        ("batches.bath = 8", "bath"),
        ("training.warm_up = 'long'", "warm_up"),
        ("batches.places = 4", "network.donors: expected 4"),
        ("mel.frames_per_token = 2", "network.channels: expected 288"),
        ("mel = [", "TOML"),
    ):
        path.write_text(text)
        with pytest.raises(InvalidRequest, match=complaint):
            read_settings(path)
    write_settings(PriorSettings(), path)
    assert read_settings(path) == PriorSettings()


def test_what_is_quiet_weighs_less_in_the_loss() -> None:
    x_0 = torch.ones(1, SMALL.channels, 4)
    x_0[:, : SMALL.channels // 2] = -2.0
    absent = torch.zeros(1, 2 * SMALL.channels, 4)
    b = Batch(x_0, torch.zeros(1, 1, 4), absent, torch.zeros(1, 2, 4))
    t = torch.tensor([0.5])  # an untrained network answers with alpha x_t: alpha^2 x_0 = x_0 / 2 without noise
    for quiet, expected in ((1.0, (1.0 + 0.25) / 2), (0.25, (0.25 * 1.0 + 0.25) / 1.25)):
        error = gap_error(MelTransformer(SMALL), b, t, torch.zeros_like(x_0), quiet)
        assert float(error.detach()) == pytest.approx(expected, rel=1e-5)


def test_what_learns_at_no_rate_stays_as_it_was(folder: Path) -> None:
    net = MelTransformer(SMALL)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    trainer = Trainer(net, TrainSettings(outer_rate=0.0))
    trainer.step(examples_of(folder, BatchSettings(batch=2)).batch(np.random.default_rng(0)), 0.0)
    same = {name for name, value in net.state_dict().items() if torch.equal(value, before[name])}
    assert {"embed.weight", "head_out.weight", "skip.weight"} <= same
    assert "blocks.0.qkv.weight" not in same  # weight decay alone moves it


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


def test_one_track_of_a_name_is_kept_and_the_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder, seconds in (("a", 1.0), ("b", 44.0), ("c", 45.0)):
        (tmp_path / "music" / "pack" / folder).mkdir(parents=True)
        soundfile.write(tmp_path / "music" / "pack" / folder / "night.wav", loop_song(44100, seconds).T, 44100)
    (tmp_path / "music" / "other").mkdir()
    soundfile.write(tmp_path / "music" / "other" / "night.wav", loop_song(44100, 41.0).T, 44100)
    chosen = corpus.named_apart(list(corpus.music_files(tmp_path / "music")))
    assert [path.relative_to(tmp_path / "music").as_posix() for path, _ in chosen] == [
        "other/night.wav",
        "pack/b/night.wav",
    ]
    (said,) = capsys.readouterr().out.splitlines()
    assert "pack/b/night.wav" in said and "pack/c/night.wav is left out" in said
    track = corpus.Track("a" * 16, "pack", "night.wav", 44.0, "train", 0)
    decode(tmp_path / "music", [track], tmp_path / "waves", processes=1)
    assert len(np.load(tmp_path / "waves" / f"{track.id}.npy")) == 44 * 44100


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


def test_a_curve_whose_courses_count_anew_goes_on(tmp_path: Path) -> None:
    for run, rows in (("a", ((250, 1.0), (500, 2.0), (250, 1.0), (500, 2.0))), ("b", ((250, 0.5),))):
        (tmp_path / run).mkdir()
        lines = (f"{step},60,{h},0.5,0.04,0.06,0.11,0.23\n" for step, h in rows)
        (tmp_path / run / "curve.csv").write_text("".join(lines))
    points = curves.joined([tmp_path / "a", tmp_path / "b"])
    assert [p.heard for p in points] == [1.0, 2.0, 3.0, 4.0, 4.5]


def test_a_run_without_a_curve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"curve\.csv"):
        curves.joined([tmp_path])

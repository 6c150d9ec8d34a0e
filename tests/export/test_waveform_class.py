"""The waveform class, from decoded music to exported graphs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from segue.errors import InvalidRequest
from segue.prior.codecs.stft import StftCodec, StftSettings
from segue_export.graphs.export import TOLERANCE, export_denoiser
from segue_export.models.complex_unet import ComplexUNet, ComplexUNetSettings
from segue_export.train import corpus
from segue_export.train.checkpoint import averaged_weights
from segue_export.train.course import RunSettings, Trainer, TrainSettings, gap_error
from segue_export.train.make_waveform_bundle import zeros_and_ones
from segue_export.train.train_waveform import codec_of_run, train
from segue_export.train.waveforms import WaveBatch, WaveExamples, WaveSettings, _decode, decode, statistics
from tests.tiny_models import randomised

SMALL = ComplexUNetSettings(bins=32, noise_bands=2, patch=4, widths=(8, 8, 16), groups=2, width=32, layers=1, head=16)
FEW = WaveSettings(batch=2, tokens=16, shortest=2, longest=8)


def network(seed: int = 0) -> ComplexUNet:
    torch.manual_seed(seed)
    return ComplexUNet(SMALL).eval()


def inputs(tokens: int = 6) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    x_t, context = (torch.randn(2, SMALL.channels, tokens, generator=generator) for _ in range(2))
    mask = torch.zeros(2, 1, tokens)
    mask[:, :, :2] = 1.0
    return x_t, torch.tensor([0.3, 0.8]), mask, context * mask


def test_an_untrained_network_knows_the_scale_and_no_more() -> None:
    x_t, time, mask, context = inputs()
    expected = torch.where(mask > 0.5, context, (time[:, None, None] * torch.pi / 2).cos() * x_t)
    assert torch.allclose(network()(x_t, time, mask, context), expected, atol=1e-6)


def test_what_is_known_comes_back_and_what_stands_under_the_mask_is_not_seen() -> None:
    net, (x_t, time, mask, context) = randomised(network()), inputs()
    made = net(x_t, time, mask, context)
    assert torch.allclose(made * mask, context, atol=1e-5)
    assert torch.allclose(net(x_t + 5.0 * mask, time, mask, context), made, atol=1e-5)
    assert not torch.equal(net(x_t, time, mask, context + 0.1 * mask)[..., 3:], made[..., 3:])


@pytest.mark.nightly
def test_graphs_agree_with_torch(tmp_path: Path) -> None:
    told = [("mask", ("batch", 1, "frames")), ("context", ("batch", SMALL.channels, "frames"))]
    report = export_denoiser(
        randomised(network()), tmp_path / "b", channels=SMALL.channels, conditioning=told, sample=zeros_and_ones
    )
    assert 0.0 < report.largest < TOLERANCE


def test_sizes_that_do_not_halve_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="multiple of 32"):
        ComplexUNetSettings(bins=400)
    with pytest.raises(InvalidRequest, match="halve into 2 levels"):
        ComplexUNetSettings(widths=(8, 8))


def test_the_network_learns_what_all_music_shares() -> None:
    torch.manual_seed(0)
    mask = torch.ones(4, 1, 8)
    mask[..., 2:6] = 0.0
    batch = WaveBatch(torch.randn(1, SMALL.channels, 1).expand(4, -1, 8), mask)
    trainer = Trainer(ComplexUNet(SMALL), TrainSettings(learning_rate=1e-2, warm_up=1))
    t, noise = torch.full((4,), 0.97), torch.randn(4, SMALL.channels, 8)
    with torch.no_grad():
        before = float(gap_error(trainer.net, batch, t, noise).mean())
    for _ in range(60):
        trainer.step(batch, 0.0)
    with torch.no_grad():
        assert float(gap_error(trainer.net, batch, t, noise).mean()) < 0.5 * before


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Music, its corpus (the tracks alone) and its waves: stereo noise whose left channel is half as loud."""
    root = tmp_path_factory.mktemp("waves")
    (root / "music" / "pack").mkdir(parents=True)
    (root / "corpus").mkdir()
    tracks = []
    for i, split in enumerate(("train", "validation")):
        white = np.random.default_rng(i).standard_normal((41 * 44100, 2)) * (0.05, 0.1)
        soundfile.write(root / "music" / "pack" / f"{split}.wav", white, 44100, subtype="FLOAT")
        tracks.append(corpus.Track(f"{i}" * 16, "pack", f"{split}.wav", 41.0, split, 0))
    decode(root / "music", tracks, root / "waves", processes=1)
    corpus.write(tracks, root / "corpus")
    return root / "music", root / "corpus", root / "waves"


def test_a_decode_that_was_cut_off_is_done_again(
    folders: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music, _, waves = folders
    into = tmp_path / f"{'0' * 16}.npy"

    def cut(path: Path, audio: np.ndarray) -> None:
        path.write_bytes(audio.tobytes()[:100])
        raise OSError("no room")

    task = (music / "pack" / "train.wav", into)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(np, "save", cut)
        _decode(task)
    assert not into.exists()
    _decode(task)
    assert [path.name for path in tmp_path.iterdir()] == [into.name]
    assert into.read_bytes() == (waves / into.name).read_bytes()


def test_windows_are_the_music_at_the_reference_level(folders: tuple[Path, Path, Path]) -> None:
    _, corpus_folder, waves = folders
    settings = StftSettings()
    plain = StftCodec(settings, torch.zeros(settings.features), torch.ones(settings.features))
    examples = WaveExamples(corpus.load(corpus_folder), waves, plain, WaveSettings(level_db=0.0))
    windows = [examples.window(np.random.default_rng(i)) for i in range(8)]
    assert all(float(w.square().mean().sqrt()) == pytest.approx(0.1, rel=0.02) for w in windows)
    louder = {int(w.square().mean(1).argmax()) for w in windows}
    assert louder == {0, 1}  # mirrored at times


def test_standardised_music_has_unit_power(folders: tuple[Path, Path, Path]) -> None:
    _, corpus_folder, waves = folders
    settings = StftSettings()
    plain = StftCodec(settings, torch.zeros(settings.features), torch.ones(settings.features))
    tracks = corpus.load(corpus_folder)
    codec = StftCodec(settings, *statistics(WaveExamples(tracks, waves, plain, WaveSettings(level_db=0.0)), 24))
    frames = codec.encode(
        WaveExamples(tracks, waves, codec, WaveSettings(level_db=0.0)).window(np.random.default_rng(9))[None]
    )
    assert float(frames.square().mean()) == pytest.approx(1.0, abs=0.1)


def test_a_run_leaves_a_checkpoint_and_goes_on_with_its_statistics(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    _, corpus_folder, waves = folders
    for _ in range(2):
        train(corpus_folder, waves, tmp_path, RunSettings(minutes=1e-6, threads=1), examples=FEW)
    codec = codec_of_run(tmp_path)
    net = ComplexUNet()
    net.load_state_dict(averaged_weights(tmp_path))
    assert net.settings.channels == codec.channels
    with (tmp_path / "curve.csv").open(newline="") as curve:
        rows = list(csv.reader(curve))
    assert [row[0] for row in rows] == ["1", "2"], "the second course goes on where the first ended"
    assert all(float(error) > 0.0 for row in rows for error in row[4:7])


def test_tracks_that_were_not_decoded_are_refused(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, corpus_folder, _ = folders
    with pytest.raises(InvalidRequest, match=r"segue_export\.train\.waveforms"):
        train(corpus_folder, tmp_path / "empty", tmp_path / "run", RunSettings(minutes=1e-6, threads=1), examples=FEW)

"""musicnn in torch against the original's recorded answers, its gradient, its patches and what it refuses."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest
from segue.guidance.embedders.contract import Classifier, Embedder
from segue.guidance.embedders.guide import GUIDE_WEIGHTS
from segue.guidance.embedders.musicnn import (
    PATCH_FRAMES,
    Heard,
    Musicnn,
    MusicnnEmbedding,
    MusicnnTags,
    load_guide,
)
from segue.guidance.embedders.musicnn_mel import log_mel
from segue.guidance.embedders.registry import EMBEDDERS
from segue_export.embedders.parity_musicnn import EVERY, MUSIC_AT, music, synthetic

TESTS = Path(__file__).parents[1]
SCORING_WEIGHTS = TESTS / "quality" / "segue_bench" / "weights" / "mtt_musicnn.safetensors"
UPBEAT = TESTS.parent / "examples" / "music" / "upbeat.flac"
WEIGHTS = {"MSD_musicnn": GUIDE_WEIGHTS, "MTT_musicnn": SCORING_WEIGHTS}
THREE_SECONDS = 132_300


@cache
def network(model: str) -> Musicnn:
    return Musicnn.load(WEIGHTS[model])


@cache
def original() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parent / "originals" / "musicnn.npz") as file:
        return dict(file)


@cache
def signals() -> Tensor:
    """The signals of the recording at 16 kHz, (4, 1, samples)."""
    made = {**synthetic(), "music": music(UPBEAT)}
    return torch.from_numpy(np.stack([made[name] for name in original()["signals"]]))[:, None]


@cache
def answers(model: str) -> Heard:
    return network(model).listen(signals(), rate=16000)


def upbeat(seconds: float) -> Tensor:
    """The music from where the recording's piece starts, (1, 2, samples) at 44.1 kHz."""
    audio, _ = soundfile.read(UPBEAT, round(seconds * 44100), round(MUSIC_AT * 44100), dtype="float32")
    return torch.from_numpy(np.ascontiguousarray(audio.T))[None]


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed))


def test_log_mel_frames_are_those_of_the_original() -> None:
    frames = log_mel(signals()[:, 0])[:, :PATCH_FRAMES:EVERY]
    np.testing.assert_allclose(frames, original()["frames"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("model", WEIGHTS)
def test_probabilities_and_embedding_are_those_of_the_original(model: str) -> None:
    heard = answers(model)
    np.testing.assert_allclose(heard.logits.sigmoid(), original()[f"{model}/probabilities"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(heard.embedding, original()[f"{model}/penultimate"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", WEIGHTS)
def test_the_original_rounds_to_half_precision_and_differs_by_less_than_a_ten_thousandth(model: str) -> None:
    rounded = original()[f"{model}/probabilities_in_half"]
    np.testing.assert_allclose(answers(model).logits.sigmoid(), rounded, rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", WEIGHTS)
def test_stereo_at_44100_hz_is_heard_as_the_original_hears_it_resampled_by_soxr(model: str) -> None:
    """The two filters differ where they fall, from 7.3 to 8 kHz."""
    heard = network(model).listen(upbeat(3.0))
    np.testing.assert_allclose(heard.logits.sigmoid()[0], original()[f"{model}/probabilities"][3], rtol=0, atol=2e-3)
    np.testing.assert_allclose(heard.embedding[0], original()[f"{model}/penultimate"][3], rtol=0, atol=2e-2)


def test_an_electronic_tune_is_called_electronic_by_both_ears() -> None:
    audio = upbeat(6.0)
    for model in WEIGHTS:
        net = network(model)
        best = net.listen(audio).logits[0].topk(3).indices
        assert "electronic" in [net.labels[i] for i in best]


def test_the_gradient_from_logits_to_samples_is_the_finite_difference() -> None:
    tags, generator = MusicnnTags(), torch.Generator().manual_seed(1)
    audio = upbeat(3.0).double().requires_grad_()
    weights = torch.randn(50, generator=generator, dtype=torch.float64)
    direction = torch.randn(audio.shape, generator=generator, dtype=torch.float64)
    (tags(audio) @ weights).sum().backward()
    assert audio.grad is not None
    step = 1e-7 * direction
    with torch.no_grad():
        difference = ((tags(audio + step) - tags(audio - step)) @ weights).sum() / 2e-7
    torch.testing.assert_close((audio.grad * direction).sum(), difference, rtol=1e-4, atol=0)


def test_every_hundredth_of_a_second_of_longer_audio_has_a_gradient() -> None:
    audio = noise(44100 * 5).requires_grad_()
    MusicnnEmbedding(hop=2.9)(audio).sum().backward()
    assert audio.grad is not None
    assert float(audio.grad.reshape(2, -1, 441).abs().amax(-1).min()) > 0


def test_silence_is_heard_with_a_finite_gradient() -> None:
    audio = torch.zeros(1, 2, THREE_SECONDS, requires_grad=True)
    MusicnnTags()(audio).sum().backward()
    assert audio.grad is not None
    assert bool(torch.isfinite(audio.grad).all())


def test_a_neighbour_in_the_batch_changes_nothing() -> None:
    net, quiet = network("MSD_musicnn"), upbeat(3.0)
    alone, beside = net.listen(quiet), net.listen(torch.cat([noise(THREE_SECONDS), quiet]))
    torch.testing.assert_close(beside.embedding[1:], alone.embedding, rtol=0, atol=1e-5)
    torch.testing.assert_close(beside.logits[1:], alone.logits, rtol=0, atol=1e-5)


def test_three_seconds_are_one_patch_and_six_the_mean_of_first_middle_and_last() -> None:
    net = network("MSD_musicnn")
    audio = noise(96_000)
    frames = log_mel(audio.mean(1))
    one = net.listen(audio[..., :48_000], rate=16000)
    torch.testing.assert_close(one.logits, net(log_mel(audio.mean(1)[:, :48_000])[:, :PATCH_FRAMES]).logits)
    patches = [net(frames[:, at : at + PATCH_FRAMES]) for at in (0, 94, 189)]
    three = net.listen(audio, rate=16000)
    torch.testing.assert_close(three.logits, sum(p.logits for p in patches) / 3)
    torch.testing.assert_close(three.embedding, sum(p.embedding for p in patches) / 3)


def test_the_embedders_give_what_the_guide_hears_and_follow_the_audios_type() -> None:
    audio = upbeat(3.0)
    heard = network("MSD_musicnn").listen(audio)
    embed, tags = EMBEDDERS.make("musicnn"), EMBEDDERS.make("musicnn_tags")
    assert isinstance(embed, Embedder)
    assert isinstance(tags, Classifier)
    assert torch.equal(embed(audio), heard.embedding)
    assert torch.equal(tags(audio), heard.logits)
    assert tags.labels == network("MSD_musicnn").labels
    assert embed(audio.double()).dtype == torch.float64
    torch.testing.assert_close(embed(audio.half()), heard.embedding, rtol=0, atol=0.02)


def test_the_ear_that_scores_is_another_one_and_cannot_guide() -> None:
    guide, scorer = network("MSD_musicnn"), network("MTT_musicnn")
    assert guide.labels != scorer.labels
    assert not torch.equal(guide.dense.weight, scorer.dense.weight)
    with pytest.raises(BundleRejected, match="must never guide"):
        load_guide(SCORING_WEIGHTS)
    with pytest.raises(InvalidRequest, match="path"):
        EMBEDDERS.make("musicnn", path=SCORING_WEIGHTS)


def test_audio_of_one_patch_is_enough_and_a_sample_less_is_refused() -> None:
    net = network("MSD_musicnn")
    assert net.listen(noise(131_242)).embedding.shape == (1, 200)
    with pytest.raises(InvalidRequest, match=r"at least 131242 samples at 44100 Hz.*got 131241"):
        net.listen(noise(131_241))


@pytest.mark.parametrize(
    "settings", [{"rate": 8000}, {"rate": 44101}, {"hop": 0.0}, {"hop": 3.5}, {"hop": float("nan")}]
)
def test_rates_and_hops_that_cannot_be_are_refused_before_any_audio(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match=r"expected|share too few"):
        EMBEDDERS.make("musicnn", **settings)

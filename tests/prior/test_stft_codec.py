"""The complex-spectrum codec: exact under its edge, level alone above, differentiable, made from a manifest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import tomli_w
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.codecs.registry import CodecSource, make_stft, stft_table
from segue.prior.codecs.stft import StftCodec, StftSettings, compressed, expanded
from segue.prior.codecs.transform import Transform
from segue.prior.manifest import parse_manifest

RATE = 44100
SMALL = StftSettings(n_fft=256, hop=64, bins=48, noise_bands=4)
TOKENS = 24


def codec_of(settings: StftSettings = SMALL) -> StftCodec:
    generator = torch.Generator().manual_seed(3)
    mean = torch.zeros(settings.features)
    mean[settings.waves :] = torch.randn(2 * settings.noise_bands, generator=generator)
    return StftCodec(settings, mean, 0.5 + torch.rand(settings.features, generator=generator))


def noise(seed: int = 0, tokens: int = TOKENS) -> Tensor:
    return 0.1 * torch.randn(1, 2, tokens * SMALL.token, generator=torch.Generator().manual_seed(seed))


def band(audio: Tensor, low: float, high: float) -> Tensor:
    """Its spectrum between two frequencies, frames at the ends left out."""
    transform = Transform(1024, 256)
    hertz = torch.arange(transform.bins) * RATE / 1024
    return transform.forward(audio)[:, :, (hertz > low) & (hertz < high), 4:-4]


def decibels(error: Tensor, of: Tensor) -> float:
    return float(10.0 * torch.log10(error.abs().square().sum() / of.abs().square().sum()))


def test_a_round_trip_is_exact_under_the_edge() -> None:
    codec, audio = codec_of(), noise()
    returned = codec.decode(codec.encode(audio))
    under = band(audio, 0.0, SMALL.edge - 1200.0)
    assert decibels(band(returned, 0.0, SMALL.edge - 1200.0) - under, under) < -50.0


def test_above_the_edge_noise_has_the_level_it_had() -> None:
    codec, span = codec_of(), (SMALL.edge + 1500.0, 18000.0)
    for gain in (1.0, 0.1, 0.01):
        audio = gain * noise()
        returned = codec.decode(codec.encode(audio))
        assert abs(decibels(band(returned, *span), band(audio, *span))) < 1.0, gain


def test_silence_stays_silence() -> None:
    codec = codec_of()
    returned = codec.decode(codec.encode(torch.zeros(1, 2, TOKENS * SMALL.token)))
    assert float(returned.abs().max()) < 1e-6


def test_a_window_cut_from_latents_sounds_as_it_does_within_them() -> None:
    codec, tone = codec_of(), torch.sin(torch.arange(TOKENS * SMALL.token) * (2 * math.pi * 0.02)).expand(1, 2, -1)
    latents = codec.encode(tone * 0.1)
    whole, part = codec.decode(latents), codec.decode(latents[..., 5:17])
    inside = whole[..., 6 * SMALL.token : 16 * SMALL.token]
    assert decibels(part[..., SMALL.token : 11 * SMALL.token] - inside, inside) < -40.0


def test_a_tone_at_the_centre_of_a_bin_stands_still() -> None:
    phase = torch.arange(TOKENS * SMALL.token) * (2.0 * math.pi * 11 / SMALL.n_fft)
    frames = codec_of().frames(torch.sin(phase).expand(1, 2, -1))[0, 4:-4]
    real, imaginary = frames[:, 11], frames[:, SMALL.bins + 11]
    assert float(real.std() + imaginary.std()) < 1e-3 * float((real.square() + imaginary.square()).mean().sqrt())


def test_expansion_undoes_compression_from_silence_to_full_scale() -> None:
    magnitude = torch.tensor([0.0, 1e-6, 1e-3, 1e-2, 1.0, 1e3])
    spectrum = torch.polar(magnitude, torch.linspace(-3.0, 3.0, 6))
    returned = expanded(compressed(spectrum, 1e-4), 1e-4)
    assert torch.allclose(torch.view_as_real(returned), torch.view_as_real(spectrum), rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("way", ["encode", "decode"])
def test_gradients_are_those_of_finite_differences(way: str) -> None:
    codec = codec_of()
    function: Callable[[Tensor], Tensor] = codec.encode if way == "encode" else codec.decode
    x = noise(1, 4) if way == "encode" else codec.encode(noise(1, 4))
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(function(x).shape, generator=generator)
    direction = torch.randn(x.shape, generator=generator) * float(x.std())

    def loss(at: Tensor) -> Tensor:
        return (function(at) * weight).sum()

    (gradient,) = torch.autograd.grad(loss(x.requires_grad_()), x)
    with torch.no_grad():
        step = 1e-3
        slope = (loss(x + step * direction).double() - loss(x - step * direction).double()) / (2 * step)
    assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=2e-2)


def test_a_length_that_is_no_whole_number_of_latent_frames_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="multiple of 256 samples"):
        codec_of().encode(torch.zeros(1, 2, 1000))


@pytest.mark.parametrize("wrong", [{"hop": 63}, {"bins": 0}, {"bins": 129}, {"f_max": 5000.0}])
def test_a_geometry_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="expected"):
        StftSettings(**({"n_fft": 256, "hop": 64, "bins": 48} | wrong))


def source_of(codec: StftCodec, **changed: Any) -> CodecSource:
    manifest = {
        "format": "1.1",
        "name": "tiny",
        "version": "1",
        "kind": "waveform",
        "sample_rate": RATE,
        "channels": codec.channels,
        "token": codec.token,
        "window": 8,
        "licence": "MIT",
        "commercial_use": True,
        "codec": stft_table(codec) | changed,
        "files": {f"{graph}.onnx": "0" * 64 for graph in ("denoise", "fw", "bw")},
    }
    return CodecSource(parse_manifest(tomli_w.dumps(manifest).encode()), lambda signature: pytest.fail("no graphs"))


def test_it_comes_back_from_a_manifest_bit_for_bit() -> None:
    codec = codec_of()
    assert torch.equal(make_stft(source_of(codec)).encode(noise()), codec.encode(noise()))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"bins": 40}, "channels"),
        ({"hop": 60}, "n_fft"),
        ({"mean": [0.0]}, "mean and std"),
        ({"std": []}, "mean and std"),
    ],
)
def test_a_table_that_contradicts_itself_or_the_manifest_is_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(BundleRejected, match=says):
        make_stft(source_of(codec_of(), **changed))


def test_a_table_that_lacks_a_field_is_refused() -> None:
    source = source_of(codec_of())
    fields = {key: value for key, value in source.manifest.codec.fields.items() if key != "noise_bands"}
    table = source.manifest.codec.model_validate({"kind": "stft", **fields})
    with pytest.raises(BundleRejected, match="noise_bands"):
        make_stft(CodecSource(source.manifest.model_copy(update={"codec": table}), source.load))

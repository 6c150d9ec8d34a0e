"""Codecs: made from a manifest, honest about their reach, differentiable."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.bundle import Bundle
from segue.prior.codecs.onnx import OnnxCodec
from segue.prior.codecs.registry import mel_table
from segue.prior.contract import Codec
from segue.prior.onnx_function import OnnxFunction
from segue.prior.runtime import SessionSettings
from segue.prior.signature import codec_signatures
from tests.tiny_models import (
    CACHE,
    CHANNELS,
    TOKEN,
    copy_of_tiny,
    mel_codec,
    sign,
    tiny_bundle,
    tiny_codec,
    tiny_onnx_bundle,
)

FRAMES = 8


def _codec(kind: str) -> Codec:
    folder = tiny_bundle() if kind == "mel" else tiny_onnx_bundle()
    return Bundle.open(folder, cache=CACHE).codec(SessionSettings(threads=1))


def _audio(seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 2, FRAMES * TOKEN, generator=torch.Generator().manual_seed(seed))


def test_the_mel_codec_comes_back_from_the_manifest_bit_for_bit() -> None:
    codec, original = _codec("mel"), mel_codec()
    assert torch.equal(codec.encode(_audio()), original.encode(_audio()))


@pytest.mark.parametrize("kind", ["mel", "onnx"])
def test_codecs_keep_their_contract(kind: str) -> None:
    codec = _codec(kind)
    assert isinstance(codec, Codec)
    latents = codec.encode(_audio())
    assert latents.shape == (1, codec.channels, FRAMES) == (1, CHANNELS, FRAMES)
    excitation = _audio(1) if codec.needs_excitation else None
    assert codec.decode(latents, excitation).shape == (1, 2, FRAMES * codec.token)
    assert codec.needs_excitation == (kind == "mel")


@pytest.mark.parametrize("kind", ["mel", "onnx"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_latent_frame_hears_as_far_as_its_reach_and_no_further(kind: str, side: str) -> None:
    codec, frame = _codec(kind), FRAMES // 2
    start, stop = frame * codec.token - codec.reach, (frame + 1) * codec.token + codec.reach
    latent = codec.encode(_audio())[..., frame]
    outside, inside = _audio(), _audio()
    if side == "left":
        outside[..., :start] += 1.0
        inside[..., : start + codec.reach // 2] += 1.0
    else:
        outside[..., stop:] += 1.0
        inside[..., stop - codec.reach :] += 1.0
        inside[..., stop - codec.reach :] -= 2.0 * (torch.arange(inside.shape[-1] - stop + codec.reach) % 2)
    assert torch.equal(codec.encode(outside)[..., frame], latent)
    assert not torch.equal(codec.encode(inside)[..., frame], latent)


def test_onnx_codec_equals_torch_both_ways_with_gradients() -> None:
    codec, (encoder, decoder) = _codec("onnx"), tiny_codec()
    latents = torch.randn(2, CHANNELS, 5, generator=torch.Generator().manual_seed(4))
    audio = 0.1 * torch.randn(2, 2, 5 * TOKEN, generator=torch.Generator().manual_seed(5))
    for ours, theirs, value in (
        (codec.encode, encoder, audio),
        (lambda z: codec.decode(z, None), decoder, latents),
    ):
        results = []
        for f in (ours, theirs):
            x = value.clone().requires_grad_(True)
            output = f(x)
            results.append((output.detach(), *torch.autograd.grad(output.square().sum(), x)))
        for ours_result, expected in zip(*results, strict=True):
            torch.testing.assert_close(ours_result, expected, rtol=1e-4, atol=1e-5)


def test_onnx_codec_refuses_samples_that_make_no_whole_frame() -> None:
    with pytest.raises(InvalidRequest, match=f"multiple of {TOKEN}"):
        _codec("onnx").encode(_audio()[..., 1:])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "opus"}, "codec kind 'opus' is unknown"),
        ({"mean": [0.0, 0.0]}, "mean and std of 3 numbers"),
        ({"std": [1.0, 0.0, 1.0]}, "std.1"),
        ({"mean": [0.0, float("nan"), 0.0]}, "mean.1"),
        ({"hop": 32}, "states sample_rate, channels, token"),
        ({"hop": "fast"}, "hop"),
        ({"flavour": 1}, "flavour"),
    ],
)
def test_codec_tables_that_contradict_the_bundle_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    folder = copy_of_tiny(tmp_path)
    sign(folder, codec={**mel_table(mel_codec()), **changes})
    with pytest.raises(BundleRejected, match=message):
        Bundle.open(folder, cache=CACHE)


def test_a_codec_of_whole_groups_of_frames_takes_any_number_of_them() -> None:
    """Silence fills the last group of the encoder's frames, the last frame the decoder's; both are dropped again."""
    bundle = Bundle.open(tiny_onnx_bundle(), cache=CACHE)
    functions = [
        OnnxFunction(s, bundle._graphs, SessionSettings(threads=1)) for s in codec_signatures(CHANNELS, TOKEN, 5)
    ]
    grouped = OnnxCodec(functions[0], functions[1], TOKEN, CHANNELS, TOKEN // 2)
    audio, plain = _audio(), _codec("onnx")
    silence = torch.zeros(1, 2, 2 * TOKEN)
    assert torch.equal(grouped.encode(audio), plain.encode(torch.cat([audio, silence], -1))[..., :FRAMES])
    latents = plain.encode(audio)
    longer = torch.cat([latents, latents[..., -1:], latents[..., -1:]], -1)
    assert torch.equal(grouped.decode(latents), plain.decode(longer, None)[..., : FRAMES * TOKEN])
    assert torch.equal(grouped.encode(audio[..., : 5 * TOKEN]), plain.encode(audio[..., : 5 * TOKEN]))

"""The small autoencoder's chunks: which frames hear which, against chunks enumerated one by one."""

from __future__ import annotations

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

import torch
from torch import Tensor, nn

from segue.errors import InvalidRequest
from segue_export.importers.parts.same import ChunkedBlock, Chunks, geometry, make_same
from tests.export.tiny_families import SAME, quiet, randomised

STRIDE, FRAMES = 4, 6
WIDTH = {"encoder": 16, "decoder": 24}
DEEP = {**SAME, "encoder_transformer_depths": [4], "encoder_c_mults": [3]}  # wider inside, so that mappings count


def _block(side: str, *, shifted: bool = True) -> ChunkedBlock:
    with quiet():
        vae = make_same(**DEEP, chunk_size=2 * STRIDE, chunk_shift=shifted, wide_output=True)  # type: ignore[arg-type]
        return randomised(vae, 5).get_submodule(f"{side}.blocks.0")  # type: ignore[return-value]


class Mix(nn.Module):
    """Adds a share of the mean of all that is heard at once."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return x + self.share * x.mean(1, keepdim=True)


def _enumerated(segments: list[Tensor], shares: list[float]) -> list[Tensor]:
    """Layers over pairs of segments; the later half over pairs that begin one segment later, the outer ones doubled."""
    half = len(shares) // 2
    for share in shares[:half]:
        for i in range(0, len(segments), 2):
            both = torch.cat(segments[i : i + 2])
            segments[i : i + 2] = [s + share * both.mean(0) for s in segments[i : i + 2]]
    segments = [segments[0], *segments, segments[-1]]
    for share in shares[half:]:
        for i in range(0, len(segments), 2):
            both = torch.cat(segments[i : i + 2])
            segments[i : i + 2] = [s + share * both.mean(0) for s in segments[i : i + 2]]
    return segments[1:-1]


@torch.no_grad()
def test_layers_hear_pairs_of_frames_and_later_ones_the_pairs_between() -> None:
    block, shares = _block("encoder"), [0.3, 0.7, 0.4, 0.9]
    block.transformers = nn.ModuleList(Mix(share) for share in shares)
    x = torch.randn(1, WIDTH["encoder"], FRAMES * STRIDE, generator=torch.Generator().manual_seed(2))
    given = block.mapping(x)[0].T
    segments = [torch.cat([given[i * STRIDE : (i + 1) * STRIDE], block.new_tokens[0]]) for i in range(FRAMES)]
    expected = torch.stack([segment[-1] for segment in _enumerated(segments, shares)]).T[None]
    assert torch.allclose(block(x), expected, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("side", ["encoder", "decoder"])
@pytest.mark.parametrize("frame", range(FRAMES))
def test_a_frame_is_heard_as_far_as_the_reach_says_and_no_further(side: str, frame: int) -> None:
    block = _block(side)
    given, made = (STRIDE, 1) if side == "encoder" else (1, STRIDE)
    x = torch.randn(1, WIDTH[side], FRAMES * given, generator=torch.Generator().manual_seed(3))
    other = x.clone()
    other[..., frame * given : (frame + 1) * given] += 1.0
    changed = (block(x) - block(other)).abs().amax(1)[0].reshape(FRAMES, made).amax(1) > 0
    heard = {j for j in range(FRAMES) if bool(changed[j])}
    pair = frame // 2 * 2
    expected = set(range(max(0, pair - 1), min(FRAMES, pair + 3)))
    if side == "decoder":  # the wider convolution hears a patch of the next frame
        expected |= {j for j in (pair - 2, pair + 3) if 0 <= j < FRAMES}
    assert heard == expected
    assert max(abs(j - frame) for j in expected) <= Chunks(2 * STRIDE, True).reach(STRIDE) + (side == "decoder")


@torch.no_grad()
def test_chunks_without_a_shift_hear_themselves_alone() -> None:
    block = _block("encoder", shifted=False)
    x = torch.randn(1, WIDTH["encoder"], FRAMES * STRIDE, generator=torch.Generator().manual_seed(4))
    alone = [block(x[..., i * STRIDE : (i + 2) * STRIDE]) for i in range(0, FRAMES, 2)]
    assert torch.allclose(block(x), torch.cat(alone, 2), atol=1e-6)


def test_geometry_of_the_published_small_autoencoder() -> None:
    """4096 samples a frame, pairs of frames, two frames heard on each side."""
    assert geometry({"chunk_size": 32, "chunk_shift": True}) == (4096, 2 * 4096, 2)


@pytest.mark.parametrize(("size", "shifted"), [(4, True), (12, True), (6, False)])
def test_chunks_that_do_not_fit_frames_are_refused(size: int, shifted: bool) -> None:
    with pytest.raises(InvalidRequest, match="number of frames"):
        Chunks(size, shifted).frames(STRIDE)

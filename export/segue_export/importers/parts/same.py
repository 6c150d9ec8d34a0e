"""SAME, Stable Audio 3's autoencoder, large and small.

diffusers' class attends within a sliding window, as the large one (SAME-L) does. The small one (SAME-S) attends within
chunks of a few frames, whose borders lie half a chunk further along in its later layers, and its decoder ends in a
wider convolution. The noise it adds when it decodes (0.01 on its learnt tokens) is left out: the same latents sound
the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import weight_norm

from segue.errors import InvalidRequest


@dataclass(frozen=True)
class Chunks:
    """How a small autoencoder attends: ``size`` patches at once, and whether borders move in its later layers."""

    size: int
    shifted: bool

    def frames(self, stride: int) -> int:
        """Latent frames of a chunk.

        Raises:
            InvalidRequest: chunks that are no whole number of frames, or cannot be halved.
        """
        frames = self.size // stride
        if self.size % stride or frames < 1 or (self.shifted and frames % 2):
            raise InvalidRequest(
                f"vae: expected chunks of {'an even' if self.shifted else 'a whole'} number of frames of {stride} "
                f"patches, got {self.size} patches: this variant is not supported"
            )
        return frames

    def reach(self, stride: int) -> int:
        """Latent frames on each side that one may hear: its chunk's, and those its shifted chunk's halves belong to."""
        frames = self.frames(stride)
        return frames - 1 + (frames // 2 if self.shifted else 0)


class ChunkedBlock(nn.Module):
    """A block of diffusers' class whose layers attend within chunks; its weights keep their names.

    A frame is a segment of ``stride`` patches and one token: the encoder is given the patches and reads the token, the
    decoder is given the token and reads the patches.
    """

    def __init__(self, block: Any, chunks: Chunks, *, wide: bool) -> None:
        super().__init__()
        self.mapping, self.transformers, self.new_tokens = block.mapping, block.transformers, block.new_tokens
        self.stride, self.encodes = int(block.stride), block.mode == "encoder"
        self.segments, self.shifted = chunks.frames(self.stride), chunks.shifted
        if wide and isinstance(self.mapping, nn.Conv1d):
            self.mapping = weight_norm(nn.Conv1d(block.in_channels, block.out_channels, 3, padding="same"))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, length) to as many channels, and frames, as the block makes; whole chunks of frames."""
        given = (self.mapping(x) if self.encodes else x).transpose(1, 2)
        frames = torch.unflatten(given, 1, (-1, self.stride if self.encodes else 1))
        read = 1 if self.encodes else self.stride
        new = self.new_tokens[None].expand(frames.shape[0], frames.shape[1], read, -1)
        heard = self._attend(torch.cat([frames, new], 2).flatten(1, 2))
        segments = torch.unflatten(heard, 1, (-1, self.stride + 1))
        made = segments[:, :, -read:].flatten(1, 2).transpose(1, 2)
        mapped: Tensor = made if self.encodes else self.mapping(made)
        return mapped

    def _attend(self, x: Tensor) -> Tensor:
        if not self.shifted:
            return self._within_chunks(x, self.transformers)
        half, shift = len(self.transformers) // 2, self.segments // 2 * (self.stride + 1)
        x = self._within_chunks(x, self.transformers[:half])
        x = torch.cat([x[:, :shift], x, x[:, -shift:]], 1)  # half a chunk more on each side: the outer ones again
        return self._within_chunks(x, self.transformers[half:])[:, shift:-shift]

    def _within_chunks(self, x: Tensor, layers: Any) -> Tensor:
        length = self.segments * (self.stride + 1)
        chunks = torch.unflatten(x, 1, (-1, length)).flatten(0, 1)
        for layer in layers:
            chunks = layer(chunks)
        return torch.unflatten(chunks, 0, (x.shape[0], -1)).flatten(1, 2)


def geometry(config: dict[str, Any]) -> tuple[int, int, int]:
    """Samples a latent frame, reach of the encoder in samples, and the number that latent frames are a multiple of.

    Raises:
        InvalidRequest: chunks over several levels, or that do not fit the frames.
    """
    strides = [int(s) for s in config.get("encoder_strides", (16,))]
    depths = [int(d) for d in config.get("encoder_transformer_depths", (6,))]
    patch, size = int(config.get("patch_size", 256)), int(config.get("chunk_size", 0))
    token = math.prod(strides) * patch
    if size:
        if len(strides) != 1:
            raise InvalidRequest(
                f"vae: expected chunks over one level, got {len(strides)}: this variant is not supported"
            )
        chunks = Chunks(size, bool(config.get("chunk_shift", False)))
        return token, chunks.reach(strides[0]) * token, chunks.frames(strides[0])
    window, step, reach = int(config.get("sliding_window", 1)), patch, 0
    for stride, depth in zip(strides, depths, strict=True):
        step *= stride
        reach += depth * window * step  # each layer attends to so many segments aside
    return token, reach + step, 1


def make_same(chunk_size: int = 0, chunk_shift: bool = False, wide_output: bool = False, **config: Any) -> nn.Module:
    """diffusers' autoencoder of this configuration; with a ``chunk_size`` in patches its blocks attend in chunks."""
    from diffusers import AutoencoderSAME  # noqa: PLC0415  seconds to import

    vae: Any = AutoencoderSAME(**config)
    if chunk_size:
        for side, wide in ((vae.encoder, False), (vae.decoder, wide_output)):
            chunks = Chunks(chunk_size, chunk_shift)
            side.blocks = nn.ModuleList(ChunkedBlock(block, chunks, wide=wide) for block in side.blocks)
    return vae  # type: ignore[no-any-return]

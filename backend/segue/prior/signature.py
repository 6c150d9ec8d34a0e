"""Names and shapes of the functions a bundle holds: batch and length are free, all else is fixed.

A function is stored as three graphs over one weights file (plain, forward that saves, pull-back); see
:class:`Signature`. Exporter, checks and run time share this file, so it imports neither torch nor onnxruntime.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import InvalidRequest

Axis = int | str
"""A fixed size, ``"batch"``, ``"frames"``, ``"frames*N"`` (N samples, say, for each latent frame), or ``"tokens"``."""

TOKENS = "tokens"
"""The free length of a prompt, which has nothing to do with the window's."""

COTANGENT = "cot"
GRADIENT = "g"

_FRAMES = re.compile(r"frames(?:\*([1-9][0-9]{0,8}))?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def frames_factor(axis: Axis) -> int | None:
    """N of an axis of N entries for each latent frame, None where the axis is another."""
    match = _FRAMES.fullmatch(axis) if isinstance(axis, str) else None
    return None if match is None else int(match[1] or 1)


@dataclass(frozen=True)
class TensorSpec:
    """One named float32 input or output of a graph; the first axis is always ``"batch"``.

    Raises:
        InvalidRequest: a name that is no identifier, or an axis outside the vocabulary of :data:`Axis`.
    """

    name: str
    shape: tuple[Axis, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidRequest(f"a tensor's name must be an identifier of at most 64 letters, got {self.name!r}")
        if not self.shape or self.shape[0] != "batch":
            raise InvalidRequest(f"{self.name}: expected a shape that begins with 'batch', got {self.shape}")
        for axis in self.shape[1:]:
            fixed = isinstance(axis, int) and not isinstance(axis, bool) and axis > 0
            if not fixed and axis != TOKENS and frames_factor(axis) is None:
                raise InvalidRequest(f"{self.name}: an axis is a size, 'frames', 'frames*N' or 'tokens', got {axis!r}")
        if self.shape.count(TOKENS) > 1:
            raise InvalidRequest(f"{self.name}: expected at most one axis 'tokens', got {self.shape}")

    def sizes(self, batch: int, frames: int, tokens: int = 8) -> tuple[int, ...]:
        """The shape for a batch, a number of latent frames and, where an axis follows the prompt, of tokens."""
        return (batch, *(tokens if a == TOKENS else self._size(a, frames) for a in self.shape[1:]))

    def match(self, sizes: Sequence[int]) -> tuple[int, int | None]:
        """Batch and latent frames of a tensor of these sizes; frames is None where no axis follows the length.

        Raises:
            InvalidRequest: another rank, another fixed size, an empty axis, or lengths that contradict each other.
        """
        frames: int | None = None
        tokens = 0
        for axis, size in zip(self.shape, sizes, strict=False):
            factor = frames_factor(axis)
            if factor is not None and frames is None:
                frames = size // factor
            tokens = size if axis == TOKENS else tokens
        fits = len(sizes) == len(self.shape) and min(sizes) > 0
        if not fits or tuple(sizes) != self.sizes(sizes[0], frames or 0, tokens):
            raise InvalidRequest(f"{self.name}: expected shape {self.describe()}, got {tuple(sizes)}")
        return sizes[0], frames

    def describe(self) -> str:
        """The shape in words, as in ``(batch, 576, frames)``."""
        return f"({', '.join(str(a) for a in self.shape)})"

    @staticmethod
    def _size(axis: Axis, frames: int) -> int:
        factor = frames_factor(axis)
        return int(axis) if factor is None else frames * factor


@dataclass(frozen=True)
class Signature:
    """A differentiable function: ``output = f(variable, *others)``, the gradient flowing to ``variable`` alone.

    ``graphs`` are the names of its three graphs: plain, forward, pull-back; ``frames_multiple`` is what the length must
    be a multiple of, as with the strides of a U-Net.
    """

    graphs: tuple[str, str, str]
    variable: TensorSpec
    others: tuple[TensorSpec, ...]
    output: TensorSpec
    frames_multiple: int = 1

    def __post_init__(self) -> None:
        names = [s.name for s in (*self.inputs, self.output, self.cotangent, self.gradient)]
        if len(set(names)) != len(names):
            raise InvalidRequest(f"expected different names for all inputs and outputs, got {names}: rename the inputs")
        if self.frames_multiple < 1:
            raise InvalidRequest(f"the length's multiple must be at least 1, got {self.frames_multiple}")

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Inputs of the function, in the module's order."""
        return (self.variable, *self.others)

    @property
    def cotangent(self) -> TensorSpec:
        """d loss / d output, of the output's shape."""
        return TensorSpec(COTANGENT, self.output.shape)

    @property
    def gradient(self) -> TensorSpec:
        """d loss / d variable, of the variable's shape."""
        return TensorSpec(GRADIENT, self.variable.shape)


@dataclass(frozen=True)
class TextSignature:
    """The text encoder: ``outputs = text(token_ids, token_mask)``, both int64 ("batch", "tokens"); no gradient.

    ``outputs`` are conditioning inputs of the denoiser. A prompt is encoded once, so there is one graph.
    """

    outputs: tuple[TensorSpec, ...]
    graph: str = "text"
    inputs: tuple[TensorSpec, ...] = (
        TensorSpec("token_ids", ("batch", TOKENS)),
        TensorSpec("token_mask", ("batch", TOKENS)),
    )


def denoiser_signature(channels: int, conditioning: Sequence[TensorSpec], frames_multiple: int = 1) -> Signature:
    """``x0_hat = denoise(x_t, time, **conditioning)``."""
    latents = ("batch", channels, "frames")
    return Signature(
        graphs=("denoise", "fw", "bw"),
        variable=TensorSpec("x_t", latents),
        others=(TensorSpec("time", ("batch",)), *conditioning),
        output=TensorSpec("x0_hat", latents),
        frames_multiple=frames_multiple,
    )


def codec_signatures(channels: int, token: int, frames_multiple: int = 1) -> tuple[Signature, Signature]:
    """``latents = encode(audio)`` and ``audio = decode(latents)``, stereo, ``token`` samples for each latent frame."""
    latents = TensorSpec("latents", ("batch", channels, "frames"))
    audio = TensorSpec("audio", ("batch", 2, f"frames*{token}"))
    return (
        Signature(("encode", "encode_fw", "encode_bw"), audio, (), latents, frames_multiple),
        Signature(("decode", "decode_fw", "decode_bw"), latents, (), audio, frames_multiple),
    )

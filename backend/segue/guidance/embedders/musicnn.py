"""musicnn, a tagger of music: 50 tags, and the 200 numbers it decides them by.

The network of J. Pons and X. Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging"
(2019), in plain torch and differentiable from the waveform. There are two sets of weights: MSD (Million Song Dataset)
lies in this package and guides; MTT (MagnaTagATune) lies with the quality bench and scores. Guidance can only be had
with the first, so that no render is ever scored by the ear it was made to please. Both are converted from the wheel on
PyPI by ``segue_export.embedders.musicnn``; their licence lies beside them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from segue.clip.polyphase import check_rates, resample
from segue.errors import BundleRejected, InvalidRequest
from segue.guidance.embedders.contract import Audio
from segue.guidance.embedders.guide import GUIDE_WEIGHTS, HEADER
from segue.guidance.embedders.musicnn_mel import HOP, RATE, log_mel

GUIDE = "MSD_musicnn"

PATCH_FRAMES = 187
_PATCH = 3 * RATE
_TIMBRAL, _TEMPORAL, _MID, _FEATURES, _TAGS = 204, 51, 64, 200, 50
_TIMBRAL_KERNELS = ((7, 38), (7, 67))  # frames, bands
_TEMPORAL_KERNELS = (128, 64, 32)  # frames
_AGAIN = "convert them again with segue_export.embedders.musicnn, or install Segue again"


class Heard(NamedTuple):
    """What musicnn makes of audio: the penultimate layer, and the logits of the tags."""

    embedding: Float[Tensor, "batch 200"]
    logits: Float[Tensor, "batch 50"]


class Affine(nn.Module):
    """A batch norm at inference: its four vectors folded into a scale and a shift per channel, at ``axis`` 1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "batch channels *rest"]) -> Float[Tensor, "batch channels *rest"]:
        """scale * x + shift."""
        shape = (-1, *(1,) * (x.ndim - 2))
        return x * self.scale.view(shape) + self.shift.view(shape)


class FrontFilter(nn.Module):
    """Filters over a patch, at each place in time the strongest over all bands; as many frames come out as went in."""

    def __init__(self, filters: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        frames = kernel[0]
        self.conv = nn.Conv2d(1, filters, kernel)
        self.norm = Affine(filters)
        self.padding = (0, 0, (frames - 1) // 2, frames // 2)  # TensorFlow's "same": the odd one goes behind

    def forward(self, patch: Float[Tensor, "batch 1 frames bands"]) -> Float[Tensor, "batch filters frames"]:
        """The front end's features."""
        filtered: Tensor = self.norm(relu(self.conv(pad(patch, self.padding))))
        return filtered.amax(-1)


class MidLayer(nn.Module):
    """A convolution over seven frames, rectified and normed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, _MID, 7, padding=3)
        self.norm = Affine(_MID)

    def forward(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch mid frames"]:
        """The layer's features."""
        out: Tensor = self.norm(relu(self.conv(x)))
        return out


class Musicnn(nn.Module):
    """The network with its weights; no parameter needs a gradient, the audio may.

    ``model``: name of the weights, "MSD_musicnn" or "MTT_musicnn"; ``labels``: the 50 tags in the order of the logits.
    """

    def __init__(self, model: str, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.labels = model, labels
        front = len(_TIMBRAL_KERNELS) * _TIMBRAL + len(_TEMPORAL_KERNELS) * _TEMPORAL
        pooled = 2 * (front + 3 * _MID)
        self.input_norm = Affine(1)
        self.front = nn.ModuleList(
            [FrontFilter(_TIMBRAL, kernel) for kernel in _TIMBRAL_KERNELS]
            + [FrontFilter(_TEMPORAL, (frames, 1)) for frames in _TEMPORAL_KERNELS]
        )
        self.mid = nn.ModuleList([MidLayer(front), MidLayer(_MID), MidLayer(_MID)])
        self.pool_norm, self.dense_norm = Affine(pooled), Affine(_FEATURES)
        self.dense, self.output = nn.Linear(pooled, _FEATURES), nn.Linear(_FEATURES, _TAGS)
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def load(cls, path: Path) -> Musicnn:
        """The network with the weights of a safetensors file.

        Raises:
            BundleRejected: not such a file, damaged, or of another network.
        """
        header, tensors = _read(path)
        network = cls(header.model, header.labels)
        expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        got = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        if expected != got or len(network.labels) != _TAGS:
            wrong = sorted({name for name, _ in expected.items() ^ got.items()})
            raise BundleRejected(
                f"{path.name} holds weights of another network: expected {len(expected)} tensors and {_TAGS} labels, "
                f"got {len(got)} and {len(network.labels)}; these differ: {wrong}; {_AGAIN}"
            )
        network.load_state_dict(tensors)
        return network

    def listen(self, audio: Audio, rate: int = 44100, hop: float = 1.5) -> Heard:
        """What the network hears in ``audio`` (batch, channels, samples) at ``rate`` hertz; channels are averaged.

        Audio of 3 s is one patch. Longer audio is cut into patches of 187 frames (2.99 s), spread evenly from its first
        frame to its last and at most ``hop`` seconds apart (to a frame); embeddings and logits are their means.
        Differentiable in ``audio``, of any floating type, on any device; the answer has the network's type and device.

        Raises:
            InvalidRequest: audio shorter than a patch, or settings that :func:`check_settings` refuses.
        """
        check_settings(rate, hop)
        needed = -(-(PATCH_FRAMES - 1) * HOP * rate // RATE)
        if audio.shape[-1] < needed:
            raise InvalidRequest(
                f"musicnn needs one patch of {PATCH_FRAMES} frames: expected at least {needed} samples at {rate} Hz "
                f"({needed / rate:.3f} s), got {audio.shape[-1]}; give it more of the music around"
            )
        mono = resample(audio.to(self.dense.weight).mean(1), rate, RATE)
        frames = log_mel(mono)
        more = max(0, mono.shape[-1] - _PATCH)
        patches = 1 + math.ceil(more / (hop * RATE))
        last = frames.shape[1] - PATCH_FRAMES
        starts = [0] if patches == 1 else [round(k * last / (patches - 1)) for k in range(patches)]
        heard = [self(frames[:, start : start + PATCH_FRAMES]) for start in starts]
        embeddings, logits = zip(*heard, strict=True)
        return Heard(torch.stack(embeddings).mean(0), torch.stack(logits).mean(0))

    def forward(self, patch: Float[Tensor, "batch frames bands"]) -> Heard:
        """Embedding and logits of patches of log-mel frames (``musicnn_mel.log_mel``), usually 187 of them."""
        normed = self.input_norm(patch[:, None])
        front = torch.cat([block(normed) for block in self.front], 1)
        first = self.mid[0](front)
        second = first + self.mid[1](first)
        third = second + self.mid[2](second)
        features = torch.cat([front, first, second, third], 1)
        pooled = torch.stack([features.amax(-1), features.mean(-1)], -1).flatten(1)
        embedding = self.dense_norm(relu(self.dense(self.pool_norm(pooled))))
        return Heard(embedding, self.output(embedding))


def check_settings(rate: int, hop: float) -> None:
    """Refuse what :meth:`Musicnn.listen` cannot do with any audio.

    Raises:
        InvalidRequest: a rate below 16 kHz or an unusual one, or a hop shorter than a frame or longer than a patch.
    """
    if rate < RATE:
        raise InvalidRequest(f"musicnn hears up to {RATE // 2} Hz: expected audio at {RATE} Hz or more, got {rate} Hz")
    check_rates(rate, RATE)
    shortest, longest = HOP / RATE, PATCH_FRAMES * HOP / RATE
    if not shortest <= hop <= longest:
        raise InvalidRequest(f"expected a hop between patches of {shortest:.3f} to {longest:.3f} s, got {hop} s")


@dataclass(frozen=True)
class _Guide:
    """Settings of both embedders: ``rate`` of the audio in hertz, ``hop`` between patches in seconds (at the most).

    Raises:
        InvalidRequest: a rate below 16 kHz or an unusual one, or a hop shorter than a frame or longer than a patch.
        BundleRejected: the package's weights are damaged or are not those that guide.
    """

    rate: int = 44100
    hop: float = 1.5

    def __post_init__(self) -> None:
        check_settings(self.rate, self.hop)
        _guide(torch.device("cpu"), torch.float32)

    def _listen(self, audio: Audio) -> Heard:
        return _guide(audio.device, torch.promote_types(audio.dtype, torch.float32)).listen(audio, self.rate, self.hop)


class MusicnnEmbedding(_Guide):
    """How music sounds to the MSD tagger: the 200 numbers before its tags, (batch, 200), no units.

    Goes with the distance ``l2``. At least 2.976 s of audio; longer audio is heard as the mean of its patches.
    """

    def __call__(self, audio: Audio) -> Float[Tensor, "batch features"]:
        """The embedding."""
        return self._listen(audio).embedding


class MusicnnTags(_Guide):
    """What the MSD tagger calls music: logits of 50 genres, moods, instruments and times, (batch, 50).

    Goes with the distance ``bce``. At least 2.976 s of audio; of longer audio, the mean of the logits of its patches.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The tags."""
        return _guide(torch.device("cpu"), torch.float32).labels

    def __call__(self, audio: Audio) -> Float[Tensor, "batch features"]:
        """The logits."""
        return self._listen(audio).logits


def load_guide(path: Path = GUIDE_WEIGHTS) -> Musicnn:
    """The network that guides.

    Raises:
        BundleRejected: as :meth:`Musicnn.load`, or weights of another name: those that score must not guide.
    """
    network = Musicnn.load(path)
    if network.model != GUIDE:
        raise BundleRejected(
            f"expected the weights {GUIDE}, which guide, got {network.model} from {path.name}: "
            "the model that scores must never guide; put the right file there"
        )
    return network


@lru_cache(maxsize=4)
def _guide(device: torch.device, dtype: torch.dtype) -> Musicnn:
    with torch.inference_mode(mode=False):  # it is kept, and a later caller may want a gradient
        return load_guide().to(device, dtype)


class _Header(BaseModel):
    """What a weights file says of itself; it says more, for people."""

    model: str
    labels: tuple[str, ...]
    tensors_sha256: str


def _read(path: Path) -> tuple[_Header, dict[str, Tensor]]:
    """Header and tensors of a weights file, whose digest is checked."""
    try:
        with safe_open(path, "pt") as file:
            header = _Header.model_validate_json((file.metadata() or {})[HEADER])
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except KeyError as wrong:
        raise BundleRejected(
            f"{path.name} is no file of musicnn weights: no entry {wrong} in its header; {_AGAIN}"
        ) from wrong
    except (OSError, SafetensorError, ValidationError) as wrong:
        raise BundleRejected(f"{path.name}: expected musicnn weights as safetensors, got {wrong}; {_AGAIN}") from wrong
    if digest(tensors) != header.tensors_sha256:
        raise BundleRejected(f"{path.name}: the weights are not those its header was written for; {_AGAIN}")
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise BundleRejected(f"{path.name}: NaN or infinite weights in {broken[0]}; {_AGAIN}")
    return header, tensors


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and little-endian bytes of tensors, in the order of their names."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()

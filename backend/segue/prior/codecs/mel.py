"""The mel codec: an analytic latent of mid/side log-mel frames.

``encode`` turns stereo audio into standardised log-mel tokens; the way back to a waveform needs an
excitation (audio that carries phase and fine structure), whose spectrum ``decode`` moves to the latent's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.codecs.transform import Transform


@dataclass(frozen=True)
class MelSettings:
    """Geometry of the mel latent; part of a bundle's manifest.

    ``rate`` in hertz, ``n_fft`` and ``hop`` in samples, ``f_min`` and ``f_max`` in hertz; ``floor`` is the power
    added before the logarithm (programme material at -20 dBFS RMS has about 1 per bin).
    """

    rate: int = 44100
    n_fft: int = 2048
    hop: int = 512
    mid_bands: int = 96
    side_bands: int = 48
    f_min: float = 30.0
    f_max: float = 18000.0
    frames_per_token: int = 4
    floor: float = 1e-5

    @property
    def bands(self) -> int:
        """Bands of one frame: mid, then side."""
        return self.mid_bands + self.side_bands

    @property
    def channels(self) -> int:
        """Latent channels: the bands of all frames of a token."""
        return self.bands * self.frames_per_token

    @property
    def token(self) -> int:
        """Samples of audio a token stands for."""
        return self.hop * self.frames_per_token


def mel_filterbank(n_fft: int, bands: int, rate: int, f_min: float, f_max: float) -> Float[Tensor, "bands bins"]:
    """Triangular HTK-mel filters, each normalised to sum 1, so that a band is a mean power per bin."""

    def to_mel(f: float) -> float:
        return 2595.0 * math.log10(1.0 + f / 700.0)

    mels = torch.linspace(to_mel(f_min), to_mel(f_max), bands + 2, dtype=torch.float64)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * rate / n_fft
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    weights = torch.minimum(rising, falling).clamp_min(0.0)
    return (weights / weights.sum(1, keepdim=True).clamp_min(1e-9)).float()


def spread(filterbank: Float[Tensor, "bands bins"]) -> Float[Tensor, "bins bands"]:
    """Band gains to bin gains: the transposed filters, normalised per bin; bins outside take the edge band."""
    total = filterbank.sum(0)
    weights = filterbank / total.clamp_min(1e-9)
    empty = (total < 1e-9).nonzero()[:, 0]
    low = empty[empty < filterbank.shape[1] // 2]
    high = empty[empty >= filterbank.shape[1] // 2]
    weights[0, low] = 1.0
    weights[-1, high] = 1.0
    return weights.T.contiguous()


def to_mid_side(audio: Float[Tensor, "*batch 2 samples"]) -> Float[Tensor, "*batch 2 samples"]:
    """Left/right to mid/side, orthonormal; its own inverse."""
    left, right = audio.unbind(-2)
    return torch.stack([left + right, left - right], -2) * math.sqrt(0.5)


@dataclass(frozen=True)
class MelCodec:
    """Waveform to standardised log-mel tokens and back, differentiable both ways.

    ``mean`` and ``std`` are statistics of the training music, (bands,), in log10 power.
    Audio is expected at an RMS of about 0.1 (see ``segue.prior.codecs.REFERENCE_RMS``).
    """

    settings: MelSettings
    mean: Tensor
    std: Tensor
    _banks: tuple[Tensor, Tensor] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        s = self.settings
        banks = tuple(mel_filterbank(s.n_fft, n, s.rate, s.f_min, s.f_max) for n in (s.mid_bands, s.side_bands))
        object.__setattr__(self, "_banks", banks)

    @property
    def token(self) -> int:
        """Samples of audio one latent frame stands for."""
        return self.settings.token

    @property
    def channels(self) -> int:
        """Latent channels."""
        return self.settings.channels

    @property
    def reach(self) -> int:
        """Half a transform: a token's first frame is centred on its first sample, its last one a hop before its end."""
        return self.settings.n_fft // 2

    @property
    def needs_excitation(self) -> bool:
        """A mel has no phase: decoding needs audio to shape."""
        return True

    @cached_property
    def transform(self) -> Transform:
        """The transform on both ways."""
        return Transform(self.settings.n_fft, self.settings.hop)

    @cached_property
    def _spreads(self) -> tuple[Tensor, Tensor]:
        return spread(self._banks[0]), spread(self._banks[1])

    def log_mel(self, spectrum: Tensor) -> Float[Tensor, "batch frames bands"]:
        """Log10 power per band of a mid/side spectrum, mid bands first."""
        power = spectrum.real.square() + spectrum.imag.square()
        mid, side = (torch.log10(bank @ power[:, i] + self.settings.floor) for i, bank in enumerate(self._banks))
        return torch.cat([mid, side], 1).transpose(1, 2)

    def frames(self, audio: Float[Tensor, "batch 2 samples"]) -> Float[Tensor, "batch frames bands"]:
        """Standardised log-mel frames of left/right audio."""
        return (self.log_mel(self.transform.forward(to_mid_side(audio))) - self.mean) / self.std

    def to_tokens(self, frames: Float[Tensor, "batch frames bands"]) -> Float[Tensor, "batch channels tokens"]:
        """Group frames into tokens; frames must be a multiple of ``frames_per_token``."""
        batch, count, bands = frames.shape
        per = self.settings.frames_per_token
        if count % per:
            raise InvalidRequest(f"expected a multiple of {per} frames, got {count}: pad them")
        return frames.reshape(batch, count // per, per * bands).transpose(1, 2)

    def to_frames(self, latents: Float[Tensor, "batch channels tokens"]) -> Float[Tensor, "batch frames bands"]:
        """Inverse of :meth:`to_tokens`."""
        batch, _, tokens = latents.shape
        s = self.settings
        return latents.transpose(1, 2).reshape(batch, tokens * s.frames_per_token, s.bands)

    def encode(self, audio: Float[Tensor, "batch 2 samples"]) -> Float[Tensor, "batch channels tokens"]:
        """Latents of left/right audio; samples must be a multiple of ``settings.token``."""
        if audio.shape[-1] % self.settings.token:
            raise InvalidRequest(
                f"expected a multiple of {self.settings.token} samples, got {audio.shape[-1]}: pad the audio"
            )
        return self.to_tokens(self.frames(audio))

    def decode(
        self,
        latents: Float[Tensor, "batch channels tokens"],
        excitation: Float[Tensor, "batch 2 samples"] | None,
        *,
        iterations: int = 2,
        gain_range_db: tuple[float, float] = (-20.0, 10.0),
    ) -> Float[Tensor, "batch 2 samples"]:
        """Audio whose mel is the latent's: the excitation with band gains per frame.

        Gains are (latent - excitation) in dB within ``gain_range_db``, spread over the bins; applied
        ``iterations`` times, since neighbouring frames overlap. Differentiable in ``latents``.
        """
        if excitation is None:
            raise InvalidRequest("the mel codec needs an excitation: expected (batch, 2, samples) audio, got None")
        target = self.to_frames(latents) * self.std + self.mean
        low, high = (g / 20.0 for g in gain_range_db)
        spectrum = self.transform.forward(to_mid_side(excitation))
        mid, side = self._spreads
        m = self.settings.mid_bands
        for _ in range(iterations):
            gain = ((target - self.log_mel(spectrum)) / 2.0).clamp(low, high).transpose(1, 2)
            bins = torch.stack([mid @ gain[:, :m], side @ gain[:, m:]], 1)
            spectrum = self.transform.forward(self.transform.inverse(spectrum * 10.0**bins))
        return to_mid_side(self.transform.inverse(spectrum))

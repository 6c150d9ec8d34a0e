"""The codec of the waveform class: complex spectra up to a frequency, noise bands above, phases and all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.codecs.mel import mel_filterbank, spread, to_mid_side
from segue.prior.codecs.transform import Transform

_LEAST = 1e-4  # of the floor: the least power of a noise band that is heard


@dataclass(frozen=True)
class StftSettings:
    """``bins`` complex bins from 0 Hz on, for mid and side each; ``noise_bands`` from there to ``f_max``, in hertz.

    ``frames_per_token`` frames make a latent frame. ``floor`` is the power under which the square-root compression is
    linear; ``noise_seed`` draws what sounds in the noise bands. ``n_fft`` divides ``hop * frames_per_token``, so that
    base band begins anew with every latent frame, wherever a window is cut.
    """

    rate: int = 44100
    n_fft: int = 2048
    hop: int = 512
    bins: int = 384
    noise_bands: int = 16
    f_max: float = 20000.0
    frames_per_token: int = 4
    floor: float = 1e-4
    noise_seed: int = 0

    def __post_init__(self) -> None:
        if self.hop * self.frames_per_token % self.n_fft:
            raise InvalidRequest(
                f"expected n_fft to divide hop * frames_per_token, got {self.n_fft}, {self.hop} and "
                f"{self.frames_per_token}"
            )
        if not 0 < self.bins <= self.n_fft // 2 or self.edge >= self.f_max:
            raise InvalidRequest(f"expected 1 to {self.n_fft // 2} bins under f_max {self.f_max} Hz, got {self.bins}")

    @property
    def edge(self) -> float:
        """Where the noise bands begin, in hertz."""
        return self.bins * self.rate / self.n_fft

    @property
    def waves(self) -> int:
        """Numbers of a frame that are waves: mid's real and imaginary parts, then side's."""
        return 4 * self.bins

    @property
    def features(self) -> int:
        """Numbers of a frame: the waves, then mid's and side's noise bands."""
        return self.waves + 2 * self.noise_bands

    @property
    def channels(self) -> int:
        """Latent channels: the features of all frames of a token."""
        return self.features * self.frames_per_token

    @property
    def token(self) -> int:
        """Samples of audio a token stands for."""
        return self.hop * self.frames_per_token


def compressed(spectrum: Tensor, floor: float) -> Tensor:
    """|X|^(1/2) at X's phase, linear under ``floor`` (in power); smooth everywhere."""
    power = spectrum.real.square() + spectrum.imag.square()
    return spectrum * (power + floor).pow(-0.25)


def expanded(spectrum: Tensor, floor: float) -> Tensor:
    """The inverse of :func:`compressed`, in closed form."""
    power = spectrum.real.square() + spectrum.imag.square()
    return spectrum * ((power + (power.square() + 4.0 * floor).sqrt()) / 2.0).sqrt()


@dataclass(frozen=True)
class StftCodec:
    """Waveform to standardised complex spectra and back, differentiable both ways, without an excitation.

    Each bin is in base band: turned back by its centre frequency, so that a steady tone changes slowly from frame to
    frame. ``mean`` and ``std``, (features,), are statistics of the training music; those of the waves have mean 0.
    Above :attr:`StftSettings.edge` only the level of noise is kept: up to there a round trip is exact.
    """

    settings: StftSettings
    mean: Tensor
    std: Tensor

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
        """Half a transform, as a token's first frame is centred on its first sample."""
        return self.settings.n_fft // 2

    @property
    def needs_excitation(self) -> bool:
        """It makes its own phases."""
        return False

    @cached_property
    def transform(self) -> Transform:
        """The transform on both ways."""
        return Transform(self.settings.n_fft, self.settings.hop)

    @cached_property
    def _bank(self) -> Float[Tensor, "bands bins"]:
        s = self.settings
        return mel_filterbank(s.n_fft, s.noise_bands, s.rate, s.edge, s.f_max)

    @cached_property
    def _spread(self) -> Float[Tensor, "high bands"]:
        return spread(self._bank)[self.settings.bins :]

    def _turn(self, frames: int) -> Complex[Tensor, "bins frames"]:
        """e^(-2 pi i k n hop / n_fft): what brings bin k of frame n to base band."""
        s = self.settings
        steps = torch.arange(s.bins)[:, None] * (torch.arange(frames) * s.hop)[None] % s.n_fft
        angle = steps.double() * (-2.0 * math.pi / s.n_fft)
        return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)

    def _noise(self, frames: int) -> Complex[Tensor, "2 high frames"]:
        """White noise of unit power; a longer one begins with a shorter one (but for the last half window)."""
        generator = torch.Generator().manual_seed(self.settings.noise_seed)
        white = torch.randn(frames * self.settings.hop, 2, generator=generator).T[None]
        spectrum = self.transform.forward(white / self.transform.window.square().sum().sqrt())
        return spectrum[0, :, self.settings.bins :]

    def frames(self, audio: Float[Tensor, "batch 2 samples"]) -> Float[Tensor, "batch frames features"]:
        """Features of left/right audio, not standardised."""
        s = self.settings
        spectrum = self.transform.forward(to_mid_side(audio))
        waves = compressed(spectrum[:, :, : s.bins] * self._turn(spectrum.shape[-1]), s.floor)
        power = spectrum.real.square() + spectrum.imag.square()
        noise = torch.log10(self._bank @ power + s.floor)
        parts = torch.stack([waves.real, waves.imag], 2)
        return torch.cat([parts.flatten(1, 3), noise.flatten(1, 2)], 1).transpose(1, 2)

    def encode(self, audio: Float[Tensor, "batch 2 samples"]) -> Float[Tensor, "batch channels tokens"]:
        """Latents of left/right audio; samples must be a multiple of ``settings.token``."""
        s = self.settings
        if audio.shape[-1] % s.token:
            raise InvalidRequest(f"expected a multiple of {s.token} samples, got {audio.shape[-1]}: pad the window")
        standard = (self.frames(audio) - self.mean) / self.std
        return standard.reshape(len(audio), -1, s.channels).transpose(1, 2)

    def decode(
        self,
        latents: Float[Tensor, "batch channels tokens"],
        excitation: Float[Tensor, "batch 2 samples"] | None = None,
    ) -> Float[Tensor, "batch 2 samples"]:
        """Left/right audio of tokens * ``settings.token`` samples; the excitation, which others need, plays no part."""
        s = self.settings
        batch, _, tokens = latents.shape
        frames = tokens * s.frames_per_token
        standard = latents.transpose(1, 2).reshape(batch, frames, s.features)
        features = (standard * self.std + self.mean).transpose(1, 2)
        parts = features[:, : s.waves].reshape(batch, 2, 2, s.bins, frames)
        waves = expanded(torch.complex(parts[:, :, 0], parts[:, :, 1]), s.floor) * self._turn(frames).conj()
        levels = features[:, s.waves :].reshape(batch, 2, s.noise_bands, frames)
        least = _LEAST * s.floor  # the root's slope stays finite, and silence silence
        power = (10.0 ** (self._spread @ levels) - s.floor).clamp_min(least)
        noise = (power.sqrt() - math.sqrt(least)) * self._noise(frames)
        return to_mid_side(self.transform.inverse(torch.cat([waves, noise], 2)))

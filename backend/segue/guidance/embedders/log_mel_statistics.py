"""A first embedder: the average spectrum and how much each band moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.embedders.contract import Audio
from segue.prior.codecs.mel import mel_filterbank


@dataclass(frozen=True)
class LogMelStatistics:
    """Mean and standard deviation over time of log10 power in mel bands of the mid signal: (batch, 2 * bands).

    Means first, then deviations. ``rate``, ``f_min``, ``f_max`` in hertz, ``n_fft`` and ``hop`` in samples; ``floor``
    is the power added before the logarithm. Timbre and balance, nothing of melody: needs no weights.

    Raises:
        InvalidRequest: audio shorter than two frames.
    """

    rate: int = 44100
    n_fft: int = 2048
    hop: int = 1024
    bands: int = 64
    f_min: float = 30.0
    f_max: float = 18000.0
    floor: float = 1e-5
    _bank: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bank = mel_filterbank(self.n_fft, self.bands, self.rate, self.f_min, self.f_max)
        object.__setattr__(self, "_bank", bank)

    def __call__(self, audio: Audio) -> Float[Tensor, "batch features"]:
        """The embedding, in log10 power."""
        needed = self.n_fft + self.hop
        if audio.shape[-1] < needed:
            raise InvalidRequest(f"expected at least {needed} samples, two frames, got {audio.shape[-1]}")
        window = torch.hann_window(self.n_fft, dtype=audio.dtype, device=audio.device)
        spectrum = torch.stft(audio.mean(1), self.n_fft, self.hop, window=window, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        log_mel = torch.log10(self._bank.to(audio) @ power + self.floor)
        mean = log_mel.mean(-1)
        # The root's slope is infinite where a band does not move at all, as in silence.
        deviation = ((log_mel - mean[..., None]).square().mean(-1) + 1e-8).sqrt()
        return torch.cat([mean, deviation], 1)

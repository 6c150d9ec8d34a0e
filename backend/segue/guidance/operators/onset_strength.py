"""How much begins, over time: the rise of the mel spectrum."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv1d, pad, relu

from segue.errors import InvalidRequest
from segue.guidance.operators.band_energy import check_analysis, frame_spectrum
from segue.guidance.operators.contract import Signal
from segue.prior.codecs.mel import mel_filterbank


@dataclass(frozen=True)
class OnsetStrength:
    """Log2 of the onset strength (batch, frames): of the rise in dB over ``lag`` frames, the mean over all bands.

    On audio (batch, channels, samples) at ``rate`` hertz, channels together, frame k centred on k * ``hop``. Spectral
    flux of ``bands`` mel bands, only rises counted (Boeck and Widmer 2013, without their maximum filter), smoothed by a
    Hann window of ``smooth`` seconds: its area is the number of onsets times their height, so that it stands for how
    dense they are too. ``floor`` is the power added to each band, ``least`` the strength added before the logarithm.
    Where the strength is gone down, frames must overlap by more than half: of a sparser grid only what lies on it is
    changed.

    Raises:
        InvalidRequest: a geometry no transform has, no bands, a lag under a frame, or smoothing under one.
    """

    rate: float
    n_fft: int = 1024
    hop: int = 512
    lag: int = 1
    bands: int = 40
    smooth: float = 0.2
    floor: float = 1e-9
    least: float = 0.05
    _bank: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_analysis(self.rate, self.n_fft, self.hop)
        if self.lag < 1:
            raise InvalidRequest(f"expected a rise over at least 1 frame, got {self.lag}")
        if self.bands < 1 or not math.isfinite(self.smooth) or self.smooth * self.rate < self.hop:
            raise InvalidRequest(
                f"expected at least 1 band and smoothing over at least a frame ({self.hop / self.rate:.4f} s), "
                f"got {self.bands} bands and {self.smooth} s"
            )
        top = min(16000.0, self.rate / 2.0)
        bank = mel_filterbank(self.n_fft, self.bands, int(self.rate), 60.0, top)
        object.__setattr__(self, "_bank", bank)

    def __call__(self, x: Signal) -> Float[Tensor, "batch frames"]:
        """Log2 of the strength in dB a ``lag``; of the first and the last frames, whose rise is not known, 0 dB."""
        power = frame_spectrum(x, self.n_fft, self.hop).mean(1)
        level = 10.0 * torch.log10(self._bank.to(x) @ power + self.floor)
        rise = relu(level[..., self.lag :] - level[..., : -self.lag]).mean(1)
        rise = pad(rise, (self.lag - self.lag // 2, self.lag // 2))  # at the middle of what it is over
        frames = max(1, round(self.smooth * self.rate / self.hop / 2.0))
        window = torch.hann_window(2 * frames + 1, periodic=False, dtype=x.dtype, device=x.device)
        smoothed = conv1d(pad(rise[:, None], (frames, frames)), (window / window.sum())[None, None])[:, 0]
        return torch.log2(smoothed + self.least)

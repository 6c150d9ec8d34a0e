"""The windowed Fourier transform that codecs share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Complex, Float
from torch import Tensor


@dataclass(frozen=True)
class Transform:
    """Hann windows of ``n_fft`` samples; frame k is centred on sample k * hop, frames = samples // hop."""

    n_fft: int
    hop: int

    @property
    def bins(self) -> int:
        """Frequencies from 0 to the Nyquist frequency."""
        return self.n_fft // 2 + 1

    @cached_property
    def window(self) -> Tensor:
        """The Hann window."""
        return torch.hann_window(self.n_fft)

    def forward(self, audio: Float[Tensor, "batch 2 samples"]) -> Complex[Tensor, "batch 2 bins frames"]:
        """The spectrum."""
        batch, _, samples = audio.shape
        flat = audio.reshape(batch * 2, samples)
        spectrum = torch.stft(flat, self.n_fft, self.hop, window=self.window, return_complex=True)
        return spectrum[..., : samples // self.hop].reshape(batch, 2, self.bins, -1)

    def inverse(self, spectrum: Complex[Tensor, "batch 2 bins frames"]) -> Float[Tensor, "batch 2 samples"]:
        """Audio of frames * hop samples."""
        batch, _, bins, frames = spectrum.shape
        padded = torch.cat([spectrum, spectrum[..., -1:]], -1).reshape(batch * 2, bins, frames + 1)
        audio = torch.istft(padded, self.n_fft, self.hop, window=self.window, length=frames * self.hop)
        return audio.reshape(batch, 2, frames * self.hop)

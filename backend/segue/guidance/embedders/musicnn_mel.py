"""What musicnn hears: log-mel frames of 16 kHz mono, as librosa makes them with its default settings.

Two things differ from the wheel's ``extractor.py``. It rounds mel powers to half precision, which moves probabilities
by less than 1e-4; here they stay in float32. And frames at the ends are padded by reflection, as librosa did in 2019
when the networks were trained; later versions pad with silence, which sounds like an attack.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

RATE = 16000
N_FFT = 512
HOP = 256
BANDS = 96


def log_mel(audio: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bands"]:
    """log10(10000 mel + 1) of 16 kHz audio; frame k is centred on sample 256 k, frames = samples // 256 + 1."""
    window = torch.hann_window(N_FFT, dtype=audio.dtype, device=audio.device)
    spectrum = torch.stft(audio, N_FFT, HOP, window=window, pad_mode="reflect", return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    with torch.inference_mode(mode=False):  # it is kept, and a later caller may want a gradient
        bank = slaney_filterbank()
    return torch.log1p(1e4 * (bank.to(audio) @ power)).transpose(1, 2) / math.log(10)


@cache
def slaney_filterbank() -> Float[Tensor, "bands bins"]:
    """Triangles of equal area on Slaney's mel scale: linear up to 1 kHz (15 mel), 27 mel for each factor 6.4 above.

    Source: M. Slaney, Auditory Toolbox, 1998; librosa's ``filters.mel`` with its defaults.
    """
    top = 15 + 27 * math.log(RATE / 2 / 1000) / math.log(6.4)
    mels = torch.linspace(0, top, BANDS + 2, dtype=torch.float64)
    edges = torch.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    bins = torch.arange(N_FFT // 2 + 1, dtype=torch.float64) * RATE / N_FFT
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = torch.minimum(rising, falling).clamp_min(0)
    return triangles * 2 / (edges[2:] - edges[:-2])[:, None]

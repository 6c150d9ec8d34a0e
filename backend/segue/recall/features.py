"""What recall listens to: a coarse log-mel to find places, and the mel codec's frames to choose units."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float

from segue.prior.codecs.mel import MelCodec, mel_filterbank

RATE = 44100
HOP = 1024
N_FFT = 2048
BANDS = 40
FLOOR_DB = -60.0
_CHUNK = 2048  # frames analysed at once, bounding memory on long songs


def song_features(song: Float[np.ndarray, "2 samples"]) -> Float[np.ndarray, "frames bands"]:
    """Log-mel in dB (frames, 40) of the mid signal of a 44.1 kHz song at an RMS of about 0.1.

    Frame k is centred on sample 1024 k; levels below -60 dB are set to -60 dB.
    """
    bank = mel_filterbank(N_FFT, BANDS, RATE, 30.0, 20000.0)
    window = torch.hann_window(N_FFT)
    count = song.shape[1] // HOP + 1
    features = np.empty((count, BANDS), np.float32)
    for first in range(0, count, _CHUNK):
        frames = min(_CHUNK, count - first)
        low, high = first * HOP - N_FFT // 2, (first + frames - 1) * HOP + N_FFT // 2
        mono = song[:, max(0, low) : high].mean(0)
        piece = torch.from_numpy(np.pad(mono, (max(0, -low), high - max(0, low) - len(mono))))
        spectrum = torch.stft(piece, N_FFT, HOP, window=window, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        features[first : first + frames] = (10.0 * torch.log10(bank @ power + 1e-7)).clamp_min(FLOOR_DB).T.numpy()
    return features


def mel_frames(song: Float[np.ndarray, "2 samples"], codec: MelCodec) -> Float[np.ndarray, "frames bands"]:
    """The codec's standardised frames of a whole song, (samples // hop, bands), analysed block by block.

    The same as ``codec.frames`` of the whole: each block hears its neighbours' samples, the song's ends are reflected.
    A song shorter than half a transform has no frames.
    """
    hop, margin = codec.settings.hop, codec.settings.n_fft
    samples = song.shape[1]
    count = samples // hop if samples > margin // 2 else 0
    frames = np.empty((count, codec.settings.bands), np.float32)
    for first in range(0, count, _CHUNK):
        stop = min(first + _CHUNK, count)
        low, high = max(0, first * hop - margin), min(samples, stop * hop + margin)
        block = codec.frames(torch.from_numpy(song[None, :, low:high]))[0]
        frames[first:stop] = block[first - low // hop :][: stop - first].numpy()
    return frames

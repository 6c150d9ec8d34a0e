"""Measures a training run is judged by: distance, seams and statistics of a filled gap against the real one."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import sqrtm

from segue.prior.codecs.mel import mel_filterbank

Stereo = Float[np.ndarray, "2 _samples"]


def mel_db(audio: Stereo, n_fft: int = 2048, hop: int = 512, bands: int = 80) -> Float[np.ndarray, "2 bands frames"]:
    """Log-mel in dB of each channel, 30 Hz to 20 kHz, not under -60 dB (audio at an RMS of about 0.1)."""
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(torch.from_numpy(np.ascontiguousarray(audio)), n_fft, hop, window=window, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    bank = mel_filterbank(n_fft, bands, 44100, 30.0, 20000.0)
    result: Float[np.ndarray, "2 bands frames"] = (10.0 * torch.log10(bank @ power + 1e-7)).clamp_min(-60.0).numpy()
    return result


def mel_distance(audio: Stereo, real: Stereo) -> float:
    """Mean absolute difference of the gaps' log-mels, dB."""
    return float(np.abs(mel_db(audio) - mel_db(real)).mean())


def seam_flux(audio: Stereo, start: int, stop: int) -> float:
    """Mean over both seams of the largest log-mel flux (dB) within 58 ms: a click or a break stands out."""
    mel = np.maximum(mel_db(audio, 1024, 256, 60), -50.0)
    flux = np.abs(mel[..., 2:] - mel[..., :-2]).mean((0, 1))
    return float(np.mean([flux[max(0, s // 256 - 10) : s // 256 + 10].max() for s in (start, stop)]))


def high_band_error(audio: Stereo, real: Stereo) -> float:
    """Difference in energy from 8 to 16 kHz, dB; negative is duller than the real gap."""

    def level(x: Stereo) -> float:
        power = np.abs(np.fft.rfft(x, axis=-1)) ** 2
        frequency = np.fft.rfftfreq(x.shape[1], 1 / 44100)
        return float(10.0 * np.log10(power[:, (frequency >= 8000) & (frequency < 16000)].sum() + 1e-9))

    return level(audio) - level(real)


def statistics_of(audio: Stereo) -> Float[np.ndarray, " n"]:
    """Mean, spread and spread of change of a coarse mel: what a blurred gap gets wrong."""
    mel = mel_db(audio, bands=40).mean(0)
    return np.concatenate([mel.mean(1), mel.std(1), np.diff(mel, axis=1).std(1)])


def frechet(of: Float[np.ndarray, "clips n"], real: Float[np.ndarray, "clips n"], dimensions: int = 12) -> float:
    """Frechet distance of :func:`statistics_of` over clips, in the real ones' principal directions."""
    mean, scale = real.mean(0), real.std(0) + 0.5
    directions = np.linalg.svd((real - mean) / scale, full_matrices=False)[2][:dimensions].T
    a, b = (of - mean) / scale @ directions, (real - mean) / scale @ directions
    apart = a.mean(0) - b.mean(0)
    ridge = 1e-3 * np.eye(a.shape[1])
    ca, cb = np.cov(a.T) + ridge, np.cov(b.T) + ridge
    return float(apart @ apart + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real))

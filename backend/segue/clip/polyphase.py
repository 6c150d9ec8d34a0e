"""Change of sample rate as one differentiable convolution, for networks that hear at a rate of their own."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv1d, pad

from segue.errors import InvalidRequest

PASS_BAND = 0.913  # of the lower Nyquist frequency: where soxr's HQ, librosa's default, begins to fall, too
STOP_DB = 120.0
MAX_PHASES = 640


def resample(audio: Float[Tensor, "batch samples"], rate: int, to: int) -> Float[Tensor, "batch resampled"]:
    """``audio`` at ``rate`` hertz as ceil(samples * to / rate) samples at ``to`` hertz, differentiable.

    Sample n stands at time n / to, so nothing is delayed; beyond its ends the audio counts as silence. Flat up to
    0.913 of the lower Nyquist frequency, 120 dB down from that frequency on.

    Raises:
        InvalidRequest: a rate is no positive number, or the two share too few samples.
    """
    check_rates(rate, to)
    if rate == to:
        return audio
    with torch.inference_mode(mode=False):  # it is kept, and a later caller may want a gradient
        bank, reach = _bank(rate, to)
    phases, width = bank.shape
    step = rate // math.gcd(rate, to)
    length = -(-audio.shape[-1] * to // rate)
    blocks = -(-length // phases)
    behind = (blocks - 1) * step + width - reach - audio.shape[-1]
    padded = pad(audio, (reach, behind))[:, None]
    resampled = conv1d(padded, bank.to(audio)[:, None], stride=step)
    return resampled.transpose(1, 2).flatten(1)[:, :length]


def filter_reach(rate: int, to: int) -> int:
    """Samples at ``rate`` on each side of a place that :func:`resample` hears for it."""
    return 0 if rate == to else _design(rate, to)[2]


def check_rates(rate: int, to: int) -> None:
    """Refuse rates between which :func:`resample` does not convert.

    Raises:
        InvalidRequest: a rate is no positive number, or the two share too few samples.
    """
    if min(rate, to) <= 0:
        raise InvalidRequest(f"expected sample rates above 0 Hz, got {rate} and {to} Hz")
    phases = to // math.gcd(rate, to)
    if phases > MAX_PHASES:
        raise InvalidRequest(
            f"{rate} and {to} Hz share too few samples ({phases} phases, at most {MAX_PHASES}): "
            "give audio at 44100 Hz or another usual rate"
        )


@lru_cache(maxsize=8)
def _bank(rate: int, to: int) -> tuple[Float[Tensor, "phases width"], int]:
    """One filter for each place of the output grid between two common samples, and its reach in samples of ``rate``.

    A sinc under a Kaiser window, by Kaiser's formulas for length and beta (Oppenheim and Schafer, 7.6).
    """
    common = math.gcd(rate, to)
    phases, step = to // common, rate // common
    cutoff, _, reach = _design(rate, to)
    beta = 0.1102 * (STOP_DB - 8.7)
    width = (phases - 1) * step // phases + 2 * reach + 1
    places = torch.arange(phases, dtype=torch.float64)[:, None] * step / phases
    t = torch.arange(width, dtype=torch.float64) - reach - places
    window = torch.special.i0(beta * (1 - (t / reach).square()).clamp_min(0).sqrt()) * (t.abs() <= reach)
    bank = torch.sinc(2 * cutoff * t) * window
    return bank / bank.sum(1, keepdim=True), reach


def _design(rate: int, to: int) -> tuple[float, float, int]:
    """Middle and width of the filter's transition, in cycles per sample, and its reach in samples, of the input."""
    nyquist = min(rate, to) / 2 / rate
    transition = nyquist * (1 - PASS_BAND)
    return nyquist * (1 + PASS_BAND) / 2, transition, math.ceil((STOP_DB - 7.95) / (14.36 * transition) / 2)

"""Between a clip's own rate and the 44.1 kHz stereo that priors hear.

Sample i of a clip at ``rate`` stands at time i / rate; sample k of the model's timeline at k / 44100. Only gaps come
back: :func:`patch_from_model` hits the clip's own sample grid exactly, also where the two rates share few samples.
"""

from __future__ import annotations

import math

import numpy as np
import soxr
from jaxtyping import Float

from segue.clip.clip import MODEL_RATE, Clip
from segue.clip.span import Span
from segue.errors import InvalidRequest

MIN_RATE, MAX_RATE = 8_000, 768_000
_QUALITY = "VHQ"
REACH = 128
"""Samples of the lower rate that the filter hears on each side: soxr's VHQ is below -120 dB from 112 on."""

Stereo = Float[np.ndarray, "2 _samples"]


def filter_margin(rate: int) -> int:
    """Samples at 44.1 kHz that :func:`patch_from_model` wants on both sides of a gap."""
    return math.ceil(REACH * max(1.0, MODEL_RATE / rate))


def model_length(samples: int, rate: int) -> int:
    """Samples at 44.1 kHz that cover ``samples`` at ``rate``, rounded up."""
    return -(-samples * MODEL_RATE // rate)


def model_span(native: Span, rate: int) -> Span:
    """The smallest span at 44.1 kHz that covers ``native`` at ``rate``: rounded outwards."""
    return Span(native.start * MODEL_RATE // rate, model_length(native.stop, rate))


def native_span(model: Span, rate: int) -> Span:
    """The smallest span at ``rate`` that covers ``model`` at 44.1 kHz: rounded outwards."""
    return Span(model.start * rate // MODEL_RATE, -(-model.stop * rate // MODEL_RATE))


def check_format(channels: int, rate: int) -> None:
    """Refuse what the renderer cannot hear.

    Raises:
        InvalidRequest: not one or two channels, or a rate outside 8 to 768 kHz.
    """
    if channels not in (1, 2):
        raise InvalidRequest(
            f"expected mono or stereo, got {channels} channels: split the file into pairs and fill each of them"
        )
    if not MIN_RATE <= rate <= MAX_RATE:
        raise InvalidRequest(f"expected a sample rate from {MIN_RATE} to {MAX_RATE} Hz, got {rate} Hz")


def to_model(clip: Clip) -> Stereo:
    """The clip as 44.1 kHz stereo, (2, :func:`model_length`) float32; mono is heard as two equal channels.

    Raises:
        InvalidRequest: more than two channels, none, or a rate outside 8 to 768 kHz.
    """
    check_format(clip.channels, clip.rate)
    samples = clip.samples.astype(np.float32, copy=False)
    if clip.rate != MODEL_RATE:
        length = model_length(clip.length, clip.rate)
        # soxr rounds the length down as often as up: a little silence behind makes enough of it
        padded = np.pad(samples, ((0, 0), (0, clip.rate // MODEL_RATE + 2)))
        samples = soxr.resample(padded.T, clip.rate, MODEL_RATE, _QUALITY).T[:, :length]
    stereo: Stereo = np.ascontiguousarray(np.broadcast_to(samples, (2, samples.shape[1])))
    return stereo


def to_channels(patch: Stereo, channels: int) -> Float[np.ndarray, "channels samples"]:
    """Stereo as it is, or its mean as one channel.

    Raises:
        InvalidRequest: neither one nor two channels.
    """
    if channels == 2:
        return patch
    if channels == 1:
        mean: Float[np.ndarray, "channels samples"] = patch.mean(axis=0, keepdims=True, dtype=np.float32)
        return mean
    raise InvalidRequest(f"expected 1 or 2 channels, got {channels}")


def patch_from_model(patch: Stereo, covers: Span, gap: Span, rate: int, timeline: int) -> Float[np.ndarray, "2 gap"]:
    """The part of a 44.1 kHz patch that fills ``gap``, at the clip's own rate: (2, gap.length) float32.

    ``covers``: the span of the 44.1 kHz timeline that ``patch`` (2, samples) stands for, the joined gap with context
    around it; ``gap``: samples at ``rate``. ``timeline``: length of the timeline, beyond which no margin is wanted.

    Raises:
        InvalidRequest: the patch is not as long as ``covers``, or has less than :func:`filter_margin` around the gap.
    """
    if patch.shape[1] != covers.length:
        raise InvalidRequest(f"expected a patch of {covers.length} samples for {covers}, got {patch.shape[1]}")
    inner, margin = model_span(gap, rate), 0 if rate == MODEL_RATE else filter_margin(rate)
    needed = Span(max(0, inner.start - margin), max(inner.stop, min(timeline, inner.stop + margin)))
    if covers.start > needed.start or covers.stop < needed.stop:
        raise InvalidRequest(
            f"expected a patch over {needed.start}:{needed.stop} at 44.1 kHz, got {covers.start}:{covers.stop}; "
            "render more context around the gap"
        )
    if rate == MODEL_RATE:
        return patch[:, gap.start - covers.start : gap.stop - covers.start].astype(np.float32)
    return _at_rate(patch, covers, gap, rate)


def _at_rate(patch: Stereo, covers: Span, gap: Span, rate: int) -> Float[np.ndarray, "2 gap"]:
    """Start the resampler at the last moment before the patch that both rates have a sample on: no fraction is left."""
    common = math.gcd(rate, MODEL_RATE)
    model_step, native_step = MODEL_RATE // common, rate // common
    beat = covers.start // model_step
    lead = covers.start - beat * model_step
    tail = MODEL_RATE // rate + 2
    padded = np.pad(patch, ((0, 0), (lead, tail)))
    native = soxr.resample(padded.T, MODEL_RATE, rate, _QUALITY).T
    first = gap.start - beat * native_step
    return np.ascontiguousarray(native[:, first : first + gap.length], dtype=np.float32)

"""Joining a generated patch to what stands around its gap.

Nothing outside the gap changes. Inside it there is no context to fade from, so the context is made to go on: what it
differs from the patch by, beside the gap, goes on as its own autoregressive model says it would, on top of the patch.
That continuation is continuous with the context, equals the patch where the patch was right, and is faded into it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import correlate

from segue.clip.analysis import CENTRES, FLOOR, third_octave_power
from segue.clip.ar import burg, continuation
from segue.clip.clip import MODEL_RATE
from segue.clip.span import Span
from segue.errors import InvalidRequest

Stereo = Float[np.ndarray, "2 _samples"]
Gains = Float[np.ndarray, "2 bands"]
Wrong = Float[np.ndarray, " _samples"]

_FILTER_TAIL = 8192  # samples the smooth zero-phase gains ring at most
_HANDOVER = 0.03  # seconds over which two shifts pass
_WORTH = 0.15  # of correlation, both sides together: what a hand-over must gain
_CERTAIN = 4.0  # bandwidth times duration at which a measured gain counts half
_DAMPINGS = (1.0, 0.99, 0.97, 0.9, 0.8, 0.6, 0.0)  # of the model's poles, until a difference grows no more


@dataclass(frozen=True)
class SeamSettings:
    """``margin``: samples of 44.1 kHz a patch must bring on each side of its gap, where there is context.

    ``fade`` in seconds, 0.01 to 0.03; ``reach``: largest shift in seconds; ``gain_limit_db``: most a third octave is
    moved, 0 leaves the patch's spectrum alone; ``settle``: seconds from a seam in which that falls to 1 / e (the few
    milliseconds that are compared say little of what is far from them); ``order`` of the model by which the
    difference of context and patch goes on.
    """

    margin: int = 4096
    fade: float = 0.02
    reach: float = 0.002
    gain_limit_db: float = 6.0
    settle: float = 0.5
    order: int = 256

    def __post_init__(self) -> None:
        if not 0.01 <= self.fade <= 0.03:
            raise InvalidRequest(f"expected a fade of 0.01 to 0.03 s, got {self.fade}")
        if not 0.0 <= self.reach <= 0.01 or not 0.0 <= self.gain_limit_db <= 24.0:
            raise InvalidRequest(
                f"expected reach in 0..0.01 s, gains in 0..24 dB, got {self.reach}, {self.gain_limit_db}"
            )
        if not self.settle > 0.0:
            raise InvalidRequest(f"expected gains to settle in more than 0 s, got {self.settle}")
        if self.margin < 1 or self.order < 1:
            raise InvalidRequest(f"expected margin and order of at least 1, got {self.margin} and {self.order}")


@dataclass(frozen=True)
class Side:
    """One seam as found: the patch was read by ``shift`` samples later; ``correlation`` of patch and context after it,
    -1 to 1; ``gain_db``, the largest change of a third octave.
    """

    shift: int
    correlation: float
    gain_db: float


@dataclass(frozen=True)
class Joined:
    """The gap's ``samples``, (2, gap) float32, and what was done at each side; None where there is no context."""

    samples: Stereo
    left: Side | None
    right: Side | None


def join(
    timeline: Float[np.ndarray, "2 timeline"],
    gap: Span,
    patch: Float[np.ndarray, "2 patch"],
    covers: Span,
    settings: SeamSettings | None = None,
    *,
    known: Span | None = None,
) -> Joined:
    """Fit ``patch`` into ``gap`` of ``timeline``, all 44.1 kHz stereo.

    ``covers``: the span of the timeline that ``patch`` (2, samples) stands for, with a margin of up to
    ``settings.margin`` samples on each side of the gap, in which the patch says what it takes the context for.
    ``known``: the context around this gap that may be compared with (up to the next gap); the default is all.

    1. Align: the shift within ``reach`` with the largest correlation to both contexts. Where one shift cannot serve
       both, each side has its own and the patch passes between them in the middle; warping time would bend the pitch.
    2. Match the levels of mid and side in third octaves to the context's, per side, dying away from the seam.
    3. Fade from the context's continuation into the patch, by the law for their correlation.

    Raises:
        InvalidRequest: the gap is empty or outside ``known``, or the patch too short or with too little margin.
    """
    settings, known = settings or SeamSettings(), known or Span(0, timeline.shape[1])
    _check_gap(timeline.shape[1], gap, known)
    left, right = (min(settings.margin, side) for side in (gap.start - known.start, known.stop - gap.stop))
    _check_patch(patch.shape[1], covers, Span(gap.start - left, gap.stop + right))
    if not left and not right:
        return Joined(patch[:, gap.start - covers.start : gap.stop - covers.start].astype(np.float32), None, None)
    most = min(round(settings.reach * MODEL_RATE), gap.length // 4)  # a hand-over then stays inside the patch
    reach = [min(most, side // 2) if side else most for side in (left, right)]
    likeness = [
        _likeness(timeline[:, gap.start - left : gap.start], patch, gap.start - left - covers.start, reach[0]),
        _likeness(timeline[:, gap.stop : gap.stop + right], patch, gap.stop - covers.start, reach[1]),
    ]
    around = Span(gap.start - max(0, left - reach[0]), gap.stop + max(0, right - reach[1]))
    inner = Span(gap.start - around.start, gap.stop - around.start)
    shifts = _shifts(likeness, around, covers)
    aligned = _to_mid_side(
        _shifted(patch, Span(around.start - covers.start, around.stop - covers.start), inner, shifts)
    )
    context = _to_mid_side(timeline[:, around.start : around.stop])
    gains = [
        _gains(context[:, part], aligned[:, part], settings.gain_limit_db)
        for part in (slice(0, inner.start), slice(inner.stop, None))
    ]
    aligned = _levelled(aligned, inner, gains, settings.settle)
    joined = _fade_in(context, aligned, inner, settings)
    reports = [
        Side(shift, float(curve[shift + len(curve) // 2]), float(np.abs(gain).max())) if margin else None
        for margin, curve, shift, gain in zip((left, right), likeness, shifts, gains, strict=True)
    ]
    return Joined(_to_mid_side(joined).astype(np.float32), reports[0], reports[1])


def _check_gap(length: int, gap: Span, known: Span) -> None:
    if not 0 <= known.start <= gap.start < gap.stop <= known.stop <= length:
        raise InvalidRequest(f"expected a gap inside {known.start}:{known.stop}, got {gap.start}:{gap.stop} (samples)")


def _check_patch(samples: int, covers: Span, needed: Span) -> None:
    if samples != covers.length:
        raise InvalidRequest(f"expected a patch of {covers.length} samples for {covers}, got {samples}")
    if covers.start > needed.start or covers.stop < needed.stop:
        raise InvalidRequest(
            f"expected a patch over {needed.start}:{needed.stop}, got {covers.start}:{covers.stop}: "
            "render more context on each side"
        )


def _to_mid_side(audio: Stereo) -> Stereo:
    """Left and right to mid and side, orthonormal, float64; its own inverse."""
    audio = audio.astype(np.float64)
    return np.stack([audio[0] + audio[1], audio[0] - audio[1]]) * math.sqrt(0.5)


def _likeness(context: Stereo, patch: Stereo, at: int, reach: int) -> Float[np.ndarray, " _shifts"]:
    """Normalised correlation for each shift from -reach to reach; the context begins at sample ``at`` of the patch.

    Compared is what of the context the patch covers under every shift. 0 throughout for silence and without context.
    """
    length = context.shape[1]
    first, last = max(0, reach - at), length - max(0, at + length + reach - patch.shape[1])
    if length == 0:
        return np.zeros(2 * reach + 1)
    reference = context[:, first:last].astype(np.float64)
    around = patch[:, at + first - reach : at + last + reach].astype(np.float64)
    cross = np.sum([correlate(a, r, mode="valid") for a, r in zip(around, reference, strict=True)], axis=0)
    energy = np.pad(np.cumsum((around**2).sum(0)), (1, 0))
    energies = (energy[last - first :] - energy[: -(last - first)]) * float((reference**2).sum())
    # a floor of -100 dBFS: rounding in silence is not a likeness
    return np.asarray(cross / np.sqrt(np.maximum(energies, (FLOOR * reference.size) ** 2)))


def _shifts(likeness: list[Float[np.ndarray, " _shifts"]], around: Span, covers: Span) -> tuple[int, int]:
    """The shift of each side: the same one unless two are better by :data:`_WORTH`; as far as the patch reaches."""
    reach = max(len(curve) for curve in likeness) // 2
    least = 1e-9 * np.abs(np.arange(-reach, reach + 1))  # of equals, the smallest
    left, right = (np.pad(curve, reach - len(curve) // 2, constant_values=-9.0) - least for curve in likeness)
    common = left + right
    if common.max() >= left.max() + right.max() - _WORTH:
        left = right = common
    early, late = int(left.argmax()) - reach, int(right.argmax()) - reach
    return max(early, covers.start - around.start), min(late, covers.stop - around.stop)


def _shifted(patch: Stereo, around: Span, inner: Span, shifts: tuple[int, int]) -> Stereo:
    """``around``, a span of the patch, read later by its shift; two shifts hand over in the middle of the gap."""
    left, right = shifts
    if left == right:
        return patch[:, around.start + left : around.stop + left]
    half = min(round(_HANDOVER * MODEL_RATE) // 2, inner.length // 4)
    middle = around.start + (inner.start + inner.stop) // 2
    early = patch[:, around.start + left : middle + half + left]
    late = patch[:, middle - half + right : around.stop + right]
    both = 2 * half
    mixed = _matched_fade(early[:, early.shape[1] - both :], late[:, :both])
    return np.concatenate([early[:, : early.shape[1] - both], mixed, late[:, both:]], axis=1)


def _gains(context: Stereo, patch: Stereo, limit_db: float) -> Gains:
    """Third-octave gains in dB that bring the patch's mid and side to the context's; 0 without context.

    A band is known the better the more its bandwidth times the duration is; what is uncertain is moved less, and each
    gain is smoothed with its neighbours.
    """
    length = context.shape[1]
    if length == 0 or limit_db == 0.0:
        return np.zeros((2, len(CENTRES)))
    ratio = (third_octave_power(context) + FLOOR) / (third_octave_power(patch) + FLOOR)
    bandwidth = CENTRES * (2.0 ** (1.0 / 6.0) - 2.0 ** (-1.0 / 6.0))
    samples_known = bandwidth * length / MODEL_RATE
    trusted = 10.0 * np.log10(ratio) * samples_known / (samples_known + _CERTAIN)
    padded = np.pad(trusted, ((0, 0), (1, 1)), mode="edge")
    smooth = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    return np.clip(smooth, -limit_db, limit_db)


def _levelled(audio: Stereo, inner: Span, gains: list[Gains], settle: float) -> Stereo:
    """The patch under the gains of each side, which die away from its seam and leave it to the other side's; zero
    phase. A side without context has no gains.
    """
    at, seconds = np.arange(audio.shape[1]), settle * MODEL_RATE
    along = np.interp(at, [inner.start, inner.stop], [0.0, 1.0])
    has = (inner.start > 0, inner.stop < audio.shape[1])
    shares = [1.0 - along, along] if all(has) else [np.full(len(at), float(each)) for each in has]
    levelled = audio
    for gain, share, away in zip(gains, shares, (at - inner.start, inner.stop - at), strict=True):
        if gain.any():
            weight = share * np.exp(-np.maximum(away, 0) / seconds)
            levelled = levelled + weight * (_filtered(audio, gain) - audio)
    return levelled


def _filtered(audio: Stereo, gains: Gains) -> Stereo:
    size = next_fast_len(audio.shape[1] + _FILTER_TAIL, real=True)
    octaves = np.log2(np.maximum(np.arange(size // 2 + 1), 1) * MODEL_RATE / size)
    amplitude = np.stack([10.0 ** (np.interp(octaves, np.log2(CENTRES), g) / 20.0) for g in gains])
    filtered: Stereo = irfft(rfft(audio, size) * amplitude, size)[:, : audio.shape[1]]
    return filtered


def _fade_in(context: Stereo, patch: Stereo, inner: Span, settings: SeamSettings) -> Stereo:
    """The gap: from the left context's continuation into the patch, and from the patch into the right context's."""
    gap = patch[:, inner.start : inner.stop].copy()
    sides = int(inner.start > 0) + int(inner.stop < patch.shape[1])
    fade = min(round(settings.fade * MODEL_RATE), inner.length // max(1, sides))
    wrong = context - patch
    if inner.start > 0:
        more = _continued(wrong[:, : inner.start], fade, settings.order)
        gap[:, :fade] = _matched_fade(gap[:, :fade] + more, gap[:, :fade])
    if inner.stop < patch.shape[1] and fade:
        more = _continued(wrong[:, : inner.stop - 1 : -1], fade, settings.order)
        end = gap[:, ::-1][:, :fade]
        gap[:, ::-1][:, :fade] = _matched_fade(end + more, end)
    return gap


def _continued(wrong: Stereo, length: int, order: int) -> Stereo:
    """How the difference of context and patch goes on, by a model of that difference, mid and side apart."""
    return np.stack([_dying(w, length, order) for w in wrong])


def _dying(wrong: Wrong, length: int, order: int) -> Wrong:
    """The next samples of ``wrong`` as its own model has them, as far as possible no higher and no steeper than it was.

    A model of the context instead answers a difference it does not know with a click: what it has no tone for, it takes
    for an innovation. Where this one's answer grows, its poles are drawn in, a_k g^k (bandwidth expansion: Viswanathan
    and Makhoul 1975).
    """
    a = burg([wrong], min(order, len(wrong) // 3))
    lags, usual = np.arange(1, len(a) + 1), _extent(wrong)
    answers = (continuation(a * damping**lags, wrong, length) for damping in _DAMPINGS)
    least, best = math.inf, np.zeros(length)
    for answer in answers:
        growth = float((_extent(np.concatenate([wrong[-1:], answer])) / np.maximum(usual, FLOOR)).max())
        if growth < least:
            least, best = growth, answer
        if growth <= 1.0:
            break
    return best


def _extent(x: Wrong) -> Wrong:
    """The largest value, and the largest step from sample to sample."""
    return np.array([np.abs(x).max(initial=0.0), np.abs(np.diff(x)).max(initial=0.0)])


def _matched_fade(out: Stereo, into: Stereo) -> Stereo:
    """Cross-fade that keeps the power for the correlation r of its two signals.

    g_out = (1 - f) / n, g_in = f / n, n^2 = f^2 + (1 - f)^2 + 2 r f (1 - f): equal gain at r = 1, equal power at r = 0
    (Fink, Holters and Zoelzer 2016, "Signal-matched power-complementary cross-fading and dry-wet mixing"). A negative
    r counts as 0: the law would raise what is left after cancellation without bound.
    """
    energies = float((out**2).sum()) * float((into**2).sum())
    r = max(0.0, float((out * into).sum()) / math.sqrt(energies)) if energies > 0.0 else 1.0
    f = (np.arange(out.shape[1]) + 0.5) / max(1, out.shape[1])
    norm = np.sqrt(f**2 + (1.0 - f) ** 2 + 2.0 * r * f * (1.0 - f))
    mixed: Stereo = ((1.0 - f) * out + f * into) / norm
    return mixed

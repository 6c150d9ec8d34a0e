"""A picture of a render: spectrograms before and after, with the seams marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from segue.clip.atomic import replacing
from segue.clip.clip import Clip
from segue.errors import InvalidRequest, ResourceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
else:  # an extra: the names stand in annotations only
    Axes = Figure = Any

N_FFT = 4096
BANDS = 200
COLUMNS = 1600  # about one a pixel
F_MIN, F_MAX = 40.0, 20000.0  # hertz
RANGE_DB = 80.0
MARGIN = 4.0  # seconds shown on each side of the gaps
_SLACK = 1e-3  # a gap given on the 44.1 kHz grid may end a little after the last sample of another rate

Gap = tuple[float, float]


def plot_fill(before: Clip, after: Clip, gaps: Sequence[Gap], path: Path, title: str) -> None:
    """Write a PNG of both clips around the gaps, on one time axis and one decibel scale.

    ``gaps`` in seconds, the same in both clips; four seconds on each side of them are shown.

    Raises:
        ResourceError: matplotlib is missing.
        InvalidRequest: no gap, or one that does not lie in both clips.
    """
    figure = fill_figure(before, after, gaps, title)
    with replacing(path) as part:
        figure.savefig(part, format="png")


def fill_figure(before: Clip, after: Clip, gaps: Sequence[Gap], title: str) -> Figure:
    """The figure of :func:`plot_fill`, for a notebook or a report of one's own."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError as error:
        raise ResourceError("drawing needs matplotlib; install it with: pip install segue[plot]") from error
    shown = _shown(gaps, min(before.seconds, after.seconds))
    spectra = [log_spectrogram(clip, *shown) for clip in (before, after)]
    top = max(float(s.max()) for s in spectra)
    figure = Figure(figsize=(12.0, 7.0), dpi=110, layout="constrained")
    axes: Any = figure.subplots(2, 1, sharex=True)
    for ax, clip, spectrum, name in zip(axes, (before, after), spectra, ("before", "after"), strict=True):
        image = _draw(ax, clip, spectrum, shown, top)
        ax.set_title(name, loc="left", fontsize=10)
        _mark(ax, gaps)
    axes[-1].set_xlabel("seconds")
    figure.colorbar(image, ax=axes, label="dB, 0 = the loudest", pad=0.01, aspect=40)
    figure.suptitle(title, fontsize=11)
    return figure


def silenced(clip: Clip, gaps: Sequence[Gap]) -> Clip:
    """The clip with its gaps (seconds) silent: what was known before the render."""
    samples = clip.samples.copy()
    for start, stop in gaps:
        samples[:, round(start * clip.rate) : round(stop * clip.rate)] = 0.0
    return Clip(samples, clip.rate)


def log_spectrogram(clip: Clip, start: float, stop: float) -> Float[np.ndarray, "bands columns"]:
    """Power density in dB of [start, stop) seconds, in bands evenly spaced in log frequency from 40 Hz to 20 kHz.

    Powers of the channels are averaged, so that what differs between them is seen too. Bands above half the rate are
    at the floor; a band narrower than a bin is interpolated.
    """
    first, last = round(start * clip.rate), round(stop * clip.rate)
    centres = np.linspace(first, last, COLUMNS, endpoint=False).astype(int)
    padded = np.pad(clip.samples[:, first:last], ((0, 0), (N_FFT // 2, N_FFT // 2)))
    window = np.hanning(N_FFT).astype(np.float32)
    frequencies = np.fft.rfftfreq(N_FFT, 1.0 / clip.rate)
    edges = np.geomspace(F_MIN, F_MAX, BANDS + 1)
    inside = np.minimum(edges, clip.rate / 2.0)
    width = np.maximum(np.diff(inside), 1e-9)
    density = np.empty((BANDS, COLUMNS))
    for column, centre in enumerate(centres - first):
        frames = padded[:, centre : centre + N_FFT] * window
        power = (np.abs(np.fft.rfft(frames)) ** 2).mean(0)
        integral = np.concatenate([[0.0], np.cumsum((power[1:] + power[:-1]) / 2.0 * np.diff(frequencies))])
        density[:, column] = np.diff(np.interp(inside, frequencies, integral)) / width
    return 10.0 * np.log10(np.maximum(density, 1e-12))


def _shown(gaps: Sequence[Gap], seconds: float) -> Gap:
    if not gaps:
        raise InvalidRequest("a plot needs at least one gap, got none")
    for start, stop in gaps:
        if not 0.0 <= start < stop <= seconds + _SLACK:
            raise InvalidRequest(
                f"gap {start:.3f}:{stop:.3f} does not lie in both clips, of which one lasts {seconds:.3f} s"
            )
    return max(0.0, min(a for a, _ in gaps) - MARGIN), min(seconds, max(b for _, b in gaps) + MARGIN)


def _draw(ax: Axes, clip: Clip, spectrum: Float[np.ndarray, "bands columns"], shown: Gap, top: float) -> Any:
    times = np.linspace(*shown, COLUMNS + 1)
    edges = np.geomspace(F_MIN, F_MAX, BANDS + 1)
    image = ax.pcolormesh(times, edges, spectrum - top, vmin=-RANGE_DB, vmax=0.0, cmap="magma", rasterized=True)
    ax.set_yscale("log")
    ticks = [f for f in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000) if f <= F_MAX]
    ax.set_yticks(ticks, [f"{f / 1000:g}k" if f >= 1000 else str(f) for f in ticks])
    ax.minorticks_off()
    ax.set_ylabel("hertz")
    return image


def _mark(ax: Axes, gaps: Sequence[Gap]) -> None:
    """Dashed lines at the seams, a bar above what was rendered."""
    for start, stop in gaps:
        for seam in (start, stop):
            ax.axvline(seam, color="#4df3ff", linewidth=1.0, linestyle=(0, (6, 4)))
        ax.plot([start, stop], [1.0, 1.0], transform=ax.get_xaxis_transform(), color="#4df3ff", linewidth=5.0)

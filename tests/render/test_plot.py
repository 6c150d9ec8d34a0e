"""The picture of a render: right bands, right columns, marked seams, honest refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from segue.clip.clip import Clip
from segue.errors import InvalidRequest, ResourceError
from segue.render.plot import BANDS, COLUMNS, F_MAX, F_MIN, fill_figure, log_spectrogram, plot_fill, silenced

EDGES = np.geomspace(F_MIN, F_MAX, BANDS + 1)


def tone(frequency: float, rate: int = 44100, seconds: float = 2.0, channels: int = 2) -> Clip:
    time = np.arange(round(rate * seconds)) / rate
    return Clip(np.tile(0.5 * np.sin(2 * np.pi * frequency * time), (channels, 1)).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
@pytest.mark.parametrize("frequency", [440.0, 3000.0, 9000.0])
def test_a_tone_peaks_in_its_own_band(rate: int, frequency: float) -> None:
    spectrum = log_spectrogram(tone(frequency, rate), 0.5, 1.5)
    assert spectrum.shape == (BANDS, COLUMNS)
    band = int(spectrum[:, COLUMNS // 2].argmax())
    bin_width = rate / 4096
    assert EDGES[band] - bin_width <= frequency <= EDGES[band + 1] + bin_width


def test_what_cancels_in_mono_is_still_seen() -> None:
    clip = tone(1000.0)
    opposite = Clip(np.stack([clip.samples[0], -clip.samples[1]]), clip.rate)
    np.testing.assert_allclose(log_spectrogram(opposite, 0.0, 1.0), log_spectrogram(clip, 0.0, 1.0), atol=1e-6)


def test_bands_above_half_the_rate_are_at_the_floor() -> None:
    spectrum = log_spectrogram(tone(1000.0, rate=8000), 0.0, 1.0)
    assert (spectrum[EDGES[:-1] > 4100.0] == -120.0).all()


def test_a_silent_gap_shows_as_dark_columns_where_it_is() -> None:
    clip = silenced(tone(1000.0, seconds=4.0), [(1.0, 3.0)])
    loudest = log_spectrogram(clip, 0.0, 4.0).max(0)
    times = np.linspace(0.0, 4.0, COLUMNS, endpoint=False)
    assert (loudest[(times > 1.1) & (times < 2.9)] < -100.0).all()
    assert (loudest[(times > 0.1) & (times < 0.9)] > 0.0).all()


def test_both_spectrograms_share_scale_and_seams(tmp_path: Path) -> None:
    after = tone(1000.0, seconds=12.0)
    figure = fill_figure(silenced(after, [(5.0, 6.0)]), after, [(5.0, 6.0)], "title")
    upper, lower = figure.axes[:2]
    assert upper.get_xlim() == lower.get_xlim() == pytest.approx((1.0, 10.0))
    assert upper.collections[0].get_clim() == lower.collections[0].get_clim() == (-80.0, 0.0)
    for ax in (upper, lower):
        assert [np.asarray(line.get_xdata())[0] for line in ax.lines if line.get_linestyle() == "--"] == [5.0, 6.0]


def test_the_file_is_a_png_of_some_size(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    plot_fill(tone(500.0), tone(500.0), [(0.5, 1.0)], path, "title")
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [p.name for p in tmp_path.iterdir()] == ["plot.png"]


@pytest.mark.parametrize("gaps", [[], [(1.0, 1.0)], [(-0.1, 1.0)], [(1.0, 2.1)]])
def test_gaps_outside_the_clips_are_refused_and_nothing_written(
    tmp_path: Path, gaps: list[tuple[float, float]]
) -> None:
    with pytest.raises(InvalidRequest, match="gap"):
        plot_fill(tone(500.0), tone(500.0), gaps, tmp_path / "plot.png", "title")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ResourceError, match=r"pip install segue\[plot\]"):
        plot_fill(tone(500.0), tone(500.0), [(0.5, 1.0)], tmp_path / "plot.png", "title")

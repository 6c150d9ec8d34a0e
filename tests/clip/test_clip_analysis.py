"""The measures of a seam against signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from segue.clip.analysis import (
    CENTRES,
    high_band_db,
    integrated_loudness,
    k_weighted,
    loudness_jump_db,
    seam_reference,
    seam_z,
    spectral_balance_db,
    third_octave_power,
)
from segue.clip.span import Span
from segue.errors import InvalidRequest

RATE = 44100
GAP = Span(60_000, 100_000)


def noise(seed: int = 0, samples: int = 160_000) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((2, samples))


def with_gap(audio: np.ndarray, inside: np.ndarray) -> np.ndarray:
    result = audio.copy()
    result[:, GAP.start : GAP.stop] = inside
    return result


@pytest.mark.parametrize("samples", [2000, 44100])
@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_a_tone_has_its_power_in_its_third_octave(samples: int, rate: int) -> None:
    for band in (14, 18, 21):
        tone = 0.5 * np.sin(2 * np.pi * CENTRES[band] * np.arange(samples) / rate)
        power = third_octave_power(np.stack([tone, 2 * tone]), rate)
        assert power[:, band] == pytest.approx([0.125, 0.5], rel=0.02)
        assert np.delete(power[0], [band - 1, band, band + 1]).max() < 1e-4


def test_white_noise_has_power_in_proportion_to_bandwidth() -> None:
    power = third_octave_power(noise(samples=400_000)).mean(0)
    expected = 0.01 * CENTRES * (2 ** (1 / 6) - 2 ** (-1 / 6)) / (RATE / 2)
    assert 10 * np.log10(power / expected)[10:] == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(("hertz", "lufs"), [(30.0, -12.0), (100.0, -4.85), (997.0, -3.01), (10_000.0, 0.35)])
def test_k_weighting_is_that_of_bs_1770_and_keeps_channels_apart(hertz: float, lufs: float) -> None:
    """A sine of 0 dBFS at 997 Hz in one channel reads -3.01 LUFS; the others by the curve of the standard's filters."""
    tone = np.sin(2 * np.pi * hertz * np.arange(4 * RATE) / RATE)
    heard = k_weighted(np.stack([tone, np.zeros_like(tone)]), RATE)
    assert not heard[1].any()
    settled = heard[0, RATE : 3 * RATE]
    assert -0.691 + 10.0 * np.log10(np.mean(settled**2)) == pytest.approx(lufs, abs=0.2)


@pytest.mark.parametrize("seconds", [0.4, 0.46, 0.66, 1.27, 3.0])
def test_a_steady_tone_is_as_loud_however_long_it_lasts(seconds: float) -> None:
    tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 997.0 * np.arange(round(seconds * RATE)) / RATE)
    assert integrated_loudness(np.stack([tone, tone]), RATE) == pytest.approx(-23.0, abs=0.1)


def test_a_step_that_is_too_low_to_be_heard_is_no_step_of_loudness() -> None:
    rumble = 0.3 * np.sin(2 * np.pi * 15.0 * np.arange(160_000) / RATE)
    jump = loudness_jump_db(with_gap(noise(), noise()[:, GAP.start : GAP.stop] + rumble[GAP.start : GAP.stop]), GAP)
    assert jump is not None
    assert jump < 1.0


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 0.0, 6.0])
def test_a_gap_of_another_level_shows_in_every_measure(gain_db: float) -> None:
    audio = noise()
    changed = with_gap(audio, audio[:, GAP.start : GAP.stop] * 10 ** (gain_db / 20))
    assert loudness_jump_db(changed, GAP) == pytest.approx(abs(gain_db), abs=0.3)
    assert spectral_balance_db(changed, GAP) == pytest.approx(abs(gain_db), abs=0.7)
    assert high_band_db(changed, GAP) == pytest.approx(gain_db, abs=0.2)


def test_a_dull_gap_shows_above_8_khz_and_hardly_in_loudness() -> None:
    audio = sosfilt(butter(2, 500, output="sos", fs=RATE), noise()) + 0.05 * noise(1)
    low = sosfilt(butter(8, 5000, output="sos", fs=RATE), audio)
    changed = with_gap(audio, low[:, GAP.start : GAP.stop])
    dull, jump = high_band_db(changed, GAP), loudness_jump_db(changed, GAP)
    assert dull is not None
    assert dull < -20.0
    assert jump is not None
    assert jump < 1.5


def test_an_untouched_track_is_usual_and_a_click_is_not() -> None:
    t = np.arange(160_000) / RATE
    audio = 0.01 * noise() + 0.3 * np.sin(2 * np.pi * 220 * t)
    reference = seam_reference(audio, [GAP])
    assert reference is not None
    usual = seam_z(audio, GAP, reference)
    clicked = audio.copy()
    clicked[:, GAP.start :] += 0.1  # a step of 0.1 between two samples
    unusual = seam_z(clicked, GAP, reference)
    assert usual is not None
    assert usual < 4.0
    assert unusual is not None
    assert unusual > 10.0


def test_a_sudden_change_of_sound_shows_as_flux() -> None:
    audio = noise()
    reference = seam_reference(audio, [GAP])
    assert reference is not None
    changed = with_gap(audio, sosfilt(butter(4, 1000, output="sos", fs=RATE), audio)[:, GAP.start : GAP.stop])
    z = seam_z(changed, GAP, reference)
    assert z is not None
    assert z > 5.0


def test_the_reference_does_not_hear_the_gap_and_repeats() -> None:
    audio = noise()
    assert seam_reference(audio, [GAP]) == seam_reference(with_gap(audio, np.zeros((2, 1))), [GAP])
    assert seam_reference(audio, [GAP], seed=1) != seam_reference(audio, [GAP])


def test_silence_beside_silence_is_no_difference() -> None:
    silent = np.zeros((1, 160_000))
    assert (loudness_jump_db(silent, GAP), spectral_balance_db(silent, GAP), high_band_db(silent, GAP)) == (0, 0, 0)
    reference = seam_reference(silent, [GAP])
    assert reference is not None
    assert seam_z(silent, GAP, reference) == pytest.approx(0.0)


def test_measures_without_anything_to_compare_with_are_none() -> None:
    audio = noise(samples=3000)
    whole = Span(0, 3000)
    assert loudness_jump_db(audio, whole) is None
    assert spectral_balance_db(audio, whole) is None
    assert high_band_db(audio, whole) is None
    assert seam_reference(audio, [whole]) is None
    reference = seam_reference(noise(), [GAP])
    assert reference is not None
    assert seam_z(audio, whole, reference) is None


def test_a_rate_without_the_high_band_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="32 kHz"):
        high_band_db(noise(), GAP, 22050)

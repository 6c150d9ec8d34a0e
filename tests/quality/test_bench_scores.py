"""Each score on signals whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue_bench.contract import RATE
from segue_bench.scores.balance import high_band_error_db, loudness_error_lu, side_error_db
from segue_bench.scores.beat import beat_grid, beat_phase_error_ms
from segue_bench.scores.chroma import chroma, chroma_cosine
from segue_bench.scores.control import control_correlation, freedom_control
from segue_bench.scores.copied import Material
from segue_bench.scores.log_spectral import log_spectral_distance, log_spectrum
from segue_bench.scores.multiscale import BANDS, WINDOWS, gap_mr, log_mels
from segue_bench.scores.onsets import HOP, onset_f_measure, onset_strength, pick_onsets
from segue_bench.scores.registry import SCORES, SET_SCORES, score_named
from segue_bench.scores.seams import loudness_dip_lu
from segue_bench.scores.spectra import frame_power, mean_square
from segue_bench.scores.tag_divergence import gap_kld


def noise(samples: int = RATE, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal((2, samples))).astype(np.float32)


def tones(*hertz: float, samples: int = RATE, level: float = 0.1) -> np.ndarray:
    mono = sum(np.sin(2 * np.pi * f * np.arange(samples) / RATE) for f in hertz)
    return np.stack([level * mono] * 2).astype(np.float32)


def hits(times: np.ndarray, seconds: float, seed: int = 0) -> np.ndarray:
    """Bursts of noise of 50 ms at the given seconds, over a faint tone."""
    audio = 0.02 * tones(220.0, samples=round(seconds * RATE), level=1.0)
    decay = np.exp(-np.arange(RATE // 10) / 800.0)
    burst = 0.5 * np.random.default_rng(seed).standard_normal((2, len(decay))) * decay
    for time in times:
        at = round(time * RATE)
        length = min(len(decay), audio.shape[1] - at)
        audio[:, at : at + length] += burst[:, :length]
    return audio.astype(np.float32)


# Tags


def test_kld_is_the_sum_of_the_tags_bernoulli_divergences() -> None:
    p, q = np.array([0.5, 0.9, 0.2]), np.array([0.25, 0.9, 0.6])
    by_hand = sum(a * np.log(a / b) + (1 - a) * np.log((1 - a) / (1 - b)) for a, b in zip(p, q, strict=True))
    assert gap_kld(np.log(p / (1 - p)), np.log(q / (1 - q))) == pytest.approx(by_hand)


@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=1, max_size=8))
def test_kld_is_finite_never_negative_and_zero_for_the_same(pairs: list[tuple[float, float]]) -> None:
    real, rendered = np.array(pairs).T
    assert gap_kld(real, real) == 0.0
    assert -1e-12 <= gap_kld(real, rendered) < np.inf


# Spectra


@pytest.mark.parametrize("samples", [4096, 4097, 44_100, 9973])
def test_power_is_a_density_and_bands_add_up(samples: int) -> None:
    signal = noise(samples)[0]
    assert mean_square(signal, 0.0, float(RATE)) == pytest.approx(float((signal.astype(float) ** 2).mean()))
    halves = mean_square(signal, 0.0, 5000.0) + mean_square(signal, 5000.0, float(RATE))
    assert halves == pytest.approx(mean_square(signal, 0.0, float(RATE)))
    for n_fft in (64, 2048):
        assert float(frame_power(noise(samples), n_fft, n_fft // 4)[:, 2:-2].mean()) == pytest.approx(0.01, rel=0.2)


def test_a_louder_gap_is_off_by_its_gain_at_every_scale() -> None:
    a, b = noise(), 2.0 * noise()
    assert gap_mr(log_mels(a), log_mels(b)) == pytest.approx(len(WINDOWS) * np.log10(2.0), rel=1e-4)
    assert log_spectral_distance(log_spectrum(a), log_spectrum(b)) == pytest.approx(20 * np.log10(2.0), rel=1e-3)
    assert high_band_error_db(a, b) == pytest.approx(20 * np.log10(2.0), rel=1e-3)
    assert loudness_error_lu(a, b) == pytest.approx(20 * np.log10(2.0), rel=1e-3)
    assert side_error_db(a, b) == pytest.approx(0.0, abs=1e-4)


def test_mel_bands_without_a_bin_are_dropped_and_the_others_kept() -> None:
    scales = log_mels(noise(8192))
    for bands, scale in zip(BANDS, scales, strict=True):
        assert bands // 3 < scale.shape[1] <= bands
        assert (scale.mean((0, 2)) > -2.0).all()  # every band hears the noise, at 0.1
    assert scales[-1].shape[1] < BANDS[-1]


def test_what_lies_under_the_floor_is_no_error() -> None:
    silent, faint = np.zeros((2, 8192), np.float32), noise(8192, level=1e-6)
    assert gap_mr(log_mels(silent), log_mels(faint)) == 0.0
    assert log_spectral_distance(log_spectrum(silent), log_spectrum(faint)) == 0.0
    assert high_band_error_db(silent, faint) == pytest.approx(0.0, abs=0.01)
    assert loudness_error_lu(silent, faint) == pytest.approx(0.0, abs=0.02)
    assert side_error_db(silent, faint) == pytest.approx(0.0, abs=0.01)


def test_the_high_band_is_8_to_16_khz() -> None:
    real = tones(1000.0, 10_000.0)
    assert high_band_error_db(real, tones(1000.0) + 0.5 * tones(10_000.0)) == pytest.approx(-6.02, abs=0.01)
    assert high_band_error_db(real, real + tones(7000.0, 17_000.0)) == pytest.approx(0.0, abs=0.05)
    assert high_band_error_db(real, tones(1000.0)) < -50.0


def test_a_wider_gap_is_off_by_the_gain_of_its_side() -> None:
    mid, side = noise(seed=1)[0], noise(seed=2)[0]
    real, wide = np.stack([mid + side, mid - side]), np.stack([mid + 2 * side, mid - 2 * side])
    assert side_error_db(real, wide) == pytest.approx(6.02, abs=0.01)
    assert side_error_db(real, np.stack([mid, mid])) < -40.0


# Harmony


@pytest.mark.parametrize(("hertz", "pitch_class"), [(440.0, 9), (261.63, 0), (880.0, 9), (1479.98, 6)])
def test_a_note_has_its_pitch_class(hertz: float, pitch_class: int) -> None:
    classes = chroma(tones(hertz))
    assert classes is not None
    assert (classes.argmax(0) == pitch_class).all()


def test_chroma_tells_chords_apart_hears_octaves_as_one_and_noise_as_nothing() -> None:
    chord = chroma(tones(261.63, 329.63, 392.0))
    octave = chroma(tones(523.25, 659.26, 783.99))
    other = chroma(tones(277.18, 369.99, 466.16))  # no note in common
    unpitched = chroma(noise())
    assert chord is not None and octave is not None and other is not None and unpitched is not None
    assert chroma_cosine(chord, chord) == pytest.approx(1.0)
    assert chroma_cosine(chord, octave) > 0.9
    assert chroma_cosine(chord, other) < 0.0
    assert abs(chroma_cosine(chord, unpitched)) < 0.3


def test_chroma_falls_with_detuning() -> None:
    chord = np.array([261.63, 329.63, 392.0])
    real = chroma(tones(*chord))
    assert real is not None
    found = []
    for cents in (0, 15, 30, 50, 100):
        detuned = chroma(tones(*(chord * 2 ** (cents / 1200))))
        assert detuned is not None
        found.append(chroma_cosine(real, detuned))
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.95


def test_silence_has_no_harmony_to_match_and_matches_none() -> None:
    silent, chord = chroma(np.zeros((2, RATE), np.float32)), chroma(tones(261.63, 392.0))
    assert silent is not None and chord is not None
    assert chroma_cosine(silent, chord) is None
    assert chroma_cosine(chord, silent) == pytest.approx(0.0)
    assert chroma(noise(8191)) is None


# Rhythm


def test_onsets_are_found_where_they_are() -> None:
    times = np.array([0.4, 0.75, 0.9, 1.33, 1.7])
    assert pick_onsets(onset_strength(hits(times, 2.2))) == pytest.approx(times, abs=0.012)
    assert len(pick_onsets(onset_strength(tones(220.0, 330.0)))) == 0
    assert len(pick_onsets(onset_strength(np.zeros((2, RATE), np.float32)))) == 0


def test_onset_f_counts_by_hand() -> None:
    real = np.array([1.0, 2.0, 3.0, 4.0])
    assert onset_f_measure(real, real + 0.049) == 1.0
    assert onset_f_measure(real, real + 0.051) == 0.0
    assert onset_f_measure(real, real[:2]) == pytest.approx(2 * 1.0 * 0.5 / 1.5)
    assert onset_f_measure(real, np.array([])) == 0.0
    assert onset_f_measure(np.array([]), real) is None
    assert onset_f_measure(real, np.array([1.0, 1.01, 1.02])) == pytest.approx(2 / 7)  # each real one once


@settings(max_examples=150, deadline=None)
@given(*(st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True) for _ in range(2)))
def test_onset_matching_finds_as_many_pairs_as_any(real: list[int], rendered: list[int]) -> None:
    a, b = (np.sort(np.array(ticks)) * 0.02 for ticks in (real, rendered))
    near = csr_matrix(np.abs(a[:, None] - b) <= 0.05)
    most = int((maximum_bipartite_matching(near) >= 0).sum())
    assert onset_f_measure(a, b) == pytest.approx(2 * most / (len(a) + len(b)))


def parts_of(audio: np.ndarray, *spans: tuple[float, float]) -> list[tuple[np.ndarray, np.ndarray]]:
    parts = []
    for start, stop in spans:
        first = round(start * RATE)
        strength = onset_strength(audio[:, first : round(stop * RATE)])
        parts.append(((first + np.arange(strength.shape[1]) * HOP) / RATE, strength))
    return parts


@pytest.mark.parametrize("period", [0.35, 0.5, 0.63])
def test_the_beat_and_a_shift_against_it_are_measured(period: float) -> None:
    beats = np.arange(0.1, 13.9, period)
    grid = beat_grid(parts_of(hits(beats, 14.0), (0.0, 6.0), (8.0, 14.0)))
    assert grid is not None
    multiples = grid.period / period
    assert multiples == pytest.approx(round(multiples), rel=0.004)
    for shift in (0.0, 0.03, -0.08, 0.12):
        ((times, strength),) = parts_of(hits(beats + shift + 1.0, 15.0), (6.0, 9.0))
        error = beat_phase_error_ms(grid, times - 1.0, strength)
        assert error == pytest.approx(abs(shift) * 1000.0, abs=4.0)


def test_offbeats_and_a_missing_register_do_not_turn_the_beat() -> None:
    # a low note on the beat, a hiss between: a gap that lacks the low one is still in time
    beats, low = np.arange(0.0, 13.5, 0.5), np.zeros((2, 14 * RATE), np.float32)
    for beat in beats:
        at = round(beat * RATE)
        low[:, at : at + RATE // 5] += tones(90.0, samples=RATE // 5, level=0.4) * np.linspace(1, 0, RATE // 5)
    hiss = sosfilt(butter(4, 6000, "highpass", fs=RATE, output="sos"), hits(beats + 0.25, 14.0)).astype(np.float32)
    grid = beat_grid(parts_of(low + hiss, (0.0, 6.0), (8.0, 14.0)))
    assert grid is not None
    for gap in (low + hiss, hiss, low):
        ((times, strength),) = parts_of(gap, (6.0, 8.0))
        assert beat_phase_error_ms(grid, times, strength) == pytest.approx(0.0, abs=5.0)


def test_even_quavers_are_on_the_beat_though_they_fit_half_a_beat_away_as_well() -> None:
    rng = np.random.default_rng(3)
    for period in rng.uniform(0.4, 0.7, 8):
        audio = hits(np.arange(0.1, 13.9, period / 2.0), 14.0) + noise(14 * RATE) * np.float32(0.003)
        grid = beat_grid(parts_of(audio, (0.0, 6.0), (8.0, 14.0)))
        assert grid is not None
        ((times, strength),) = parts_of(audio, (6.0, 8.0))
        assert beat_phase_error_ms(grid, times, strength) == pytest.approx(0.0, abs=5.0)


def test_a_beat_known_from_one_side_alone_does_not_drift_over_the_gap() -> None:
    for period in (0.431, 0.5, 0.617):
        audio = hits(np.arange(0.1, 9.9, period), 10.0)
        grid = beat_grid(parts_of(audio, (0.0, 6.0)))
        assert grid is not None
        ((times, strength),) = parts_of(audio, (6.0, 9.6))
        assert beat_phase_error_ms(grid, times, strength) == pytest.approx(0.0, abs=6.0)


def test_music_without_a_clear_beat_has_no_grid() -> None:
    spans = (0.0, 6.0), (8.0, 14.0)
    rng = np.random.default_rng(0)
    assert beat_grid(parts_of(noise(14 * RATE), *spans)) is None
    assert beat_grid(parts_of(hits(np.sort(rng.uniform(0.0, 13.8, 50)), 14.0), *spans)) is None
    assert beat_grid(parts_of(np.zeros((2, 14 * RATE), np.float32), *spans)) is None
    assert beat_grid(parts_of(hits(np.arange(0.0, 1.0, 0.5), 1.1), (0.0, 1.1))) is None
    assert beat_grid([]) is None


def test_a_gap_without_onsets_is_at_chance_and_one_shorter_than_a_beat_has_no_phase() -> None:
    grid = beat_grid(parts_of(hits(np.arange(0.1, 13.9, 0.5), 14.0), (0.0, 6.0), (8.0, 14.0)))
    assert grid is not None
    ((times, strength),) = parts_of(np.zeros((2, 2 * RATE), np.float32), (0.0, 2.0))
    assert beat_phase_error_ms(grid, times, strength) == pytest.approx(grid.period * 250.0)
    short = int(0.9 * grid.period * RATE / HOP)
    assert beat_phase_error_ms(grid, times[:short], strength[:, :short]) is None


# Copies


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 3 * RATE), st.sampled_from([1.0, -1.0, 0.3]))
def test_a_copy_is_found_at_any_sample_level_and_sign(at: int, gain: float) -> None:
    song = noise(4 * RATE, seed=3)
    material = Material.of([noise(2 * RATE, seed=4), song], RATE // 2)
    assert material.copied(gain * song[:, at : at + RATE // 2]) == pytest.approx(1.0, abs=1e-3)


def test_a_gap_half_copied_is_half_a_copy_and_new_music_is_none() -> None:
    song, new = noise(4 * RATE, seed=3), noise(RATE, seed=5)
    material = Material.of([song], RATE)
    assert material.copied(new) < 0.1
    half = new.copy()
    half[:, : RATE // 2] = song[:, 12_345 : 12_345 + RATE // 2]
    assert material.copied(half) == pytest.approx(0.5, abs=0.03)
    assert material.copied(np.zeros((2, RATE), np.float32)) == 0.0
    assert Material.of([np.zeros((2, 2 * RATE), np.float32)], RATE).copied(new) == 0.0
    assert Material.of([song[:, : RATE - 1]], RATE).copied(new) is None


# Seams and curves


@pytest.mark.parametrize("dip_db", [0.0, 6.0, 12.0])
def test_a_dip_between_two_tracks_is_as_deep_as_it_is(dip_db: float) -> None:
    audio, gap = noise(8 * RATE), Span(3 * RATE, 5 * RATE)
    audio[:, gap.start : gap.stop] *= np.float32(10 ** (-dip_db / 20))
    assert loudness_dip_lu(audio, gap) == pytest.approx(dip_db, abs=0.4)


def test_a_ramp_of_loudness_between_the_tracks_is_no_dip() -> None:
    gain_db = np.interp(np.arange(8 * RATE), [3 * RATE, 5 * RATE], [0.0, -12.0])
    audio = (noise(8 * RATE) * 10 ** (gain_db / 20)).astype(np.float32)
    assert loudness_dip_lu(audio, Span(3 * RATE, 5 * RATE)) == pytest.approx(0.0, abs=0.6)
    assert loudness_dip_lu(audio, Span(0, 5 * RATE)) is None


def test_control_is_the_correlation_with_what_was_asked() -> None:
    asked = np.linspace(0.0, 1.0, 20)
    assert control_correlation(asked, 3.0 * asked + 1.0) == pytest.approx(1.0)
    assert control_correlation(asked, -asked) == pytest.approx(-1.0)
    assert control_correlation(asked, np.ones(20)) == 0.0
    assert control_correlation(np.ones(20), asked) is None
    assert control_correlation(asked[:2], asked[:2]) is None


def test_a_gap_that_departs_where_freedom_was_given_follows_it() -> None:
    x_bar, start = noise(2 * RATE), 5 * RATE
    ramp = np.linspace(0.0, 1.0, 2 * RATE, dtype=np.float32)
    departing = (np.sqrt(1 - ramp) * x_bar + np.sqrt(ramp) * noise(2 * RATE, seed=1)).astype(np.float32)
    rising, falling = Curve(((5.0, 0.0), (7.0, 1.0))), Curve(((5.0, 1.0), (7.0, 0.0)))
    followed = freedom_control(rising, start, x_bar, departing)
    opposed = freedom_control(falling, start, x_bar, departing)
    assert followed is not None and opposed is not None
    assert followed > 0.9
    assert opposed == pytest.approx(-followed)
    assert freedom_control(Curve.constant(0.85), start, x_bar, departing) is None


# The table


def test_every_score_is_found_by_its_name_and_others_are_refused() -> None:
    names = [score.name for score in (*SCORES, *SET_SCORES)]
    assert len(set(names)) == len(names)
    assert [score_named(name).name for name in names] == names
    with pytest.raises(InvalidRequest, match="unknown score 'fad'; expected one of gap_kld"):
        score_named("fad")

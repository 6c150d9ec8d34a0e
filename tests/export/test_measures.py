"""The measures of the evaluation move the right way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from segue_export.train.measures import frechet, high_band_error, mel_distance, seam_flux, statistics_of
from tests.songs import loop_song

SONG = loop_song(44100, 8.0)
GAP = SONG[:, 3 * 44100 : 5 * 44100]


def test_the_real_gap_is_at_distance_0_and_half_its_level_at_6_db() -> None:
    assert mel_distance(GAP, GAP) == 0.0
    # where no band lies on the floor of -60 dB, half the amplitude is 6.02 dB in every band
    loud = np.random.default_rng(0).normal(0.0, 0.5, GAP.shape).astype(np.float32)
    assert mel_distance(loud / 2, loud) == pytest.approx(6.02, abs=0.01)


def test_a_low_passed_gap_is_duller_and_farther() -> None:
    dull = sosfilt(butter(6, 4000, fs=44100, output="sos"), GAP).astype(np.float32)
    assert high_band_error(dull, GAP) < -20.0
    assert mel_distance(dull, GAP) > 1.0


def test_a_click_at_the_seam_raises_its_flux() -> None:
    quiet = 0.1 * np.sin(np.arange(6 * 44100) / 50.0)[None].repeat(2, 0).astype(np.float32)
    click = quiet.copy()
    click[:, 2 * 44100] += 0.5
    assert seam_flux(click, 2 * 44100, 4 * 44100) > seam_flux(quiet, 2 * 44100, 4 * 44100) + 3.0


def test_clips_of_one_kind_are_at_frechet_distance_0_from_themselves() -> None:
    clips = np.stack([statistics_of(loop_song(44100, 1.0, seed)) for seed in range(20)])
    other = np.stack([statistics_of(0.2 * loop_song(44100, 1.0, seed)) for seed in range(20)])
    assert frechet(clips, clips) == pytest.approx(0.0, abs=1e-3)
    assert frechet(other, clips) > 1.0

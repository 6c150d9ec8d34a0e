"""Further material for recall: as many channels as the output has."""

from __future__ import annotations

import numpy as np

from segue.clip.clip import MODEL_RATE, Clip
from segue.clip.files import AudioFile
from segue.render import jobs

LENGTH = MODEL_RATE


def material(left: np.ndarray, right: np.ndarray) -> AudioFile:
    return AudioFile.of(Clip(np.stack([left, right]).astype(np.float32), MODEL_RATE), "song")


def test_what_cancels_in_mono_is_gone_before_a_mono_track_recalls_it() -> None:
    both, apart = 0.1 * np.random.default_rng(0).standard_normal((2, LENGTH))
    (heard,) = jobs.songs_of([material(both + apart, both - apart)], 1)
    assert heard.shape == (2, LENGTH)
    np.testing.assert_allclose(heard, np.stack([both, both]), atol=1e-6)


def test_a_stereo_track_recalls_a_stereo_song_as_it_is() -> None:
    left, right = 0.1 * np.random.default_rng(1).standard_normal((2, LENGTH))
    (heard,) = jobs.songs_of([material(left, right)], 2)
    np.testing.assert_array_equal(heard, np.stack([left, right]).astype(np.float32))


def test_another_songs_sound_is_folded_likewise() -> None:
    tone = 0.1 * np.sin(np.arange(LENGTH) / 20.0)
    track = AudioFile.of(Clip(tone[None].astype(np.float32), MODEL_RATE), "track")
    job = jobs.extend(track, 1000, False)
    sounding = jobs.sounding_like(job, material(tone, -tone))
    assert sounding.plan.sound is not None
    assert not sounding.plan.sound.any()

"""Restyling: a stretch or all of a clip, effects and all, and again from its recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from jaxtyping import Float32

import segue
from segue.clip.files import read_recipe
from segue.errors import InvalidRequest
from segue.result import Result
from tests.songs import loop_song

RATE = 44100
GAP = (4.0, 4.8)
QUICK = segue.RenderSettings(steps=1)
Audio = Float32[np.ndarray, "2 samples"]


@pytest.fixture(scope="module")
def song() -> Audio:
    return loop_song(RATE, 9.0)


def inside(audio: Audio) -> Audio:
    return audio[:, int(GAP[0] * RATE) : int(GAP[1] * RATE)]


def outside_is_kept(result: Result, song: Audio) -> bool:
    left, right = slice(0, int(GAP[0] * RATE)), slice(int(GAP[1] * RATE), None)
    return all(result.audio[:, s].tobytes() == song[:, s].tobytes() for s in (left, right))


def test_a_whole_clip_is_restyled_over_windows_and_keeps_its_level(song: Audio) -> None:
    clip = song[:, : 5 * RATE]
    result = segue.restyle(clip, RATE, preset="telephone", settings=QUICK)
    assert result.audio.shape == clip.shape and not np.array_equal(result.audio, clip)
    power = np.abs(np.fft.rfft(result.audio[0])) ** 2
    hertz = np.fft.rfftfreq(clip.shape[1], 1.0 / RATE)
    before = np.abs(np.fft.rfft(clip[0])) ** 2
    for low, high in ((0.0, 150.0), (8000.0, 22050.0)):
        band = (hertz >= low) & (hertz < high)
        assert power[band].sum() / power.sum() < 0.3 * before[band].sum() / before.sum()
    assert float(np.sqrt(np.mean(result.audio**2) / np.mean(clip**2))) == pytest.approx(1.0, abs=0.4)


def test_restyling_by_0_gives_the_original_back(song: Audio) -> None:
    result = segue.restyle(song, RATE, GAP, preset="warm tape", amount=0.0, settings=QUICK)
    # what cannot be kept to the bit, phases through the codec, is kept to -40 dB
    apart, kept = np.mean((inside(result.audio) - inside(song)) ** 2), np.mean(inside(song) ** 2)
    assert apart < 1e-4 * kept
    assert outside_is_kept(result, song)


def test_restyling_needs_a_style(song: Audio) -> None:
    with pytest.raises(InvalidRequest, match="needs a style"):
        segue.restyle(song, RATE, GAP)


def test_a_restyled_file_is_rendered_again_from_its_recipe_with_its_reference(tmp_path: Path, song: Audio) -> None:
    for name, audio in (("in", song), ("other", song[:, : 4 * RATE] * 0.5)):
        soundfile.write(tmp_path / f"{name}.wav", audio.T, RATE, subtype="PCM_24")
    style = segue.Style.of("warm tape", reference=tmp_path / "other.wav", match="loudness", amount=0.6)
    settings = QUICK
    made = segue.restyle_file(tmp_path / "in.wav", tmp_path / "out.wav", gaps=["4:4.8"], style=style, settings=settings)
    recipe = read_recipe(made.path)
    assert recipe.sources == ("in.wav", "other.wav") and recipe.task == "restyle"
    again = segue.rerun_file(made.path, tmp_path / "again.wav")
    assert again.path.read_bytes() == made.path.read_bytes()
    soundfile.write(tmp_path / "other.wav", song[:, : 4 * RATE].T, RATE, subtype="PCM_24")
    with pytest.raises(InvalidRequest, match="references are not those"):
        segue.rerun_file(made.path, tmp_path / "third.wav")

"""Sound transfer: the music goes on as the track would, in the sound of another song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from jaxtyping import Float32

import segue
from segue.clip.files import read_audio
from segue.clip.tags import read_recipe
from segue.errors import InvalidRequest, SegueError
from segue.render.studio import MOSAICS
from segue.result import Result
from tests.songs import loop_song

RATE = 44100
GAP = (3.3, 4.6)
INSIDE = slice(round(3.3 * RATE), round(4.6 * RATE))
FAST = segue.RenderSettings(steps=1)
ONE = segue.RenderSettings(method="mean")  # a single evaluation, a single take
LINE = 9000.0  # hertz; what the other song is known by
Audio = Float32[np.ndarray, "2 samples"]


def beats(seconds: float) -> Audio:
    """A decaying sawtooth of a low pitch every half second: strokes and rests, and nothing over 2 kHz."""
    time = np.arange(int(RATE * seconds)) / RATE
    since = time % 0.5
    pitch = np.array([110.0, 146.83, 164.81, 98.0])[(time // 0.5).astype(int) % 4]
    tone = sum(np.sin(2 * np.pi * pitch * k * since) / k for k in range(1, 12)) * np.exp(-7.0 * since)
    return np.asarray(0.2 * np.stack([tone, tone]), np.float32)


def hiss(seconds: float, rate: int = RATE, seed: int = 0) -> Audio:
    """Noise of one level with a steady whistle in it."""
    time = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(seed).normal(0.0, 0.1, (2, len(time)))
    return np.asarray(noise + 0.02 * np.sin(2 * np.pi * LINE * time), np.float32)


def flatness(audio: Audio) -> float:
    """Geometric over arithmetic mean of the power from 100 Hz to 14 kHz: near 0.56 for noise, 0 for tones."""
    power = np.abs(np.fft.rfft(audio.mean(0) * np.hanning(audio.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    heard = power[(hertz > 100) & (hertz < 14000)]
    return float(np.exp(np.log(heard + 1e-20).mean()) / heard.mean())


def whistle_db(audio: Audio) -> float:
    """Level of the line over what is beside it."""
    power = np.abs(np.fft.rfft(audio.mean(0) * np.hanning(audio.shape[1]))) ** 2
    hertz = np.fft.rfftfreq(audio.shape[1], 1 / RATE)
    beside = power[(np.abs(hertz - LINE) > 100) & (np.abs(hertz - LINE) < 500)]
    return float(10.0 * np.log10(power[np.abs(hertz - LINE) < 20].max() / beside.mean()))


def course(audio: Audio) -> np.ndarray:
    """Level in dB of every 20 ms."""
    length = audio.shape[1] // 882 * 882
    return np.asarray(10.0 * np.log10((audio[:, :length].reshape(2, -1, 882) ** 2).mean((0, 2)) + 1e-6))


def methods(result: Result) -> set[str]:
    return {take["method"] for gap in result.report["gaps"] for take in gap["candidates"]}


def assert_kept(result: Result, track: Audio) -> None:
    assert result.audio[:, : INSIDE.start].tobytes() == track[:, : INSIDE.start].tobytes()
    assert result.audio[:, INSIDE.stop :].tobytes() == track[:, INSIDE.stop :].tobytes()


@pytest.fixture(scope="module")
def track() -> Audio:
    return beats(7.0)


@pytest.fixture(scope="module")
def filled(track: Audio) -> Result:
    return segue.fill(track, RATE, GAP, sound_from=(hiss(6.0), RATE), settings=FAST)


def test_a_gap_has_the_other_songs_timbre(filled: Result, track: Audio) -> None:
    assert flatness(track[:, INSIDE]) < 0.01
    assert flatness(filled.audio[:, INSIDE]) > 0.3
    assert whistle_db(filled.audio[:, INSIDE]) > whistle_db(hiss(6.0)[:, INSIDE.start : INSIDE.stop]) - 10.0


def test_it_has_the_tracks_own_strokes_and_rests(filled: Result, track: Audio) -> None:
    """Steady noise has neither: they are the course of what the prior takes for likely."""
    made, real = (course(audio[:, INSIDE]) for audio in (filled.audio, track))
    assert np.corrcoef(made, real)[0, 1] > 0.6
    assert abs(float(np.mean(made - real))) < 6.0


def test_all_else_is_kept_bit_for_bit(filled: Result, track: Audio) -> None:
    assert_kept(filled, track)


def test_no_take_is_of_the_tracks_own_sound(filled: Result) -> None:
    assert methods(filled) == {"mean", "generated", "regenerated splice"}
    assert all("of another song" in take["how"] for gap in filled.report["gaps"] for take in gap["candidates"])


def test_what_stands_there_gives_the_course_however_loud_the_other_song_is_and_at_whatever_rate(track: Audio) -> None:
    """Away from the seams, where levels are led over. Another song's sound is style enough to restyle."""
    inner = slice(INSIDE.start + RATE // 4, INSIDE.stop - RATE // 4)
    for verb, other, rate in ((segue.regenerate, hiss(3.0), RATE), (segue.restyle, 0.01 * hiss(3.0, 48000), 48000)):
        result = verb(track, RATE, GAP, freedom=0.0, sound_from=(other, rate), settings=FAST)
        assert methods(result) == {"regenerated"}
        assert_kept(result, track)
        assert flatness(result.audio[:, INSIDE]) > 0.3
        made, real = (course(audio[:, inner]) for audio in (result.audio, track))
        assert np.corrcoef(made, real)[0, 1] > 0.85
        assert float(np.median(np.abs(made - real))) < 2.0


def test_restyling_without_any_style_is_refused(track: Audio) -> None:
    with pytest.raises(InvalidRequest, match="take the sound from"):
        segue.restyle(track, RATE, GAP, settings=FAST)


def test_a_continuation_goes_on_in_the_other_sound(track: Audio) -> None:
    result = segue.extend(track, RATE, 0.6, sound_from=(hiss(3.0), RATE), settings=ONE)
    assert result.audio[:, : track.shape[1]].tobytes() == track.tobytes()
    assert flatness(result.audio[:, track.shape[1] :]) > 0.2


def test_a_transition_passes_through_the_other_sound(track: Audio) -> None:
    result = segue.transition(track, track, RATE, overlap=0.9, sound_from=(hiss(3.0), RATE), settings=FAST)
    start = track.shape[1] - round(0.9 * RATE)
    assert result.audio[:, :start].tobytes() == track[:, :start].tobytes()
    assert result.audio[:, track.shape[1] :].tobytes() == track[:, round(0.9 * RATE) :].tobytes()
    assert methods(result) == {"regenerated"}
    middle = slice(start + 3 * RATE // 10, start + 6 * RATE // 10)
    assert flatness(result.audio[:, middle]) > 10 * flatness(track[:, middle])


def test_a_wish_is_steered_to_in_the_other_sound(track: Audio) -> None:
    style = segue.Style.of(follow={"brightness": [(0.0, 6000.0)]})
    result = segue.fill(track, RATE, (3.3, 3.9), style=style, sound_from=(hiss(3.0), RATE), settings=FAST)
    assert methods(result) == {"steered"}
    assert flatness(result.audio[:, round(3.3 * RATE) : round(3.9 * RATE)]) > 0.2


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        ((hiss(0.5), RATE), "1 s or more"),
        ((np.zeros((2, 3 * RATE), np.float32), RATE), "silent"),
        ((np.full((2, 3 * RATE), np.nan, np.float32), RATE), "finite"),
        ((hiss(3.0), 4000), "sample rate"),
        ((np.zeros((3, 3 * RATE), np.float32), RATE), "mono or stereo"),
    ],
)
def test_a_song_without_a_sound_to_take_is_refused(track: Audio, sound: tuple[np.ndarray, int], expected: str) -> None:
    with pytest.raises(SegueError, match=expected):
        segue.fill(track, RATE, GAP, sound_from=sound, settings=FAST)


def test_a_gap_that_is_interpolated_is_refused_before_anything_is_rendered(track: Audio) -> None:
    heard: list[segue.Progress] = []
    with pytest.raises(InvalidRequest, match=r"longer than 80 ms, got 50 ms at 4\.000 s"):
        segue.fill(track, RATE, (4.0, 4.05), sound_from=(hiss(3.0), RATE), settings=FAST, callback=heard.append)
    assert not heard


def test_a_method_of_the_tracks_own_sound_is_refused(track: Audio) -> None:
    settings = segue.RenderSettings(method="splice")
    with pytest.raises(InvalidRequest, match=f"{', '.join(MOSAICS)}.*'splice'"):
        segue.fill(track, RATE, GAP, sound_from=(hiss(3.0), RATE), settings=settings)


def test_rerun_needs_the_other_song_and_gives_the_same_samples(tmp_path: Path) -> None:
    source, other, out = (tmp_path / name for name in ("track.wav", "other.flac", "out.wav"))
    soundfile.write(source, loop_song(48000, 5.0).T, 48000, subtype="PCM_24")
    soundfile.write(other, hiss(3.0).T, RATE, subtype="PCM_16")
    result = segue.fill_file(source, out, gaps=["2.0:2.4"], sound_from=other, settings=ONE)
    assert result.recipe.sources == ("track.wav", "other.flac")
    assert result.recipe.parameters["sound_from"] == read_audio(other).digest
    source.unlink()  # an infill is made again from itself, and from the song its sound is of
    away = (tmp_path / "away").resolve() / other.name
    away.parent.mkdir()
    other.rename(away)
    with pytest.raises(InvalidRequest, match=r"needs other\.flac.*--source"):
        segue.rerun_file(out, tmp_path / "again.wav")
    again = segue.rerun_file(out, tmp_path / "again.wav", sources=[away])
    assert np.array_equal(read_audio(again.path).samples, read_audio(out).samples)
    assert read_recipe(again.path).digest == result.recipe.digest
    soundfile.write(other, hiss(3.0, seed=1).T, RATE, subtype="PCM_16")
    with pytest.raises(InvalidRequest, match=r"other\.flac is not the song the recipe takes the sound from"):
        segue.rerun_file(out, tmp_path / "third.wav")

"""The bench listens well: the real gap is best, damage shows in the scores meant for it and in no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from scipy.signal import butter, sosfiltfilt
from torch import Tensor

import segue_bench
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.embedders.musicnn import Musicnn
from segue.guidance.freedom import Freedom
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.plan import Plan, Stereo
from segue.tasks.regenerate import Regenerate
from segue.tasks.transition import Transition
from segue_bench.contract import RATE, Case, Excerpt, Rendering, TaskName
from segue_bench.listener import EAR_SAMPLES, Ear, Impression, Listener, ear_window
from segue_bench.scores.registry import SCORES
from tests.songs import loop_song

EAR = Path(segue_bench.__file__).with_name("weights") / "mtt_musicnn.safetensors"
UPBEAT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"
PLACES, GAP = (9.3, 14.2), 2.0  # seconds

Scores = Mapping[str, float]
Damage = Callable[[Stereo, Span], Stereo]


class Faint:
    """An ear for tests of everything but the ear: levels of 200 and 50 stretches of the audio."""

    def listen(self, audio: Float[Tensor, "batch 2 samples"]) -> Impression:
        class Levels:
            embedding = torch.nn.functional.adaptive_avg_pool1d(audio.abs().mean(1), 200)
            logits = torch.nn.functional.adaptive_avg_pool1d(audio.abs().mean(1), 50)

        return Levels()


def as_case(task: TaskName, plan: Plan, original: Stereo) -> Case:
    gap = plan.regions[0].gap
    excerpt = Excerpt("x", "p", "f", "", "t", "a", "l", "test", False, original.shape[1], gap.start, 4.0)
    return Case(excerpt, task, gap.length / RATE, True, plan, original, original[:, : gap.length])


def case_of(original: Stereo, gap: Span, task: TaskName = "infill", freedom: Freedom | None = None) -> Case:
    if task == "continuation":
        return as_case(task, Continuation(gap.length / RATE).plan([original[:, : gap.start]]), original)
    if task == "regenerate":
        return as_case(task, Regenerate((gap,), freedom or Freedom(Curve.constant(0.85))).plan([original]), original)
    return as_case(task, Infill((gap,)).plan([original]), original)


def transition_of(left: Stereo, right: Stereo) -> Case:
    plan = Transition(2.0).plan([left, right])
    region, original = plan.regions[0], plan.timeline.copy()
    assert region.x_bar is not None
    original[:, region.gap.start : region.gap.stop] = region.x_bar
    return as_case("transition", plan, original)


def inside(audio: Stereo, gap: Span) -> Stereo:
    return np.ascontiguousarray(audio[:, gap.start : gap.stop], np.float32)


# What may happen to the real gap


def untouched(track: Stereo, gap: Span) -> Stereo:
    return inside(track, gap)


def white_noise(track: Stereo, gap: Span) -> Stereo:
    real = inside(track, gap)
    return (np.random.default_rng(0).standard_normal(real.shape) * real.std()).astype(np.float32)


def slightly_worn(track: Stereo, gap: Span) -> Stereo:
    """As a good codec leaves it: a little duller above 12 kHz, with a faint hiss."""
    worn = sosfiltfilt(butter(2, 12_000, fs=RATE, output="sos"), track)
    return (inside(worn, gap) + 0.02 * white_noise(track, gap)).astype(np.float32)


def elsewhere(track: Stereo, gap: Span) -> Stereo:
    return inside(track, Span(5 * RATE + 777, 5 * RATE + 777 + gap.length))


def low_passed(track: Stereo, gap: Span) -> Stereo:
    return inside(sosfiltfilt(butter(6, 4000, fs=RATE, output="sos"), track), gap)


def detuned(track: Stereo, gap: Span) -> Stereo:
    """30 cents sharp, about the gap's middle, so that nothing is more than 18 ms off."""
    middle = (gap.start + gap.stop) / 2
    at = (np.arange(gap.start, gap.stop) - middle) * 2 ** (30 / 1200) + middle
    return np.stack([np.interp(at, np.arange(track.shape[1]), channel) for channel in track]).astype(np.float32)


def late(track: Stereo, gap: Span) -> Stereo:
    shift = round(0.06 * RATE)
    return inside(track, Span(gap.start - shift, gap.stop - shift))


def clicking(track: Stereo, gap: Span) -> Stereo:
    real = inside(track, gap)
    real[:, 0] += np.float32(0.8)
    return real


DAMAGES: tuple[Damage, ...] = (untouched, slightly_worn, elsewhere, white_noise, low_passed, detuned, late, clicking)


@pytest.fixture(scope="module")
def upbeat() -> Stereo:
    samples, rate = soundfile.read(UPBEAT, dtype="float32")
    assert rate == RATE
    return np.ascontiguousarray(samples.T)


@pytest.fixture(scope="module")
def heard(upbeat: Stereo) -> list[dict[str, Scores]]:
    """At each place, the scores of every damage, by the ear that scores."""
    ear: Ear = Musicnn.load(EAR)
    found = []
    for at in PLACES:
        gap = Span(round(at * RATE), round((at + GAP) * RATE))
        listener = Listener.of(case_of(upbeat, gap), ear)
        found.append({d.__name__: listener.score(Rendering(d(upbeat, gap), "")).values for d in DAMAGES})
    return found


def badness(name: str, value: float) -> float:
    """Lower is better, whatever the score."""
    best = next(score.best for score in SCORES if score.name == name)
    return -value if best == "higher" else abs(value) if best == "zero" else value


PERFECT = {
    "gap_kld": 0.0,
    "gap_mr": 0.0,
    "mel_distance": 0.0,
    "log_spectral_distance": 0.0,
    "loudness_error": 0.0,
    "high_band_error": 0.0,
    "side_error": 0.0,
    "chroma_cosine": 1.0,
    "onset_f": 1.0,
}


def test_every_score_against_the_real_gap_is_perfect_for_it(heard: list[dict[str, Scores]]) -> None:
    against_real = {score.name for score in SCORES if score.against_real}
    assert against_real == {*PERFECT, "beat_phase_error"}
    for scores in heard:
        for name, perfect in PERFECT.items():
            assert scores["untouched"][name] == pytest.approx(perfect, abs=1e-5), name
        assert scores["untouched"]["beat_phase_error"] < 3.0
        assert scores["untouched"]["seam_z"] < 2.0


@pytest.mark.parametrize("name", sorted(PERFECT))
def test_the_real_gap_is_best_and_noise_worst(name: str, heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        rising = (untouched, slightly_worn, elsewhere, white_noise)
        real, worn, other, noise = (badness(name, scores[d.__name__][name]) for d in rising)
        assert real <= worn
        assert real < other
        assert worn < noise
        if name not in (
            "side_error",
            "onset_f",
        ):  # another place may be wider than noise, and lies elsewhere in the bar
            assert other <= noise


def test_noise_and_other_places_do_not_sit_in_the_seams_or_the_beat(heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        for damage in (elsewhere, white_noise):
            assert scores[damage.__name__]["seam_z"] > scores["untouched"]["seam_z"] + 1.0
            assert scores[damage.__name__]["beat_phase_error"] > 15.0


def changed(scores: dict[str, Scores], damage: Damage) -> Scores:
    """By how much a damage moved each score away from the real gap's; above 0 is worse."""
    real, damaged = scores["untouched"], scores[damage.__name__]
    return {name: badness(name, damaged[name]) - badness(name, real[name]) for name in real}


def test_a_low_passed_gap_is_dull_and_still_in_tune_and_in_time(heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        moved = changed(scores, low_passed)
        assert scores["low_passed"]["high_band_error"] < -20.0
        assert moved["gap_mr"] > 1.0
        assert moved["mel_distance"] > 3.0
        assert moved["log_spectral_distance"] > 10.0
        assert min(moved["gap_kld"], moved["seam_z"] - 3.0) > 0.1  # the highs stop at the seam
        assert moved["chroma_cosine"] < 0.05
        assert abs(moved["beat_phase_error"]) < 3.0
        assert abs(moved["loudness_jump"]) < 1.0  # K-weighted: dull is a little quieter
        assert abs(moved["copied"]) < 0.03
        assert abs(moved["side_error"]) < 0.3


def test_a_detuned_gap_is_out_of_tune_and_still_in_time_and_as_bright(heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        moved = changed(scores, detuned)
        assert moved["chroma_cosine"] > 0.08
        assert moved["gap_mr"] > 1.0
        assert moved["copied"] < -0.15  # no place of the song is at this pitch
        assert moved["onset_f"] < 0.2
        assert moved["beat_phase_error"] < 12.0
        assert moved["high_band_error"] < 3.0  # interpolation dulls a little
        assert moved["side_error"] < 0.2
        assert abs(moved["loudness_jump"]) < 0.3
        assert moved["gap_kld"] < 0.1


def test_a_late_gap_is_off_the_beat_and_sounds_the_same(heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        moved = changed(scores, late)
        assert scores["late"]["beat_phase_error"] == pytest.approx(60.0, abs=4.0)
        assert moved["onset_f"] > 0.5
        assert moved["seam_z"] > 1.0
        assert moved["gap_kld"] < 0.1
        assert moved["high_band_error"] < 0.3
        assert moved["side_error"] < 0.2
        assert moved["chroma_cosine"] < 0.12
        assert abs(moved["loudness_jump"]) < 0.5
        assert abs(moved["copied"]) < 0.03


def test_a_click_at_the_seam_shows_there_and_hardly_elsewhere(heard: list[dict[str, Scores]]) -> None:
    for scores in heard:
        moved = changed(scores, clicking)
        assert moved["seam_z"] > 3.0
        assert moved["onset_f"] < 0.15
        unmoved = {"gap_kld": 0.02, "gap_mr": 0.02, "mel_distance": 0.1, "log_spectral_distance": 0.5}
        unmoved |= {"high_band_error": 0.1, "side_error": 0.1, "chroma_cosine": 0.01}
        unmoved |= {"beat_phase_error": 1.0, "loudness_jump": 0.2, "copied": 0.02}
        for name, most in unmoved.items():
            assert abs(moved[name]) < most, name


# Renderings with a margin


@cache
def steady(seconds: float = 12.0) -> Stereo:
    return loop_song(RATE, seconds)


@cache
def steady_listener() -> Listener:
    return Listener.of(case_of(steady(), Span(5 * RATE, 7 * RATE)), Faint())


def test_the_real_music_pasted_with_its_margin_scores_as_the_real_gap() -> None:
    song, gap = steady(), Span(5 * RATE, 7 * RATE)
    listener = steady_listener()
    alone = listener.score(Rendering(inside(song, gap), "")).values
    wide = Span(gap.start - 4410, gap.stop + 4410)
    pasted = listener.score(Rendering(inside(song, wide), "", margin=4410)).values
    ends = {"seam_z", "loudness_jump"}  # measured at the paste's ends too
    assert {n: pasted[n] for n in alone if n not in ends} == {n: alone[n] for n in alone if n not in ends}


def test_a_click_where_a_paste_begins_is_a_seam_and_not_a_fault_of_the_gap() -> None:
    song, gap, margin = steady(), Span(5 * RATE, 7 * RATE), 4410
    listener = steady_listener()
    clean = inside(song, Span(gap.start - margin, gap.stop + margin))
    broken = clean.copy()
    broken[:, 0] += np.float32(0.8)
    before, after = (listener.score(Rendering(a, "", margin=margin)).values for a in (clean, broken))
    assert after["seam_z"] > before["seam_z"] + 2.0
    assert after["mel_distance"] == before["mel_distance"] == 0.0


def test_the_level_of_the_track_does_not_matter() -> None:
    song, gap = steady(), Span(5 * RATE, 7 * RATE)
    other = low_passed(song, gap)
    loud, quiet = (
        dict(Listener.of(case_of(gain * song, gap), Faint()).score(Rendering(gain * other, "")).values)
        for gain in (np.float32(2.0), np.float32(0.125))
    )
    del loud["gap_kld"], quiet["gap_kld"]  # the ear hears the track's own level
    assert quiet == pytest.approx(loud, rel=2e-3, abs=2e-3)


# What is not defined is missing


def test_a_gap_without_anything_to_copy_from_or_beat_to_keep_lacks_these_scores() -> None:
    song = (0.1 * np.random.default_rng(0).standard_normal((2, 4 * RATE))).astype(np.float32)
    gap = Span(RATE, 3 * RATE)
    values = Listener.of(case_of(song, gap), Faint()).score(Rendering(inside(song, gap), "")).values
    assert not {"copied", "beat_phase_error", "control", "loudness_dip"} & values.keys()
    assert {"gap_kld", "gap_mr", "seam_z"} <= values.keys()


def test_a_continuation_to_the_end_of_the_timeline_is_scored() -> None:
    song, gap = steady(6.0), Span(round(2.4 * RATE), 6 * RATE)
    listener = Listener.of(case_of(song, gap, "continuation"), Faint())
    real = listener.score(Rendering(inside(song, gap), "")).values
    assert (real["mel_distance"], real["onset_f"]) == (0.0, 1.0)
    noise = listener.score(Rendering(white_noise(song, gap), "")).values
    assert noise["seam_z"] > real["seam_z"]


def test_a_transition_has_no_truth_but_seams_and_loudness() -> None:
    case = transition_of(steady(8.0), loop_song(RATE, 8.0, seed=3))
    listener = Listener.of(case, Faint())
    cross_fade = listener.score(Rendering(case.truth, "")).values
    silence = listener.score(Rendering(np.zeros_like(case.truth), "")).values
    assert cross_fade.keys() == {"seam_z", "loudness_jump", "loudness_dip", "copied"}
    assert cross_fade["loudness_dip"] < 6.0
    assert silence["loudness_dip"] > 20.0
    assert silence["loudness_jump"] > cross_fade["loudness_jump"] + 10.0
    assert silence["copied"] == 0.0


def test_control_is_scored_where_freedom_was_drawn() -> None:
    song, gap = steady(), Span(5 * RATE, 7 * RATE)
    drawn = Freedom(Curve(((5.0, 0.0), (7.0, 1.0))))
    real, new = inside(song, gap), white_noise(song, gap)
    ramp = np.linspace(0.0, 1.0, gap.length, dtype=np.float32) ** 2
    rendering = Rendering((real * (1 - ramp) + new * ramp).astype(np.float32), "")
    assert Listener.of(case_of(song, gap, "regenerate", drawn), Faint()).score(rendering).values["control"] > 0.6
    assert "control" not in Listener.of(case_of(song, gap, "regenerate"), Faint()).score(rendering).values


def test_embedding_and_tags_come_with_the_scores() -> None:
    listener = steady_listener()
    scores = listener.score(Rendering(listener.case.truth, ""))
    assert (scores.embedding.shape, scores.tags.shape) == ((200,), (50,))
    assert ((scores.tags > 0.0) & (scores.tags < 1.0)).all()
    assert (scores.embedding == listener.real.embedding).all()


# Refusals


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.integers(0, 10**7))
def test_the_ear_hears_3_s_within_the_timeline_around_the_gap(start: int, length: int, after: int) -> None:
    gap, samples = Span(start, start + length), start + length + after
    if samples < EAR_SAMPLES:
        with pytest.raises(InvalidRequest, match="at least 3 s"):
            ear_window(gap, samples)
        return
    window = ear_window(gap, samples)
    assert window.length == EAR_SAMPLES
    assert 0 <= window.start < window.stop <= samples
    if length <= EAR_SAMPLES:
        assert window.start <= gap.start < gap.stop <= window.stop
    else:
        assert gap.start <= window.start < window.stop <= gap.stop
    off_centre = abs((window.start + window.stop) - (gap.start + gap.stop))
    assert off_centre <= 1 or window.start == 0 or window.stop == samples


@pytest.mark.parametrize(
    ("shape", "margin"),
    [((2, 88_199), 0), ((2, 88_200), 10), ((2, 88_200 + 2 * 50_000), 50_000), ((2, 88_190), -5)],
)
def test_a_rendering_of_another_length_is_refused(shape: tuple[int, int], margin: int) -> None:
    listener = steady_listener()
    with pytest.raises(InvalidRequest, match=r"expected audio of .*got .*with a margin of"):
        listener.score(Rendering(np.zeros(shape, np.float32), "", margin=margin))


def test_a_margin_out_of_the_timeline_and_samples_that_are_no_numbers_are_refused() -> None:
    listener = Listener.of(case_of(steady(6.0), Span(100, 2 * RATE)), Faint())
    with pytest.raises(InvalidRequest, match="stays within the timeline"):
        listener.score(Rendering(np.zeros((2, 2 * RATE - 100 + 400), np.float32), "", margin=200))
    broken = np.full((2, 2 * RATE - 100), np.nan, np.float32)
    with pytest.raises(InvalidRequest, match="finite audio"):
        listener.score(Rendering(broken, ""))


def test_cases_that_cannot_be_scored_are_refused_before_any_rendering() -> None:
    song = steady()
    with pytest.raises(InvalidRequest, match="at least 2048 samples"):
        Listener.of(case_of(song, Span(5 * RATE, 5 * RATE + 2047)), Faint())
    with pytest.raises(InvalidRequest, match="at least 3 s"):
        Listener.of(case_of(song[:, : 2 * RATE], Span(RATE // 2, RATE)), Faint())
    with pytest.raises(InvalidRequest, match="track that sounds"):
        Listener.of(case_of(0.0 * song, Span(5 * RATE, 7 * RATE)), Faint())

"""What is played by a plan: beats together, seams without a step, all else untouched, and the same again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfiltfilt

import segue
from segue.clip.clip import Clip
from segue.clip.files import AudioFile, read_audio
from segue.errors import InvalidRequest
from segue.joint.plan import JoinPlan, Side
from segue.joint.propose import plan_transition
from segue.joint.settings import JointSettings
from segue.joint.stretch import played
from tests.joint.drum_tracks import RATE, Drummed, drum_track
from tests.joint.planned import LEFT, RIGHT, planned

FAST = segue.RenderSettings(steps=1, method="eq fade")


@pytest.fixture(scope="module")
def plan() -> JoinPlan:
    return planned(bars=4)


def hats(audio: np.ndarray) -> np.ndarray:
    """The envelope above 2 kHz: what is struck, without the chords."""
    high = sosfiltfilt(butter(4, 2000.0, "high", fs=RATE, output="sos"), audio.mean(0))
    envelope: np.ndarray = sosfiltfilt(butter(2, 200.0, fs=RATE, output="sos"), np.abs(high))
    return envelope


def lateness(stretched: np.ndarray, track: Drummed, knots: np.ndarray) -> np.ndarray:
    """Seconds by which each beat of the track comes late in its stretch, against where the knots say it sounds."""
    sources = np.array(track.beats) * RATE
    places = np.interp(sources, knots[:, 0], knots[:, 1], left=-1.0, right=-1.0)
    reach, most = round(0.06 * RATE), round(0.02 * RATE)
    inside = (places > reach + most) & (places < stretched.shape[1] - reach - most)
    original, made, late = hats(track.audio), hats(stretched), []
    for source, place in zip(np.rint(sources[inside]).astype(int), np.rint(places[inside]).astype(int), strict=True):
        struck = original[source - reach : source + reach]
        around = made[place - reach - most : place + reach + most]
        fit = [struck @ around[k : k + 2 * reach] / np.linalg.norm(around[k : k + 2 * reach]) for k in range(2 * most)]
        late.append((int(np.argmax(fit)) - most) / RATE)
    return np.array(late)


def test_beats_of_both_coincide_within_10_ms_through_the_transition(plan: JoinPlan) -> None:
    """Measured on the sound; the knots of both lead to one grid, so each must keep to it."""
    left = played(LEFT.file("a.wav"), plan.left, leaving=True)
    right = played(RIGHT.file("b.wav"), plan.right, leaving=False)
    for audio, side, track in ((left, plan.left, LEFT), (right, plan.right, RIGHT)):
        late = lateness(audio, track, np.array(side.knots))
        assert len(late) >= 8
        assert np.abs(late).max() < 0.005
    grids = (
        np.array(plan.left.knots)[:, 1] + plan.left.cut,
        np.array(plan.right.knots)[:, 1] + plan.regenerated.start,
    )
    assert np.abs(grids[0] - grids[1]).max() < 2.0  # samples
    assert np.abs(grids[0] - plan.joint).min() < 2.0


@pytest.mark.parametrize(("bpm", "ratio"), [(96.0, 1.05), (110.0, 1.08), (110.0, 1.15)])
def test_a_steady_tone_does_not_pull_the_beats_from_their_places(bpm: float, ratio: float) -> None:
    """Tones fit where the stretch meets the track as it is at every period, 4.5 ms here; attacks fit at one place."""
    tracks = [toned(drum_track(tempo, 14, first)) for tempo, first in ((bpm, 0.4), (bpm * ratio, 0.33))]
    files = [track.file(f"{n}.wav") for n, track in enumerate(tracks)]
    plan = plan_transition(files[0], files[1], JointSettings(bars=4), overlap=2.5)
    assert "tempo" in plan.matched
    for file, side, track, leaving in zip(files, (plan.left, plan.right), tracks, (True, False), strict=True):
        late = lateness(played(file, side, leaving=leaving), track, np.array(side.knots))
        assert len(late) >= 8
        assert np.abs(np.median(late)) < 0.003
        assert np.abs(late).max() < 0.006


@pytest.mark.parametrize("semitones", [0.0, 1.0, 2.0, -2.0])
def test_a_pitch_that_glides_does_not_pull_the_right_track_from_where_it_ends(semitones: float) -> None:
    """Struck notes that ring: just before a beat there is nothing but tones, and these glide."""
    track = drum_track(120.0, 14)
    beats = np.array(track.beats)[8:25]
    grid = np.concatenate([[0.0], np.cumsum(0.5 / np.linspace(1.02, 1.0, 16))])
    knots = tuple((float(a), float(b)) for a, b in zip(beats * RATE, grid * RATE, strict=True))
    side = Side(
        cut=round(beats[-1] * RATE),
        length=round(grid[-1] * RATE),
        joint=round(beats[2] * RATE),
        knots=knots,
        semitones=(semitones, 0.0),
    )
    late = lateness(played(track.file("b.wav"), side, leaving=False), track, np.array(knots))
    assert len(late) >= 8
    assert np.abs(late[-3:]).max() < 0.004


def toned(track: Drummed) -> Drummed:
    times = np.arange(track.audio.shape[1]) / RATE
    tone = 0.05 * np.stack([np.sin(2 * np.pi * hertz * times) for hertz in (220.0, 221.0)])
    return Drummed((track.audio + tone).astype(np.float32), track.beats)


def test_the_result_is_bit_exact_outside_of_what_the_plan_changes_and_renders_again(tmp_path: Path) -> None:
    for name, track in (("a.wav", LEFT), ("b.wav", RIGHT)):
        soundfile.write(tmp_path / name, track.audio.T, RATE, subtype="PCM_24")
    out = tmp_path / "mix.wav"
    done = segue.transition_file(
        tmp_path / "a.wav", tmp_path / "b.wav", out, overlap=1.0, joint=JointSettings(bars=2), settings=FAST
    )
    plan = JoinPlan.from_plain(done.report["joint"])
    mixed, one, two = (read_audio(tmp_path / n).samples for n in ("mix.wav", "a.wav", "b.wav"))
    changed = plan.changed
    assert np.array_equal(mixed[:, : changed.start], one[:, : plan.left.cut])
    assert np.array_equal(mixed[:, changed.stop :], two[:, plan.right.cut :])
    assert not np.array_equal(
        mixed[:, changed.start : changed.start + 4410], one[:, changed.start : changed.start + 4410]
    )
    again = segue.rerun_file(out, tmp_path / "again.wav")
    assert np.array_equal(read_audio(again.path).samples, mixed)
    soundfile.write(tmp_path / "b.wav", RIGHT.audio.T[::-1], RATE, subtype="PCM_24")
    with pytest.raises(InvalidRequest, match=r"b\.wav is not the track"):
        segue.rerun_file(out, tmp_path / "third.wav")


def test_a_side_meets_the_untouched_track_without_a_step(plan: JoinPlan) -> None:
    for track, side, leaving in ((LEFT, plan.left, True), (RIGHT, plan.right, False)):
        made = played(track.file("x.wav"), side, leaving=leaving)
        beside = made[:, :1] if leaving else made[:, -1:]
        at = side.cut - 1 if leaving else side.cut
        usual = float(np.abs(np.diff(track.audio[:, at - 2000 : at + 2000])).max())
        assert float(np.abs(beside[:, 0] - track.audio[:, at]).max()) <= 1.5 * usual


def test_mono_tracks_are_stretched_too() -> None:
    a, b = (AudioFile.of(Clip(t.audio[:1], RATE), n) for t, n in ((LEFT, "a.wav"), (RIGHT, "b.wav")))
    plan = plan_transition(a, b, JointSettings(bars=2), overlap=1.0)
    assert played(a, plan.left, leaving=True).shape == (1, plan.left.length)
    assert played(b, plan.right, leaving=False).shape == (1, plan.right.length)

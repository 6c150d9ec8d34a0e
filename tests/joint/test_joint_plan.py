"""Plans and what is played by them: downbeat on downbeat, beats together, levels and keys, all else untouched."""

from __future__ import annotations

import json

import numpy as np
import pytest

import segue
from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.joint.plan import JoinPlan
from segue.joint.propose import plan_transition
from segue.joint.settings import JointSettings
from segue.joint.stretch import played
from tests.joint.drum_tracks import RATE, Drummed, drum_track
from tests.joint.planned import LEFT, RIGHT, planned

FAST = segue.RenderSettings(steps=1, method="eq fade")


@pytest.fixture(scope="module")
def plan() -> JoinPlan:
    return planned(bars=4)


def off_beat(second: float, track: Drummed) -> float:
    return float(np.abs(np.array(track.downbeats) - second).min())


def test_the_joint_is_on_a_downbeat_of_both(plan: JoinPlan) -> None:
    assert off_beat(plan.facts[0].second, LEFT) < 0.010
    assert off_beat(plan.facts[1].second, RIGHT) < 0.010
    assert plan.matched == ("tempo", "loudness")
    assert plan.ratio == pytest.approx(97.0 / 90.0, rel=1e-3)


def test_levels_meet_at_the_joint_and_are_their_own_at_the_ends(plan: JoinPlan) -> None:
    apart = plan.facts[1].loudness - plan.facts[0].loudness  # type: ignore[operator]
    assert apart == pytest.approx(-6.0, abs=0.7)
    whole = plan.changed.length
    share = (plan.joint - plan.changed.start) / whole
    left = np.interp(plan.joint - plan.left.cut, [0, plan.left.length], plan.left.gain_db)
    right = np.interp(plan.overlap // 2, [0, plan.right.length], plan.right.gain_db)
    assert left == pytest.approx(share * apart, abs=0.05)
    assert left - right == pytest.approx(apart, abs=0.05)  # both sound at one level there
    assert plan.left.gain_db[0] == plan.right.gain_db[1] == 0.0


def test_keys_two_semitones_apart_meet_where_asked() -> None:
    plan = planned(bars=4, match_key=True)
    assert "key" in plan.matched
    assert plan.left.semitones[0] == plan.right.semitones[1] == 0.0
    left = np.interp(plan.joint - plan.left.cut, [0, plan.left.length], plan.left.semitones)
    right = np.interp(plan.overlap // 2, [0, plan.right.length], plan.right.semitones)
    assert left - right == pytest.approx(2.0, abs=1e-3)  # D is two above C
    audio = played(LEFT.file("a.wav"), plan.left, leaving=True)
    assert audio.shape == (2, plan.left.length)


def test_equal_tempos_are_joined_without_stretching() -> None:
    other = drum_track(90.0, 8, first=0.71, tonic=2)
    plan = plan_transition(LEFT.file("a.wav"), other.file("b.wav"), JointSettings(match_loudness=False))
    assert plan.matched == ("tempo",)
    assert plan.left.rigid and plan.right.rigid
    audio = played(LEFT.file("a.wav"), plan.left, leaving=True)
    assert np.array_equal(audio, LEFT.audio[:, plan.left.cut : plan.left.cut + plan.left.length])
    assert off_beat(plan.facts[0].second, LEFT) < 0.010 and off_beat(plan.facts[1].second, other) < 0.010


def test_without_a_beat_end_and_start_are_joined_and_it_is_said() -> None:
    pad = drum_track(90.0, 4, drums=False)
    plan = plan_transition(pad.file("pad.wav"), RIGHT.file("b.wav"))
    assert any("no clear beat in pad.wav" in note and "end to start" in note for note in plan.notes)
    assert plan.facts[0].second == pytest.approx(pad.audio.shape[1] / RATE - 1.25, abs=0.01)
    assert "tempo" not in plan.matched
    assert any("no clear beat" in line for line in plan.lines())


def test_a_place_that_is_asked_for_goes_before_what_is_found() -> None:
    beats = LEFT.beats
    plan = planned(bars=2, at_a=beats[21] + 0.05, at_b=RIGHT.beats[8])
    assert plan.facts[0].second == pytest.approx(beats[21], abs=0.010)
    assert "moved -5" in plan.facts[0].reasons[0] or "moved -4" in plan.facts[0].reasons[0]
    assert plan.facts[1].second == pytest.approx(RIGHT.beats[8], abs=0.010)


def test_a_plan_survives_json() -> None:
    plan = planned(bars=4, match_key=True)
    assert JoinPlan.from_plain(json.loads(json.dumps(plan.plain()))) == plan


def _file(audio: np.ndarray, rate: int = RATE, name: str = "x.wav") -> AudioFile:
    return AudioFile.of(Clip(audio.astype(np.float32), rate), name)


def test_what_cannot_be_joined_is_refused() -> None:
    a, b = LEFT.file("a.wav"), RIGHT.file("b.wav")
    with pytest.raises(InvalidRequest, match="44100 Hz and 2 channels"):
        plan_transition(a, _file(RIGHT.audio[:1]))
    with pytest.raises(InvalidRequest, match="48000 Hz"):
        plan_transition(a, _file(RIGHT.audio, 48000))
    with pytest.raises(InvalidRequest, match="shorter than both"):
        plan_transition(a, _file(RIGHT.audio[:, : 2 * RATE]))
    with pytest.raises(InvalidRequest, match=r"--at-a 400"):
        plan_transition(a, b, JointSettings(at_a=400.0))
    with pytest.raises(InvalidRequest, match="planned for"):
        segue.transition(RIGHT.audio, LEFT.audio, RATE, overlap=2.0, joint=planned(bars=4), settings=FAST)
    with pytest.raises(InvalidRequest, match="bars"):
        JointSettings(bars=0)


def test_tempos_too_far_apart_are_refused_where_they_were_to_match_and_noted_otherwise() -> None:
    far = drum_track(125.0, 8, tonic=2)
    with pytest.raises(InvalidRequest, match=r"factor of 1\.389"):
        plan_transition(LEFT.file("a.wav"), far.file("b.wav"), JointSettings(match_tempo=True))
    plan = plan_transition(LEFT.file("a.wav"), far.file("b.wav"), JointSettings(match_loudness=False))
    assert any("factor of 1.389" in note for note in plan.notes)
    assert plan.left.rigid and plan.right.rigid
    assert off_beat(plan.facts[0].second, LEFT) < 0.010 and off_beat(plan.facts[1].second, far) < 0.010
    pad = drum_track(90.0, 4, drums=False)
    with pytest.raises(InvalidRequest, match="no clear beat"):
        plan_transition(pad.file("pad.wav"), far.file("b.wav"), JointSettings(match_tempo=True))


def test_a_damaged_plan_is_refused() -> None:
    plain = planned(bars=4).plain()
    for bad in ({**plain, "overlap": 0}, {**plain, "left": {**plain["left"], "knots": [[1.0, 1.0], [0.0, 2.0]]}}, []):
        with pytest.raises(InvalidRequest, match="damaged"):
            JoinPlan.from_plain(bad)


def test_a_plan_of_another_overlap_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="overlap"):
        segue.transition(LEFT.audio, RIGHT.audio, RATE, overlap=1.0, joint=planned(bars=4), settings=FAST)


def test_most_of_a_track_is_not_thrown_away_for_a_phrase() -> None:
    plan = planned(bars=16)
    assert plan.facts[0].second > 0.6 * LEFT.audio.shape[1] / RATE
    assert plan.facts[1].second < 0.4 * RIGHT.audio.shape[1] / RATE
    assert any("leave room for" in note for note in plan.notes)  # eight bars are all each has

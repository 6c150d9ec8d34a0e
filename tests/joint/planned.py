"""Two drummed tracks and the plan of their transition, made once for each settings."""

from __future__ import annotations

from functools import cache

from segue.joint.plan import JoinPlan
from segue.joint.propose import plan_transition
from segue.joint.settings import JointSettings
from tests.joint.drum_tracks import drum_track

LEFT, RIGHT = drum_track(90.0, 8), drum_track(97.0, 8, tonic=2, gain=0.5)


@cache
def planned(**settings: object) -> JoinPlan:
    return plan_transition(LEFT.file("a.wav"), RIGHT.file("b.wav"), JointSettings(**settings), overlap=2.0)  # type: ignore[arg-type]

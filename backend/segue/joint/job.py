"""A planned transition as a job for the renderer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segue.clip.clip import MODEL_RATE
from segue.clip.files import AudioFile, Excerpt
from segue.clip.gaps import seconds_to_samples
from segue.clip.quantise import to_float
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.joint.fades import cross_fade, eq_fade
from segue.joint.plan import JoinPlan
from segue.joint.propose import plan_transition
from segue.joint.settings import JointSettings
from segue.joint.stretch import played
from segue.render import jobs
from segue.render.jobs import Hole, Job, Patch

_ARCH = 21
"""Points of the curve along which freedom comes and goes."""


def joined(left: AudioFile, right: AudioFile, plan: JoinPlan, freedom: Freedom, songs: Sequence[AudioFile] = ()) -> Job:
    """``left`` flows into ``right`` as planned; the output has the format of ``left``.

    Raises:
        InvalidRequest: other tracks than those of the plan, or of different rates or channels.
    """
    jobs.check_alike(left, right)
    for track, digest in ((left, plan.digest), (right, plan.right_digest)):
        if track.digest != digest:
            raise InvalidRequest(f"{track.name} is not the track the transition was planned for: plan it again")
    a, b, overlap = plan.left, plan.right, plan.overlap
    leaving, entering = played(left, a, leaving=True), played(right, b, leaving=False)
    left_made = _in_memory(left, np.concatenate([to_float(left.samples[:, : a.cut]), leaving], axis=1))
    right_made = _in_memory(right, np.concatenate([entering, to_float(right.samples[:, b.cut :])], axis=1))
    job = jobs.transition(left_made, right_made, overlap, freedom, songs)
    region, (tail, head) = job.plan.regions[0], job.plan.songs[:2]
    tail, head = tail[:, -region.gap.length :], head[:, : region.gap.length]
    assert region.freedom is not None
    region = replace(
        region,
        made=(("cross-fade", cross_fade(tail, head)), ("eq fade", eq_fade(tail, head))),
        crossing=(tail, head),
        freedom=Freedom(region.freedom.curve.times(arch(region.gap))),
    )
    before, after = leaving[:, : a.length - overlap], entering[:, overlap:]
    pieces: list[Span | Excerpt | Hole | Patch] = [Span(0, a.cut), before, Hole(plan.regenerated), after]
    pieces.append(Excerpt(right, Span(b.cut, right.length)))
    return replace(
        job,
        plan=replace(job.plan, regions=(region,)),
        source=left,
        pieces=tuple(piece for piece in pieces if _lasts(piece)),
        parameters={**job.parameters, "entering": right.digest, "joint": plan.plain()},
        digest=left.digest,
        names=(left.name, right.name, *(song.name for song in songs)),
    )


def arch(gap: Span) -> Curve:
    """A share of freedom that comes and goes with the fade, half a sine: at both ends one track sounds alone."""
    shares = np.linspace(0.0, 1.0, _ARCH)
    seconds = (gap.start + shares * gap.length) / MODEL_RATE
    return Curve(tuple(zip(seconds.tolist(), np.sin(np.pi * shares).clip(0.0, 1.0).tolist(), strict=True)))


def transition_job(
    left: AudioFile,
    right: AudioFile,
    overlap: float,
    freedom: Freedom,
    joint: JointSettings | JoinPlan | None = None,
    songs: Sequence[AudioFile] = (),
) -> Job:
    """A transition over ``overlap`` seconds: planned by these settings, by this plan, or (None) from end to start.

    Raises:
        InvalidRequest: see :func:`segue.joint.propose.plan_transition`, :func:`joined` and :func:`jobs.transition`.
    """
    samples = seconds_to_samples(overlap, left.rate, "the overlap")
    if joint is None:
        return jobs.transition(left, right, samples, freedom, songs)
    plan = plan_transition(left, right, joint, overlap=overlap) if isinstance(joint, JointSettings) else joint
    if plan.overlap != samples:
        raise InvalidRequest(
            f"the plan has an overlap of {plan.overlap / plan.rate:g} s, {overlap:g} s are asked for: plan it again"
        )
    return joined(left, right, plan, freedom, songs)


def _in_memory(track: AudioFile, samples: Patch) -> AudioFile:
    """A track with other samples, which is never written."""
    return replace(track, samples=samples.astype(np.float32), subtype="FLOAT", container="WAV", extra=())


def _lasts(piece: Span | Excerpt | Hole | Patch) -> bool:
    if isinstance(piece, Hole):
        return True
    if isinstance(piece, Span | Excerpt):
        return (piece.span if isinstance(piece, Excerpt) else piece).length > 0
    return bool(piece.shape[1])

"""A wish at one gap: where the guide listens, what pulls the samples, and how near a take has come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from segue.clip.clip import MODEL_RATE
from segue.clip.resample import to_model
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.descend import descend
from segue.guidance.gradient import Mask
from segue.guidance.guided import guided
from segue.guidance.mean_step import mean_step
from segue.guidance.objective import Decode, Objective
from segue.prior.contract import Codec
from segue.recall.song import Song
from segue.render.generate import Guidance
from segue.render.scene import Scene, cut, paste
from segue.render.sound import SceneDecoder, Sound, bind_decoder
from segue.render.windows import Layout
from segue.sampling.contract import Latents
from segue.sampling.schedule import sigma
from segue.style.aims.contract import Ground
from segue.style.aims.registry import aim
from segue.style.fader import Fader
from segue.style.features import Means
from segue.style.steering import Mode, Steering
from segue.tasks.plan import Stereo

PIECE = 3 * MODEL_RATE
"""Longest stretch of a gap that is heard at once, in samples: what the ear takes for one moment of music."""

_EVALUATIONS, _ENOUGH = 16, 0.02  # to settle: about so many, and the loss that is near enough
_STEP, _STEPS_A_STRENGTH = 0.3, 2.0  # RMS of its first step in standard deviations: at most, and for a strength of 1
_FURTHEST, _A_STRENGTH = 4.0, 20.0  # how far an entry goes: at most, and for a strength of 1
_FIRST_GAIN, _LOUDEST = 1.0, 40.0  # dB: RMS of a fader's first step, and how far it goes
_BESIDE = 2 * MODEL_RATE // 5  # samples heard on each side of a piece: half of what the slowest feature measures over


@dataclass(frozen=True, eq=False)
class Moment:
    """A stretch of the gap: the samples of the timeline that are ``heard`` for it, and what is wanted of them.

    ``by``: what brings it about, see :class:`segue.style.terms.SteeringTerm`.
    """

    heard: Span
    objective: Objective
    by: Means


@dataclass(frozen=True, eq=False)
class Ear:
    """A steering at one gap of a song: what networks hear of each of its ``pieces``, and what formulas measure.

    ``weights``: the sum of those of all terms that count here.
    """

    steering: Steering
    song: Song
    gap: Span
    moments: tuple[Moment, ...]
    pieces: int
    weights: float

    @staticmethod
    def of(steering: Steering, song: Song, gap: Span, layout: Layout, original: Stereo | None) -> Ear:
        """Measure what is wanted; ``original``: (2, gap) at the reference level, None where nothing is known.

        Raises:
            InvalidRequest: a reference too short, a feature that cannot be measured here, or nothing that is asked of
                a gap of which nothing is known.
        """
        asked = steering.asked(of_original=original is not None)
        if not asked:
            raise InvalidRequest(
                "expected a style that asks for something where nothing is known of the gap, got one that only keeps "
                "the original's features: regenerate or restyle the gap, or name tags, a reference or a curve"
            )
        references = tuple(to_model(file.clip()) for file in steering.references)
        moments, parts = [], pieces(gap)
        for by in get_args(Means):
            least = PIECE if by == "samples" else 0
            terms = [term for term in asked if term.by == by]
            for inside in parts if terms else ():
                heard = _around(inside, least, layout.span)
                ground = Ground(song, gap, heard, inside, original, references)
                moments.append(Moment(heard, Objective(tuple(aim(term, ground) for term in terms)), by))
        return Ear(steering, song, gap, tuple(moments), len(parts), sum(term.weight for term in asked))

    @property
    def is_measured(self) -> bool:
        """Whether formulas measure all that is wanted."""
        return all(moment.by != "samples" for moment in self.moments)

    @property
    def is_faded(self) -> bool:
        """Whether gains bring about all that is wanted."""
        return all(moment.by == "gain" for moment in self.moments)

    def guidance(self, scene: Scene, codec: Codec, excitation: Sound) -> Guidance:
        """The guide of a scene's samples, which hears them with ``excitation`` over the gap and its margins."""
        goal = self._goal(self.moments, scene, codec, excitation)
        return MODES[self.steering.mode](goal, _levels(self.steering), self._where(scene))

    def settled(self, latents: Latents, scene: Scene, codec: Codec, excitation: Sound) -> Latents:
        """One item's latents, moved until the features of what ``excitation`` makes of them are those that are wanted.

        Samples are guided by another excitation than they are sounded with, and the prior has the last word on them.
        """
        moments = [moment for moment in self.moments if moment.by == "spectrum"]
        if not moments:
            return latents
        goal = self._goal(moments, scene, codec, excitation)
        strength = self.steering.strength
        step, furthest = min(_STEP, _STEPS_A_STRENGTH * strength), min(_FURTHEST, _A_STRENGTH * strength)
        return descend(goal, latents, step, furthest, _EVALUATIONS, _ENOUGH, self._where(scene))

    def levelled(self, sound: Sound) -> Sound:
        """``sound`` over the gap and its margins, faded up and down until it is as loud as is wanted.

        A fader leaves all else of a sound as it is; its spectrum, moved band by band to be louder or softer, would be
        another's.
        """
        moments = [(moment.heard, moment.objective) for moment in self.moments if moment.by == "gain"]
        if not moments:
            return sound
        fader = Fader(self.gap, self.song.audio[:, : self.song.timeline], sound.audio, tuple(moments), self.pieces)
        where = torch.from_numpy(self.course(fader.places / MODEL_RATE).astype(np.float32))[None, None]
        where[..., 0] = where[..., -1] = 0.0  # it begins and ends as the music around the gap
        loudest = _LOUDEST * min(1.0, _A_STRENGTH / _FURTHEST * self.steering.strength)
        gains = descend(fader, torch.zeros_like(where), _FIRST_GAIN, loudest, _EVALUATIONS, _ENOUGH, where)
        return replace(sound, audio=fader.faded(gains)[0].numpy(), how=f"{sound.how}, levelled")

    def _goal(self, moments: Sequence[Moment], scene: Scene, codec: Codec, excitation: Sound) -> _Heard:
        decoders = (bind_decoder(scene, self.song, self.gap, codec, excitation, m.heard) for m in moments)
        return _Heard(tuple((m.objective, own) for m, own in zip(moments, decoders, strict=True)), self.pieces)

    def _where(self, scene: Scene) -> Mask:
        """The strength of each latent frame: 0 where it is known."""
        weights = self.course(scene.layout.seconds(MODEL_RATE))
        return (1.0 - scene.mask) * torch.from_numpy(weights.astype(np.float32))

    def course(self, seconds: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The factor on the strength at these times of the track."""
        return np.asarray(self.steering.guidance.at(seconds) * self.steering.amount.at(seconds))

    def distance(self, take: Stereo) -> float:
        """How far a take (2, gap), at the reference level, is from what is wanted, as the guide hears it in its place.

        The mean over moments and terms, each about 1 where it is plainly missed.
        """
        timeline, total = self.song.audio[:, : self.song.timeline], 0.0
        for moment in self.moments:
            audio = cut(timeline, moment.heard)
            paste(audio, moment.heard, take, self.gap)
            with torch.no_grad():
                heard = torch.from_numpy(audio[None])
                total += float(sum(term(heard) for term in moment.objective.terms))
        return total / (self.pieces * self.weights)


def pieces(gap: Span) -> tuple[Span, ...]:
    """The gap in equal stretches of at most :data:`PIECE`."""
    count = -(-gap.length // PIECE)
    edges = [gap.start + gap.length * i // count for i in range(count + 1)]
    return tuple(Span(a, b) for a, b in pairwise(edges))


def _around(inside: Span, least: int, whole: Span) -> Span:
    """What is heard for a piece: ``least`` samples or more, moved no further than it must to lie within the scene."""
    length = min(whole.length, max(least, inside.length + 2 * _BESIDE))
    start = (inside.start + inside.stop - length) // 2
    start = max(whole.start, min(start, whole.stop - length))
    return Span(start, start + length)


@dataclass(frozen=True, eq=False)
class _Heard:
    """The sum of the moments' losses by pieces, each decoded by itself (:class:`segue.guidance.objective.Goal`).

    Of several, only one at a time is held in memory: the others are decoded again on the way back.
    """

    parts: tuple[tuple[Objective, SceneDecoder], ...]
    pieces: int

    def check_decode(self, decode: Decode | None) -> None:
        """It has its own decoders."""

    def __call__(self, x: Latents, decode: Decode | None = None) -> Float[Tensor, " batch"]:
        """The loss of each item."""
        if len(self.parts) == 1:
            objective, own = self.parts[0]
            return objective(x, own)
        losses = [checkpoint(objective, x, own, use_reentrant=False) for objective, own in self.parts]
        total: Tensor = torch.stack(losses).sum(0) / self.pieces
        return total


def _levels(steering: Steering) -> Curve:
    """kappa over the noise level: the strength down to where guidance ends, 0 below."""
    if steering.until <= 0.0:
        return Curve.constant(steering.strength)
    level = sigma(steering.until)
    return Curve(((level, 0.0), (level, steering.strength)))


def _fast(goal: _Heard, kappa: Curve, where: Mask) -> Guidance:
    return partial(mean_step, objective=goal, kappa=kappa, where=where)


def _exact(goal: _Heard, kappa: Curve, where: Mask) -> Guidance:
    return partial(guided, objective=goal, xi=kappa, normalise="item", where=where)


MODES: Mapping[Mode, Callable[[_Heard, Curve, Mask], Guidance]] = {"fast": _fast, "exact": _exact}
"""How each mode of guidance makes a guide."""

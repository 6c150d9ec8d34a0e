"""A fader over a gap: a sound's gain over time, moved until formulas say that it is as loud as is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

from segue.clip.span import Span
from segue.guidance.objective import Decode, Objective
from segue.prior.contract import StereoBatch
from segue.render.scene import cut
from segue.sampling.contract import Latents
from segue.tasks.plan import Stereo

EVERY, LEAST = 16384, 6
"""Samples from one point of a fader to the next, 0.37 s, over which drawn loudness is measured; and the fewest of such
stretches: in a short gap they are shorter.

A faster fader comes nearer to a line, but fades strokes up and down that the line knows nothing of, and that is heard.
"""


@dataclass(frozen=True, eq=False)
class Fader:
    """The loss of a sound by gains in dB (1, 1, places), a goal as :class:`segue.guidance.objective.Goal` has it.

    Between :attr:`places` gains move in straight lines; outside of the gap there is none. ``audio``: the sound (2, gap
    and as much on both sides), for the ``gap`` of a ``timeline``. ``moments``: what is wanted of which samples of the
    timeline; the loss is their sum by ``pieces``.
    """

    gap: Span
    timeline: Stereo
    audio: Stereo
    moments: tuple[tuple[Span, Objective], ...]
    pieces: int

    @property
    def places(self) -> Float[np.ndarray, " places"]:
        """Samples of the timeline, evenly from the start of the gap to its end."""
        return np.linspace(self.gap.start, self.gap.stop, max(LEAST, round(self.gap.length / EVERY)) + 1)

    @property
    def margin(self) -> int:
        """Samples of ``audio`` on either side of the gap."""
        margin: int = (self.audio.shape[1] - self.gap.length) // 2
        return margin

    def check_decode(self, decode: Decode | None) -> None:
        """It decodes nothing."""

    def faded(self, gains: Latents) -> StereoBatch:
        """The sound through the fader (1, 2, samples of ``audio``); differentiable in the gains."""
        course = pad(self._course(gains, self.gap), (self.margin, self.margin))
        return torch.from_numpy(self.audio)[None] * 10.0 ** (course / 20.0)

    def __call__(self, x: Latents, decode: Decode | None = None) -> Float[Tensor, " one"]:
        """The loss by these gains. Only one stretch at a time is held in memory: the others are faded again on the way
        back.
        """
        losses = [checkpoint(self._loss, x, *moment, use_reentrant=False) for moment in self.moments]
        total: Tensor = torch.stack(losses).sum(0) / self.pieces
        return total

    def _loss(self, gains: Latents, heard: Span, objective: Objective) -> Float[Tensor, " one"]:
        start, stop = max(heard.start, self.gap.start), min(heard.stop, self.gap.stop)
        around = torch.from_numpy(cut(self.timeline, heard))[None]
        first = self.margin - self.gap.start
        own = torch.from_numpy(self.audio[None, :, first + start : first + stop])
        inside = own * 10.0 ** (self._course(gains, Span(start, stop)) / 20.0)
        sound = torch.cat([around[..., : start - heard.start], inside, around[..., stop - heard.start :]], -1)
        return torch.stack([term(sound) for term in objective.terms]).sum(0)

    def _course(self, gains: Latents, span: Span) -> Float[Tensor, "1 1 samples"]:
        """The gain in dB at each sample of a part of the gap."""
        last = gains.shape[-1] - 1
        at = (torch.arange(span.start, span.stop) - self.gap.start).double() * (last / max(1, self.gap.length - 1))
        low = at.long().clamp(max=last - 1)
        return torch.lerp(gains[..., low], gains[..., low + 1], (at - low).float())

"""A fader over a gap: a sound's gain over time, moved until formulas say that it is as loud as is wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

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
        course = interpolate(gains, self.gap.length, mode="linear", align_corners=True)
        return torch.from_numpy(self.audio)[None] * 10.0 ** (pad(course, (self.margin, self.margin)) / 20.0)

    def __call__(self, x: Latents, decode: Decode | None = None) -> Float[Tensor, " one"]:
        """The loss by these gains."""
        faded, total = self.faded(x), torch.zeros(1)
        for heard, objective in self.moments:
            start, stop = max(heard.start, self.gap.start), min(heard.stop, self.gap.stop)
            around = torch.from_numpy(cut(self.timeline, heard))[None]
            inside = faded[..., self.margin + start - self.gap.start : self.margin + stop - self.gap.start]
            parts = [around[..., : start - heard.start], inside, around[..., stop - heard.start :]]
            sound = torch.cat(parts, -1)
            total = total + torch.stack([term(sound) for term in objective.terms]).sum(0)
        return total / self.pieces

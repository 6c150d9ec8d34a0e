"""One case on the bench: what all methods share is found once, and the network's evaluations are counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.freedom import Freedom
from segue.prior.contract import Denoiser
from segue.recall.donors import DonorPair
from segue.recall.song import Song
from segue.recall.splice import splice
from segue.render.candidates import Candidate
from segue.render.generate import Guidance, SampleSettings, sample_latents
from segue.render.region import Surroundings, join_candidate, surroundings_of
from segue.render.renderer import Renderer
from segue.render.scene import Scene
from segue.render.settings import MAX_CANDIDATES, RenderSettings
from segue.render.sound import MARGIN, Sound, decode
from segue.render.studio import Studio, prepare, recall
from segue.sampling.contract import Latents, Prior
from segue.tasks.plan import Region, Stereo
from segue_bench.contract import Case


@dataclass
class Counts:
    """Evaluations of the network, batch items and windows counted singly.

    ``forward``: those without a gradient. ``vjp``: those with one, the forward pass it needs included.
    """

    forward: int = 0
    vjp: int = 0


class CountingDenoiser:
    """A denoiser (:class:`segue.prior.contract.Denoiser`) that counts into ``counts``."""

    def __init__(self, denoiser: Denoiser) -> None:
        self._denoiser = denoiser
        self.counts = Counts()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the conditioning inputs."""
        return self._denoiser.inputs

    @property
    def device(self) -> torch.device:
        """Where x_t must lie."""
        return self._denoiser.device

    def bind(self, conditioning: Mapping[str, Tensor]) -> Prior:
        """The prior; each call of it counts."""
        prior = self._denoiser.bind(conditioning)

        def counted(x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
            if torch.is_grad_enabled() and x_t.requires_grad:
                self.counts.vjp += len(x_t)
            else:
                self.counts.forward += len(x_t)
            return prior(x_t, t)

        return counted


@dataclass(frozen=True, eq=False)
class Made:
    """What a method made: ``audio`` (2, margin + gap + margin) at the track's level; see :class:`Rendering`."""

    audio: Stereo
    how: str
    margin: int = 0


class Workbench:
    """A case and all that methods need for it; everything is found when first asked for, and kept.

    Inside, audio is at the reference level (``song.audio``); what is :class:`Made` is at the track's.

    Raises:
        InvalidRequest: the case's plan has not exactly one region.
    """

    def __init__(self, case: Case, renderer: Renderer) -> None:
        if len(case.plan.regions) != 1:
            raise InvalidRequest(f"a case has one gap, got {len(case.plan.regions)} in {case.key}: make one case each")
        self.case, self.renderer = case, renderer
        self.region: Region = case.plan.regions[0]
        self._denoiser = CountingDenoiser(renderer.denoiser)

    def through(self, renderer: Renderer) -> Workbench:
        """The same case with another renderer, whose network's evaluations count here."""
        other = Workbench(self.case, renderer)
        other._denoiser.counts = self._denoiser.counts
        return other

    @contextmanager
    def counted(self) -> Iterator[Counts]:
        """Count the evaluations made within."""
        before, self._denoiser.counts = self._denoiser.counts, Counts()
        try:
            yield self._denoiser.counts
        finally:
            self._denoiser.counts = before

    @property
    def gap(self) -> Span:
        """The gap, in samples of the timeline."""
        return self.region.gap

    @cached_property
    def fresh(self) -> Studio:
        """What the renderer begins with, its network counted."""
        return replace(self.renderer.studio(self.case.plan, RenderSettings()), denoiser=self._denoiser)

    @cached_property
    def _recalled(self) -> tuple[Song, DonorPair | None]:
        song, turns = recall(self.fresh.song, self.gap)
        return song, turns[0].pair

    @property
    def song(self) -> Song:
        """The timeline and further material, looped contexts among it where there are no other donors."""
        return self._recalled[0]

    @property
    def pair(self) -> DonorPair | None:
        """The gap's donors in :attr:`song`."""
        return self._recalled[1]

    @cached_property
    def studio(self) -> Studio:
        """What candidates are made with, once donors are known."""
        return replace(self.fresh, song=self.song)

    @property
    def freedom(self) -> Freedom | None:
        """How far the region may leave its x_bar; None where nothing is known of it."""
        return self.region.freedom

    @cached_property
    def surroundings(self) -> Surroundings:
        """What every candidate is joined to."""
        return surroundings_of(self.song, self.gap)

    @cached_property
    def scene(self) -> Scene:
        """The region in latent space, with its x_bar where it has one."""
        x_bar = self.region.x_bar
        return self.scene_from(None if x_bar is None else self.heard(x_bar))

    @property
    def donors(self) -> DonorPair:
        """The gap's donors, where they are indispensable.

        Raises:
            InvalidRequest: the song has no place for the gap.
        """
        if self.pair is None:
            raise InvalidRequest("expected a place of the song for the gap, got none: a longer song or a shorter gap")
        return self.pair

    @property
    def place(self) -> DonorPair:
        """The gap's donors, where they are places of the song and no loops.

        Raises:
            InvalidRequest: the song has no place for the gap.
        """
        if self.donors.period is not None:
            raise InvalidRequest("expected a place of the song for the gap, got none: a longer song or a shorter gap")
        return self.donors

    @cached_property
    def spliced(self) -> Stereo:
        """The two-donor splice, (2, gap + 2 MARGIN).

        Raises:
            InvalidRequest: as :attr:`donors`.
        """
        return splice(self.song, self.donors, self.gap, MARGIN)[0]

    @cached_property
    def spliced_scene(self) -> Scene:
        """The region with the splice as its x_bar."""
        return self.scene_from(self.spliced[:, MARGIN : MARGIN + self.gap.length])

    @cached_property
    def true_scene(self) -> Scene:
        """The region with the truth as its x_bar: for references alone."""
        return self.scene_from(self.heard(self.case.truth))

    def scene_from(self, x_bar: Stereo | None) -> Scene:
        """The region in latent space, to be started from ``x_bar`` (2, gap) at the reference level."""
        return prepare(self.studio, self.region, self.pair, x_bar)

    def heard(self, audio: Stereo) -> Stereo:
        """Audio of the track at the reference level."""
        return np.asarray(audio * np.float32(self.song.gain), np.float32)

    def at_track_level(self, audio: Stereo) -> Stereo:
        """Audio at the reference level as the track has it."""
        return np.asarray(audio * np.float32(1.0 / self.song.gain), np.float32)

    def sample(
        self,
        settings: SampleSettings,
        seed: int,
        *,
        scene: Scene | None = None,
        freedom: Freedom | None = None,
        guidance: Guidance | None = None,
    ) -> Latents:
        """One item's latents; from the region's own x_bar, if any, unless another scene is given."""
        free = freedom if scene is not None else self.freedom
        place = scene or self.scene
        return sample_latents(self._denoiser, place, settings, (first_seed(seed),), freedom=free, guidance=guidance)

    def sounded(self, latents: Latents) -> Made:
        """Latents as every method sounds them: the mosaic, then the seam."""
        return self.joined(decode(latents, self.scene, self.song, self.gap, self.studio.codec))

    def joined(self, sound: Sound) -> Made:
        """``sound`` (over the gap and its margins) fitted to the contexts by the renderer's own seam."""
        take = join_candidate(self.studio, self.gap, Candidate("", sound.audio, sound.how), self.surroundings)
        return Made(take.audio, take.how)

    def inside(self, audio: Stereo, how: str) -> Made:
        """``audio`` (2, gap) at the reference level as it is, its seams left alone."""
        return Made(self.at_track_level(audio), how)


def first_seed(seed: int) -> int:
    """The first of the seeds that the bench's ``seed`` stands for: a render may use the next few, no two share one.

    Odd steps, as the first also says whose turn it is among the song's places, of which there may be 2, 4 or 8.
    """
    return seed * (MAX_CANDIDATES + 1)

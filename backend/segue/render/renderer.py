"""Plan to audio. A renderer keeps one bundle's sessions warm."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from segue.clip.clip import MODEL_RATE
from segue.errors import InvalidRequest
from segue.guidance.cfg import PromptGuidance
from segue.prior.bundle import Bundle
from segue.prior.codecs.mel import MelCodec
from segue.prior.contract import Codec, Denoiser
from segue.prior.folders import embedded_folder
from segue.prior.onnx_function import OnnxDenoiser
from segue.prior.prompted import Prompted
from segue.prior.prompts import GIVEN, Prompts
from segue.prior.runtime import SessionSettings
from segue.recall.song import Song
from segue.render.generate import PAPER_SAMPLERS, Guidance, SampleSettings
from segue.render.preflight import EMBEDDED, Estimate, Pace, estimate
from segue.render.progress import Progression
from segue.render.region import RenderedRegion, Take, render_region
from segue.render.rows import RowByRow
from segue.render.settings import ProgressCallback, RenderSettings
from segue.render.studio import Studio
from segue.render.transfer import check_transfer
from segue.render.windows import WindowRange
from segue.sampling.registry import SAMPLERS
from segue.sampling.spacing import Spacing
from segue.style.resolve import Resolved
from segue.style.steering import Steering
from segue.tasks.plan import Plan

TAKES = 2
"""Seeds sampled for each gap at the least; more where more candidates are asked for."""


UNTOLD_SAMPLERS = (*PAPER_SAMPLERS, "ding")
"""Samplers that hold a prior without a mask input to its context."""

Listener = Callable[[int, Take], None]
"""Hears the index of a region and one of its takes, see :data:`segue.render.region.TakeListener`."""


@dataclass(frozen=True)
class Rendered:
    """A plan's regions with their takes, and the wall time of each stage in seconds."""

    plan: Plan
    regions: tuple[RenderedRegion, ...]
    seconds: dict[str, float]


class Renderer:
    """Renders plans with one bundle: a path, a name, or None for the embedded one."""

    def __init__(
        self, bundle: str | Path | None = None, session: SessionSettings | None = None, *, batched: bool | None = None
    ) -> None:
        """``session``: the device and threads of the bundle's sessions; by default the CPU, one thread a core.

        ``batched``: whether the network hears all seeds of a gap at once; None: not on a CPU, see
        :mod:`segue.render.rows`.
        """
        self.bundle = Bundle.open(bundle)
        self.session = session or SessionSettings()
        self.batched = self.session.device != "cpu" if batched is None else batched

    def one_by_one(self) -> Renderer:
        """A twin whose network hears one item at a time, which takes the least memory; it shares all sessions."""
        twin = copy.copy(self)
        if self.batched:
            twin.batched = False
            twin.__dict__["denoiser"] = RowByRow(self.denoiser)
        return twin

    @property
    def device(self) -> str:
        """Class of device the network runs on, as a recipe names it."""
        return self.session.device

    @cached_property
    def _network(self) -> OnnxDenoiser:
        return self.bundle.denoiser(self.session)

    @cached_property
    def denoiser(self) -> Denoiser:
        """The bundle's network; its sessions are made when first needed, and kept."""
        return self._network if self.batched else RowByRow(self._network)

    def load(self) -> None:
        """Load what every render needs now, so that what is in its way is told now.

        Raises:
            ResourceError: the device cannot be used. BundleRejected: ONNX Runtime cannot load the network.
        """
        self._network.load()
        _ = self.codec, self.ear

    @cached_property
    def codec(self) -> Codec:
        """The bundle's codec, on the CPU."""
        return self.bundle.codec(SessionSettings(threads=self.session.threads))

    @cached_property
    def ear(self) -> MelCodec:
        """The mel by which the song's units are compared: the bundle's codec, or the embedded bundle's."""
        codec = self.codec if isinstance(self.codec, MelCodec) else Bundle.open(None).codec()
        assert isinstance(codec, MelCodec)
        return codec

    def sampling(self, settings: RenderSettings) -> SampleSettings:
        """The bundle's own sampler, steps and distances, where the settings leave them open.

        A bundle that cannot be told its context is held to it by guidance and data consistency, which want a sampler of
        first order with fresh noise: by default the paper's Algorithm 1, at the paper's equal distances.

        Raises:
            InvalidRequest: unknown sampler.
        """
        own = self.bundle.manifest.sampling
        sampler = settings.sampler or (
            own.sampler if self.is_told or own.sampler in UNTOLD_SAMPLERS else PAPER_SAMPLERS[0]
        )
        if sampler not in SAMPLERS.names:
            raise InvalidRequest(f"unknown sampler {sampler!r}; expected one of {', '.join(SAMPLERS.names)}")
        spacing = Spacing(own.schedule, own.low, own.high, own.shift)
        if not self.is_told and sampler != own.sampler:
            spacing = Spacing()
        return SampleSettings(sampler, settings.steps or own.steps, own.t_start, spacing)

    def preflight(self, plan: Plan, settings: RenderSettings, steering: Steering | None = None) -> Estimate:
        """Time and memory a plan will take; refuses what cannot fit.

        Raises:
            ResourceError: more memory than the system can give.
        """
        further = plan.songs if plan.sound is None else (*plan.songs, plan.sound)
        seconds = (plan.timeline.shape[1] + sum(s.shape[1] for s in further)) / MODEL_RATE
        gaps = [region.gap.length / MODEL_RATE for region in plan.regions]
        terms = steering.terms if steering is not None and steering.guides else ()
        kinds = {term.measured for term in terms if term.weight > 0.0}
        steps, seeds = self.sampling(settings).steps, len(self.seeds(settings))
        pace = self.pace(steering is not None and steering.mode == "exact")
        return estimate(seconds, gaps, steps, seeds, heard=False in kinds, measured=True in kinds, pace=pace)

    def pace(self, through_network: bool = False) -> Pace:
        """What the bundle's network costs beside the embedded one; ``through_network``: with gradients through it."""
        if self.bundle.folder == embedded_folder():
            return EMBEDDED
        own = self.bundle.manifest.prompting
        size = (self.bundle.folder / "weights.bin").stat().st_size
        frames = MODEL_RATE / self.codec.token
        evaluations = (1 if own.scale == 1.0 else 2) * (1 if self.is_told and not through_network else 3)
        return Pace.of(size, frames, self.window.shortest(self.codec.token) / frames, evaluations)

    def render(
        self,
        plan: Plan,
        settings: RenderSettings,
        *,
        guidance: Guidance | None = None,
        style: Resolved | None = None,
        callback: ProgressCallback | None = None,
        listener: Listener | None = None,
        song: Song | None = None,
    ) -> Rendered:
        """All takes of all regions, ranked; ``listener`` hears each when it is ready, ``callback`` how far it is.

        ``song``: :meth:`song` of this plan from before, with its features. ``style``: a wish, resolved for this bundle,
        whose settings go before ``settings``; ``guidance``: a guide of one's own instead, which knows no scene.

        Raises:
            Cancelled: the callback returned False; the compute stops within a step.
            InvalidRequest, NonFinite, ResourceError: see their docstrings.
        """
        settings = settings if style is None else style.settings
        if plan.sound is not None:
            check_transfer(plan, self.codec, settings.method)
        progress = Progression(callback, len(plan.regions))
        steering = None if style is None else style.steering
        progress.tell("preflight", 0, 1, self.preflight(plan, settings, steering).message)
        studio = self.studio(plan, settings, guidance, progress, song, style)
        regions = self._regions(studio, plan, self.seeds(settings), listener)
        return Rendered(plan, regions, progress.seconds)

    def studio(
        self,
        plan: Plan,
        settings: RenderSettings,
        guidance: Guidance | None = None,
        progress: Progression | None = None,
        song: Song | None = None,
        style: Resolved | None = None,
    ) -> Studio:
        """All that the candidates of a plan's regions are made with.

        Raises:
            InvalidRequest: a style and a guide of one's own, or an unknown sampler.
        """
        if guidance is not None and style is not None:
            raise InvalidRequest(
                "expected a style or a guide of one's own, got both: put the guide's terms in the style"
            )
        progress = progress or Progression(None, len(plan.regions))
        sampling, prompt = self.sampling(settings), None if style is None else style.prompt
        with progress.stage("load"):
            denoiser, codec, _ = self.prompted(prompt), self.codec, self.ear
        with progress.stage("recall"):
            song = song or self.song(plan)
        return Studio(
            song,
            denoiser,
            codec,
            self.window,
            sampling,
            progress,
            guidance,
            settings.method,
            None if style is None else style.steering,
            prompt=prompt,
            candidates=settings.candidates,
        )

    @property
    def window(self) -> WindowRange:
        """Latent frames the bundle can see at once."""
        manifest = self.bundle.manifest
        return WindowRange(manifest.min_window, manifest.window, manifest.latent_multiple)

    @property
    def is_told(self) -> bool:
        """Whether the bundle's network is told what is known around a gap."""
        return any(one.name == "mask" for one in self.bundle.manifest.conditioning)

    @property
    def sampler(self) -> str:
        """The bundle's own sampler."""
        return self.bundle.manifest.sampling.sampler

    @cached_property
    def prompts(self) -> Prompts:
        """What the bundle can be told in words."""
        return self.bundle.prompts(self.session)

    def prompted(self, prompt: str | None) -> Denoiser:
        """The network as it is under a prompt or, where it takes one, without any.

        Raises:
            InvalidRequest: a prompt for a bundle that takes none.
        """
        if not any(one.name == GIVEN for one in self.bundle.manifest.conditioning):
            if prompt is not None:
                raise InvalidRequest(f"the bundle {self.bundle.manifest.name} takes no prompt: leave it out")
            return self.denoiser
        own = self.bundle.manifest.prompting
        guidance = PromptGuidance(own.scale, own.rule, own.momentum, own.threshold)
        return Prompted(self.denoiser, self.prompts, prompt, guidance)

    def song(self, plan: Plan) -> Song:
        """What a plan may recall from; its features are found when first needed, and stay with it."""
        gaps = [region.gap for region in plan.regions]
        originals = [region.x_bar for region in plan.regions if region.x_bar is not None]
        song = Song.of(plan.timeline, gaps, self.ear, plan.songs, originals)
        return song if plan.sound is None else song.sounding_like(plan.sound)

    @staticmethod
    def seeds(settings: RenderSettings) -> tuple[int, ...]:
        """The seeds sampled for each gap, counted up from the settings' own."""
        return tuple(settings.seed + i for i in range(max(TAKES, settings.candidates)))

    @staticmethod
    def _regions(
        studio: Studio, plan: Plan, seeds: tuple[int, ...], listener: Listener | None
    ) -> tuple[RenderedRegion, ...]:
        rendered = []
        for index, region in enumerate(plan.regions):
            hear = None if listener is None else partial(listener, index)
            rendered.append(render_region(studio, region, seeds, hear))
            studio.progress.next_region()
        return tuple(rendered)

"""The bench's own tools: the renderer under test, the ear that scores, the music."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from segue.errors import BundleRejected
from segue.guidance.embedders.musicnn import Musicnn
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from segue_bench.cases import Maker, Setting
from segue_bench.contract import Case, ClipScores, Excerpt, Method, Rendering
from segue_bench.listener import Listener
from segue_bench.manifest import Manifest
from segue_bench.methods.registry import METHODS
from segue_bench.music import loader
from segue_bench.workbench import Workbench

EAR = Path(__file__).with_name("weights") / "mtt_musicnn.safetensors"
"""The musicnn that scores; another one guides."""


@dataclass(frozen=True)
class MakeTools:
    """Makes the tools in each worker: a bundle (None: the embedded one), its digest, the excerpts, where music is."""

    bundle: str | None
    digest: str
    manifest: Manifest
    music: Path

    def __call__(self) -> BenchTools:
        """One thread for each session: workers share the cores.

        Raises:
            BundleRejected: the bundle was replaced since the run began.
        """
        renderer = Renderer(self.bundle, SessionSettings(threads=1))
        if renderer.bundle.digest != self.digest:
            raise BundleRejected(
                f"the run began with bundle {self.digest[:12]}, now {renderer.bundle.digest[:12]} stands in its place: "
                "put it back and go on, or begin anew with another --results folder"
            )
        return BenchTools(renderer, Maker(self.manifest, loader(self.music, self.manifest)), METHODS)


@dataclass(frozen=True)
class BenchTools:
    """See :class:`segue_bench.crew.Tools`."""

    renderer: Renderer
    maker: Maker
    methods: Mapping[str, Method]

    @cached_property
    def ear(self) -> Musicnn:
        """The scoring embedder."""
        return Musicnn.load(EAR)

    def case(self, excerpt: Excerpt, setting: Setting) -> Case:
        """From the manifest and the music."""
        return self.maker.case(excerpt, setting)

    def bench(self, case: Case) -> Workbench:
        """With the one renderer."""
        return Workbench(case, self.renderer)

    def listener(self, case: Case) -> Callable[[Rendering], ClipScores]:
        """With the one ear."""
        return Listener.of(case, self.ear).score

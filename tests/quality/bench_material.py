"""Material for tests of the bench: results made up, and tools light enough to run through."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from segue.errors import InvalidRequest
from segue.prior.runtime import SessionSettings
from segue.render.renderer import Renderer
from segue_bench.cases import Maker, Setting
from segue_bench.contract import RATE, Case, ClipScores, Excerpt, Rendering
from segue_bench.manifest import Manifest
from segue_bench.results import Environment, ExcerptFacts, Failure, Identity, MethodFacts, Results, Row, UnitCost
from segue_bench.workbench import Workbench
from tests.songs import loop_song

IDENTITY = Identity(profile="planted", settings={"seeds": "1"}, bundle="tiny 0", bundle_digest="0" * 64, segue="0.1.0")
ENVIRONMENT = Environment(
    versions={"torch": "2.13.0"}, python="3.11.7", system="Linux", cpus=2, memory_mb=8000, jobs=1, code="0" * 12
)
METHODS = tuple(
    MethodFacts(name=name, family=family, about=f"what {name} does")
    for family, names in {
        "references": ("real", "round trip", "other", "elsewhere"),
        "baselines": ("copy", "context splice", "splice", "janssen"),
        "paper": ("ddpm-50 guided",),
        "ours": ("default", "generated-20"),
    }.items()
    for name in names
)
GAP_AT, GAP = 2.0, 2.0


def excerpt(number: int, distance_db: float = 4.0) -> ExcerptFacts:
    return ExcerptFacts.model_validate(
        {
            "name": f"track-{number:02}",
            "package": "some-data",
            "file": f"music/{number // 2:02}.ogg",
            "title": f"Piece <{number}>",
            "artist": "A. Composer",
            "licence": "CC BY 3.0",
            "split": "test",
            "heard": False,
            "distance_db": distance_db,
            "recall": "easy" if distance_db < 5 else "middle" if distance_db < 7 else "hard",
        }
    )


def row(method: str, facts: ExcerptFacts, seed: int = 0, **given: object) -> Row:
    fields: dict[str, object] = {
        "condition": "infill-2s-song",
        "excerpt": facts,
        "method": method,
        "seed": seed,
        "task": "infill",
        "gap_seconds": GAP,
        "whole_song": True,
        **given,
    }
    return Row.model_validate(fields)


def failed(method: str, facts: ExcerptFacts, message: str, kind: str = "refused") -> Row:
    return row(method, facts, failure=Failure.model_validate({"kind": kind, "message": message}))


def clip(seed: int, seconds: float = GAP + 2 * GAP_AT) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, round(seconds * 44100))).astype(np.float32)


def results(folder: Path) -> Results:
    return Results.create(folder, IDENTITY, ENVIRONMENT, METHODS)


def places(count: int) -> Manifest:
    """``count`` excerpts of as many made-up tracks of 30 s, each the floor of the one before it."""
    excerpts = tuple(
        Excerpt(
            name=f"track-{number:02}",
            package="some-data",
            file=f"{number:02}.ogg",
            sha256="0" * 64,
            title=f"Piece {number}",
            artist="A. Composer",
            licence="CC BY 3.0",
            split="test",
            heard=False,
            samples=30 * RATE,
            centre=15 * RATE,
            distance_db=4.0,
        )
        for number in range(count)
    )
    others = {one.name: two.name for one, two in zip(excerpts, (*excerpts[1:], excerpts[0]), strict=True)}
    return Manifest("none", {"some-data": "1"}, excerpts, (), others, ())


def sung(excerpt: Excerpt) -> np.ndarray:
    """The track of an excerpt: a loop of its own."""
    return loop_song(RATE, excerpt.samples / RATE, seed=int(excerpt.file[:2]))


class Noisy:
    """A method that fills with noise, or does not."""

    about, tasks = "noise", frozenset({"infill"})

    def __init__(self, name: str) -> None:
        self.name, self.seeded = name, name != "dies"

    def render(self, bench: Workbench, seed: int) -> Rendering:
        if self.name == "refuses":
            raise InvalidRequest("expected another gap")
        if self.name == "breaks":
            raise ZeroDivisionError("by zero")
        if self.name == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.name == "hungry":
            np.ones(200 << 17)  # 200 MB
        if self.name == "slow":
            time.sleep(0.2)
        rng = np.random.default_rng(seed)
        return Rendering(0.1 * rng.standard_normal(bench.case.truth.shape, np.float32), "noise", forward=3)


@dataclass(frozen=True)
class LightTools:
    """Real cases and workbenches, methods that compute nothing, and a listener that measures the level alone."""

    maker: Maker
    methods: Mapping[str, Noisy]

    def case(self, excerpt: Excerpt, setting: Setting) -> Case:
        return self.maker.case(excerpt, setting)

    def bench(self, case: Case) -> Workbench:
        return Workbench(case, renderer())

    def listener(self, case: Case) -> Callable[[Rendering], ClipScores]:
        def listen(rendering: Rendering) -> ClipScores:
            level = float(np.abs(rendering.audio - case.truth).mean())
            return ClipScores({"gap_mr": level}, np.ones(4, np.float32), np.full(3, 0.5, np.float32))

        return listen


@cache
def renderer() -> Renderer:
    return Renderer(None, SessionSettings(threads=1))


@dataclass(frozen=True)
class MakeLight:
    """Makes :class:`LightTools` in a worker."""

    manifest: Manifest
    methods: tuple[str, ...]

    def __call__(self) -> LightTools:
        return LightTools(Maker(self.manifest, sung), {name: Noisy(name) for name in self.methods})


@dataclass(frozen=True)
class Planted:
    """How a method does in :func:`planted`: mean gap-MR and seam z, how far its embeddings are shifted, its cost."""

    gap_mr: float = 2.0
    seam_z: float = 0.5
    shift: float = 0.0
    forward: int = 20
    vjp: int = 0


def planted(folder: Path, methods: Mapping[str, Planted], excerpts: int = 30, **given: object) -> Results:
    """Rows of ``methods`` (and of the real gap) whose scores scatter a little around what is planted.

    Excerpts are easy, middle and hard by turns, two to a track.
    """
    made = results(folder)
    for number in range(excerpts):
        rng = np.random.default_rng(number)
        facts = excerpt(number, (4.0, 6.0, 8.0)[number // 2 % 3])
        real = rng.standard_normal(6)
        rows = {"real": Planted(0.0, 0.4)} | dict(methods)
        for method, plan in rows.items():
            shifted = real + (0.0 if method == "real" else plan.shift + 0.05 * rng.standard_normal(6))
            scores = {"gap_mr": plan.gap_mr + 0.02 * rng.standard_normal(), "seam_z": plan.seam_z}
            made.write(
                row(
                    method,
                    facts,
                    **{
                        "scores": scores,
                        "embedding": tuple(shifted.tolist()),
                        "tags": (0.5,),
                        "forward": plan.forward,
                        "vjp": plan.vjp,
                        "seconds": 1.0 + number,
                        "how": "planted",
                        **given,
                    },
                )
            )
    made.write_facts(made.facts().model_copy(update={"units": UnitCost(forward_seconds=0.1, vjp=2.5)}))
    return made

"""What a worker of the bench does: every method on every case of an excerpt, scored, into the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from segue.errors import InvalidRequest
from segue.tasks.plan import Stereo
from segue_bench.cases import Setting
from segue_bench.contract import Case, ClipScores, Excerpt, Method, Rendering, condition_name
from segue_bench.pool import Done, Job
from segue_bench.results import ExcerptFacts, Failure, Key, Results, Row, rounded
from segue_bench.sound import surrounding
from segue_bench.workbench import Workbench


@runtime_checkable
class Tools(Protocol):
    """What is made once in each worker."""

    @property
    def methods(self) -> Mapping[str, Method]:
        """All methods, in the order of the tables."""

    def case(self, excerpt: Excerpt, setting: Setting) -> Case:
        """The case of an excerpt under a setting."""

    def bench(self, case: Case) -> Workbench:
        """The case with a renderer."""

    def listener(self, case: Case) -> Callable[[Rendering], ClipScores]:
        """What scores renderings of the case."""


@dataclass(frozen=True)
class Task:
    """One setting of one excerpt: ``methods`` and ``seeds`` to try, ``keep``: whether the first seed is to be heard."""

    excerpt: Excerpt
    setting: Setting
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    keep: bool = False

    @property
    def condition(self) -> str:
        """Name of the table."""
        return condition_name(self.setting.task, self.setting.seconds, self.setting.whole_song)

    def keys(self, methods: Mapping[str, Method]) -> Iterator[tuple[Key, Method]]:
        """The rows to be made. Methods that draw nothing have the first seed alone."""
        for name in self.methods:
            method = methods[name]
            for seed in self.seeds if method.seeded else self.seeds[:1]:
                yield Key(self.condition, self.excerpt.name, name, seed), method

    def row(self, key: Key) -> Row:
        """The row of ``key`` before anything is known of it."""
        setting = self.setting
        return Row(
            condition=self.condition,
            excerpt=ExcerptFacts.of(self.excerpt),
            method=key.method,
            seed=key.seed,
            task=setting.task,
            gap_seconds=setting.seconds,
            whole_song=setting.whole_song,
        )


@dataclass(frozen=True)
class BenchCrew:
    """Workers that do ``tasks``, by excerpt, with what ``make`` makes. See :class:`segue_bench.pool.Crew`."""

    folder: Path
    tasks: Mapping[str, Sequence[Task]] = field(repr=False)
    make: Callable[[], Tools]

    def start(self) -> Callable[[str], Iterable[Job]]:
        """The tools, on one thread."""
        torch.set_num_threads(1)
        tools, results = self.make(), Results(self.folder)
        return lambda excerpt: self._jobs(excerpt, tools, results)

    def died(self, epitaph: Row, how: str) -> Done:
        """The row says so."""
        row = epitaph.model_copy(update={"failure": Failure(kind="failed", message=f"the worker {how}")})
        Results(self.folder).write(row)
        return done(row)

    def _jobs(self, excerpt: str, tools: Tools, results: Results) -> Iterator[Job]:
        for task in self.tasks[excerpt]:
            due = [(key, method) for key, method in task.keys(tools.methods) if not results.has(key)]
            if not due:
                continue
            case = tools.case(task.excerpt, task.setting)
            stage = _Stage(case, tools)
            for key, method in due:
                keep = task.keep and key.seed == task.seeds[0]
                row = task.row(key)
                yield Job(row, partial(stage.play, row, method, results, keep=keep))


class _Stage:
    """A case with its workbench and listener, made when first needed: if they cannot be, every method's row says so."""

    def __init__(self, case: Case, tools: Tools) -> None:
        self.case, self.tools = case, tools
        self._bench: Workbench | None = None
        self._listen: Callable[[Rendering], ClipScores] | None = None

    def play(self, row: Row, method: Method, results: Results, *, keep: bool) -> Done:
        """Render, score, write."""
        try:
            self._bench = self._bench or self.tools.bench(self.case)
            began = time.perf_counter()
            rendering = method.render(self._bench, row.seed)
            seconds = time.perf_counter() - began
        except InvalidRequest as error:
            return self._failed(row, results, Failure(kind="refused", message=str(error)))
        except Exception as error:
            return self._failed(row, results, _failure(error))
        try:
            self._listen = self._listen or self.tools.listener(self.case)
            row, audio = _scored(row, self.case, rendering, self._listen(rendering), seconds, keep=keep)
        except Exception as error:  # a score that fails is a fault of the bench: it is shown, and the run goes on
            return self._failed(row, results, _failure(error, "while scoring: "))
        results.write(row, audio)
        return done(row)

    @staticmethod
    def _failed(row: Row, results: Results, failure: Failure) -> Done:
        row = row.model_copy(update={"failure": failure})
        results.write(row)
        return done(row)


def _scored(
    row: Row, case: Case, rendering: Rendering, scores: ClipScores, seconds: float, *, keep: bool
) -> tuple[Row, Stereo | None]:
    clip, clipped, gap_at = surrounding(case, rendering)
    update = {
        "how": rendering.how,
        "scores": dict(scores.values),
        "embedding": rounded(scores.embedding),
        "tags": rounded(scores.tags),
        "forward": rendering.forward,
        "vjp": rendering.vjp,
        "seconds": seconds,
        "kept": keep,
        "gap_at": gap_at,
        "clipped": clipped if keep else 0,
    }
    return Row.model_validate({**row.model_dump(), **update}), clip if keep else None


def _failure(error: Exception, where: str = "") -> Failure:
    return Failure(kind="failed", message=f"{where}{type(error).__name__}: {error}")


def done(row: Row) -> Done:
    """What the parent is told."""
    key = row.key
    failure = None if row.failure is None or row.failure.kind == "refused" else row.failure.message
    return Done(f"{key.condition} {key.excerpt} {key.method}", failure)

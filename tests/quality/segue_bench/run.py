"""A run of the bench: what of a profile is not done yet, on several workers, into a folder of results."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import segue
import segue_bench
from segue.cli.progress import time_left
from segue.clip.recipe import running_versions
from segue.errors import Cancelled, InvalidRequest, SegueError
from segue.prior.bundle import Bundle
from segue_bench.contract import Method
from segue_bench.crew import BenchCrew, Task, Tools
from segue_bench.manifest import Manifest
from segue_bench.memory import measurable, peak_mb
from segue_bench.methods.registry import FAMILIES, METHODS
from segue_bench.pool import Pool, interruptible
from segue_bench.profiles import Profile, schedule
from segue_bench.results import Environment, Identity, Key, MethodFacts, Results, Row

Say = Callable[[str], None]
say_line: Say = partial(print, flush=True)


@dataclass(frozen=True)
class RunSettings:
    """``jobs`` worker processes; ``listen``: of how many excerpts of each recall class and condition audio is kept;
    ``memory``: whether peak memory is measured, once for each method.
    """

    jobs: int = 2
    listen: int = 4
    memory: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= 256:
            raise InvalidRequest(f"--jobs must lie in 1 to 256, got {self.jobs}")
        if self.listen < 0:
            raise InvalidRequest(f"--listen must be 0 or more excerpts, got {self.listen}")


@dataclass(frozen=True)
class Plan:
    """Tasks by excerpt, in the manifest's order, and the methods they name."""

    profile: Profile
    manifest: Manifest
    tasks: Mapping[str, tuple[Task, ...]] = field(repr=False)
    methods: Mapping[str, Method] = field(repr=False)

    def first_condition(self) -> Plan:
        """The same, of the profile's first condition alone."""
        first = self.profile.conditions[0].setting
        tasks = {name: tuple(t for t in all_of if t.setting == first) for name, all_of in self.tasks.items()}
        return replace(self, tasks=tasks)

    def all_keys(self) -> Iterator[Key]:
        """All rows of the run."""
        for tasks in self.tasks.values():
            for task in tasks:
                for key, _ in task.keys(self.methods):
                    yield key


def plan(profile: Profile, manifest: Manifest, settings: RunSettings, methods: Mapping[str, Method] = METHODS) -> Plan:
    """What a profile asks for.

    Raises:
        InvalidRequest: it names a method or more excerpts than there are.
    """
    kept: Counter[tuple[str, str]] = Counter()
    tasks: dict[str, tuple[Task, ...]] = {}
    for excerpt, conditions in schedule(profile, manifest):
        made = []
        for condition in conditions:
            names = _names(profile, condition.methods, methods)
            able = tuple(name for name in names if condition.setting.task in methods[name].tasks)
            task = Task(excerpt, condition.setting, able, profile.seeds)
            place = (task.condition, excerpt.recall)
            kept[place] += 1
            made.append(Task(excerpt, condition.setting, able, profile.seeds, keep=kept[place] <= settings.listen))
        tasks[excerpt.name] = tuple(made)
    return Plan(profile, manifest, tasks, methods)


def _names(profile: Profile, asked: Sequence[str] | str, methods: Mapping[str, Method]) -> Sequence[str]:
    if asked == "all":
        return tuple(methods)
    unknown = [name for name in asked if name not in methods]
    if unknown:
        raise InvalidRequest(f"profile {profile.name} names {', '.join(unknown)}; the methods are {', '.join(methods)}")
    return [name for name in methods if name in asked]


def identity(planned: Plan, settings: RunSettings, bundle: Bundle) -> Identity:
    """What rows of this run share."""
    places = hashlib.sha256(repr((planned.profile, planned.manifest.excerpts, planned.manifest.pairs)).encode())
    return Identity(
        profile=planned.profile.name,
        settings={"cases": places.hexdigest()[:16], "listen": str(settings.listen)},
        bundle=f"{bundle.manifest.name} {bundle.manifest.version}",
        bundle_digest=bundle.digest,
        segue=running_versions()["segue"],
    )


def environment(jobs: int) -> Environment:
    """Where this process runs."""
    return Environment(
        versions=running_versions(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpus=os.cpu_count() or 1,
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        jobs=jobs,
        code=code_digest(),
    )


def code_digest() -> str:
    """A digest of the sources that make and score sound: Segue's, and the bench's without report and listening test."""
    digest = hashlib.sha256()
    for package, left_out in ((segue, ()), (segue_bench, ("report", "abx"))):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            if path.relative_to(root).parts[0] not in left_out:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def run(
    results: Results,
    planned: Plan,
    make: Callable[[], Tools],
    settings: RunSettings,
    say: Say = say_line,
) -> Counter[str]:
    """Make every row that is not there yet; counts of rows "done" and "failed".

    One Ctrl-C lets the renders at work finish, another stops at once; both keep what is done.

    Raises:
        Cancelled: stopped by Ctrl-C.
        AudioFileError: the music is missing. ResourceError: workers cannot start.
    """
    due = {
        name: sum(not results.has(key) for task in tasks for key, _ in task.keys(planned.methods))
        for name, tasks in planned.tasks.items()
    }
    total, found = sum(due.values()), sum(1 for _ in planned.all_keys())
    say(f"{found} renderings asked for, {found - total} done already, {total} to do")
    counts: Counter[str] = Counter()
    pool = Pool(BenchCrew(results.folder, planned.tasks, make), settings.jobs)
    began, at_once = time.monotonic(), _Line(say)
    with _single_threads(), interruptible(pool, say) as stopped:
        for job in pool.run([name for name, count in due.items() if count]):
            counts["failed" if job.failure else "done"] += 1
            if job.failure:
                say(f"FAILED {job.name}: {job.failure}")
            ready = counts.total()
            left = (time.monotonic() - began) / ready * (total - ready)
            at_once.show(f"{ready} of {total}, {counts['failed']} failed, {time_left(left)}: {job.name}")
    if stopped():
        raise Cancelled(f"stopped after {counts.total()} of {total}; the same command goes on from here")
    return counts


def measure_memory(
    results: Results, planned: Plan, make: Callable[[], Tools], settings: RunSettings, say: Say = say_line
) -> None:
    """Peak memory of each method that has none yet, on the first case it could do; into run.json."""
    facts = results.facts()
    if not measurable():
        say("peak memory is not measured: only Linux tells it for a part of a process's life")
        return
    cases = {(task.condition, name): task for name, tasks in planned.tasks.items() for task in tasks}
    first: dict[str, Row] = {}
    for row in results.rows():
        if row.failure is None and row.method not in facts.peak_mb and (row.condition, row.excerpt.name) in cases:
            known = first.setdefault(row.method, row)
            first[row.method] = min(known, row, key=_of_choice)

    def measure(row: Row) -> tuple[str, float | None]:
        task = cases[row.condition, row.excerpt.name]
        try:
            return row.method, peak_mb(make, task.excerpt, task.setting, row.method, row.seed)
        except SegueError as error:
            say(str(error))
            return row.method, None

    with _single_threads(), ThreadPoolExecutor(settings.jobs) as threads:
        for method, peak in threads.map(measure, first.values()):
            facts = facts.model_copy(update={"peak_mb": {**facts.peak_mb, method: peak}})
            results.write_facts(facts)
            say(f"peak memory of {method}: {'not measured' if peak is None else f'{peak:.0f} MB'}")


def _of_choice(row: Row) -> tuple[bool, str, str, int]:
    """2 s in the whole song before all else: the case whose memory matters."""
    return (not (row.gap_seconds == 2.0 and row.whole_song), row.condition, row.excerpt.name, row.seed)


def method_facts(methods: Mapping[str, Method] = METHODS) -> tuple[MethodFacts, ...]:
    """The methods as the report names them, in the order of the tables."""
    family = {method.name: name for name, members in FAMILIES.items() for method in members}
    return tuple(MethodFacts(name=m.name, family=family[m.name], about=m.about) for m in methods.values())


@contextmanager
def _single_threads() -> Iterator[None]:
    """Workers see one thread for each library that reads its number when it is imported."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Line:
    """A line that overwrites itself on a terminal; elsewhere, one line every half minute."""

    EVERY = 30.0

    def __init__(self, say: Say) -> None:
        self.say, self.tty, self.last = say, sys.stderr.isatty(), time.monotonic()

    def show(self, text: str) -> None:
        if self.tty:
            print(f"\r\x1b[2K{text[:120]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self.last >= self.EVERY:
            self.last = time.monotonic()
            self.say(text)

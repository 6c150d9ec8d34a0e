"""A renderer under mixed jobs and faults for as long as told, whose counts must then agree: ``make soak``.

    python -m tests.soak.soak --minutes 20               from a seed that is printed
    python -m tests.soak.soak --minutes 20 --seed 17     the same moves again; only the machine's timing differs

It runs in rounds. After each all clients leave, what was stopped or full is put right, and the books are compared: each
accepted job has one final message, the renderer's tallies are those of its clients and of its log, nothing grows.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.renderers import RunningRenderer, until
from tests.soak.clients import Book, ByHand, ByLibrary, Soaker
from tests.soak.disk import SmallDisk, can_mount
from tests.soak.misfortunes import Misfortunes

ROUND = 30.0
"""Seconds of a round, before the quiet after it."""
BY_HAND, BY_LIBRARY = 6, 2
DISK_MIB = 24
GROWTH_MB, GROWTH_FILES, GROWTH_THREADS = 32.0, 2, 0
OPTIONS = ("--queue", "4", "--stall", "3", "--drain", "0")
QUIET = 120.0  # seconds: a render process may have to start first


@dataclass(frozen=True)
class Held:
    """What the front holds while nobody is connected and nothing runs."""

    mb: float
    files: int
    threads: int

    @classmethod
    def by(cls, renderer: RunningRenderer) -> Held:
        front = psutil.Process(renderer.process.pid)
        return cls(renderer.rss_mb, front.num_fds(), front.num_threads())

    def above(self, first: Held) -> bool:
        """Whether this is more than a front that leaks nothing holds later."""
        return (
            self.mb > first.mb + GROWTH_MB
            or self.files > first.files + GROWTH_FILES
            or self.threads > first.threads + GROWTH_THREADS
        )


@dataclass
class Soak:
    """One renderer and what was seen of it."""

    seed: int
    renderer: RunningRenderer
    disk: SmallDisk | None
    book: Book = field(default_factory=Book)
    happened: Counter[str] = field(default_factory=Counter)
    held: list[Held] = field(default_factory=list)

    def round(self, number: int, seconds: float) -> None:
        """Clients and misfortunes, then quiet."""
        content = self.renderer.content
        chance = Misfortunes(self.renderer, self.disk, self._rng(number, "misfortunes"))
        clients: list[Soaker] = []
        for kind, count in ((ByHand, BY_HAND), (ByLibrary, BY_LIBRARY)):
            for one in range(count):
                name = f"r{number}-{kind.__name__}-{one}"
                clients.append(kind(name, content, self.book, self._rng(number, name)))
        for thread in (*clients, chance):
            thread.start()
        chance.join(seconds)
        chance.end()
        for client in clients:
            client.end()
        for client in clients:
            client.join()
        self.happened += chance.happened
        self.book.errors += chance.errors
        self._await_quiet()

    def _rng(self, number: int, who: str) -> random.Random:
        return random.Random(f"{self.seed} {number} {who}")

    def _await_quiet(self) -> None:
        def quiet() -> bool:
            counts = self.renderer.counts()
            ended = sum(value for name, value in counts.items() if name.startswith("jobs_ended"))
            busy = counts["clients"] + counts["jobs_waiting"] + counts["jobs_running"]
            return busy == 0 and ended == counts["jobs_accepted_total"] and counts['device_up{device="cpu"}'] == 1

        if not until(quiet, QUIET):
            raise AssertionError(f"expected an idle renderer within {QUIET:g} s, got {self.renderer.counts()}")
        if self.held:  # threads that answer for the metrics, and such, end a moment later
            until(lambda: not Held.by(self.renderer).above(self.held[0]), 10.0)
        self.held.append(Held.by(self.renderer))

    # ---- the books ----------------------------------------------------------------------------------------------

    def reconcile(self) -> list[str]:
        """All that does not agree."""
        wrong = list(self.book.errors)
        accepted, ended = self._log()
        for job, finals in ended.items():
            if len(finals) != 1:
                wrong.append(f"job {job} ended {len(finals)} times: {finals}")
        wrong += [f"job {job} never ended" for job in accepted.keys() - ended.keys()]
        for job, known in self.book.ended.items():
            if job not in accepted:
                wrong.append(f"job {job} was accepted, the renderer's log knows nothing of it")
            elif known is not None and ended.get(job) != [known]:
                wrong.append(f"job {job} ended with {known} for its client, with {ended.get(job)} for the renderer")
        wrong += self._compare_named(accepted, ended)
        wrong += self._compare_tallies(accepted, ended)
        return wrong + self._compare_held()

    def _log(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """Of the renderer's log: the client of each accepted job, and the ends of each. A defect is an error."""
        accepted: dict[str, str] = {}
        ended: dict[str, list[str]] = {}
        for line in self.renderer.log.read_text().splitlines():
            entry = json.loads(line)
            message = entry["message"]
            if entry["level"] in ("error", "critical"):
                self.book.errors.append(f"the renderer's log: {message} {entry.get('trace', '')[-500:]}")
            if message.startswith("accepted: "):
                accepted[entry["job"]] = entry["client"].partition(" ")[0]
            elif message.startswith("ended with "):
                ended.setdefault(entry["job"], []).append(message.removeprefix("ended with "))
        return accepted, ended

    def _compare_named(self, accepted: dict[str, str], ended: dict[str, list[str]]) -> list[str]:
        """Library clients: as many of each end, but for those whose session was lost under them."""
        wrong = []
        for name, known in self.book.named.items():
            theirs = Counter(ended[job][0] for job, client in accepted.items() if client == name and job in ended)
            unknown = known["unknown"]
            sure = Counter({end: count for end, count in known.items() if end != "unknown"})
            if sure - theirs or sum(theirs.values()) > sum(sure.values()) + unknown:
                wrong.append(f"{name}: {dict(known)} for the client, {dict(theirs)} for the renderer")
        return wrong

    def _compare_tallies(self, accepted: dict[str, str], ended: dict[str, list[str]]) -> list[str]:
        counts = self.renderer.counts()
        ends = {name: value for name, value in counts.items() if name.startswith("jobs_ended")}
        tallied = {name.split('"')[1]: value for name, value in ends.items()}
        logged = Counter(final for finals in ended.values() for final in finals)
        wrong = []
        if counts["jobs_accepted_total"] != len(accepted):
            wrong.append(f"{counts['jobs_accepted_total']:.0f} jobs accepted by tally, {len(accepted)} by the log")
        if tallied != dict(logged):
            wrong.append(f"by tally jobs ended as {tallied}, by the log as {dict(logged)}")
        return wrong

    def _compare_held(self) -> list[str]:
        wrong = [f"the front holds {self.held[-1]}, after its first round {self.held[0]}"]
        children = psutil.Process(self.renderer.process.pid).children(recursive=True)
        orphans = [f"expected one render process, got {len(children)}"] if len(children) != 1 else []
        return (wrong if self.held[-1].above(self.held[0]) else []) + orphans

    def verify(self) -> list[str]:
        """``segue store verify``, while the renderer runs."""
        pid = self.renderer.process.pid
        folder = self.renderer.folder / "store" if self.disk is None else self.disk.seen_from_here(pid)
        command = [sys.executable, "-m", "segue.cli.main", "store", "verify", "--folder", str(folder), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or json.loads(done.stdout)["damaged"]:
            return [f"segue store verify: {done.stdout} {done.stderr}"]
        return []

    def __str__(self) -> str:
        accepted, ended = self._log()
        finals = Counter(final for each in ended.values() for final in each)
        unheard = sum(known is None for known in self.book.ended.values())
        return "\n".join(
            [
                f"{len(accepted)} jobs accepted, ended as {dict(finals)}; of {unheard} the client had left",
                f"clients did {dict(self.book.did)}",
                f"misfortunes: {dict(self.happened)}" + ("" if self.disk else "; no full disk: mounts are not allowed"),
                f"{len(self.held)} rounds; after the first the front held {self.held[0]}, at last {self.held[-1]}",
                f"MB after each: {', '.join(f'{held.mb:.0f}' for held in self.held)}",
            ]
        )


def run(seconds: float, seed: int, of: float = ROUND) -> str:
    """Rounds of ``of`` seconds until ``seconds`` have passed, two at least; what happened.

    Raises:
        AssertionError: something does not agree; its note says how to replay it, and where the renderer's log is kept.
    """
    began, number, folder = time.monotonic(), 0, Path(tempfile.mkdtemp(prefix="segue-soak-"))
    disk = SmallDisk(folder / "store", DISK_MIB) if can_mount() else None
    renderer = RunningRenderer(folder, *OPTIONS, within=disk.within if disk else ())
    soak = Soak(seed, renderer, disk)
    try:
        while number < 2 or time.monotonic() - began < seconds:
            soak.round(number, of)
            number += 1
            if wrong := soak.reconcile() + soak.verify():
                raise AssertionError("\n".join(["the books do not agree", *wrong[:20], str(soak)]))
        told = str(soak)
    except BaseException as error:
        again = f"python -m tests.soak.soak --minutes {seconds / 60:g} --seed {seed}"
        error.add_note(f"in round {number} of seed {seed}; to replay it: {again}; its log: {renderer.log}")
        raise
    finally:
        renderer.kill()
    shutil.rmtree(folder)
    return told


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.minutes:g} minutes", flush=True)
    print(run(60 * given.minutes, given.seed))
    print("all books agree")


if __name__ == "__main__":
    main()

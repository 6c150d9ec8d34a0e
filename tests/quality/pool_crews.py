"""Crews for tests of the pool. Imports next to nothing, so that their workers start at once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from segue_bench.pool import Done, Job, Pool, interruptible


@dataclass(frozen=True)
class Touching:
    """Each unit is "name:job,job,..."; a job leaves a file, and is done if it is there.

    Jobs named die, exit or slow do that first; a unit named "broken" raises while its jobs are listed, "deadly" dies.
    """

    folder: Path

    def start(self) -> Callable[[str], Iterator[Job]]:
        return self._jobs

    def died(self, epitaph: str, how: str) -> Done:
        (self.folder / epitaph).touch()
        return Done(epitaph, f"the worker {how}")

    def _jobs(self, unit: str) -> Iterator[Job]:
        name, _, jobs = unit.partition(":")
        if name == "broken":
            raise LookupError("no such music")
        if name == "deadly":
            os._exit(3)
        for job in jobs.split(","):
            path = self.folder / f"{name}-{job}"
            if not path.exists():
                yield Job(path.name, lambda path=path, job=job: self._do(path, job))  # type: ignore[misc]

    @staticmethod
    def _do(path: Path, job: str) -> Done:
        if job == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if job == "exit":
            os._exit(7)
        if job.startswith("slow"):
            time.sleep(0.3)
        path.touch()
        return Done(path.name)


def main() -> None:
    """A run to be interrupted: many slow jobs, one line each."""
    pool = Pool(Touching(Path(sys.argv[1])), 2)
    units = [f"u{n}:" + ",".join(f"slow{i}" for i in range(20)) for n in range(4)]
    with interruptible(pool, lambda line: print(line, flush=True)) as stopped:
        for done in pool.run(units):
            print(done.name, flush=True)
    print("stopped" if stopped() else "ended", flush=True)


if __name__ == "__main__":
    main()

"""Peak memory of one render: in a fresh process, above what it holds once bundle and song are there."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from segue.errors import ResourceError
from segue_bench.cases import Setting
from segue_bench.contract import Excerpt
from segue_bench.crew import Tools

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measurable() -> bool:
    """Whether this system can tell the peak of a part of a process's life: Linux can."""
    return sys.platform == "linux" and _CLEAR.exists()


def peak_mb(make: Callable[[], Tools], excerpt: Excerpt, setting: Setting, method: str, seed: int) -> float:
    """MB that a method needs at the most, the network's sessions included, above the opened bundle and the song.

    Raises:
        ResourceError: the process died, or the method raised; the message says which.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(make, excerpt, setting, method, seed, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        said = ours.recv()
    except EOFError:
        process.join()
        said = f"its process ended with exit code {process.exitcode}"
    finally:
        ours.close()
        process.join()
    if isinstance(said, str):
        raise ResourceError(f"the memory of {method} could not be measured: {said}; see the rows of {method}")
    return float(said)


def _measure(
    make: Callable[[], Tools], excerpt: Excerpt, setting: Setting, method: str, seed: int, pipe: Connection
) -> None:
    try:
        torch.set_num_threads(1)
        tools = make()
        bench = tools.bench(tools.case(excerpt, setting))
        before = _status("VmRSS")
        _CLEAR.write_text("5")  # proc(5): resets the peak to what is held now
        tools.methods[method].render(bench, seed)
        pipe.send((_status("VmHWM") - before) / 1024)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _status(field: str) -> int:
    """A field of /proc/self/status, in KiB."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])

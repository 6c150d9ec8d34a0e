"""The plug-in as the tests run it: what ``make plugin`` builds, and programs beside it; only what changed is built.

``python -m tests.plugin.builds`` builds all of it: ``make test`` runs that beside the tests of Python.
``SEGUE_PLUGIN_BUILD`` names another build folder (of a debugger, of a sanitizer), whose options then stay as they are.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[2]
#: One folder for all that is built without a sanitizer, so that nothing is compiled twice.
ALL = ("SEGUE_PLUGIN_TESTS", "SEGUE_PLUGIN_HOST", "SEGUE_PLUGIN_SCREENS")


@dataclass(frozen=True)
class Formats:
    """The plug-in as hosts load it, the small CLAP host, and the wrappers' unit tests."""

    clap: Path
    vst3: Path
    lv2: Path
    clap_host: Path
    wrapper_tests: Path


@functools.cache
def formats() -> Formats:
    """All three formats with their UI, and what tests them."""
    programs = ("segue_clap_host", "segue_wrapper_tests")
    folder = build("plugin", ALL, ("Segue-clap", "Segue-vst3", "Segue-lv2", *programs))
    clap, vst3, lv2 = (folder / "bin" / f"Segue.{each}" for each in ("clap", "vst3", "lv2"))
    tests = folder / "tests"
    return Formats(clap, vst3, lv2, tests / "clap_host" / programs[0], tests / "wrappers" / programs[1])


@functools.cache
def core(*targets: str, sanitizer: str = "") -> Path:
    """Programs of plugin_shim/tests, which need no framework; the folder that holds them.

    ``sanitizer``: "address" or "thread".
    """
    if not sanitizer:
        return build("plugin", ALL, targets) / "tests"
    optimised = "CMAKE_CXX_FLAGS_DEBUG=-O1 -g1"  # unoptimised, a sanitizer takes minutes
    switches = ("SEGUE_PLUGIN_TESTS", "SEGUE_PLUGIN_FORMATS=OFF")
    checked = (*switches, "CMAKE_BUILD_TYPE=Debug", optimised, f"SEGUE_PLUGIN_SANITIZER={sanitizer}")
    return build(f"plugin-{sanitizer}", checked, targets) / "tests"


@functools.cache
def build(name: str, switches: tuple[str, ...], targets: tuple[str, ...]) -> Path:
    """Build these targets of plugin_shim in ``build/name``; the folder.

    ``switches``: CMake options that are on, or ``OPTION=value``.
    """
    chosen = os.environ.get("SEGUE_PLUGIN_BUILD")
    folder = Path(chosen) if chosen else ROOT / "build" / name
    options = [] if chosen else [f"-D{switch}" if "=" in switch else f"-D{switch}=ON" for switch in switches]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        generator = ["-G", "Ninja"] if shutil.which("ninja") and not (folder / "CMakeCache.txt").exists() else []
        _run(["cmake", "-S", str(ROOT / "plugin_shim"), "-B", str(folder), *generator, *options])
        _run(["cmake", "--build", str(folder), "--parallel", "2", "--target", *targets])
    return folder


def everything() -> None:
    """Build what any test asks for, what is needed first at first."""
    formats()
    core("segue_plugin_driver", "segue_plugin_requests", "segue_plugin_screens")
    core("segue_plugin_tests", "segue_realtime_check", "segue_block_bench")
    core("segue_plugin_tests", sanitizer="address")
    core("segue_realtime_tests", sanitizer="thread")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}")


if __name__ == "__main__":
    everything()

"""The C++ twin, built once: its check program, to be run."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "protocol" / "vectors"


@functools.cache
def build(sanitize: bool = False) -> Path:
    """Build what protocol/cpp/tests holds, warnings being errors; the program. Later builds only redo what changed.

    ``sanitize``: with the address and undefined-behaviour sanitizers.
    """
    folder = ROOT / "build" / ("protocol-cpp-sanitized" if sanitize else "protocol-cpp")
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = ["cmake", "-S", str(ROOT / "protocol" / "cpp"), "-B", str(folder), *generator]
    _run([*configure, "-DCMAKE_BUILD_TYPE=Debug", f"-DSEGUE_SANITIZE={'ON' if sanitize else 'OFF'}"])
    _run(["cmake", "--build", str(folder)])
    return folder / "tests" / "protocol_check"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def check(*arguments: str | Path, sanitize: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the check program."""
    command = [str(build(sanitize)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

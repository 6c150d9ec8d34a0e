"""Pictures of the plug-in's UI: ``python -m tests.plugin.plugin_screens docs/screens``, or ``make plugin-screens``.

The program that draws them is built from plugin_shim/tests/screens and runs under Xvfb with Mesa's software OpenGL.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.plugin import builds

NEEDS = ("cmake", "g++", "Xvfb")
DEFAULT_SIZE = (960, 640)
MINIMUM_SIZE = (800, 560)

#: The states that are shown in the documentation, each with the name of its file.
# fmt: off
SHOWN = [
    "empty", "offline", "starting", "listening", "gap", "marking", "lane", "zoomed", "armed", "queued",
    "rendering", "first-take", "failed", "done", "third-take", "original", "several", "notice",
    "task-not-offered", "no-access", "tasks", "presets", "keyboard", "tip", "long-texts", "cancelled",
]
# fmt: on

Rect = tuple[float, float, float, float]


@dataclass(frozen=True)
class Screen:
    """One picture and what the program wrote down of it; rectangles (x, y, width, height) in logical pixels."""

    name: str
    scale: float
    image: Image.Image
    record: dict[str, Any]


def program() -> Path:
    """The program that draws, built."""
    folder = builds.build("plugin", builds.ALL, ("segue_plugin_screens",))
    return folder / "tests" / "screens" / "segue_plugin_screens"


def _run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=300
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}")


@contextmanager
def x_server(width: int, height: int) -> Iterator[str]:
    """An X server without a screen, on a display number that it chooses itself; ":7"."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        if not number:
            raise RuntimeError(f"Xvfb ended with status {server.wait(10)} before it was ready")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


def draw(size: tuple[int, int] = DEFAULT_SIZE, scale: float = 1.0) -> dict[str, Screen]:
    """All states in a window of ``size`` logical pixels, by name."""
    drawing = program()
    with tempfile.TemporaryDirectory() as folder, x_server(int(size[0] * scale), int(size[1] * scale)) as display:
        _run([str(drawing), folder, str(size[0]), str(size[1]), str(scale)], DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1")
        return {path.stem: _load(path) for path in sorted(Path(folder).glob("*.json"))}


def _load(path: Path) -> Screen:
    record = json.loads(path.read_text(encoding="utf-8"))
    with Image.open(path.with_suffix(".ppm")) as image:
        return Screen(record["name"], record["scale"], image.convert("RGB"), record)


def save(screen: Screen, folder: Path) -> Path:
    """Write ``name.png``, with a palette of 128 colours that keeps the rare ones too."""
    path = folder / f"{screen.name}.png"
    palette = screen.image.quantize(128, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    return path


def main(folder: Path) -> None:
    """Write all pictures that the documentation shows."""
    folder.mkdir(parents=True, exist_ok=True)
    screens = draw()
    for name in SHOWN:
        path = save(screens[name], folder)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

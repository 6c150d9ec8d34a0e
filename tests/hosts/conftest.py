"""The built plug-in, a renderer for it or none, and a session's state in which a gap is filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.hosts.clap import ClapHost
from tests.hosts.holes import Holed, holed
from tests.plugin.builds import Formats, formats
from tests.renderers import RunningRenderer


@pytest.fixture(scope="session")
def built() -> Formats:
    return formats()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No renderer answers, none is started, and a bounce does not wait for one; nothing is written at home."""
    for name, value in quiet(tmp_path).items():
        monkeypatch.setenv(name, value)


def quiet(folder: Path) -> dict[str, str]:
    return {
        "SEGUE_CONNECTION": str(folder / "none.json"),
        "SEGUE_RENDERS": str(folder / "renders"),
        "SEGUE_START_RENDERER": "0",
        "SEGUE_BOUNCE_WAIT": "0.2",
    }


def rendering(renderer: RunningRenderer) -> dict[str, str]:
    """The environment of a plug-in that has a renderer; it takes the quickest way to fill a gap."""
    return {"SEGUE_CONNECTION": str(renderer.file), "SEGUE_METHOD": "splice", "SEGUE_BOUNCE_WAIT": "90"}


@pytest.fixture(scope="session")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRenderer]:
    running = RunningRenderer(tmp_path_factory.mktemp("renderer"))
    yield running
    running.stop()


@dataclass(frozen=True)
class Filled:
    """A song with a hole, what is heard once the hole is filled, (2, samples), and the plug-in's state."""

    song: Holed
    heard: np.ndarray
    state: bytes


@pytest.fixture(scope="session")
def filled(renderer: RunningRenderer, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Filled by a real renderer: a pass that captures, and a bounce that waits for what was asked for."""
    song, folder = holed(), tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**quiet(folder), **rendering(renderer)}.items():
            patch.setenv(name, value)
        with ClapHost() as host:
            host.input(song.audio)
            ask(host, song)
            host.play(0, song.frames)
            heard = host.bounce(song.audio)
            state = host.save()
    assert list((folder / "renders").iterdir()), "the render is written as a file too"
    return Filled(song, heard, state)


def ask(host: ClapHost, song: Holed) -> None:
    """Draws the Gap lane over the hole, and a rising edge of Render near the song's start."""
    lanes = (("Gap", 0, 0), ("Gap", song.start, 1), ("Gap", song.stop, 0), ("Render", 0, 0), ("Render", 24000, 1))
    for name, frame, value in lanes:
        host.at(frame, name, value)

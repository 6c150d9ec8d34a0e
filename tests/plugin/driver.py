"""The plug-in's engine in a process of its own, as plugin_shim/tests/driver plays music through it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float32

from tests.plugin.builds import core

Audio = Float32[np.ndarray, "2 samples"]
Snapshot = dict[str, Any]


@functools.cache
def program() -> Path:
    """The driver, built where it is not."""
    return core("segue_plugin_driver") / "driver" / "segue_plugin_driver"


def save(path: Path, audio: Audio, rate: int) -> Path:
    soundfile.write(path, audio.T, rate, subtype="FLOAT")
    return path


def load(path: Path) -> Audio:
    return np.ascontiguousarray(soundfile.read(path, dtype="float32")[0].T)


class Driver:
    """Engines in one process; the commands are those of plugin_shim/tests/driver/driver.cpp.

    ``folder``: for what it plays and writes; ``environment``: of the engines, as ``SEGUE_METHOD="splice"``. No renderer
    is started, unless ``SEGUE_START_RENDERER`` says so.
    """

    def __init__(self, folder: Path, connection: Path, **environment: str) -> None:
        self.folder = folder
        own = {"SEGUE_CONNECTION": str(connection), "SEGUE_RENDERS": str(folder / "renders")}
        self.process = subprocess.Popen(
            [program()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **own, "SEGUE_START_RENDERER": "0", **environment},
        )

    def __call__(self, *words: object) -> dict[str, Any]:
        """The answer to a command, which must be able to do it."""
        answer = self.ask(*words)
        assert answer.get("ok", True), (words, answer)
        return answer

    def ask(self, *words: object) -> dict[str, Any]:
        """The answer to a command."""
        self.tell(*words)
        return self.answer()

    def tell(self, *words: object) -> None:
        """A command whose answer is fetched later, with :meth:`answer`."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the driver ended with status {self.process.wait(10)}"
        return dict(json.loads(line))

    def start(self, audio: Audio, rate: int, block: int = 512) -> None:
        """A new engine, activated, with the track it plays."""
        self("audio", save(self.folder / "track.wav", audio, rate))
        self("new")
        self("activate", rate, block)

    def play(self, audio: Audio, pace: str | int = "offline", start: int = 0) -> Audio:
        """What comes out of a pass over the track; ``pace``: times real time, or "offline".

        Offline the engine waits until all is written down; faster than real time what it hears may be lost.
        """
        out = self.folder / "out.wav"
        self("play", start, audio.shape[1], out, pace)
        return load(out)

    def wait(self, condition: str, seconds: float = 240.0) -> Snapshot:
        """The snapshot once it is so, as "job.state=done|failed"; the transport stands meanwhile."""
        return self("wait", condition, seconds)

    @property
    def snapshot(self) -> Snapshot:
        return self("snapshot")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.close()

"""The small CLAP host of plugin_shim/tests/clap_host, as an object; frames are samples of the song."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

from tests.plugin.builds import formats

STEPPED, AUTOMATABLE = 1, 32  # CLAP_PARAM_IS_STEPPED, CLAP_PARAM_IS_AUTOMATABLE


class HostError(Exception):
    """The host's words on what the plug-in did wrong."""


@dataclass(frozen=True)
class Parameter:
    """What the plug-in says of a parameter."""

    id: int
    name: str
    flags: int
    minimum: float
    maximum: float
    initial: float
    value: float


class ClapHost:
    """One plug-in, opened and, if a rate is given, activated."""

    def __init__(self, rate: float = 48000.0, max_block: int = 512) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="segue-clap-")
        self.folder = Path(self._scratch.name)
        self._process = subprocess.Popen(
            [str(formats().clap_host)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        self.path = formats().clap
        self.do("open", self.path)
        self.parameters = {each.name: each for each in self._parameters()}
        if rate:
            self.do("activate", rate, max_block)

    def do(self, *words: object) -> str:
        """One command; what it answers."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(" ".join(str(word) for word in words) + "\n")
        stdin.flush()
        state, _, answer = stdout.readline().rstrip("\n").partition(" ")
        if state != "ok":
            raise HostError(answer if state else f"the host ended with status {self._process.wait()}")
        return answer

    def _parameters(self) -> list[Parameter]:
        rows = (row.strip().split("|") for row in self.do("parameters").split(";") if row)
        return [Parameter(int(a), b, int(c), float(d), float(e), float(f), float(g)) for a, b, c, d, e, f, g in rows]

    def set(self, name: str, value: float) -> None:
        """With the next block."""
        self.do("set", self.parameters[name].id, value)

    def at(self, frame: int, name: str, value: float) -> None:
        """Whenever the song passes there."""
        self.do("at", frame, self.parameters[name].id, value)

    def get(self, name: str) -> float:
        return float(self.do("get", self.parameters[name].id))

    def input(self, audio: np.ndarray, rate: int = 48000, command: str = "input") -> None:
        """What the track plays, (2, samples); command: "side" for the side-chain."""
        path = self.folder / f"{command}.wav"
        soundfile.write(path, audio.T, rate, subtype="FLOAT")
        self.do(command, path)

    def play(self, start: int, frames: int, *sizes: int) -> np.ndarray:
        """Locates, plays so many frames in blocks of these sizes in turn, and stops; what came out, (2, frames)."""
        self.do("forget")
        self.do("seek", start)
        self.do("play", "on")
        self.do("roll", frames, *sizes)
        self.do("play", "off")
        self.do("roll", 512)
        path = self.folder / "output.wav"
        self.do("output", path)
        return soundfile.read(path, dtype="float32", always_2d=True)[0].T[:, start:]

    def bounce(self, audio: np.ndarray) -> np.ndarray:
        """Plays the track's audio offline, again and again, until something else is heard: that."""
        self.do("offline", "on")
        for _ in range(100):
            heard = self.play(0, audio.shape[1])
            if np.any(heard != audio):
                return heard
        raise AssertionError("nothing else is ever heard")

    def save(self, part: int = 2**20) -> bytes:
        path = self.folder / "saved"
        self.do("save", part, path)
        return path.read_bytes()

    def load(self, state: bytes, part: int = 2**20) -> bool:
        """False: refused."""
        path = self.folder / "loaded"
        path.write_bytes(state)
        return self.do("load", part, path) == "1"

    def close(self) -> None:
        """Destroy the plug-in and end the host."""
        if self._process.poll() is None:
            self.do("close")
        self._end("quit\n")

    def _end(self, last: str) -> None:
        self._process.communicate(last, timeout=20)
        self._scratch.cleanup()

    def __enter__(self) -> ClapHost:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._process.kill()
            self._end("")

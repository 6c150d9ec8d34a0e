"""jalv in a JACK server of its own: a player, the LV2, a recorder. Freewheeling, so that no load makes a gap."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.hosts.holes import RATE

PERIOD = 256
STATE = """@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix pset: <http://lv2plug.in/ns/ext/presets#> .
@prefix state: <http://lv2plug.in/ns/ext/state#> .
<> a pset:Preset ; lv2:appliesTo <urn:segue:segue> ; state:state [ <urn:distrho:segue> "{blob}" ] .
"""


@dataclass
class Rig:
    """Player and recorder around the plug-in."""

    player: Any
    recorder: Any

    def play(self, audio: np.ndarray, start: int, frames: int) -> np.ndarray:
        """Roll the transport from ``start``; what comes out of the plug-in, (2, frames)."""
        heard, done = np.zeros((2, frames), np.float32), threading.Event()

        @self.player.set_process_callback
        def feed(size: int) -> None:
            _, position = self.player.transport_query_struct()
            for channel, port in enumerate(self.player.outports):
                block = audio[channel, position.frame : position.frame + size]
                port.get_array()[:] = np.pad(block, (0, size - len(block)))

        @self.recorder.set_process_callback
        def keep(size: int) -> None:
            state, position = self.recorder.transport_query_struct()
            at = position.frame - start
            if state == 1 and 0 <= at < frames:  # JackTransportRolling
                for channel, port in enumerate(self.recorder.inports):
                    heard[channel, at : at + size] = port.get_array()[: frames - at]
            if at + size >= frames:
                done.set()

        with self.player, self.recorder:
            _connect(self.player, self.recorder)
            self.player.transport_locate(start)
            self.player.set_freewheel(True)
            self.player.transport_start()
            assert done.wait(60), "the transport does not roll"
            self.player.transport_stop()
            self.player.set_freewheel(False)
        return heard


def _connect(player: Any, recorder: Any) -> None:
    """Join the three; a port may be seen before the client that owns it is active, and cannot be joined until then."""
    import jack

    pairs = [
        *zip(player.outports, ("jalv:lv2_audio_in_1", "jalv:lv2_audio_in_2"), strict=True),
        *zip(("jalv:lv2_audio_out_1", "jalv:lv2_audio_out_2"), recorder.inports, strict=True),
    ]
    for source, target in pairs:
        _until(partial(player.connect, source, target), jack.JackErrorCode)


@contextmanager
def rig(lv2: Path, folder: Path, state: bytes | None = None) -> Iterator[Rig]:
    """A server, jalv with the plug-in (and a state of it), and clients; all of it ends with the block."""
    import jack

    shutil.copytree(lv2, folder / "lv2" / lv2.name)
    server = f"segue-{os.getpid()}-{folder.name}"
    environment = {**os.environ, "LV2_PATH": str(folder / "lv2"), "JACK_DEFAULT_SERVER": server}
    load = []
    if state is not None:
        (folder / "state").mkdir()
        (folder / "state" / "state.ttl").write_text(STATE.format(blob=state.decode()))
        load = ["-l", str(folder / "state")]
    command = ["jackd", "-n", server, "-r", "-S", "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)]
    with _running(command, environment, folder / "jackd.log"):
        client = _until(lambda: jack.Client("player", servername=server, no_start_server=True), jack.JackOpenError)
        with _running(["jalv", *load, "-x", "-n", "jalv", "urn:segue:segue"], environment, folder / "jalv.log"):
            recorder = jack.Client("recorder", servername=server, no_start_server=True)
            _until(lambda: client.get_port_by_name("jalv:lv2_audio_out_2"), jack.JackError)
            for side in "LR":
                client.outports.register(side)
                recorder.inports.register(side)
            yield Rig(client, recorder)
            recorder.close()
        client.close()


def _until(call: Any, missing: type[Exception]) -> Any:
    """What ``call`` returns once it no longer fails."""
    end = time.monotonic() + 20
    while True:
        try:
            return call()
        except missing:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)

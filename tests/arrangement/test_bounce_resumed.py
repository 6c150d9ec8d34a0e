"""A bounce that is killed goes on where it was, and several at once make the samples that one after another makes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from segue.arrangement.bounce import Bounce, bounce
from segue.render.settings import RenderSettings
from segue.service.pool import Pool
from segue.service.settings import DeviceSettings
from segue.service.store.store import Store
from tests.songs import loop_song

RATE = 22050
HOLES = (2.5, 4.0, 5.5)
HOLE = 0.4  # seconds
QUICK = Bounce(settings=RenderSettings(steps=1, method="splice"))

KILLED = """
import os, signal, sys
from pathlib import Path
from segue.render.settings import Progress
from tests.arrangement import test_bounce_resumed as here

def die_after_the_first(progress: Progress) -> None:
    if progress.step:
        print("going", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    here.bounced(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), callback=die_after_the_first)
"""


def bounced(folder: Path, out: Path, store: Path, devices: int = 1, callback: Any = None) -> Mapping[str, Any]:
    made = [DeviceSettings(index=n, threads=1) for n in range(devices)]
    return bounce(folder, out, lambda: Pool(made, Store(store)), QUICK, callback).report


def places(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [place for track in report["tracks"] for place in track["places"]]


@pytest.fixture(scope="module")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One track with three holes."""
    path = tmp_path_factory.mktemp("resumed") / "stems"
    path.mkdir()
    song = loop_song(RATE, 8.0).T.copy()
    for at in HOLES:
        song[round(at * RATE) : round((at + HOLE) * RATE)] = 0.0
    soundfile.write(path / "a.wav", song, RATE, subtype="PCM_24")
    return path


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9")
def test_killed_in_the_middle_it_goes_on_from_the_store_and_ends_whole(stems: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    (tmp_path / "killed.py").write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, str(tmp_path / "killed.py"), str(stems), str(out), str(store)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    family = psutil.Process(child.pid)
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "going\n"
        renderers = family.children(recursive=True) if family.is_running() else []
        assert child.wait(60) == -signal.SIGKILL
    assert not psutil.wait_procs(renderers, timeout=60)[1], "render processes end with who asked them"
    assert not out.exists(), "nothing of the result is written before all of it is there"
    again = places(bounced(stems, out, store))
    assert again[0]["from_store"]
    assert not again[-1]["from_store"]
    song, _ = soundfile.read(out / "a.wav")
    for at in HOLES:
        assert np.sqrt(np.mean(song[round(at * RATE) : round((at + HOLE) * RATE)] ** 2)) > 0.01


@pytest.mark.nightly
def test_two_at_once_make_the_samples_that_one_after_another_makes(stems: Path, tmp_path: Path) -> None:
    for devices in (1, 2):
        report = bounced(stems, tmp_path / f"by {devices}", tmp_path / f"store {devices}", devices)
        assert [place["from_store"] for place in places(report)] == [False] * 3
    one, two = (soundfile.read(tmp_path / f"by {devices}" / "a.wav", dtype="int32")[0] for devices in (1, 2))
    assert np.array_equal(one, two)

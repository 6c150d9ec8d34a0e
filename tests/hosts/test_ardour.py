"""Segue in Ardour 7, a real DAW, from an empty session to one that is reopened without a renderer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.hosts.conftest import rendering
from tests.plugin.builds import ROOT, Formats
from tests.renderers import RunningRenderer

EXAMPLE = ROOT / "examples" / "ardour_session" / "make_session.py"
SCRIPTS = Path(__file__).parent / "ardour"
PRESET = SCRIPTS / "float.preset"

pytestmark = pytest.mark.skipif(shutil.which("ardour7-lua") is None, reason="Ardour 7 is missing: run scripts/setup")


TRIES = 5  # Ardour 7 corrupts its heap in about a fifth of all headless exports, of sessions without plug-ins as well


def run(command: list[str], home: Path, environment: dict[str, str]) -> None:
    done = attempt(command, home, environment)
    assert done.returncode == 0, said(done)


def attempt(command: list[str], home: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def export(session: Path, home: Path, environment: dict[str, str], *names: str) -> list[np.ndarray]:
    """Open the session, export it once for each name, save and close it; what was exported, (2, samples).

    Where a signal ended Ardour, the session is taken as it was and exported again; whatever else fails is a failure.
    """
    preset = re.search('id="([^"]+)"', PRESET.read_text())
    assert preset is not None
    command = ["ardour7-lua", str(SCRIPTS / "export.lua"), str(session), session.name, str(home), preset[1], *names]
    before = home / "before"
    shutil.copytree(session, before)
    for _ in range(TRIES):
        done = attempt(command, home, environment)
        if done.returncode >= 0:
            break
        shutil.rmtree(session)
        shutil.copytree(before, session)
    shutil.rmtree(before)
    assert done.returncode == 0, said(done)
    return [soundfile.read(home / f"{name}.wav", dtype="float32", always_2d=True)[0].T for name in names]


@pytest.fixture
def home(built: Formats, tmp_path: Path) -> Path:
    """A home folder with the plug-in where ``make install-plugin`` puts it, and an export preset."""
    folder = tmp_path / "home"
    shutil.copytree(built.vst3, folder / ".vst3" / built.vst3.name)
    presets = folder / ".config" / "ardour7" / "export"
    presets.mkdir(parents=True)
    shutil.copy(PRESET, presets)
    return folder


def test_a_session_with_a_hole_is_filled_and_exports_the_same_when_it_is_reopened_without_a_renderer(
    home: Path, tmp_path: Path, renderer: RunningRenderer
) -> None:
    session = tmp_path / "hole"
    run([sys.executable, str(EXAMPLE), str(session)], home, {})
    song, rate = soundfile.read(ROOT / "examples" / "music" / "upbeat.flac", dtype="float32", always_2d=True)
    song, hole = song.T, slice(16 * rate, 18 * rate)

    heard, filled = export(session, home, rendering(renderer), "heard", "filled")
    (reopened,) = export(session, home, {}, "reopened")

    assert not heard[:, hole].any()  # nothing was rendered when the first export passed
    level = np.sqrt(np.mean(filled[:, hole] ** 2) / np.mean(song[:, hole] ** 2))
    assert 0.3 < level < 3
    for each in (heard, filled):
        np.testing.assert_array_equal(each[:, : hole.start], song[:, : hole.start])
        np.testing.assert_array_equal(each[:, hole.stop :], song[:, hole.stop :])
    np.testing.assert_array_equal(reopened, filled)

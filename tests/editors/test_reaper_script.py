"""The ReaScript, run by a real Lua against a stand-in of REAPER's API that truly runs Segue's command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from segue.clip.tags import read_recipe

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "editors" / "reaper" / "segue_fill_gap.lua"
EXCERPT = ROOT / "examples" / "music" / "upbeat.flac"
RATE = 44100
HOLE, SHORT = (3.0, 3.5), (0.2, 0.3)  # seconds
LUA = shutil.which("lua5.4") or shutil.which("lua5.3")

pytestmark = pytest.mark.skipif(LUA is None, reason="Lua is missing: run scripts/setup")


@dataclass(frozen=True)
class Project:
    """A project of two clips around a hole, in a folder whose name tries the quoting."""

    folder: Path
    song: Path
    file: Path

    def run(self, program: str, *failing: str) -> dict[str, Any]:
        """The script in the stand-in, with ``program`` for segue; the project as it is left."""
        assert LUA is not None
        done = subprocess.run(
            [LUA, str(Path(__file__).with_name("reaper_stand_in.lua")), str(SCRIPT), str(self.file), *failing],
            env={**os.environ, "SEGUE": program, "TMPDIR": str(self.folder.parent), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        left: dict[str, Any] = json.loads(done.stdout)
        return left

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def working_folders(self) -> list[Path]:
        """Made by mktemp, and to be removed."""
        return list(self.folder.parent.glob("tmp.*"))


def project_in(parent: Path, seconds: float, hole: tuple[float, float]) -> Project:
    folder = parent / 'Jo\'s "best" $songs'
    folder.mkdir()
    samples, _ = soundfile.read(EXCERPT, stop=round(seconds * RATE), dtype="float32", always_2d=True)
    song = folder / "song.wav"
    soundfile.write(song, samples, RATE, subtype="FLOAT")
    return write(folder, song, seconds, hole, hole)


def write(
    folder: Path,
    song: Path,
    seconds: float,
    hole: tuple[float, float],
    selection: tuple[float, float],
    selected: tuple[int, ...] = (1,),
) -> Project:
    def item(start: float, stop: float) -> str:
        take = f"take = {{ source = {json.dumps(str(song))}, D_STARTOFFS = {start} }}"
        return f"{{ D_POSITION = {start}, D_LENGTH = {stop - start}, {take} }}"

    file = folder / "project.lua"
    about = f"rate = {RATE}, folder = {json.dumps(str(folder))}"
    chosen = f"selection = {{ {selection[0]}, {selection[1]} }}, selected = {{ {', '.join(map(str, selected))} }}"
    clips = f"{{ items = {{ {item(0.0, hole[0])}, {item(hole[1], seconds)} }} }}"
    file.write_text(f"return {{ {about}, {chosen}, tracks = {{ {clips}, {{ items = {{}} }} }} }}\n")
    return Project(folder, song, file)


@dataclass(frozen=True)
class Filled:
    """A project of 6 s, and what a real fill left of it."""

    project: Project
    song: bytes
    left: dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """By Segue's command line with the quickest settings, as a program of its own."""
    folder = tmp_path_factory.mktemp("filled")
    project = project_in(folder, 6.0, HOLE)
    run = f'"{sys.executable}" -m segue.cli.main "$@" --steps 1 --method splice'
    return Filled(project, project.song.read_bytes(), project.run(program(folder, f"exec {run}")))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Half a second: enough for what never comes to a fill."""
    return project_in(tmp_path, 0.5, SHORT)


def program(folder: Path, line: str) -> str:
    path = folder / "a program"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o700)
    return str(path)


def untouched(left: dict[str, Any], project: Project, before: list[str]) -> bool:
    project_is = len(left["tracks"][0]) == 2 and left["undo"] == [] and left["open_blocks"] == 0
    return project_is and project.files == before and not project.working_folders


def test_the_gap_gets_an_item_at_its_place_in_one_step_of_undo(filled: Filled) -> None:
    left, project = filled.left, filled.project
    assert left["messages"] == []
    assert left["undo"] == ["Segue: Fill Gap"]
    assert (left["open_blocks"], left["accessors"]) == (0, 0)
    first, second, new = left["tracks"][0]
    assert left["tracks"][1] == []
    assert (first["D_LENGTH"], second["D_POSITION"]) == HOLE
    assert new["D_POSITION"] == pytest.approx(HOLE[0], abs=1e-9)
    assert new["D_LENGTH"] == pytest.approx(HOLE[1] - HOLE[0], abs=1e-9)
    assert (new["D_FADEINLEN"], new["D_FADEOUTLEN"], new["B_LOOPSRC"]) == (0, 0, 0)
    assert project.song.read_bytes() == filled.song
    assert project.files == ["Segue fill 1.wav", "project.lua", "song.wav"]
    assert project.working_folders == []


def test_the_items_file_is_the_track_with_the_gap_filled_and_holds_the_recipe(filled: Filled) -> None:
    take = filled.left["tracks"][0][2]["take"]
    song, _ = soundfile.read(filled.project.song, dtype="float32")
    result, rate = soundfile.read(take["source"], dtype="float32")
    a, b = (round(second * RATE) for second in HOLE)

    assert rate == RATE
    assert round(take["D_STARTOFFS"] * RATE) == a
    np.testing.assert_array_equal(result[:a], song[:a])
    np.testing.assert_array_equal(result[b:], song[b:])
    level = np.sqrt(np.mean(result[a:b] ** 2) / np.mean(song[a:b] ** 2))
    assert 0.3 < level < 3
    assert read_recipe(Path(take["source"])).parameters["gaps"] == [[a, b]]


def test_segues_refusal_is_shown_in_its_own_words_and_leaves_nothing(project: Project, tmp_path: Path) -> None:
    before = project.files
    left = project.run(program(tmp_path, 'echo "segue: the disk is full: make room" >&2; exit 5'))
    assert left["messages"] == ["segue: the disk is full: make room"]
    assert untouched(left, project, before)


def test_a_missing_segue_is_said_with_what_to_do(project: Project) -> None:
    before = project.files
    left = project.run("no such segue")
    assert "SEGUE" in left["messages"][0]
    assert untouched(left, project, before)


@pytest.mark.parametrize("function", ["AddTakeToMediaItem", "SetMediaItemTake_Source", "PCM_Source_CreateFromFile"])
def test_an_item_that_cannot_be_made_leaves_no_half_of_it(project: Project, tmp_path: Path, function: str) -> None:
    before = project.files
    left = project.run(program(tmp_path, 'cp "$2" "$4"'), function)
    assert len(left["messages"]) == 1
    assert untouched(left, project, before)


@pytest.mark.parametrize(
    ("selection", "selected", "word"),
    [((0.2, 0.2), (1,), "gap"), (SHORT, (), "one track"), (SHORT, (1, 2), "one track"), ((0.1, 0.3), (1,), "item")],
)
def test_a_selection_that_cannot_be_filled_is_refused_before_segue_runs(
    project: Project, selection: tuple[float, float], selected: tuple[int, ...], word: str
) -> None:
    before = project.files
    left = write(project.folder, project.song, 0.5, SHORT, selection, selected).run("/bin/false")
    assert word in left["messages"][0]
    assert untouched(left, project, before)

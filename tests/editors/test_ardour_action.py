"""The Ardour action in a real session, as far as that goes without windows: selection, dialogs and import stand in.

What is real: the session, its playlist and regions, what is read from the track, Segue's command line, the file that is
handed to Ardour's import, and the region's fades.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as Xml
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
EDITORS = ROOT / "examples" / "editors"
ACTION = EDITORS / "ardour" / "segue_fill_gap.lua"
EXCERPT = ROOT / "examples" / "music" / "upbeat.flac"
RATE = 44100
LENGTH, HOLE = 6 * RATE, (3 * RATE, 3 * RATE + RATE // 2)  # samples

pytestmark = pytest.mark.skipif(shutil.which("ardour7-lua") is None, reason="Ardour 7 is missing: run scripts/setup")


def make_session() -> Any:
    """The example that writes sources and regions into a session."""
    path = ROOT / "examples" / "ardour_session" / "make_session.py"
    spec = importlib.util.spec_from_file_location("make_session", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Session:
    """A session with two clips around a hole, in a folder whose name tries the quoting."""

    folder: Path
    song: Path

    def act(self, segue: str, first: int, last: int) -> list[str]:
        """The action on a selection; what it said and did, line by line."""
        command = [str(ACTION), str(first), str(last), str(self.folder.parent)]
        lua("ardour_fill.lua", [str(self.folder), self.folder.name, *command], self.folder.parent, SEGUE=segue)
        return (self.folder.parent / "notes").read_text().splitlines()

    def places(self) -> list[tuple[str | None, str | None]]:
        """Where in its source, how long and at what time each region is."""
        return [(region.get("start"), region.get("length")) for region in self.regions()]

    def regions(self) -> list[dict[str, str]]:
        tree = Xml.parse(self.folder / f"{self.folder.name}.ardour")
        track = next(playlist for playlist in tree.iter("Playlist") if playlist.get("name") == "Song")
        return [dict(region.attrib) for region in track.iter("Region")]


def lua(script: str, arguments: list[str], home: Path, **environment: str) -> None:
    done = subprocess.run(
        ["ardour7-lua", str(Path(__file__).with_name(script)), *arguments],
        env={
            **os.environ,
            "HOME": str(home),
            "TMPDIR": str(home),
            "SEGUE_EDITORS": str(EDITORS),
            "OMP_NUM_THREADS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The session, not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "Jo's $songs" / "session"
    folder.parent.mkdir()
    song = folder.parent / "song.wav"
    samples, _ = soundfile.read(EXCERPT, stop=LENGTH, dtype="float32", always_2d=True)
    soundfile.write(song, samples, RATE, subtype="FLOAT")
    lua("ardour_create.lua", [str(folder), folder.name, str(RATE)], folder.parent)
    example = make_session()
    frames = example.copy_audio(song, folder / "interchange" / folder.name / "audiofiles")
    example.lay_clips(folder / f"{folder.name}.ardour", RATE, frames, (0, HOLE[0]), (HOLE[1], frames))
    return Session(folder, song)


@pytest.fixture
def session(made: Session, tmp_path: Path) -> Session:
    home = tmp_path / made.folder.parent.name
    shutil.copytree(made.folder.parent, home)
    return Session(home / made.folder.name, home / made.song.name)


def program(folder: Path, line: str) -> str:
    path = folder / "a program"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o700)
    return str(path)


def test_the_selected_range_is_filled_from_what_the_track_plays_and_imported_at_its_place(session: Session) -> None:
    home = session.folder.parent
    run = f'"{sys.executable}" -m segue.cli.main "$@" --steps 1 --method splice'
    heard = home / "heard.wav"
    notes = session.act(program(home, f'cp "$2" {shlex.quote(str(heard))} && exec {run}'), *HOLE)

    assert notes == ["window closed", f"import distinct files, to track, at {HOLE[0]} on Song"]
    song, _ = soundfile.read(session.song, dtype="float32")
    played, rate = soundfile.read(heard, dtype="float32")
    assert rate == RATE
    assert played.shape == song.shape
    assert not played[slice(*HOLE)].any()
    for part in (slice(0, HOLE[0]), slice(HOLE[1], LENGTH)):
        np.testing.assert_array_equal(played[part], song[part])
    new, _ = soundfile.read(home / "imported.wav", dtype="float32")
    assert new.shape == (HOLE[1] - HOLE[0], 2)
    level = np.sqrt(np.mean(new**2) / np.mean(song[slice(*HOLE)] ** 2))
    assert 0.3 < level < 3
    assert len(session.regions()) == 3
    assert session.regions()[-1]["fade-in-active"] == "0"
    assert list(home.glob("tmp.*")) == []


@pytest.mark.parametrize(
    ("line", "first", "last", "words"),
    [
        ('echo "segue: the disk is full: make room" >&2; exit 5', *HOLE, "message segue: the disk is full: make room"),
        ("exit 1", 100, 100, "message Select the gap as a range first."),
    ],
)
def test_a_refusal_is_shown_and_the_session_stays_as_it_was(
    session: Session, line: str, first: int, last: int, words: str
) -> None:
    before = session.places()
    notes = session.act(program(session.folder.parent, line), first, last)
    assert notes[-1] == words
    assert not any(note.startswith("import") for note in notes)
    assert session.places() == before
    assert list(session.folder.parent.glob("tmp.*")) == []

"""Folders of audio, and that a format of one's own takes one class and one line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.arrangement.bounce import Bounce, bounce
from segue.arrangement.contract import Filled
from segue.arrangement.gaps import Wanted
from segue.arrangement.model import AudioClip, Project, Tempo, Track
from segue.arrangement.registry import FORMATS, open_project
from segue.clip.files import AudioFile, read_audio
from segue.errors import InvalidRequest
from segue.render.settings import Progress, RenderSettings
from segue.service.pool import Pool
from segue.service.settings import DeviceSettings
from segue.service.store.store import Store
from tests.songs import loop_song

RATE = 22050
QUICK = Bounce(settings=RenderSettings(steps=1, method="splice"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files with a hole each, one whole one, and one of another kind."""
    path = tmp_path_factory.mktemp("stems") / "stems"
    (path / "more").mkdir(parents=True)
    for name, hole in (("a.wav", (3.0, 3.4)), ("more/b.wav", (4.0, 4.5)), ("whole.wav", None)):
        song = loop_song(RATE, 8.0).T.copy()
        if hole:
            song[round(hole[0] * RATE) : round(hole[1] * RATE)] = 0.0
        soundfile.write(path / name, song, RATE, subtype="PCM_24")
    (path / "notes.txt").write_text("no audio")
    return path


def pool(store: Path) -> Pool:
    return Pool([DeviceSettings(threads=1)], Store(store))


def test_a_folder_s_silences_are_filled_and_all_else_is_kept_bit_for_bit(folder: Path, tmp_path: Path) -> None:
    asked = Bounce(pattern="**/*.wav", settings=QUICK.settings)
    seen: list[Progress] = []
    done = bounce(folder, tmp_path / "out", lambda: pool(tmp_path / "store"), asked, seen.append)
    assert seen[-1].fraction == 1.0
    assert sorted(p.relative_to(done.path).as_posix() for p in done.path.rglob("*.wav")) == ["a.wav", "more/b.wav"]
    for name, (start, stop) in (("a.wav", (3.0, 3.4)), ("more/b.wav", (4.0, 4.5))):
        one, _ = soundfile.read(folder / name, dtype="int32")
        two, _ = soundfile.read(done.path / name, dtype="int32")
        gap = slice(round(start * RATE), round(stop * RATE))
        changed = np.flatnonzero((one != two).any(axis=1))
        assert gap.start - 3 <= changed.min()
        assert changed.max() < gap.stop + 3, "only digital silence, which music may touch with a sample or two"
        assert np.abs(two[gap]).max() > 2**20
    report = json.loads((done.folder / "report.json").read_text())
    assert [len(track["places"]) for track in report["tracks"]] == [1, 1, 0]
    assert done.failed == 0


def test_folders_refuse_what_leads_out_of_them(folder: Path, tmp_path: Path) -> None:
    for pattern, says in (("../*.wav", "inside of the folder"), ("*.flac", "fits the pattern")):
        with pytest.raises(InvalidRequest, match=says):
            open_project(folder, pattern)
    with pytest.raises(InvalidRequest, match="outside of it"):
        open_project(folder).check_out(folder / "out")
    with pytest.raises(InvalidRequest, match="does not exist"):
        open_project(tmp_path / "nothing.rpp")
    with pytest.raises(InvalidRequest, match=r"\.dawproject"):
        open_project(folder / "notes.txt")


@dataclass(frozen=True)
class ListProject:
    """A list of clips: file, start, stop."""

    path: Path
    project: Project

    def audio(self, source: str) -> AudioFile:
        return read_audio(self.path.parent / source)

    def check_out(self, out: Path) -> None:
        assert out.suffix == ".cliplist"

    def write(self, out: Path, filled: Sequence[Filled]) -> None:
        out.write_text(self.path.read_text() + "".join(f"{one.path.name} {one.start} {one.length}\n" for one in filled))


@dataclass(frozen=True)
class ListFormat:
    """The whole of a fourth format."""

    suffixes: tuple[str, ...] = (".cliplist",)

    def open(self, path: Path, pattern: str) -> ListProject:
        del pattern
        rows = [line.split() for line in path.read_text().splitlines()]
        clips = tuple(AudioClip(name, name, float(a), float(b), float(a)) for name, a, b in rows)
        return ListProject(path, Project(path.stem, "list", Tempo.constant(120.0), (Track("1", "All", clips),)))


def test_a_fourth_format_takes_one_file(folder: Path, tmp_path: Path) -> None:
    FORMATS.register("list", ListFormat)
    path = folder / "song.cliplist"
    path.write_text("a.wav 0 3\na.wav 3.4 6\na.wav 6 8\n")
    asked = Bounce(wanted=Wanted(transitions=True, overlap=0.5), settings=RenderSettings(steps=1))
    done = bounce(path, tmp_path / "out.cliplist", lambda: pool(tmp_path / "store"), asked)
    assert done.path.read_text().splitlines()[3:] == [
        f"All_001_3.000s.wav {3 * RATE} {round(0.4 * RATE)}",
        f"All_002_5.750s.wav {6 * RATE - round(0.25 * RATE)} {2 * round(0.25 * RATE)}",
    ]
    assert [place["task"] for place in done.report["tracks"][0]["places"]] == ["infill", "regenerate"]
    listen, _ = soundfile.read(done.folder / "All_002_5.750s in context.wav", dtype="float32")
    assert 0.01 < np.sqrt(np.mean(listen**2)) < 1.0


def test_a_place_that_fails_is_named_and_the_others_are_written(folder: Path, tmp_path: Path) -> None:
    """A splice can fill a gap; there is none that varies what is there."""
    hole, rest = loop_song(RATE, 8.0).T.copy(), tmp_path / "joined"
    rest.mkdir()
    hole[4 * RATE : 5 * RATE] = 0.0
    soundfile.write(rest / "a.wav", hole, RATE)
    path = rest / "song.brokenlist"
    FORMATS.register("broken list", lambda: ListFormat((".brokenlist",)))
    path.write_text("a.wav 0 2\na.wav 2 4\na.wav 5 8\n")
    asked = Bounce(wanted=Wanted(transitions=True, overlap=0.5), settings=QUICK.settings)
    done = bounce(path, rest / "out.cliplist", lambda: pool(tmp_path / "store"), asked)
    joint, gap = done.report["tracks"][0]["places"]
    assert done.failed == 1
    assert "failed" in joint
    assert "failed" not in gap
    assert done.path.read_text().count("All_002") == 1
    assert joint["failed"] in (done.folder / "report.html").read_text().replace("&#x27;", "'")

"""``segue bounce`` from end to end: the example's song, rendered by a real process, resumed from the store."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.arrangement.container import Container
from segue.arrangement.registry import open_project
from segue.arrangement.timeline import lay_out
from segue.cli.main import run

MAKE = Path(__file__).parents[2] / "examples" / "arrangement" / "make.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example's song as a DAWproject and as a REAPER project."""
    make: Callable[[Path], tuple[Path, Path]] = runpy.run_path(str(MAKE))["make"]
    return make(tmp_path_factory.mktemp("song"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return ["--store", str(tmp_path_factory.mktemp("store")), "--method", "splice", "--steps", "1"]


def bounced(path: Path, out: Path, *options: str) -> int:
    return run(["bounce", str(path), "--track", "Drums", "-o", str(out), *options])


def test_a_dawproject_is_filled_and_a_second_run_renders_nothing(
    made: tuple[Path, Path], store: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = made[0].read_bytes()
    reports = []
    for name in ("one", "two"):
        assert bounced(made[0], tmp_path / f"{name}.dawproject", "--json", *store) == 0
        reports.append(json.loads(capsys.readouterr().out)["report"])
    places = [report["tracks"][0]["places"][0] for report in reports]
    assert [place["from_store"] for place in places] == [False, True]
    assert places[0]["seconds"] == pytest.approx([6.0, 7.0])
    assert places[0]["beats"] == pytest.approx([12.0, 14.0])
    names = [(tmp_path / f"{name} Segue" / places[0]["file"]) for name in ("one", "two")]
    assert np.array_equal(*(soundfile.read(name)[0] for name in names))
    projects = [Container(tmp_path / f"{name}.dawproject").read("project.xml") for name in ("one", "two")]
    assert projects[0] == projects[1]
    assert made[0].read_bytes() == before
    project = open_project(tmp_path / "one.dawproject")
    tracks = [project.project.track(name) for name in ("Drums", "Segue Drums")]
    drums, fill = (lay_out(track, project.audio) for track in tracks)
    assert fill.sounding[0].start == drums.sounding[0].stop
    assert fill.sounding[0].stop == drums.sounding[1].start
    missing = slice(fill.sounding[0].start, fill.sounding[0].stop)
    level = np.sqrt(np.mean(fill.played[:, missing] ** 2)) / np.sqrt(np.mean(drums.played**2))
    assert 0.1 < level < 10.0
    page = (tmp_path / "one Segue" / "report.html").read_text()
    assert page.count("<audio") == 2


def test_a_reaper_project_s_fades_against_clicks_are_undone_at_the_gap(
    made: tuple[Path, Path], store: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both tracks together are the whole song where it is known, also under the 10 ms fades at the gap."""
    out = made[1].with_name("filled.rpp")
    assert bounced(made[1], out, *store) == 0
    assert "6.000:7.000  gap" in capsys.readouterr().out
    project = open_project(out)
    drums, fill = (lay_out(project.project.track(name), project.audio) for name in ("Drums", "Segue Drums"))
    total = drums.played.copy()
    total[:, : fill.length] += fill.played
    for number, first in ((1, 0.0), (2, 7.0)):
        source, rate = soundfile.read(made[1].parent / "audio" / f"drums-{number}.wav", dtype="float32")
        near = slice(round(5.9 * rate), 6 * rate) if number == 1 else slice(7 * rate, round(7.1 * rate))
        own = slice(near.start - round(first * rate), near.stop - round(first * rate))
        assert np.abs(total[:, near].T - source[own]).max() < 1e-6
        assert np.abs(drums.played[:, near].T - source[own]).max() > 1e-3, "alone, the track fades there"


def test_the_project_itself_and_what_exists_are_refused(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bounced(made[0], made[0], "--force") == 2
    assert "never written" in capsys.readouterr().err
    taken = tmp_path / "there.dawproject"
    taken.write_bytes(b"mine")
    assert bounced(made[0], taken) == 2
    assert taken.read_bytes() == b"mine"
    assert bounced(made[1], tmp_path / "elsewhere.rpp") == 2
    assert "own folder" in capsys.readouterr().err
    assert run(["bounce", str(made[0]), "--track", "Bass", "-o", str(tmp_path / "x.dawproject")]) == 2
    assert "tracks with audio: Drums" in capsys.readouterr().err
    assert run(["bounce", str(made[0]), "--jobs", "0", "-o", str(tmp_path / "x.dawproject")]) == 2


def test_a_place_that_fails_is_named_and_the_exit_code_says_so(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--store", str(tmp_path / "store"), "--method", "nonsense"]
    assert bounced(made[0], tmp_path / "out.dawproject", *options) == 5
    assert "none of 1 places could be rendered" in capsys.readouterr().err
    assert not (tmp_path / "out.dawproject").exists()

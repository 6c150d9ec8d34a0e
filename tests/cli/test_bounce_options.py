"""``segue bounce`` with each of its options: styles, transitions, markers, several at once, a Ray cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from segue.arrangement.registry import open_project
from segue.arrangement.timeline import lay_out
from segue.cli.main import run
from tests.arrangement.projects import item, reaper
from tests.ray_cluster import RayCluster
from tests.songs import loop_song

RATE = 22050
HOLE = (3.0, 3.4)
SPLICED = ("--method", "splice", "--steps", "1")


@pytest.fixture(scope="module")
def stems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files with a hole each."""
    path = tmp_path_factory.mktemp("options") / "stems"
    path.mkdir()
    for seed in (0, 1):
        song = loop_song(RATE, 8.0, seed).T.copy()
        song[round(HOLE[0] * RATE) : round(HOLE[1] * RATE)] = 0.0
        soundfile.write(path / f"{seed}.wav", song, RATE, subtype="FLOAT")
    return path


def bounced(project: Path, out: Path, *options: str) -> int:
    return run(["bounce", str(project), "-o", str(out), "--store", str(out.parent / "store"), *options])


def read(folder: Path) -> list[np.ndarray]:
    return [soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob("*.wav"))]


def test_a_preset_is_heard_in_the_gap_alone_and_named_in_the_recipe(
    stems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bounced(stems, tmp_path / "styled", "--preset", "no such") == 2
    assert "no such" in capsys.readouterr().err
    assert bounced(stems, tmp_path / "styled", "--pattern", "0.wav", *SPLICED, "--preset", "telephone") == 0
    report = json.loads((tmp_path / "styled Segue" / "report.json").read_text())
    assert "telephone" in json.dumps(report["tracks"][0]["places"][0]["recipe"])
    (before, _), (styled,) = read(stems), read(tmp_path / "styled")
    gap = slice(round(HOLE[0] * RATE), round(HOLE[1] * RATE))
    outside = np.ones(len(before), bool)
    outside[gap.start - 3 : gap.stop + 3] = False
    assert np.array_equal(before[outside], styled[outside])
    missing = loop_song(RATE, 8.0).T
    heard, usual = (above(400.0, song[gap.start + 1000 : gap.stop - 1000]) for song in (styled, missing))
    assert heard > 2.0 * usual, "a telephone takes the bass away"


def test_another_songs_sound_plays_what_is_made_and_its_name_is_in_the_recipe(stems: Path, tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).normal(0.0, 0.1, (6 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "hiss.wav", hiss, RATE, subtype="FLOAT")
    heard = {}
    for name, options in (("own", ()), ("other", ("--sound-from", str(tmp_path / "hiss.wav")))):
        asked = ("--pattern", "0.wav", "--method", "mean", *options)
        assert bounced(stems, tmp_path / name, *asked) == 0
        gap = slice(round(HOLE[0] * RATE) + 1000, round(HOLE[1] * RATE) - 1000)
        heard[name] = flatness(read(tmp_path / name)[0][gap])
    assert heard["other"] > 10.0 * heard["own"], "noise plays"
    report = json.loads((tmp_path / "other Segue" / "report.json").read_text())
    assert "hiss.wav" in json.dumps(report["tracks"][0]["places"][0]["recipe"])


def flatness(audio: np.ndarray) -> float:
    """Geometric over arithmetic mean of the power up to 8 kHz: near 0.56 for noise, 0 for tones."""
    power = np.abs(np.fft.rfft(audio.mean(1) * np.hanning(len(audio)))) ** 2
    heard = power[: round(8000.0 * len(audio) / RATE)]
    return float(np.exp(np.log(heard + 1e-20).mean()) / heard.mean())


def above(hertz: float, audio: np.ndarray) -> float:
    """The share of the power that lies above a frequency."""
    power = np.abs(np.fft.rfft(audio.mean(1))) ** 2
    return float(power[round(hertz * len(audio) / RATE) :].sum() / power.sum())


def test_transitions_and_marked_regions_are_rendered_where_asked_and_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two clips that adjoin at 4 s, and a region named segue from 1 to 1.5 s."""
    song = loop_song(RATE, 8.0).T
    (tmp_path / "audio").mkdir()
    for name, start in (("one", 0.0), ("two", 4.0)):
        part = song[round(start * RATE) : round((start + 4.0) * RATE)]
        soundfile.write(tmp_path / "audio" / f"{name}.wav", part, RATE, subtype="FLOAT")
    items = item(0, 4, "audio/one.wav") + item(4, 4, "audio/two.wav")
    marks = '  MARKER 1 1 segue 1\n  MARKER 1 1.5 "" 1\n'
    path = reaper(tmp_path / "song.rpp", items, head=marks)
    before = path.read_bytes()
    assert bounced(path, tmp_path / "same.rpp", "--track", "Drums") == 0
    assert "nothing to render" in capsys.readouterr().out
    assert (tmp_path / "same.rpp").read_bytes() == before, "without anything to fill the project is the same"
    asked = ("--transitions", "--overlap", "0.5", "--marked", "--method", "reshaped", "--steps", "1", "--json")
    assert bounced(path, tmp_path / "filled.rpp", "--track", "Drums", *asked) == 0
    report = json.loads(capsys.readouterr().out)["report"]
    places: list[dict[str, Any]] = report["tracks"][0]["places"]
    assert [(place["kind"], place["task"]) for place in places] == [
        ("marked", "regenerate"),
        ("transition", "regenerate"),
    ]
    assert [place["seconds"] for place in places] == [pytest.approx([1.0, 1.5]), pytest.approx([3.75, 4.25], abs=1e-3)]
    assert path.read_bytes() == before
    opened = open_project(tmp_path / "filled.rpp")
    drums, new = (lay_out(opened.project.track(name), opened.audio) for name in ("Drums", "Segue Drums"))
    difference = np.zeros((2, drums.length), np.float32)
    difference[:, : new.length] = new.played
    for place in places:
        span = slice(*(round(at * RATE) for at in place["seconds"]))
        made = drums.played[:, span] + difference[:, span]
        assert 0.3 < np.sqrt(np.mean(made**2) / np.mean(drums.played[:, span] ** 2)) < 3.0
        assert np.abs(difference[:, span]).max() > 1e-4, "it is another take"
        difference[:, span] = 0.0
    assert not difference.any(), "all else is as it was"
    folder = tmp_path / "filled Segue"
    page = (folder / "report.html").read_text()
    assert page.count("<audio") == 4
    assert all((folder / place[name]).is_file() for place in places for name in ("file", "listen"))


@pytest.mark.nightly
def test_jobs_at_once_and_a_ray_cluster_make_the_same_samples(stems: Path, tmp_path: Path) -> None:
    """With the network in it: samples do not depend on where, or beside what, they are made."""
    shared = ("--steps", "2")
    for name in ("one", "two", "far"):
        (tmp_path / name).mkdir()
    assert bounced(stems, tmp_path / "one" / "out", *shared) == 0
    assert bounced(stems, tmp_path / "two" / "out", *shared, "--jobs", "2") == 0
    cluster = RayCluster(1)
    try:
        assert bounced(stems, tmp_path / "far" / "out", *shared, "--ray", cluster.address) == 0
    finally:
        cluster.close()
    one, two, far = (read(tmp_path / name / "out") for name in ("one", "two", "far"))
    assert len(one) == len(two) == len(far) == 2
    for first, second, third in zip(one, two, far, strict=True):
        assert np.array_equal(first, second)
        assert np.array_equal(first, third)


def test_a_cluster_that_is_not_there_and_options_that_exclude_each_other_are_refused(
    stems: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bounced(stems, tmp_path / "x", "--ray", "auto", "--jobs", "2") == 2
    assert "--jobs" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()

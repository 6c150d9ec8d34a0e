"""``segue transition`` as it is typed: the plan alone, its picture, the plain way, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.image
import pytest
import soundfile

from segue.cli.main import run
from tests.joint.drum_tracks import RATE, drum_track


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    soundfile.write(folder / "a.wav", drum_track(90.0, 6).audio.T, RATE, subtype="PCM_16")
    soundfile.write(folder / "b.wav", drum_track(97.0, 6, tonic=2).audio.T, RATE, subtype="PCM_16")
    return folder


def test_a_dry_run_prints_and_draws_the_plan_and_renders_nothing(
    tracks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "plan.png"
    argv = ["transition", str(tracks / "a.wav"), str(tracks / "b.wav"), "--bars", "2", "--overlap", "1.5"]
    assert run([*argv, "--dry-run", "--plan", str(picture)]) == 0
    text = capsys.readouterr().out
    for word in ("90.0", "97.0", "C major (8B)", "D major (10B)", "LUFS", "a downbeat", "all else is bit-exact"):
        assert word in text
    assert [p.name for p in tmp_path.iterdir()] == ["plan.png"]
    drawn = matplotlib.image.imread(picture)[..., :3]
    assert drawn.shape[0] > 500
    for row in (0.2, 0.55, 0.85):  # each of its three parts shows something in colour
        part = drawn[int((row - 0.05) * len(drawn)) : int((row + 0.05) * len(drawn))]
        assert float((part.max(-1) - part.min(-1)).max()) > 0.3
    assert run([*argv, "--dry-run", "--plan", str(picture)]) == 2
    assert "plan.png exists" in capsys.readouterr().err


def test_json_of_a_dry_run_holds_the_plan(tracks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["transition", str(tracks / "a.wav"), str(tracks / "b.wav"), "--dry-run", "--json", "--no-match-tempo"]
    assert run([*argv, "--bars", "2", "--overlap", "1"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["overlap"] == RATE
    assert "tempo" not in plan["matched"]
    assert any("as asked" in note for note in plan["notes"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--plain", "--match-key", "-o", "x.wav"], "--plain"),
        (["--plain", "--dry-run"], "--plain"),
        ([], "--out"),
        (["--bars", "0", "-o", "x.wav"], "bars"),
        (["--dry-run", "--at-a", "999"], "--at-a 999"),
        (["--dry-run", "--plan", "plan.pdf"], "plan.png"),
        (["--dry-run", "--overlap", "60"], "overlap"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    tracks: Path, options: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["transition", str(tracks / "a.wav"), str(tracks / "b.wav"), *options]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.count("\n") == 1

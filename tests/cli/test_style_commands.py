"""Styles on the command line: presets are listed, shown and begun; options become the style that is rendered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import platformdirs
import pytest
import soundfile

from segue.cli.main import run
from segue.style.preset import embedded_presets, load_preset
from tests.songs import loop_song

RATE = 44100


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of data, for this test alone."""
    monkeypatch.setattr(platformdirs, "user_data_path", lambda name: tmp_path / "data" / name)
    return tmp_path / "data" / "segue" / "presets"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("music") / "music.wav"
    soundfile.write(path, loop_song(RATE, 7.0).T, RATE, subtype="PCM_24")
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_presets_are_listed_shown_and_begun(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["presets", "list"]) == 0
    names = {path.stem for path in embedded_presets().glob("*.toml")}
    listed = capsys.readouterr().out.splitlines()
    assert {line.split("  ")[0] for line in listed} == names
    assert run(["presets", "new", "my own", "--from", "calm"]) == 0
    assert capsys.readouterr().out.strip() == str(own_folder / "my own.toml")
    assert run(["presets", "show", "my own"]) == 0
    assert load_preset("calm").about in capsys.readouterr().out
    (own_folder / "broken.toml").write_text("about =")
    assert run(["presets", "list", "--json"]) == 0
    rows = {row["name"]: row for row in printed(capsys)["presets"]}
    assert set(rows) == names | {"my own", "broken"}
    assert "is not TOML" in rows["broken"]["error"] and rows["my own"]["error"] is None


def test_restyle_takes_a_preset_a_curve_and_less_of_it(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve, out = tmp_path / "loud.csv", tmp_path / "out.wav"
    curve.write_text("seconds,value\n3,-20\n3.5,-12\n")
    options = ["--preset", "old radio", "--tags", "jazz:0.8", "--follow", f"loudness={curve}", "--amount", "0.5"]
    command = ["restyle", str(music), "--gap", "3:3.6", "-o", str(out), "--steps", "1", "--json", *options]
    assert run(command) == 0
    result = printed(capsys)
    style = result["recipe"]["parameters"]["style"]
    assert style["preset"] == "old radio" and style["style"] == [[0.0, 0.5]]
    kinds = {term["kind"]: term for term in style["terms"]}
    assert kinds["tags"]["wanted"] == [["jazz", 0.8]]
    assert kinds["follow"]["points"] == [[3.0, -20.0], [3.5, -12.0]]
    assert style["chain"][0]["kind"] == "highpass"
    assert result["report"]["gaps"][0]["candidates"][0]["wish"] is not None
    assert soundfile.info(out).frames == 7 * RATE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "restyling needs a style"),
        (["--preset", "no such"], "unknown preset 'no such'"),
        (["--tags", "polka"], "knows no tag 'polka'"),
        (["--match", "smell"], "unknown feature 'smell'"),
        (["--follow", "loudness"], "as in loudness=curve.csv"),
        (["--follow", "loudness=gone.csv"], "loudness must be a number or a CSV or JSON file"),
        (["--tags", "rock", "--amount", "2"], "expected the curve style in 0 to 1"),
        (["--tags", "rock", "--guidance", "3"], "expected the curve guidance in 0 to 2"),
        (["--reference", "gone.wav"], "gone.wav"),
        (["--prompt", "xyz"], "names none of the tags"),
    ],
)
def test_styles_that_cannot_be_are_refused_before_any_work(
    music: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    assert run(["restyle", str(music), "--gap", "3:3.6", "-o", str(out), "--quiet", *options]) in (2, 3)
    assert message in capsys.readouterr().err
    assert not out.exists()

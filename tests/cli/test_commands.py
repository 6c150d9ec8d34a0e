"""The commands from end to end, on real music with the embedded bundle."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from segue.cli.main import run

EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"
RATE = 44100
QUICK = ["--steps", "1", "--quiet"]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of 24-bit stereo."""
    path = tmp_path_factory.mktemp("music") / "music.wav"
    samples, rate = soundfile.read(EXCERPT, stop=8 * RATE, always_2d=True)
    soundfile.write(path, samples, rate, subtype="PCM_24")
    return path


def native(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="int32", always_2d=True)
    return np.asarray(samples)


@pytest.fixture(scope="module")
def filled(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("filled") / "out.wav"
    extras = ["--report", str(out.with_suffix(".json")), "--plot", str(out.with_suffix(".png"))]
    assert run(["fill", str(music), "--gap", "4.0:4.8", "-o", str(out), *QUICK, *extras]) == 0
    return out


def object_printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_fill_changes_the_gap_and_not_one_sample_else(music: Path, filled: Path) -> None:
    before, after = native(music), native(filled)
    assert soundfile.info(filled).subtype == "PCM_24"
    a, b = 4 * RATE, round(4.8 * RATE)
    assert np.array_equal(after[:a], before[:a])
    assert np.array_equal(after[b:], before[b:])
    assert np.abs(after[a:b]).max() > 0
    assert not np.array_equal(after[a:b], before[a:b])


def test_fill_writes_the_report_and_the_plot_it_was_asked_for(filled: Path) -> None:
    report = json.loads(filled.with_suffix(".json").read_text())
    assert report["task"] == "infill"
    assert report["gaps"][0]["gap_seconds"] == [4.0, 4.8]
    assert report["gaps"][0]["candidates"]
    assert filled.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_rerun_gives_the_same_samples(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rerun", str(filled), "--quiet"]) == 0
    again = filled.with_name("out-rerun.wav")
    assert np.array_equal(native(again), native(filled))
    assert capsys.readouterr().out == ""


def test_info_shows_the_recipe_of_a_filled_file(music: Path, filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(filled), "--json"]) == 0
    facts = object_printed(capsys)
    assert (facts["rate"], facts["channels"], facts["subtype"], facts["seconds"]) == (RATE, 2, "PCM_24", 8.0)
    assert facts["recipe"]["task"] == "infill"
    assert run(["info", str(music), "--json"]) == 0
    assert object_printed(capsys)["recipe"] is None


@pytest.mark.parametrize("backward", [False, True])
def test_extend_adds_music_and_keeps_the_rest(music: Path, tmp_path: Path, backward: bool) -> None:
    out = tmp_path / "out.wav"
    flags = ["--backward"] if backward else []
    assert run(["extend", str(music), "--seconds", "0.4", "-o", str(out), *flags, *QUICK]) == 0
    before, after, added = native(music), native(out), round(0.4 * RATE)
    assert len(after) == len(before) + added
    kept, new = (after[added:], after[:added]) if backward else (after[:-added], after[-added:])
    assert np.array_equal(kept, before)
    assert np.abs(new).max() > 0


def test_regenerate_follows_a_curve_file_and_writes_its_candidates_side_by_side(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = tmp_path / "freedom.csv"
    curve.write_text("seconds,value\n5.0,0.2\n5.4,0.9\n")
    out, second = tmp_path / "out.wav", tmp_path / "out-2.wav"
    argv = ["regenerate", str(music), "--gap", "5:5.4", "--freedom", str(curve), "-o", str(out)]
    assert run([*argv, "--steps", "1", "--candidates", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-2:] == [str(out), str(second)]
    assert "MB" in captured.err.splitlines()[0]  # the preflight line: time and memory, before any work
    assert sorted(tmp_path.iterdir()) == sorted([curve, out, second])
    before = native(music)
    for path in (out, second):
        after = native(path)
        assert np.array_equal(after[: 5 * RATE], before[: 5 * RATE])
        assert np.array_equal(after[round(5.4 * RATE) :], before[round(5.4 * RATE) :])
    assert not np.array_equal(native(out), native(second))


def test_transition_keeps_both_tracks_outside_the_overlap(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, overlap = tmp_path / "out.wav", round(0.4 * RATE)
    argv = [
        "transition",
        str(music),
        str(music),
        "--plain",
        "--overlap",
        "0.4",
        "-o",
        str(out),
        "--steps",
        "1",
        "--json",
    ]
    assert run(argv) == 0
    printed = object_printed(capsys)
    assert (printed["path"], printed["paths"]) == (str(out), [str(out)])
    assert printed["report"]["task"] == printed["recipe"]["task"] == "transition"
    source, joined = native(music), native(out)
    assert len(joined) == 2 * len(source) - overlap
    assert np.array_equal(joined[: len(source) - overlap], source[:-overlap])
    assert np.array_equal(joined[len(source) :], source[overlap:])


def test_fill_takes_the_sound_from_another_song_and_rerun_asks_for_it(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, out = tmp_path / "other.wav", tmp_path / "out.wav"
    soundfile.write(other, np.random.default_rng(0).normal(0, 0.1, (2 * RATE, 2)), RATE, subtype="PCM_16")
    argv = [
        "fill",
        str(music),
        "--gap",
        "5:5.4",
        "--sound-from",
        str(other),
        "--method",
        "mean",
        "-o",
        str(out),
        "--json",
    ]
    assert run(argv) == 0
    printed = object_printed(capsys)
    assert printed["recipe"]["sources"] == ["music.wav", "other.wav"]
    assert all("of another song" in take["how"] for take in printed["report"]["gaps"][0]["candidates"])
    other.unlink()
    assert run(["rerun", str(out), "--quiet"]) == 2
    assert "needs other.wav" in capsys.readouterr().err


REFUSED = {
    "gap beyond the end": ("fill {music} --gap 7:9 {out}", 2, "8.000"),
    "gap that is none": ("fill {music} --gap later {out}", 2, "later"),
    "no silence to fill": ("fill {music} {out}", 2, "--gap"),
    "freedom over 1": ("regenerate {music} --gap 5:6 --freedom 2 {out}", 2, "freedom"),
    "overlap too long": ("transition {music} {music} --overlap 8 {out}", 2, "overlap"),
    "no number": ("extend {music} --seconds nan {out}", 2, "nan"),
    "nothing to add": ("extend {music} --seconds 0 {out}", 2, "got 0"),
    "unknown sampler": ("fill {music} --gap 5:6 --sampler magic {out}", 2, "magic"),
    "missing file": ("fill {here}/none.wav --gap 5:6 {out}", 3, "none.wav"),
    "not audio": ("info {here}/there.wav", 3, "there.wav"),
    "no song to take the sound from": ("fill {music} --gap 5:6 --sound-from {here}/there.wav {out}", 3, "there.wav"),
    "no recipe": ("rerun {music} {out}", 3, "recipe"),
    "no bundle": ("fill {music} --gap 5:6 --bundle {here}/nowhere {out}", 4, "nowhere"),
    "file in the way": ("fill {music} --gap 5:6 -o {here}/there.wav", 2, "there.wav"),
    "folder in the way": ("fill {music} --gap 5:6 --force -o {here}/folder.wav", 3, "something else"),
    "missing audio file": ("info {here}/none.wav", 3, "none.wav is not there"),
    "plot without folder": ("fill {music} --gap 5:6 {out} --plot {here}/no/p.png", 2, "does not exist"),
    "plot of another kind": ("fill {music} --gap 5:6 {out} --plot {here}/p.pdf", 2, "p.png"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_has_its_code_says_why_and_writes_nothing(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    there = tmp_path / "there.wav"
    there.write_bytes(b"precious")
    (tmp_path / "folder.wav").mkdir()
    line, code, reason = REFUSED[case]
    assert run(line.format(music=music, here=tmp_path, out=f"-o {tmp_path}/out.wav").split()) == code
    captured = capsys.readouterr()
    assert reason in captured.err.splitlines()[-1]
    assert captured.out == ""
    assert "load" not in captured.err.splitlines(), "it was known before any work"
    assert sorted(tmp_path.iterdir()) == [tmp_path / "folder.wav", there]
    assert there.read_bytes() == b"precious"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT")
def test_ctrl_c_in_mid_render_ends_with_130_and_leaves_nothing(music: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "segue.cli.main", "fill", str(music), "--gap", "4:6", "-o", str(tmp_path / "out.wav")]
    # started in the background, as CI may be, this process ignores Ctrl-C and its children would too
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [*argv, "--steps", "900"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,  # noqa: PLW1509  (no other thread runs)
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("sample"):
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 130
        assert process.stderr.read().splitlines()[-1].startswith("segue: stopped")
    assert list(tmp_path.iterdir()) == []


def test_doctor_finds_everything_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = object_printed(capsys)
    assert found["ok"] is True
    names = {check["name"] for check in found["checks"]}
    assert names == {"python", "torch", "onnxruntime", "audio files", "bundle", "folders", "memory", "disk"}
    assert all(check["fix"] for check in found["checks"] if check["state"] != "ok")


def test_doctor_ends_with_1_and_says_what_to_do_where_a_bundle_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--bundle", str(tmp_path / "nowhere")]) == 1
    lines = capsys.readouterr().out.splitlines()
    broken = next(i for i, line in enumerate(lines) if line.startswith("broken"))
    assert "nowhere" in lines[broken]
    assert "->" in lines[broken + 1]


def test_a_system_that_does_not_tell_of_memory_renders_all_the_same(music: Path, tmp_path: Path) -> None:
    """As Windows, which has no module resource."""
    program = "import sys; sys.modules['resource'] = None; from segue.cli.main import run; sys.exit(run(sys.argv[1:]))"
    words = [
        "fill",
        str(music),
        "--out",
        str(tmp_path / "out.wav"),
        "--gap",
        "3-3.5",
        "--steps",
        "1",
        "--method",
        "splice",
    ]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("rendered in"))
    assert "MB" not in line

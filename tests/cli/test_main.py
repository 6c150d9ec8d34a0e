"""The command line without a render: help, refusals, exit codes, and what it leaves alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from segue.cli.main import COMMANDS, run
from segue.cli.output import exit_code, refuse
from segue.cli.progress import time_left
from segue.errors import (
    AudioFileError,
    BundleRejected,
    Cancelled,
    InvalidRequest,
    NonFinite,
    ResourceError,
    SegueError,
)
from segue.plain import jsonable


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_help_imports_nothing_heavy() -> None:
    heavy = ["torch", "numpy", "scipy", "onnxruntime", "soundfile", "matplotlib", "pydantic", "jaxtyping", "rich"]
    code = (
        f"import sys; from segue.cli.main import run; run(['--help']); print([m for m in {heavy} if m in sys.modules])"
    )
    assert python("-c", code).stdout.rstrip().endswith("\n[]")


def test_help_takes_under_half_a_second_of_processor_time() -> None:
    def cost() -> float:
        before = os.times()
        assert python("-m", "segue.cli.main", "--help").returncode == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(cost() for _ in range(3)) < 0.5


def test_no_arguments_show_the_help_with_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {command.__name__} " in shown for command in COMMANDS)


@pytest.mark.parametrize("group", ["store", "keys", "presets"])
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([group]) == 0
    captured = capsys.readouterr()
    assert "list" in captured.out
    assert captured.err == ""


def test_the_version_is_told_and_nothing_heavy_imported_for_it() -> None:
    told = python("-c", "import sys; from segue.cli.main import run; run(['--version']); print('torch' in sys.modules)")
    assert re.fullmatch(r"segue \d+\.\d+\.\d+\S*\nFalse\n", told.stdout)


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_has_help_and_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    printed = capsys.readouterr().out
    assert ("--json" in printed) != (command in ("serve", "studio")), "they run until stopped, and have no result"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequest("a"), 2),
        (AudioFileError("a"), 3),
        (BundleRejected("a"), 4),
        (SegueError("a"), 5),
        (ResourceError("a"), 5),
        (NonFinite("prediction", item=0, step=1, sigma=0.5, norm=1.0), 5),
        (PermissionError(13, "denied", "x.wav"), 5),
        (MemoryError(), 5),
        (Cancelled("a"), 130),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_a_refusal_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse(InvalidRequest("gap 1:2\nis bad"), as_json=False) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "segue: gap 1:2 is bad\n"


def test_a_refusal_with_json_is_an_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse(BundleRejected("no ärger"), as_json=True) == 4
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out) == {"error": {"kind": "BundleRejected", "message": "no ärger", "exit_code": 4}}


def test_a_name_that_no_text_can_hold_is_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse(AudioFileError("latin\udcfc.wav"), as_json=True) == 3
    printed = capsys.readouterr().out
    printed.encode()
    assert json.loads(printed)["error"]["message"] == "latin\udcfc.wav"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["fill", "x.wav"], "--out"),
        (["fill", "x.wav", "-o", "y.wav", "--steps", "many"], "--steps"),
        (["extend", "x.wav", "-o", "y.wav"], "--seconds"),
        (["transition", "x.wav", "-o", "y.wav"], "RIGHT"),
        (["paint"], "paint"),
        (["fill", "x.wav", "-o", "y.wav", "--loud"], "--loud"),
    ],
)
def test_wrong_usage_is_named_with_exit_code_2(
    argv: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.err.count("\n") == 1
    assert run([*argv, "--json"]) == 2
    assert reason in json.loads(capsys.readouterr().out)["error"]["message"]


def test_json_replaces_what_json_cannot_hold() -> None:
    value = {"a": float("nan"), "b": [float("-inf"), 1.5, None, True], "c": (Path("x") / "y",)}
    assert jsonable(value) == {"a": None, "b": [None, 1.5, None, True], "c": [str(Path("x") / "y")]}


def test_time_left_reads_as_minutes_and_seconds() -> None:
    assert [time_left(s) for s in (None, 0.2, 59.6, 65.0, -1.0)] == [
        "",
        "0:00 left",
        "1:00 left",
        "1:05 left",
        "0:00 left",
    ]


def test_unexpected_errors_are_not_dressed_up_as_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("segue.cli.main.app", broken)
    with pytest.raises(ZeroDivisionError):
        run(["info", "x"])


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_ctrl_c_ends_with_130_and_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segue.cli.about.about_bundle", interrupted)
    assert run(["info", "nowhere", *flags]) == 130
    captured = capsys.readouterr()
    assert "stopped by Ctrl-C" in (captured.out if flags else captured.err)

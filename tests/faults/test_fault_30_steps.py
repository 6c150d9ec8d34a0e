"""Fault 30, as asked for on the command line: steps of 0 and -1 are refused before any work, 1 works."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from segue.cli.main import run

EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"


def test_fault_30_steps_of_0_and_minus_1_are_refused_and_1_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    samples, rate = soundfile.read(EXCERPT, stop=8 * 44100)
    soundfile.write(source, samples, rate)
    argv = ["fill", str(source), "--gap", "4:4.3", "-o", str(out), "--quiet", "--steps"]
    for steps in ("0", "-1"):
        assert run([*argv, steps]) == 2
        assert f"steps must lie in 1 to 1000, got {steps}" in capsys.readouterr().err
        assert not out.exists()
    assert run([*argv, "1"]) == 0
    assert soundfile.info(out).frames == 8 * 44100

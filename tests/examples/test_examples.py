"""The examples that teach how to add a task and a prior; those for samplers and embedders have tests of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str) -> str:
    command = [sys.executable, str(EXAMPLES / name)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def test_the_example_s_task_starts_from_the_reversed_original() -> None:
    assert "context kept: True; starts from the reversed original: True" in run("add_a_task.py")


def test_the_example_s_prior_learns_exports_like_torch_and_fills_a_gap() -> None:
    shown = run("add_a_prior.py")
    loss, error = (float(re.findall(p, shown)[0]) for p in (r"loss (\S+)", r"differ from torch by (\S+)"))
    assert loss < 0.5  # 1 is what a guess of the mean costs
    assert error < 1e-5
    assert "asks for mask, context, beat" in shown
    levels = [float(x) for x in re.findall(r"generated \(.*\): 1\.0 s at an RMS of (\S+)", shown)]
    assert len(levels) == 2
    assert all(0.03 < level < 0.3 for level in levels)

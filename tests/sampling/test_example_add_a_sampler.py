"""The example that teaches how to add a sampler runs, and its sampler works by name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "add_a_sampler.py"


def test_the_example_s_euler_sampler_recovers_the_prior() -> None:
    shown = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=120)
    lines = shown.stdout.splitlines()
    coarse, fine = ([float(x) for x in re.findall(r"(?:mean|std) (\d+\.\d+)", line)] for line in lines)
    # 16,000 samples: standard errors 0.016 and 0.011; Euler's 10 steps are further off than its 100.
    assert fine == pytest.approx([0.5, 2.0], abs=0.06)
    assert abs(coarse[1] - 2.0) > abs(fine[1] - 2.0)

"""The example that teaches how to add an embedder runs, and its embedder steers."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "add_an_embedder.py"


def test_the_example_s_centroid_falls_as_a_darker_sound_is_asked_for_more_strongly() -> None:
    shown = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=120)
    lines = shown.stdout.splitlines()
    first, *others = ([float(x) for x in re.findall(r"\d+\.\d+", line.split(":")[1])] for line in lines)
    assert first == pytest.approx([11.0, 11.0], abs=0.2)  # white noise: half of 22.05 kHz
    for previous, following in pairwise([first, *others]):
        assert all(lower < higher for higher, lower in zip(previous, following, strict=True))
    assert max(others[-1]) < 8.0

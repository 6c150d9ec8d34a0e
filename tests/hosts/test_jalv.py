"""The LV2 in jalv, with JACK's transport."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.hosts import jalv_runs
from tests.hosts.children import in_child
from tests.hosts.conftest import Filled
from tests.plugin.builds import Formats

TOOLS = ("jackd", "jalv", "lv2info")
pytestmark = pytest.mark.skipif(
    find_spec("jack") is None or not all(map(shutil.which, TOOLS)), reason="JACK or jalv is missing: run scripts/setup"
)


def test_lilv_finds_the_plug_in_and_all_its_ports(built: Formats) -> None:
    shown = subprocess.run(
        ["lv2info", "urn:segue:segue"],
        env={"LV2_PATH": str(built.lv2.parent)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    for word in ("Name:              Segue", "lv2core#isSideChain", "lv2core#freeWheeling", "Symbol:      candidate"):
        assert word in shown


def test_a_filled_gap_is_heard_where_jack_s_transport_says(built: Formats, filled: Filled, tmp_path: Path) -> None:
    song, start, frames = filled.song, filled.song.start - 5000, 60_000
    heard = in_child(jalv_runs.played, built.lv2, tmp_path, filled.state, song.audio, start, frames)
    np.testing.assert_array_equal(heard, filled.heard[:, start : start + frames])

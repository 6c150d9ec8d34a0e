"""The VST3 in pedalboard, a host without a transport: audio, state, and the position that the plug-in counts itself."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from tests.hosts import pedalboard_runs
from tests.hosts.children import in_child
from tests.hosts.conftest import Filled
from tests.hosts.holes import holed
from tests.plugin.builds import Formats

pytestmark = pytest.mark.skipif(find_spec("pedalboard") is None, reason="pedalboard is missing: run scripts/setup")


@pytest.mark.parametrize("block", [1, 480, 8192])
def test_audio_passes_bit_exactly(built: Formats, block: int) -> None:
    audio = holed(1.0, 0.4, 0.5).audio
    np.testing.assert_array_equal(in_child(pedalboard_runs.processed, built.vst3, audio, block), audio)


def test_a_state_makes_another_plug_in_the_same(built: Formats) -> None:
    first, second, same = in_child(pedalboard_runs.state_round_trip, built.vst3)
    assert (first["task"], first["freedom"], first["gap"], first["candidate"]) == ("Transition", "0.25", "1.0", "3.0")
    assert second == first
    assert same


def test_counting_by_itself_the_plug_in_plays_a_filled_gap_in_its_place(built: Formats, filled: Filled) -> None:
    heard = in_child(pedalboard_runs.played, built.vst3, filled.state, filled.song.audio, "Free run")
    np.testing.assert_array_equal(heard, filled.heard)


def test_waiting_for_the_host_s_transport_the_plug_in_passes_the_song_through(built: Formats, filled: Filled) -> None:
    heard = in_child(pedalboard_runs.played, built.vst3, filled.state, filled.song.audio, "Host")
    np.testing.assert_array_equal(heard, filled.song.audio)

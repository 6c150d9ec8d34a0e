"""The VST3 in DawDreamer: transport, automation, faster than real time."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.hosts import dawdreamer_runs, pedalboard_runs
from tests.hosts.children import in_child
from tests.hosts.conftest import Filled
from tests.hosts.holes import RATE, holed
from tests.hosts.vst3_preset import with_state
from tests.plugin.builds import Formats

pytestmark = pytest.mark.skipif(find_spec("dawdreamer") is None, reason="dawdreamer is missing: run scripts/setup")


@pytest.fixture(scope="session")
def preset(built: Formats, filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state in which the gap is filled, as a file that hosts load."""
    path = tmp_path_factory.mktemp("preset") / "filled.vstpreset"
    path.write_bytes(with_state(in_child(pedalboard_runs.preset, built.vst3), filled.state))
    return path


@pytest.mark.parametrize("block", [64, 441, 4096])
def test_without_a_render_the_song_passes_bit_exactly(built: Formats, block: int) -> None:
    audio = holed(4.0, 2.0, 2.5).audio
    np.testing.assert_array_equal(in_child(dawdreamer_runs.render, built.vst3, audio, block, {}), audio)


def test_a_filled_gap_is_heard_at_its_place(built: Formats, filled: Filled, preset: Path) -> None:
    heard = in_child(dawdreamer_runs.render, built.vst3, filled.song.audio, 512, {}, preset)
    np.testing.assert_array_equal(heard, filled.heard)


def test_automation_acts_within_a_block_of_where_it_is_drawn(built: Formats, filled: Filled, preset: Path) -> None:
    song, block = filled.song, 256
    at = song.start + 20_000
    lane = np.arange(song.frames) >= at  # 1: the original is heard
    heard = in_child(dawdreamer_runs.render, built.vst3, song.audio, block, {"Compare": lane}, preset)
    np.testing.assert_array_equal(heard[:, : at - block], filled.heard[:, : at - block])
    faded = at + block + RATE // 100
    np.testing.assert_array_equal(heard[:, faded:], song.audio[:, faded:])


def test_a_ramp_of_mix_fades_the_render_in(built: Formats, filled: Filled, preset: Path) -> None:
    song, block = filled.song, 64
    lane = np.clip((np.arange(song.frames) - song.start) / (song.stop - song.start), 0, 1)
    heard = in_child(dawdreamer_runs.render, built.vst3, song.audio, block, {"Mix": lane}, preset)
    # what is played is at most a block and a fade of 10 ms behind the lane
    late = np.maximum(lane - (block + RATE // 100) / (song.stop - song.start), 0)[song.hole]
    full = np.abs(filled.heard[:, song.hole])
    assert np.all(np.abs(heard[:, song.hole]) <= full * lane[song.hole] + 1e-6)
    assert np.all(np.abs(heard[:, song.hole]) >= full * late - 1e-6)


def test_an_offline_render_without_the_music_it_asked_for_is_refused_aloud(built: Formats) -> None:
    song = holed()
    frame = np.arange(song.frames)
    lanes = {"Gap": (frame >= song.start) & (frame < song.stop), "Render": frame >= RATE // 2}
    heard = in_child(dawdreamer_runs.render, built.vst3, song.audio, 512, lanes, until_other=True)
    assert np.abs(heard[:, song.hole]).max() == pytest.approx(10 ** (-12 / 20), rel=0.01)
    np.testing.assert_array_equal(heard[:, : song.start], song.audio[:, : song.start])
    np.testing.assert_array_equal(heard[:, song.stop :], song.audio[:, song.stop :])

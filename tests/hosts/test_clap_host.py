"""The CLAP in a small host: what it says of itself, audio, automation, state, and what of it runs at which sample."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.hosts.clap import AUTOMATABLE, STEPPED, ClapHost
from tests.hosts.conftest import Filled, ask
from tests.hosts.holes import RATE, holed

NAMES = ["Task", "Preset", "Freedom", "Guidance", "Style", "Gap", "Render", "Candidate", "Mix", "Compare", "Position"]
MARKER_PEAK = 10 ** (-12 / 20)  # of the tone that stands for a render that a bounce did not get


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, (2, RATE)).astype(np.float32)


# ---- what it says of itself ----------------------------------------------------------------------------------------


def test_fault_01_a_scan_takes_less_than_a_tenth_of_a_second_without_a_renderer() -> None:
    with ClapHost() as host:
        host.do("close")
        took = []
        for _ in range(5):
            start = time.perf_counter()
            host.do("open", host.path)
            took.append(time.perf_counter() - start)
            host.do("close")
        host.do("open", host.path)
    assert min(took) < 0.1


def test_only_its_own_id_makes_a_plug_in() -> None:
    with ClapHost(rate=0) as host:
        assert [host.do("makes", name) for name in ("segue.segue", "segue.seguex", "segue")] == ["1", "0", "0"]


def test_parameters_keep_their_numbers_names_and_ranges() -> None:
    with ClapHost(rate=0) as host:
        found = list(host.parameters.values())
    assert [each.name for each in found] == NAMES
    assert [each.id for each in found] == list(range(len(NAMES)))
    assert [each.name for each in found if not each.flags & STEPPED] == ["Freedom", "Guidance", "Style", "Mix"]
    assert [each.name for each in found if not each.flags & AUTOMATABLE] == ["Position"]
    assert all(each.minimum <= each.value == each.initial <= each.maximum for each in found)


def test_every_value_s_text_means_the_same_value() -> None:
    with ClapHost(rate=0) as host:
        for each in host.parameters.values():
            for value in np.linspace(each.minimum, each.maximum, 9):
                text = host.do("text", each.id, value)
                back = float(host.do("value", each.id, text))
                assert host.do("text", each.id, back) == text
        assert [host.do("text", 0, task) for task in (0, 3)] == ["Fill Gap", "Transition"]


# ---- audio ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["silent", "absent"])
@pytest.mark.parametrize("in_place", ["on", "off"])
def test_fault_04_blocks_of_any_size_pass_bit_exactly(noise: np.ndarray, side: str, in_place: str) -> None:
    with ClapHost(max_block=512) as host:
        host.input(noise)
        host.do("side", side)
        host.do("in-place", in_place)
        np.testing.assert_array_equal(host.play(0, RATE, 512, 0, 1, 17, 1024, 333), noise)


def test_a_track_of_one_channel_is_heard_on_both(noise: np.ndarray) -> None:
    with ClapHost() as host:
        host.input(noise)
        host.do("mono", "on")
        np.testing.assert_array_equal(host.play(0, RATE, 512, 100), noise[[0, 0]])


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 192000, 768000, 1234.5678, 45678.9])
def test_fault_05_at_any_rate_audio_passes_bit_exactly(noise: np.ndarray, rate: float) -> None:
    with ClapHost(rate) as host:
        host.input(noise)
        np.testing.assert_array_equal(host.play(0, RATE, 512), noise)


def test_a_host_without_transport_hears_its_own_audio(noise: np.ndarray) -> None:
    with ClapHost() as host:
        host.input(noise)
        host.do("transport", "off")
        np.testing.assert_array_equal(host.play(0, RATE, 100), noise)


def test_audio_passes_after_a_restart_at_another_rate(noise: np.ndarray) -> None:
    with ClapHost(44100) as host:
        host.input(noise)
        host.play(0, RATE)
        host.do("deactivate")
        host.do("activate", 96000, 64)
        np.testing.assert_array_equal(host.play(0, RATE, 64), noise)


def test_random_automation_of_all_parameters_at_any_sample_leaves_the_audio_as_it_is(noise: np.ndarray) -> None:
    draw = np.random.default_rng(5)
    with ClapHost() as host:
        host.input(noise)
        for frame in range(0, RATE, 10):
            each = host.parameters[NAMES[draw.integers(len(NAMES))]]
            host.at(frame, each.name, draw.uniform(each.minimum, each.maximum))
        np.testing.assert_array_equal(host.play(0, RATE, 2048), noise)


# ---- parameters and state ------------------------------------------------------------------------------------------


def test_events_of_other_namespaces_and_of_unknown_parameters_change_nothing() -> None:
    with ClapHost() as host:
        before = [host.get(name) for name in NAMES]
        for number in range(len(NAMES)):
            host.do("set", number, 1.0, 0xB33F)
        host.do("set", 4711, 1.0)
        host.do("set", host.parameters["Freedom"].id, "nan")
        host.do("roll", 512)
        assert [host.get(name) for name in NAMES] == before


def changed(host: ClapHost) -> list[float]:
    """Sets every parameter to another value than its first; the values."""
    for each in host.parameters.values():
        host.set(each.name, each.minimum if each.initial == each.maximum else each.maximum)
    host.do("roll", 512)
    return [host.get(name) for name in NAMES]


def test_a_state_in_small_pieces_comes_back_whole_and_is_saved_the_same() -> None:
    with ClapHost() as host:
        values, state = changed(host), host.save(part=23)
        assert values != [host.parameters[name].initial for name in NAMES]
    with ClapHost() as host:
        assert host.load(state, part=17)
        assert [host.get(name) for name in NAMES] == values
        assert host.save() == state


def test_fault_08_a_state_that_is_empty_cut_or_random_is_refused_and_nothing_changes() -> None:
    with ClapHost() as host:
        values, state = changed(host), host.save()
        altered = bytearray(state)
        altered[len(state) // 2] ^= 1
        broken = [b"", state[:1], state[: len(state) // 2], state[:-1], bytes(altered)]
        for each in [*broken, np.random.default_rng(8).bytes(2**20)]:
            assert not host.load(each)
        assert [host.get(name) for name in NAMES] == values
        assert host.save() == state


# ---- a rendered region, where the song says ------------------------------------------------------------------------


def test_the_gap_is_filled_and_nothing_else(filled: Filled) -> None:
    song, heard = filled.song, filled.heard
    np.testing.assert_array_equal(heard[:, : song.start], song.audio[:, : song.start])
    np.testing.assert_array_equal(heard[:, song.stop :], song.audio[:, song.stop :])
    inside = heard[:, song.hole]
    assert 0.5 < np.sqrt(np.mean(inside**2) / np.mean(song.audio[:, : song.start] ** 2)) < 2


def test_a_session_opened_without_a_renderer_plays_the_same_samples(filled: Filled) -> None:
    with ClapHost() as host:
        host.input(filled.song.audio)
        assert host.load(filled.state)
        for sizes in ((512,), (64, 1, 17, 2048)):
            np.testing.assert_array_equal(host.play(0, filled.song.frames, *sizes), filled.heard)
        middle = filled.song.start + 4321
        np.testing.assert_array_equal(host.play(middle, 9999, 100), filled.heard[:, middle:][:, :9999])


def test_fault_11_bounces_are_identical_though_each_pass_asks_again_for_a_render_that_nobody_makes(
    filled: Filled,
) -> None:
    with ClapHost() as host:
        host.input(filled.song.audio)
        assert host.load(filled.state)
        ask(host, filled.song)
        host.do("offline", "on")
        for _ in range(3):
            np.testing.assert_array_equal(host.play(0, filled.song.frames), filled.heard)


def test_the_rendered_region_is_found_by_song_time_not_by_how_long_the_host_runs(filled: Filled) -> None:
    with ClapHost() as host:
        host.input(filled.song.audio)
        assert host.load(filled.state)
        host.do("loop", filled.song.start - 700, filled.song.start + 700, "on")
        heard = host.play(filled.song.start - 700, 1400 * 3, 512)[:, :1400]
        np.testing.assert_array_equal(heard, filled.heard[:, filled.song.start - 700 :][:, :1400])


@pytest.mark.parametrize("size", [64, 4096])
def test_a_switch_drawn_within_a_block_acts_at_its_sample(filled: Filled, size: int) -> None:
    song, at = filled.song, filled.song.start + 20011
    with ClapHost(max_block=4096) as host:
        host.input(song.audio)
        assert host.load(filled.state)
        host.at(0, "Compare", 0)
        host.at(at, "Compare", 1)
        heard = host.play(0, song.frames, size)
    np.testing.assert_array_equal(heard[:, :at], filled.heard[:, :at])
    faded = at + RATE // 100  # over 10 ms
    np.testing.assert_array_equal(heard[:, faded:], song.audio[:, faded:])
    assert np.any(heard[:, at : at + 100] != filled.heard[:, at : at + 100])


# ---- a bounce that has nothing to play -----------------------------------------------------------------------------


def marked(heard: np.ndarray, dry: np.ndarray) -> tuple[int, int]:
    """First and last sample of the tone that stands for a missing render."""
    other = np.flatnonzero(np.any(heard != dry, axis=0))
    return (int(other[0]), int(other[-1])) if len(other) else (-1, -1)


def test_a_bounce_without_its_render_is_refused_aloud_and_playing_it_is_not() -> None:
    song = holed()
    with ClapHost() as host:
        host.input(song.audio)
        ask(host, song)
        np.testing.assert_array_equal(host.play(0, song.frames), song.audio)  # asked for, and captured
        bounce = host.bounce(song.audio)
        first, last = marked(bounce, song.audio)
        assert song.start <= first < last < song.stop
        assert np.abs(bounce[:, song.hole]).max() == pytest.approx(MARKER_PEAK, rel=0.01)
        np.testing.assert_array_equal(host.play(0, song.frames), bounce)  # two bounces are identical
        host.do("offline", "off")
        np.testing.assert_array_equal(host.play(0, song.frames), song.audio)


def test_without_a_drawn_gap_the_host_s_loop_range_is_the_gap() -> None:
    song, start, stop = holed(), 5 * RATE + 123, 6 * RATE + 45
    with ClapHost() as host:
        host.input(song.audio)
        host.do("loop", start, stop, "off")
        host.at(0, "Render", 0)
        host.at(24000, "Render", 1)
        host.play(0, song.frames)
        heard = host.bounce(song.audio)
    outside = np.r_[0:start, stop : song.frames]
    np.testing.assert_array_equal(heard[:, outside], song.audio[:, outside])
    at = start + RATE // 4000  # the tone's first quarter period: its crest
    assert heard[0, at] == pytest.approx(MARKER_PEAK, abs=0.01)

"""The plug-in's engine against a live renderer: what it asks for, and what is heard."""

from __future__ import annotations

import os
import struct
import sys
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

import segue
from segue_protocol.connection_file import read_connection_file
from tests.plugin.driver import Audio, Driver, load
from tests.pools import RATE
from tests.recall.material import phrases
from tests.renderers import Peer, shared_renderer, until
from tests.songs import loop_song

GAP = (8 * RATE, 8 * RATE + RATE // 2)
QUICK = {"SEGUE_METHOD": "splice", "SEGUE_STEPS": "1"}


def holed(seconds: float = 14.0, gap: tuple[int, int] = GAP) -> Audio:
    """A song with a hole of digital silence."""
    audio = loop_song(RATE, seconds)
    audio[:, gap[0] : gap[1]] = 0.0
    return audio


def outside(audio: Audio, gap: tuple[int, int] = GAP) -> bytes:
    return np.delete(audio, np.s_[gap[0] : gap[1]], axis=1).tobytes()


def inside(audio: Audio, gap: tuple[int, int] = GAP) -> Audio:
    return audio[:, gap[0] : gap[1]]


def to_24_bits(audio: Audio) -> Audio:
    return (np.rint(audio.astype(np.float64) * 2**23) / 2**23).astype(np.float32)


def time_reference(file: Path) -> int:
    """Of a BWF file: samples since midnight, at byte 338 of its bext chunk."""
    raw = file.read_bytes()
    return int(struct.unpack_from("<Q", raw, raw.index(b"bext") + 8 + 338)[0])


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory):
    """A song played, its hole filled by the renderer, and played again; then saved."""
    folder, song = tmp_path_factory.mktemp("filled"), holed()
    with Driver(folder, shared_renderer().file, **QUICK) as driver:
        driver.start(song, RATE)
        driver.wait("link.state=online")
        first = driver.play(song, 50)
        assert driver.play(song).tobytes() == first.tobytes()  # and this is heard whole
        driver("render")
        shown = driver.wait("job.state=done|failed")
        second = driver.play(song, 50)
        driver("save", folder / "state")
        driver.wait("link.state=online")
        yield folder, song, first, shown, second


def test_a_hole_is_filled_as_the_client_fills_it_and_nothing_else_is_touched(filled) -> None:
    _, song, first, shown, second = filled
    assert first.tobytes() == song.tobytes()
    assert shown["job"]["state"] == "done", shown["job"]
    assert shown["regions"][0]["span"] == list(GAP)
    assert outside(second) == outside(song)
    settings = segue.RenderSettings(seed=0, steps=1, method="splice", candidates=4)
    with segue.Client(shared_renderer().file) as client:
        asked = client.fill(song, RATE, gap=(GAP[0] / RATE, GAP[1] / RATE), settings=settings)
    assert np.array_equal(inside(second), to_24_bits(inside(asked.audio)))
    assert np.sqrt(np.mean(inside(second) ** 2)) > 0.02


def test_the_render_is_a_wave_file_that_a_daw_places(filled) -> None:
    folder, _, _, _, second = filled
    (file,) = (folder / "renders").iterdir()
    assert time_reference(file) == GAP[0]
    assert load(file).tobytes() == inside(second).tobytes()


def test_reopened_without_a_renderer_the_session_plays_the_same_samples(filled, tmp_path: Path) -> None:
    folder, song, _, _, second = filled
    with Driver(tmp_path, tmp_path / "none.json") as driver:
        driver("audio", folder / "track.wav")
        driver("new")
        driver("load", folder / "state")
        driver("activate", RATE, 300)
        assert driver.play(song, "offline").tobytes() == second.tobytes()
        assert driver.snapshot["link"]["state"] in ("idle", "offline")


def test_automation_renders_a_gap_once_and_a_press_of_render_another_time(tmp_path: Path) -> None:
    song = holed(18.0)
    with Driver(tmp_path, shared_renderer().file, **QUICK) as driver:
        driver.start(song, RATE)
        driver.wait("link.state=online")
        for symbol, value, frame in (("gap", 1, GAP[0]), ("gap", 0, GAP[1]), ("render", 0, 0), ("render", 1, GAP[1])):
            driver("automate", symbol, value, frame)
        driver.play(song)
        shown = driver.wait("job.state=done|failed")
        assert [region["span"] for region in shown["regions"]] == [list(GAP)]
        driver.play(song)
        shown = driver.wait("job.message=press")
        assert "press Render" in shown["job"]["message"]
        assert shown["job"]["state"] == "done"
        assert len(shown["regions"]) == 1
        driver("render")
        shown = driver.wait("regions=2")
        shown = driver.wait("job.state=done|failed")
        assert [region["span"] for region in shown["regions"]] == [list(GAP)] * 2


def test_a_folder_that_cannot_be_written_costs_the_file_but_not_the_music(tmp_path: Path) -> None:
    song = holed()
    (tmp_path / "renders").write_text("in the way")
    with Driver(tmp_path, shared_renderer().file, **QUICK) as driver:
        driver.start(song, RATE)
        driver.play(song)
        driver("render")
        shown = driver.wait("notice=some")
        assert shown["job"]["state"] == "done"
        assert str(tmp_path / "renders") in shown["notice"]
        assert np.any(inside(driver.play(song)))


def test_a_cancelled_job_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    song = holed()
    with Driver(tmp_path, shared_renderer().file, SEGUE_STEPS="200") as driver:
        driver.start(song, RATE)
        driver.play(song)
        driver("render")
        driver.wait("job.state=running")
        driver("cancel")
        shown = driver.wait("job.state=cancelled")
        assert shown["regions"] == []
        assert driver.play(song).tobytes() == song.tobytes()
    assert until(lambda: shared_renderer().counts().get("jobs_running", 0.0) == 0.0)


def test_a_busy_renderer_is_waited_for_and_the_status_says_so(tmp_path: Path) -> None:
    song, renderer = holed(), shared_renderer()
    with Driver(tmp_path, renderer.file, **QUICK) as driver:
        driver.start(song, RATE)
        driver.play(song)
        driver.wait("link.state=online")
        with Peer(renderer.content) as peer:
            for number in range(5):  # accepted, and never sent their audio: the queue has four places
                peer.submit(f"held{number}")
            driver("render")
            shown = driver.wait("job.state=waiting")
            assert "again in" in shown["job"]["message"]
        assert driver.wait("job.state=done|failed")["job"]["state"] == "done"


def test_an_installed_renderer_is_started_once_for_all_instances_and_outlives_them(tmp_path: Path) -> None:
    program = tmp_path / "segue"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m segue.cli.main "$@" --threads 1\n')
    program.chmod(0o700)
    places = {
        name: str(tmp_path / name) for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    file = tmp_path / "run" / "connection.json"
    with Driver(tmp_path, file, SEGUE_START_RENDERER="1", SEGUE_RENDERER=str(program), **places) as driver:
        driver("new", 8)
        driver("activate", RATE, 512, "all")
        for number in range(8):
            driver("engine", number)
            driver.wait("link.state=online", 120.0)
    owner = psutil.Process(read_connection_file(file).pid)
    try:
        started = [one for one in psutil.process_iter(["cmdline"]) if str(file) in (one.info["cmdline"] or [])]
        assert owner in started
        assert [one for one in started if one.ppid() not in [other.pid for other in started]] == [owner]
        assert os.getsid(owner.pid) == owner.pid
    finally:
        owner.terminate()
        owner.wait(30)


def rendered(driver: Driver, count: int) -> bool:
    """Whether so many renders are there and nothing is under way; the transport stands meanwhile."""
    driver("idle", 0.05)
    shown = driver.snapshot
    return sum(region["complete"] for region in shown["regions"]) == count and shown["job"]["state"] == "done"


def test_who_asks_again_hears_first_what_was_not_heard_before(tmp_path: Path) -> None:
    """The song has four choices, a render hears all of them: the second one the same splices, and other samples."""
    song, begins = phrases(6)
    gap = (begins[5] + RATE, begins[5] + RATE + RATE // 2)
    song[:, gap[0] : gap[1]] = 0.0
    heard = []
    with Driver(tmp_path, shared_renderer().file, SEGUE_STEPS="1") as driver:
        driver.start(song, RATE)
        driver.wait("link.state=online")
        driver.play(song, "offline")
        for count in (1, 2):
            driver("render")
            assert until(partial(rendered, driver, count), 120.0), driver.snapshot["job"]
            heard.append(inside(driver.play(song, "offline"), gap).tobytes())
    assert heard[0] != heard[1]

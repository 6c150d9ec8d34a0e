"""The studio's parts: pictures, curve, renders in threads, orders, and who may listen."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from segue.cli.main import run
from segue.clip.clip import Clip
from segue.errors import AudioFileError, Cancelled, InvalidRequest, ResourceError
from segue.render.settings import FileResult, Progress, ProgressCallback
from segue.studio.clips import playable
from segue.studio.curve import as_text, clicked, read_curve
from segue.studio.jobs import Desk
from segue.studio.orders import CONTINUE, FILL, REGENERATE, TRANSITION, Order, gap_text, work_of
from segue.studio.pictures import CURVE_HEIGHT, Picture, around, draw_clip, draw_curve, envelope, value_at
from segue.studio.security import Guard
from segue.studio.server import authorities_of
from segue.studio.texts import progress, refused

RATE = 8000


def burst() -> Clip:
    """Two seconds, silent but for a 1 kHz tone from 1.0 to 1.25 s in the second channel."""
    time = np.arange(2 * RATE) / RATE
    tone = np.where((time >= 1.0) & (time < 1.25), 0.5 * np.sin(2 * np.pi * 1000 * time), 0.0)
    return Clip(np.stack([0.0 * tone, tone]).astype(np.float32), RATE)


def test_the_waveform_stands_where_the_sound_is() -> None:
    low, high = envelope(burst(), (0.0, 2.0))
    loud = np.flatnonzero(high - low > 0.5)
    assert loud.min() / len(high) == pytest.approx(0.5, abs=0.002)
    assert loud.max() / len(high) == pytest.approx(0.625, abs=0.002)
    assert high.max() == pytest.approx(0.5, abs=0.01)


def test_the_picture_shows_the_sound_at_its_columns_and_the_same_columns_give_its_time_back() -> None:
    picture = draw_clip(burst(), (0.5, 1.5))
    brightness = picture.pixels[150:-20].astype(float).sum(axis=(0, 2))
    middle = brightness[picture.column_at(1.05) : picture.column_at(1.2)].mean()
    assert middle > 2 * brightness[picture.column_at(0.6) : picture.column_at(0.9)].mean()
    for seconds in (0.5, 0.77, 1.25, 1.5):
        assert picture.seconds_at(picture.column_at(seconds)) == pytest.approx(seconds, abs=0.001)
    assert picture.seconds_at(-5.0) == 0.5
    assert picture.seconds_at(1e6) == 1.5


def test_a_mark_tints_the_gap_and_nothing_else() -> None:
    picture = Picture(np.zeros((10, 100, 3), np.uint8), (0.0, 10.0))
    changed = np.flatnonzero(picture.marked([(2.0, 4.0)]).any(axis=(0, 2)))
    assert (changed.min(), changed.max()) == (19, 40)
    assert not picture.pixels.any()
    assert not picture.marked([(11.0, 12.0)]).any()


def test_what_is_shown_is_the_gap_with_its_surroundings_or_all() -> None:
    assert around([], 30.0) == (0.0, 30.0)
    assert around([(10.0, 12.0)], 30.0) == (6.0, 16.0)
    assert around([(1.0, 28.0)], 30.0) == (0.0, 30.0)


def test_the_curve_is_read_as_on_the_command_line() -> None:
    assert read_curve("  ") is None
    assert read_curve("0.4").points == ((0.0, 0.4),)  # type: ignore[union-attr]
    assert read_curve("seconds,value\n1,0.2\n3.5,1").points == ((1.0, 0.2), (3.5, 1.0))  # type: ignore[union-attr]
    for text, word in (("1,2", r"\[0, 1\]"), ("1;2", "seconds,value"), ("2,0.5\n1,0.5", "order of time")):
        with pytest.raises(InvalidRequest, match=word):
            read_curve(text)


def test_a_click_sets_a_point_and_a_click_on_it_takes_it_away() -> None:
    shown = (0.0, 10.0)
    points = clicked((), 4.0, 0.5, shown)
    points = clicked(points, 1.0, 0.25, shown)
    assert as_text(points) == "1,0.25\n4,0.5"
    assert read_curve(as_text(points)).points == points  # type: ignore[union-attr]
    assert clicked(points, 4.1, 0.55, shown) == ((1.0, 0.25),)
    assert len(clicked(points, 4.1, 0.9, shown)) == 3
    assert as_text(((3599.125, 0.5),)) == "3599.125,0.5"


def test_the_curves_picture_has_a_row_for_each_value() -> None:
    pixels = draw_curve([(0.0, 1.0)], (0.0, 1.0), [])
    amber = np.abs(pixels.astype(int) - [255, 180, 84]).sum(axis=2) < 60
    rows = np.flatnonzero(amber[:, 300:900].all(axis=1))
    assert value_at(float(rows.mean())) == pytest.approx(1.0, abs=0.02)
    assert (value_at(-3.0), value_at(CURVE_HEIGHT + 3.0)) == (1.0, 0.0)


class Steps:
    """Work that goes on until it is stopped, and says how far it came."""

    def __init__(self) -> None:
        self.count = 0
        self.began = threading.Event()

    def __call__(self, callback: ProgressCallback) -> FileResult:
        while callback(Progress("sample", self.count, 10**9, 0.5)):
            self.count += 1
            self.began.set()
        raise Cancelled(f"stopped at step {self.count}")


def test_fault_25_cancel_stops_a_render_within_one_step_and_ends_it_once() -> None:
    desk, work = Desk(), Steps()
    job = desk.start("page", work)
    assert work.began.wait(10)
    desk.cancel("page")
    at = work.count
    desk.cancel("page")
    events = list(job.events())
    assert work.count - at <= 1
    assert isinstance(events[-1], Cancelled)
    assert sum(not isinstance(event, Progress) for event in events) == 1
    assert job.join(10.0)


def test_a_page_renders_one_thing_at_a_time_and_another_page_waits_its_turn() -> None:
    desk, first, second = Desk(), Steps(), Steps()
    desk.start("one", first)
    assert first.began.wait(10)
    with pytest.raises(InvalidRequest, match="under way"):
        desk.start("one", Steps())
    waiting = desk.start("two", second)
    told = next(waiting.events())
    assert isinstance(told, Progress)
    assert (told.stage, second.count) == ("waiting", 0)
    desk.leave("one")
    assert second.began.wait(10)
    assert desk.close(10.0)


def test_a_render_that_waits_can_be_cancelled() -> None:
    desk, first, second = Desk(), Steps(), Steps()
    desk.start("one", first)
    assert first.began.wait(10)
    waiting = desk.start("two", second)
    desk.cancel("two")
    assert isinstance(list(waiting.events())[-1], Cancelled)
    assert second.count == 0
    assert desk.close(10.0)


def test_what_a_render_fails_with_is_its_last_event_and_the_next_one_works() -> None:
    def fails(_: ProgressCallback) -> FileResult:
        raise ResourceError("the disk is full")

    desk = Desk()
    for _ in range(2):
        (event,) = desk.start("page", fails).events()
        assert str(event) == "the disk is full"
        assert desk.close(10.0)


def order(clip: Path | None) -> Order:
    return Order(
        FILL, None if clip is None else str(clip), None, "0.5", "0.6", 4.0, False, 2.5, True, "",
        "", 1.0, "", None, None, None, 1, 0, None, "",
    )  # fmt: skip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    soundfile.write(path, burst().samples.T, RATE)
    return path


def test_an_order_that_cannot_be_done_is_refused_before_any_work(clip: Path, tmp_path: Path) -> None:
    fine = order(clip)
    for wrong, word in (
        (replace(fine, clip=None), "load a clip"),
        (replace(fine, task=REGENERATE, start="", stop=""), "mark what to vary"),
        (replace(fine, task=TRANSITION), "second clip"),
        (replace(fine, candidates=99), "candidates"),
        (replace(fine, tags="no such tag"), "no such tag"),
        (replace(fine, start="0.5-0.6"), "times such as"),
        (replace(fine, task=REGENERATE, curve="1,7"), r"\[0, 1\]"),
    ):
        with pytest.raises(InvalidRequest, match=word):
            work_of(wrong, tmp_path, None)
    assert callable(work_of(replace(fine, task=CONTINUE), tmp_path, None))


@pytest.mark.parametrize("field", ["seed", "candidates", "amount", "seconds", "overlap"])
def test_an_emptied_number_field_is_named(field: str, clip: Path, tmp_path: Path) -> None:
    task = {"seconds": CONTINUE, "overlap": TRANSITION}.get(field, FILL)
    with pytest.raises(InvalidRequest, match=r"expected a number for .*, got an empty field"):
        work_of(replace(order(clip), task=task, second=str(clip), **{field: None}), tmp_path, None)


def test_another_songs_sound_is_what_the_order_says(clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    soundfile.write(other, burst().samples.T, RATE)
    result = work_of(replace(order(clip), sound=str(other), method="mean"), tmp_path, None)(lambda _: None)
    assert "other.wav" in result.recipe.model_dump_json()
    lost = work_of(replace(order(clip), sound=str(tmp_path / "none.wav")), tmp_path, None)
    with pytest.raises(AudioFileError, match=r"none\.wav"):
        lost(lambda _: None)


def test_two_files_of_one_name_are_listened_to_each_as_itself(tmp_path: Path) -> None:
    heard = []
    for name, level in (("one", 0.25), ("two", 0.75)):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "song.aiff", np.full((100, 2), level), RATE)
        heard.append(playable(str(tmp_path / name / "song.aiff"), tmp_path))
    assert [soundfile.read(copy)[0][0, 0] for copy in heard] == pytest.approx([0.25, 0.75], abs=1e-4)
    assert playable(str(tmp_path / "one" / "song.aiff"), tmp_path) == heard[0], "one copy of each"


def test_two_times_are_a_gap_as_on_the_command_line() -> None:
    assert gap_text("", " ") is None
    assert gap_text("1:02.5", "1:04") == "1:02.5-1:04"
    assert gap_text("", "2") == "-2"


def test_what_the_page_says_is_escaped_and_never_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert "&lt;img&gt;" in refused(InvalidRequest("<img>"))
    assert "MemoryError" in refused(MemoryError())
    assert "Cancelled" in refused(Cancelled("stopped"))
    assert "50 %" in progress(Progress("sample", 1, 2, 0.5, 3.0))
    assert 'aria-label="Render"' in progress(Progress("sample", 1, 2, 0.5, 3.0)), "a bar without a name is not read out"
    assert "please report it: KeyError" in refused(KeyError("odd"))
    assert "KeyError" in capsys.readouterr().err


def test_two_studios_know_a_browser_that_has_been_to_both() -> None:
    """Browsers keep one jar of cookies for all ports of a host."""
    jar, page = CookieJar(), PlainTextResponse("the page")
    browsers = [
        TestClient(Guard(page, f"token-{port}", frozenset({f"127.0.0.1:{port}"}), port), f"http://127.0.0.1:{port}")
        for port in (8001, 8002)
    ]
    for browser in browsers:
        browser.cookies.jar = jar
        assert browser.get("/").status_code == 403
    for port, browser in zip((8001, 8002), browsers, strict=True):
        assert browser.get(f"/?token=token-{port}").text == "the page"
    assert [browser.get("/").text for browser in browsers] == ["the page"] * 2


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::", ""])
def test_a_host_that_others_can_reach_is_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["studio", "--host", host, "--no-open"]) == 2
    assert "loopback" in capsys.readouterr().err


def test_a_port_that_is_taken_or_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["studio", "--port", str(taken.getsockname()[1]), "--no-open"]) == 2
    assert "--port" in capsys.readouterr().err
    assert run(["studio", "--port", "70000", "--no-open"]) == 2
    assert "65535" in capsys.readouterr().err


def test_a_bundle_that_is_not_there_is_refused_before_the_page_opens(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["studio", "--bundle", "nowhere", "--no-open"]) == 4
    captured = capsys.readouterr()
    assert "nowhere" in captured.err
    assert captured.out == ""


def test_browsers_leave_the_usual_port_out_of_the_host() -> None:
    assert authorities_of("127.0.0.1", 8000) == {"127.0.0.1:8000", "localhost:8000"}
    assert authorities_of("[::1]", 80) == {"[::1]:80", "localhost:80", "[::1]", "localhost"}

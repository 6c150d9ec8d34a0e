"""The studio as it runs: a real process, its door, and a fill in a real browser."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from segue.clip.tags import read_recipe
from tests.studio.studio_process import CHROMIUM, StudioProcess, load, point, quickly, text_of, upload, value_of

EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"
RATE = 44100
SECONDS = 6
ROUTES = [
    ("GET", "/"),
    ("GET", "/config"),
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/file=/etc/hostname"),
    ("GET", "/gradio_api/queue/data?session_hash=1"),
    ("GET", "/gradio_api/heartbeat/1"),
    ("GET", "/assets/index.js"),
    ("GET", "/static/fonts/system-ui/system-ui-Regular.woff2"),
    ("GET", "/theme.css"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/no/such/route"),
    ("HEAD", "/"),
    ("OPTIONS", "/"),
    ("POST", "/gradio_api/upload"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/run/render"),
    ("POST", "/gradio_api/cancel"),
    ("DELETE", "/"),
]

pytest.importorskip("gradio", reason="Gradio is missing: run scripts/setup")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioProcess]:
    running = StudioProcess(tmp_path_factory.mktemp("studio"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of 24-bit stereo, with a name that tries the escaping."""
    path = tmp_path_factory.mktemp("music") / "Jo's best & song.wav"
    samples, rate = soundfile.read(EXCERPT, stop=SECONDS * RATE, always_2d=True)
    soundfile.write(path, samples, rate, subtype="PCM_24")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is missing: run scripts/setup")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: run scripts/setup")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM)
        yield running
        running.close()
    asyncio.set_event_loop(None)


@pytest.fixture(scope="module")
def page(browser: Any, studio: StudioProcess) -> Iterator[Any]:
    """The page, open for all tests; everything it asks any server for is noted, and must be the studio's."""
    opened = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened.set_default_timeout(120_000)
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(studio.address)
    opened.locator("#render").wait_for()
    yield opened
    opened.close()
    strangers = [url for url in asked if not url.startswith((studio.origin, "blob:", "data:"))]
    assert asked
    assert strangers == []


def ask(studio: StudioProcess, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(studio.home).netloc, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def with_cookie(studio: StudioProcess) -> dict[str, str]:
    return {"Cookie": f"segue-studio-{urlsplit(studio.home).port}={studio.token}"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_without_the_token(studio: StudioProcess, method: str, path: str) -> None:
    for headers in (
        {},
        {"Cookie": f"segue-studio-{urlsplit(studio.home).port}=wrong"},
        {"Authorization": f"Bearer {studio.token}"},
    ):
        assert ask(studio, method, path, **headers)[0] == 403


def test_a_websocket_without_the_token_is_refused(studio: StudioProcess) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c2VndWUgc2VndWUgc2VndWU=",
    }
    assert ask(studio, "GET", "/gradio_api/queue/join", **upgrade)[0] == 403


def test_the_token_in_the_address_becomes_a_cookie_that_scripts_cannot_read(studio: StudioProcess) -> None:
    status, headers, _ = ask(studio, "GET", f"/?token={studio.token}&view=wide")
    assert (status, headers["location"]) == (303, "/?view=wide")
    assert "httponly" in headers["set-cookie"].lower()
    assert ask(studio, "GET", f"/?token={studio.token[:-1]}")[0] == 403
    status, headers, _ = ask(studio, "GET", "/", **with_cookie(studio))
    assert status == 200
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


def test_another_host_name_or_another_pages_request_is_refused_in_spite_of_the_cookie(studio: StudioProcess) -> None:
    cookie = with_cookie(studio)
    assert ask(studio, "GET", "/", **cookie, Host="segue.example.org")[0] == 403
    for origin in ("http://127.0.0.1:1", "https://example.org", "null"):
        assert ask(studio, "POST", "/gradio_api/queue/join", **cookie, Origin=origin)[0] == 403


@pytest.mark.parametrize("file", [EXCERPT, Path("/etc/passwd"), EXCERPT.parents[2] / "pyproject.toml"])
def test_no_file_outside_of_its_own_folder_is_served(studio: StudioProcess, file: Path) -> None:
    status, _, body = ask(studio, "GET", f"/gradio_api/file={file}", **with_cookie(studio))
    assert status in (403, 404)
    assert file.read_bytes()[:16] not in body


def test_it_listens_on_loopback_alone_and_keeps_its_files_private(studio: StudioProcess) -> None:
    port = urlsplit(studio.home).port
    assert port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=10).close()
    (own,) = studio.folder.glob("segue-studio-*")
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_what_cannot_be_done_is_said_on_the_page(page: Any, clip: Path, tmp_path: Path) -> None:
    page.locator("#render").click()
    page.locator("#status [role=alert]", has_text="load a clip first").wait_for()
    broken = tmp_path / "broken.wav"
    broken.write_bytes(clip.read_bytes()[:5000])
    upload(page, broken)
    page.locator("#about [role=alert]", has_text="cut off").wait_for()


def test_a_gap_is_marked_rendered_and_downloaded(page: Any, clip: Path, tmp_path: Path) -> None:
    load(page, clip, RATE)
    point(page, "picture", 0.5)
    page.locator("#edge label.selected", has_text="end").wait_for()
    point(page, "picture", 0.6)
    page.locator("#edge label.selected", has_text="start").wait_for()
    start, stop = (float(value_of(page, field)) for field in ("start", "stop"))
    assert (start, stop) == pytest.approx((0.5 * SECONDS, 0.6 * SECONDS), abs=0.02)
    quickly(page, 1, "generated")
    page.locator("#candidates input[type=number]").fill("2")
    page.locator("#render").click()
    page.locator("#take-2 img").wait_for()
    files = []
    for number in (1, 2):
        with page.expect_download() as download:
            page.locator(f"#download-{number}").click()
        files.append(tmp_path / download.value.suggested_filename)
        download.value.save_as(files[-1])

    assert [file.name for file in files] == ["Jo's best & song-fill.wav", "Jo's best & song-fill-2.wav"]
    before, _ = soundfile.read(clip, dtype="int32")
    a, b = round(start * RATE), round(stop * RATE)
    for rank, file in enumerate(files, 1):
        after, _ = soundfile.read(file, dtype="int32")
        assert soundfile.info(file).subtype == "PCM_24"
        np.testing.assert_array_equal(after[:a], before[:a])
        np.testing.assert_array_equal(after[b:], before[b:])
        level = np.std(after[a:b].astype(float)) / np.std(before[a:b].astype(float))
        assert 0.3 < level < 3
        recipe = read_recipe(file)
        assert (recipe.task, recipe.parameters["gaps"], recipe.parameters["rank"]) == ("infill", [[a, b]], rank)


def test_a_curve_is_drawn_and_a_long_render_is_cancelled_within_its_steps(page: Any, clip: Path) -> None:
    load(page, clip, RATE)
    text_of(page, "start").fill("3.0")
    text_of(page, "stop").fill("3.6")
    page.locator("#task label", has_text="Vary what is there").click()
    point(page, "curve-picture", 0.25, 0.5)
    seconds, value = (float(cell) for cell in value_of(page, "curve").split(","))
    assert (seconds, value) == (pytest.approx(0.25 * SECONDS, abs=0.02), pytest.approx(0.5, abs=0.02))
    quickly(page, 1000, "generated")
    page.locator("#render").click()
    page.locator("#status").get_by_text(re.compile(r"sample \d+/1000")).first.wait_for()
    page.locator("#cancel").click()
    said = page.locator("#status").get_by_text("Cancelled")
    said.wait_for()
    stopped = re.search(r"step (\d+) of 1000", said.inner_text())
    assert stopped is not None
    assert int(stopped[1]) < 900
    assert page.locator("#render").is_enabled()


def test_its_folder_is_gone_once_it_was_stopped(studio: StudioProcess) -> None:
    assert any(studio.folder.glob("segue-studio-*"))
    assert studio.stop() == 0
    assert list(studio.folder.glob("segue-studio-*")) == []

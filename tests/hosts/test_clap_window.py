"""The CLAP's UI, as it is shipped, in a plain X11 window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.hosts.clap import ClapHost
from tests.hosts.conftest import Filled
from tests.plugin.plugin_screens import x_server
from tests.pools import PATIENCE
from tests.renderers import until

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is missing: run scripts/setup")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with x_server(2000, 1400) as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setenv("LIBGL_ALWAYS_SOFTWARE", "1")
        yield


def colours(picture: Path) -> int:
    with Image.open(picture) as image:
        return len(image.convert("RGB").getcolors(maxcolors=2**24) or ())


def size(host: ClapHost) -> tuple[int, ...]:
    """Of the window, a moment from now."""
    host.do("idle", 0.1)
    return tuple(map(int, host.do("size").split()))


def drawn(host: ClapHost, folder: Path) -> Path:
    """What the window shows a moment from now."""
    host.do("idle", 0.3)
    host.do("picture", folder / "segue.ppm")
    return folder / "segue.ppm"


def test_the_window_opens_shows_the_session_and_closes_while_the_song_plays(
    screen: None, filled: Filled, tmp_path: Path
) -> None:
    with ClapHost() as host:
        host.input(filled.song.audio)
        assert host.load(filled.state)
        host.play(0, filled.song.frames)
        for scale in (1, 2):
            _, width, height = map(int, host.do("window", scale, "Segue").split())
            assert until(lambda: colours(drawn(host, tmp_path)) > 100, PATIENCE)  # words, a waveform, smooth edges
            host.do("close-window")
            assert (width, height) == (960 * scale, 640 * scale)
        np.testing.assert_array_equal(host.play(0, filled.song.frames), filled.heard)


def test_another_scale_leaves_the_window_as_large_as_it_was_made(screen: None) -> None:
    with ClapHost() as host:
        host.do("window", 1, "Segue")
        host.do("resize", 1100, 700)
        assert until(lambda: size(host) == (1100, 700), PATIENCE)
        host.do("scale", 1.5)
        assert until(lambda: size(host) != (1100, 700), PATIENCE)
        assert size(host) == (1650, 1050)


def test_without_a_screen_the_plug_in_works_and_says_that_it_has_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with ClapHost() as host, pytest.raises(Exception, match="X11 display"):
        host.do("window", 1, "Segue")

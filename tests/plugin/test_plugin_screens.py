"""The plug-in's UI: every state is drawn at 100 and 200 % and at the smallest size, and the pictures are looked at."""

from __future__ import annotations

import hashlib
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from tests.plugin import plugin_screens
from tests.plugin.plugin_screens import DEFAULT_SIZE, MINIMUM_SIZE, NEEDS, SHOWN, Rect, Screen

missing = [each for each in NEEDS if shutil.which(each) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"the UI cannot be drawn without {', '.join(missing)}")

READABLE = 4.5  # contrast of text, WCAG 2.1 AA
CASES = {"100 %": (DEFAULT_SIZE, 1.0), "200 %": (DEFAULT_SIZE, 2.0), "smallest": (MINIMUM_SIZE, 1.0)}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES.keys())
def screens(request: pytest.FixtureRequest) -> dict[str, Screen]:
    size, scale = request.param
    return plugin_screens.draw(size, scale)


def colours(screen: Screen, rect: Rect) -> list[tuple[int, Any]]:
    """How often each colour, 0 to 255, is within a rectangle."""
    left, top, width, height = (value * screen.scale for value in rect)
    part = screen.image.crop((round(left), round(top), round(left + width), round(top + height)))
    return part.getcolors(part.width * part.height) or []


def luminance(colour: np.ndarray) -> float:
    """Relative luminance of sRGB values from 0 to 1."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ground(screen: Screen, rect: Rect) -> np.ndarray:
    """The commonest colour of a rectangle, 0 to 1: what its text stands on."""
    return np.array(max(colours(screen, rect))[1]) / 255.0


def inside(inner: Rect, outer: Rect, slack: float = 0.0) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[0] + inner[2] <= outer[0] + outer[2] + slack
        and inner[1] + inner[3] <= outer[1] + outer[3] + slack
    )


def overlap(one: Rect, other: Rect) -> bool:
    """Whether two rectangles share more than half a pixel."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return wide > 0.5 and high > 0.5


def test_every_state_of_the_documentation_is_drawn_at_its_size(screens: dict[str, Screen]) -> None:
    assert set(screens) == set(SHOWN)
    for screen in screens.values():
        width, height = (round(value * screen.scale) for value in screen.record["window"][2:])
        assert screen.image.size == (width, height), screen.name


def test_no_state_is_blank_or_looks_like_another(screens: dict[str, Screen]) -> None:
    for screen in screens.values():
        few = screen.image.resize((240, 160), Image.Resampling.NEAREST)
        assert len(few.getcolors(240 * 160) or []) > 30, screen.name
    names = {hashlib.sha256(screen.image.tobytes()).digest(): name for name, screen in screens.items()}
    assert set(names.values()) == set(screens), "two states cannot be told apart"


def test_texts_stay_within_their_places_and_the_window(screens: dict[str, Screen]) -> None:
    for screen in screens.values():
        for text in screen.record["texts"]:
            # descenders of the smallest rows may touch the frame
            assert inside(text["ink"], text["box"], slack=1.0), f"{screen.name}: {text}"
            assert inside(text["ink"], screen.record["window"]), f"{screen.name}: {text}"
            assert inside(text["ink"], text["clip"]), f"{screen.name}: {text}"


def test_texts_do_not_run_into_each_other(screens: dict[str, Screen]) -> None:
    for screen in screens.values():
        if screen.record["overlay"]:
            continue  # an open list lies over what is below it
        for one, other in combinations(screen.record["texts"], 2):
            assert not overlap(one["ink"], other["ink"]), f"{screen.name}: {one['text']!r} and {other['text']!r}"


def test_widgets_lie_in_the_window_and_apart(screens: dict[str, Screen]) -> None:
    for screen in screens.values():
        widgets = screen.record["widgets"]
        for rect in widgets.values():
            assert inside(rect, screen.record["window"]), f"{screen.name}: {rect}"
            assert rect[2] >= 12 and rect[3] >= 12, f"{screen.name}: too small to press: {rect}"
        for one, other in combinations(widgets, 2):
            assert not overlap(widgets[one], widgets[other]), f"{screen.name}: widgets {one} and {other}"


def test_texts_are_readable_where_they_stand(screens: dict[str, Screen]) -> None:
    for screen in screens.values():
        if screen.record["overlay"]:
            continue  # some texts are behind the list
        for text in screen.record["texts"]:
            if text["faint"]:
                continue  # of a button that cannot be pressed now
            ratio = contrast(np.array(text["colour"]), ground(screen, text["ink"]))
            assert ratio >= READABLE, f"{screen.name}: {text['text']!r} has a contrast of {ratio:.2f}"


def test_short_words_are_never_cut(screens: dict[str, Screen]) -> None:
    """Only what others wrote may be shortened: messages, names of files and presets."""
    lengthy = {"long-texts", "notice", "offline", "tip", "failed", "no-access"}
    for screen in screens.values():
        if screen.name in lengthy:
            continue
        cut = [
            text["text"] for text in screen.record["texts"] if text["text"].endswith("…") and text["text"] != "Browse…"
        ]
        assert cut == [], f"{screen.name}: {cut}"


def test_saved_pictures_are_small_and_show_the_same_colours(screens: dict[str, Screen], tmp_path: Path) -> None:
    for name in ("several", "lane"):  # the busiest one, and one with a colour in few places
        screen = screens[name]
        path = plugin_screens.save(screen, tmp_path)
        if screen.scale == 1.0:
            assert path.stat().st_size < 60_000
        with Image.open(path) as saved:
            difference = ImageChops.difference(saved.convert("RGB"), screen.image)
        assert max(high for _, high in difference.getextrema()) <= 24

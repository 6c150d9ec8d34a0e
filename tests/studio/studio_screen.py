"""Takes the picture of the studio for docs/studio.md: ``python -m tests.studio.studio_screen docs/screens/studio.png``.

A stretch of the bundled excerpt is varied under a drawn curve.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.studio.studio_process import CHROMIUM, StudioProcess, load, point, quickly, text_of, value_of

EXCERPT = Path(__file__).parents[2] / "examples" / "music" / "upbeat.flac"


def take(path: Path) -> None:
    """Drive the page to a rendered take and write what is seen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        studio = StudioProcess(Path(folder))
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(120_000)
            page.goto(studio.address)
            page.locator("#render").wait_for()
            load(page, EXCERPT, 44100)
            text_of(page, "start").fill("16.0")
            text_of(page, "stop").fill("18.0")
            page.locator("#near input").check()
            page.locator("#task label", has_text="Vary what is there").click()
            for across, down in ((0.4, 0.7), (0.5, 0.2), (0.6, 0.6)):
                before = text_of(page, "curve").input_value()
                point(page, "curve-picture", across, down)
                page.wait_for_function(f"document.querySelector('#curve textarea').value.length > {len(before)}")
            assert value_of(page, "curve").count("\n") == 2
            quickly(page, 2, "")
            page.get_by_text("References, further material, sampling").click()
            page.locator("#render").click()
            page.locator("#take-1 img").wait_for()
            page.locator("#take-1").get_by_text("0:30").first.wait_for()
            page.mouse.move(0, 0)
            page.screenshot(path=path, full_page=True)
            browser.close()
            Image.open(path).convert("RGB").quantize(96).save(path, optimize=True)
        finally:
            studio.stop()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    take(Path(sys.argv[1]))

"""``segue studio`` in a process of its own, and what one does on its page."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class StudioProcess:
    """Started when it is made; ``address`` carries the token, ``home`` does not."""

    def __init__(self, folder: Path) -> None:
        """``folder``: where its temporary files go, and nothing else."""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "segue.cli.main", "studio", "--no-open"],
            env={**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "ready on http://127.0.0.1:" in line, line
        self.address = line.split()[-1]
        self.home, _, self.token = self.address.partition("?token=")
        self.origin = self.home.rstrip("/")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(60)


def upload(page: Any, file: Path) -> None:
    """Give the page a file in place of the one it has, once all that was said of that one is gone."""
    clear = page.locator("#clip").get_by_label("Clear")
    if clear.count():
        clear.click()
        page.wait_for_function("!document.querySelector('#about')?.innerText.trim()")
        page.locator("#picture").wait_for(state="hidden")
    page.locator("#clip input[type=file]").set_input_files(file)


def load(page: Any, clip: Path, rate: int) -> None:
    """Upload a clip and wait for its picture."""
    upload(page, clip)
    page.locator("#about").get_by_text(f"{rate} Hz").wait_for()
    page.locator("#picture img").wait_for()


def point(page: Any, picture: str, across: float, down: float = 0.5) -> None:
    """Click a place in a picture, given as parts of its width and height."""
    image = page.locator(f"#{picture} img")
    image.wait_for()
    box = image.bounding_box()
    image.click(position={"x": across * box["width"], "y": down * box["height"]})


def text_of(page: Any, field: str) -> Any:
    """A text field's element."""
    return page.locator(f"#{field} input, #{field} textarea")


def value_of(page: Any, field: str) -> str:
    """What stands in a text field, once something does."""
    page.wait_for_function(f"document.querySelector('#{field} input, #{field} textarea').value !== ''")
    return str(text_of(page, field).input_value())


def quickly(page: Any, steps: int, method: str) -> None:
    """Set how to sample."""
    if not page.locator("#steps").is_visible():
        page.get_by_text("References, further material, sampling").click()
    page.locator("#steps input").fill(str(steps))
    text_of(page, "method").fill(method)

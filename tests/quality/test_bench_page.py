"""The HTML page: well formed, complete in itself, one player for each rendering to be heard."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from segue.errors import InvalidRequest
from segue_bench.report.content import Content
from segue_bench.report.html import page
from segue_bench.report.listening import HEIGHT, WIDTH, ListenSettings, scenes, spectrogram_png
from segue_bench.report.table import Tables
from segue_bench.report.write import write
from segue_bench.results import Results
from tests.quality.bench_material import GAP, GAP_AT, Planted, clip, planted

VOID = {"meta", "img", "br", "input", "link"}


class Page(HTMLParser):
    """Checks nesting; collects elements with their attributes, and text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Six excerpts of all recall classes, of which all audio is kept, and another condition."""
    folder = tmp_path_factory.mktemp("results")
    methods = {"splice": Planted(2.5), "default": Planted(), "generated-20": Planted(2.2)}
    made = planted(folder, methods, excerpts=6)
    planted(folder, methods, excerpts=1, condition="regenerate-2s-song", task="regenerate")
    for number, one in enumerate(made.rows()):
        made.write(one.model_copy(update={"kept": True, "gap_at": GAP_AT, "how": "a <b> & c"}), clip(number % 4))
    return made


@pytest.fixture(scope="module")
def parsed(heard: Results) -> Page:
    return Page(_text(heard))


def _text(made: Results, settings: ListenSettings | None = None) -> str:
    content = Content(Tables.of(made))
    return "".join(page(content, scenes(made, content.tables, settings or ListenSettings())))


def test_there_is_a_player_and_a_picture_for_each_rendering_to_be_heard(heard: Results, parsed: Page) -> None:
    expected = 3 * 4 + 1 * 3  # easy, middle and hard by all; the other condition by real, splice and default
    assert len(parsed.all("audio")) == len(parsed.all("img")) == expected
    takes = [attrs for attrs in parsed.all("div") if attrs.get("class") == "take"]
    assert len(takes) == expected


def test_players_play_what_was_rendered(heard: Results, parsed: Page) -> None:
    source = parsed.all("audio")[0]["src"]
    assert source is not None and source.startswith("data:audio/mpeg;base64,")
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(source.partition(",")[2])))
    assert rate == 44100 and audio.shape[1] == 2
    assert len(audio) / rate == pytest.approx(GAP + 2 * GAP_AT, abs=0.06)


def test_nothing_is_fetched_from_anywhere(parsed: Page) -> None:
    for tag, attrs in parsed.elements:
        for name in ("src", "href"):
            value = attrs.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, value)
    assert parsed.all("link") == []


def test_titles_and_messages_are_text_not_markup(parsed: Page) -> None:
    assert "Piece <0>" in parsed.words and "a <b> & c" in parsed.words


def test_losses_come_first_then_targets_then_sounds_then_tables(parsed: Page) -> None:
    ids = [attrs["id"] for tag, attrs in parsed.elements if tag in {"h2", "section"} and "id" in attrs]
    assert ids[:4] == ["losses", "targets", "listen", "tables"]
    links = [attrs["href"] for attrs in parsed.all("a")]
    assert {f"#{one}" for one in ids} - {"#tables"} == set(links)


def test_both_forms_are_written(heard: Results, tmp_path: Path) -> None:
    text, html = write(heard.folder, tmp_path / "docs", ListenSettings(0, 0))
    assert text.read_text(encoding="utf-8").startswith("# How good Segue is")
    assert Page(html.read_text(encoding="utf-8")).all("audio") == []


def test_a_spectrogram_shows_low_at_the_bottom_and_both_seams() -> None:
    spectrum = np.full((HEIGHT, WIDTH), -200.0)
    spectrum[:10] = 0.0
    image = Image.open(io.BytesIO(spectrogram_png(spectrum, 0.0, (0.25, 0.75)))).convert("RGB")
    assert image.size == (WIDTH, HEIGHT)
    pixels = np.asarray(image).astype(int)
    assert pixels[-5, 40].sum() > 500 and pixels[5, 40].sum() < 30
    marked = np.flatnonzero((pixels[:, :, 2] == 255).any(0))
    assert marked.tolist() == [round(0.25 * (WIDTH - 1)), round(0.75 * (WIDTH - 1))]


def test_a_negative_number_of_excerpts_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="0 or more"):
        ListenSettings(-1)

"""What of the kept audio is put on the page: a few excerpts, each by the methods that have audio of it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segue.clip.clip import Clip
from segue.errors import InvalidRequest, ResourceError
from segue.render.plot import RANGE_DB, log_spectrogram
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE
from segue_bench.methods.registry import METHODS
from segue_bench.report.figures import DEFAULT, REAL
from segue_bench.report.table import MAIN, Tables
from segue_bench.results import ExcerptFacts, Results, Row
from segue_bench.sound import encoded

if TYPE_CHECKING:
    from jaxtyping import UInt8

FEW = (REAL, DEFAULT, "splice", "cross-fade")
"""What is heard of conditions other than the main one."""

WIDTH, HEIGHT = 320, 100  # of a spectrogram, in pixels; columns are averaged to the width
_SHADES = 31
_CYAN = (77, 243, 255)


@dataclass(frozen=True)
class ListenSettings:
    """``excerpts`` of each recall class in the main table, by ``methods`` (None: all); ``others`` of each other one."""

    excerpts: int = 1
    others: int = 1
    methods: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.excerpts < 0 or self.others < 0:
            raise InvalidRequest(f"expected 0 or more excerpts to listen to, got {self.excerpts} and {self.others}")
        unknown = [name for name in self.methods or () if name not in METHODS]
        if unknown:
            raise InvalidRequest(f"no such method to listen to: {', '.join(unknown)}; there are {', '.join(METHODS)}")


@dataclass(frozen=True, eq=False)
class Heard:
    """A rendering: its row, MP3 bytes, PNG bytes of its spectrogram, and its length in seconds."""

    row: Row
    mp3: bytes
    png: bytes
    seconds: float


@dataclass(frozen=True, eq=False)
class Scene:
    """An excerpt under a condition, by several methods in the order of the tables."""

    condition: str
    excerpt: ExcerptFacts
    heard: tuple[Heard, ...]


def scenes(results: Results, tables: Tables, settings: ListenSettings) -> Iterator[Scene]:
    """The chosen excerpts, the main condition's first, each ready for the page."""
    order = [method.name for method in tables.facts.methods]
    for condition in tables.conditions:
        kept = [row for row in tables.rows if row.condition == condition and row.kept]
        limit = settings.excerpts if condition == MAIN else settings.others
        taken: Counter[str] = Counter()
        for excerpt in {row.excerpt.name: row.excerpt for row in kept}.values():
            group = excerpt.recall if condition == MAIN else ""
            if taken[group] >= limit:
                continue
            taken[group] += 1
            wanted = settings.methods if condition == MAIN else FEW
            rows = [r for r in kept if r.excerpt.name == excerpt.name and (wanted is None or r.method in wanted)]
            rows.sort(key=lambda row: order.index(row.method))
            yield Scene(condition, excerpt, tuple(_heard(results, rows)))


def _heard(results: Results, rows: list[Row]) -> Iterator[Heard]:
    audio = {row.key: results.audio(row.key) for row in rows}
    spectra = {key: _spectrum(samples) for key, samples in audio.items()}
    reference = next((spectra[row.key] for row in rows if row.method == REAL), None)
    top = float((next(iter(spectra.values())) if reference is None else reference).max())
    for row in rows:
        samples = audio[row.key]
        seconds = samples.shape[1] / RATE
        seams = (row.gap_at / seconds, (row.gap_at + row.gap_seconds) / seconds)
        yield Heard(row, encoded(samples, "mp3"), spectrogram_png(spectra[row.key], top, seams), seconds)


def _spectrum(audio: Stereo) -> np.ndarray:
    """(bands, WIDTH) in dB."""
    full = log_spectrogram(Clip(audio, RATE), 0.0, audio.shape[1] / RATE)
    columns = full.shape[1] // WIDTH
    rows = full.shape[0] // HEIGHT
    power = 10.0 ** (full[: HEIGHT * rows, : WIDTH * columns] / 10.0)
    return np.asarray(10.0 * np.log10(power.reshape(HEIGHT, rows, WIDTH, columns).mean((1, 3))))


def spectrogram_png(spectrum: np.ndarray, top: float, seams: tuple[float, float]) -> bytes:
    """A palette PNG, low bands at the bottom, ``top`` dB the brightest; dashed lines at the ``seams`` (of the width).

    Raises:
        ResourceError: matplotlib is missing.
    """
    try:
        from matplotlib import colormaps
        from PIL import Image
    except ImportError as error:
        raise ResourceError("the report draws with matplotlib; install it: pip install segue[bench]") from error
    shade = np.clip((spectrum - top) / RANGE_DB + 1.0, 0.0, 1.0)
    index: UInt8[np.ndarray, "height width"] = np.round(shade[::-1] * (_SHADES - 1)).astype(np.uint8)
    for seam in seams:
        if 0.0 < seam < 1.0:
            column = index[:, round(seam * (index.shape[1] - 1))]
            column[np.arange(len(column)) % 8 < 5] = _SHADES
    magma = np.round(255 * colormaps["magma"](np.linspace(0.0, 1.0, _SHADES))[:, :3]).astype(int)
    image = Image.fromarray(index, mode="P")
    image.putpalette([*magma.ravel().tolist(), *_CYAN])
    sink = io.BytesIO()
    image.save(sink, format="PNG", optimize=True, bits=5)
    return sink.getvalue()

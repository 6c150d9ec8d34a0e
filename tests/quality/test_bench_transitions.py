"""The comparison of transitions: what it measures on sound that is known, and the page it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue_bench import transitions
from segue_bench.report.transitions import BEGIN, END, normalised, tables, unevenness, write_page
from segue_bench.transitions import Joined, pairs, read
from tests.joint.drum_tracks import RATE, drum_track

BEATS = np.arange(0.0, 4.0, 0.5), np.arange(0.0, 4.0, 0.5)


def test_pairs_are_of_different_tracks_none_twice_and_the_same_each_time() -> None:
    drawn = pairs(100)
    names = [(a.file, b.file) for a, b in drawn]
    assert len(set(names)) == 100
    assert all((a.package, a.file) != (b.package, b.file) for a, b in drawn)
    assert [(a.file, b.file) for a, b in pairs(10)] == names[:10]


def test_an_even_course_has_no_unevenness_and_a_step_has_much() -> None:
    assert unevenness(np.linspace(2.0, 9.0, 10).tolist()) == pytest.approx(0.0, abs=1e-12)
    assert unevenness([1.0] * 5 + [4.0] * 5) > 0.25
    assert normalised([3.0, 4.0, 5.0]).tolist() == [0.0, 0.5, 1.0]
    assert normalised([3.0, 4.0, 3.0]).tolist() == [0.0, 1.0, 0.0]  # no rise: in dB


@pytest.mark.parametrize("ratio", [1.0, 1.2])
@pytest.mark.parametrize("shift", [0.0, 0.03, -0.1])
def test_a_gap_that_is_late_has_that_phase_error_however_the_tempo_glides(ratio: float, shift: float) -> None:
    """Clicks every half second at first, faster by ``ratio`` at the end; those of the gap shifted, the beats known."""
    beats = [0.1]
    while beats[-1] < 10.2:
        beats.append(beats[-1] + 0.5 / (1.0 + (ratio - 1.0) * beats[-1] / 10.5))
    gap = Span(4 * RATE, round(6.5 * RATE))
    audio = 1e-3 * np.random.default_rng(1).standard_normal((2, round(10.5 * RATE)))
    burst = np.random.default_rng(0).standard_normal(2000) * np.linspace(1.0, 0.0, 2000)
    for beat in beats:
        at = round((beat + (shift if 4.1 < beat < 6.3 else 0.0)) * RATE)
        audio[:, at : at + len(burst)] += burst[: audio.shape[1] - at]
    times = np.array(beats)
    found = transitions._beat_ms(audio.astype(np.float32), gap, (times[times < 5.0], times[times > 5.5]))
    assert found == pytest.approx(1000.0 * abs(shift), abs=6.0 if ratio == 1.0 else 15.0)


def test_the_course_of_a_fade_rises_and_that_of_the_first_track_itself_is_zero() -> None:
    first, second = (drum_track(120.0, 4, tonic=t).audio[:, : 4 * RATE] for t in (0, 5))
    gap = Span(RATE, 3 * RATE)
    alone = first[:, gap.start : gap.stop]
    assert transitions._curve(Joined(first, gap, alone, BEATS)) == [0.0] * transitions.POINTS
    faded = first.copy()
    share = np.linspace(0.0, 1.0, gap.length, dtype=np.float32)
    faded[:, gap.start : gap.stop] = alone * (1 - share) + second[:, gap.start : gap.stop] * share
    course = transitions._curve(Joined(faded, gap, alone, BEATS))
    assert course[0] < 0.3 * course[-1]


def line(name: str, shift: float) -> dict[str, Any]:
    rng = np.random.default_rng(len(name) + ord(name[0]))
    scores = {
        method: {
            "embedding": (rng.normal(size=8) + shift * k).tolist(),
            "beat_ms": None if method == "plain" else 10.0 + k,
            "dip_lu": 1.0 + k,
            "curve": np.linspace(0.0, 5.0, 10).tolist(),
        }
        for k, method in enumerate(transitions.METHODS)
    }
    ranks = [{"method": "eq fade"}]
    return {"name": name, "notes": [], "matched": ["tempo"], "ratio": 1.0, "ranks": ranks, "methods": scores}


def lines() -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    real = [{"name": f"real {k}", "embedding": rng.normal(size=8).tolist()} for k in range(20)]
    beatless = {"name": "x > y", "notes": ["no clear beat"], "matched": [], "ratio": None}
    return [*real, line("a > b", 0.1), line("b > c", 0.1), beatless]


def test_the_page_gets_its_tables_bad_figures_first_and_keeps_its_words(tmp_path: Path) -> None:
    page = tmp_path / "transitions.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_page(lines(), page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "old" not in text
    assert text.index("Realism is") < text.index("1 of 3 pairs") < text.index("| method |")
    assert "| beat-aligned | 1.000 (1.000 to 1.000)" in text
    assert "| plain |" in text and "| - |" in text  # no beat, no phase
    assert "eq fade 2" in text
    assert "beat phase worse in 2 and better in 0 of 2" in text
    assert "unevenness worse in 0 and better in 0 of 2" in text
    assert (tmp_path / "transitions-course.png").stat().st_size > 5000
    page.write_text("no marks")
    with pytest.raises(InvalidRequest, match="put both"):
        write_page(lines(), page)


def test_nothing_measured_and_a_torn_line_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no pair"):
        tables([{"name": "a > b", "notes": ["no clear beat"], "matched": [], "ratio": None}], "x.png")
    torn = tmp_path / "out.jsonl"
    torn.write_text('{"name": "a"}\n{"name": "b", "no')
    with pytest.raises(InvalidRequest, match="line 2"):
        read(torn)

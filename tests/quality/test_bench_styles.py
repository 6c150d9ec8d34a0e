"""The comparisons of styles and presets: what they measure on sound that is known, and the tables they make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.style.style import Style
from segue_bench.contract import RATE
from segue_bench.presets import ORIGINAL, apart, heard, table
from segue_bench.report.styles import kad_beside, pairs_of, tables
from segue_bench.style_measures import followed, kept, own_course
from segue_bench.styles import PRESETS, TAGS, WISHES, plan_of, read
from tests.joint.drum_tracks import drum_track
from tests.quality.bench_loop_case import loop_case

SILENT_EAR = np.zeros(200, np.float32)


def test_every_tag_that_is_asked_for_is_known_to_both_ears() -> None:
    from segue.guidance.embedders.guide import guide_tags
    from segue.guidance.embedders.musicnn import Musicnn
    from segue_bench.tools import EAR

    asked = {*TAGS, *(tag for _, tag in PRESETS)}
    assert asked <= set(guide_tags()) and asked <= set(Musicnn.load(EAR).labels)


def test_each_wish_is_measured_after_the_one_it_is_compared_with_and_on_the_same_gap() -> None:
    names = list(WISHES)
    for name, wish in WISHES.items():
        if wish.beside:
            assert names.index(wish.beside) < names.index(name)
            other = WISHES[wish.beside]
            assert (wish.task, wish.seconds, wish.freedom) == (other.task, other.seconds, other.freedom)
            assert other.style(loop_case(), 0).is_empty


def test_what_is_restyled_is_as_free_with_the_preset_as_without() -> None:
    case = loop_case()
    with_, without = (plan_of(WISHES[name], case, 1).regions[0].freedom for name in ("restyle", "again"))
    assert with_ == without and with_ is not None
    assert plan_of(WISHES["none"], case, 1) is case.plan


def test_a_curve_that_is_followed_correlates_and_its_opposite_does_not() -> None:
    case = loop_case(seconds=2.0)
    seconds = (case.gap.start + np.arange(case.gap.length)) / RATE
    middle = (case.gap.start + case.gap.stop) / 2 / RATE
    low, high = case.gap.start / RATE, case.gap.stop / RATE
    curve = Curve(((low, -30.0), (middle, -15.0), (high, -30.0)))
    noise = np.random.default_rng(0).normal(0.0, 1.0, (2, case.gap.length))
    take = (10.0 ** (curve.at(seconds) / 20.0) * noise).astype(np.float32)
    risen = (10.0 ** (-(curve.at(seconds) + 45.0) / 20.0) * noise).astype(np.float32)
    style = Style.of(follow={"loudness": curve})
    up, down = (followed(case, style, audio) for audio in (take, risen))
    assert up is not None and down is not None
    assert up > 0.98 and down < -0.98
    assert followed(case, Style(), take) is None


@pytest.mark.parametrize("name", ["loudness", "onsets"])
def test_the_real_gap_follows_its_own_course_and_its_reverse_does_not(name: str) -> None:
    case = loop_case(seconds=2.0)
    course = own_course(case, name)
    style = Style.of(follow={name: course})
    itself, reverse = (followed(case, style, audio) for audio in (case.truth, case.truth[:, ::-1].copy()))
    assert itself is not None and itself > 0.9
    assert reverse is not None and reverse < itself - 0.2
    assert case.gap.start / RATE <= course.points[0][0] and course.points[-1][0] < case.gap.stop / RATE


def test_more_strokes_are_heard_as_a_higher_density() -> None:
    case = loop_case()
    take = np.random.default_rng(1).normal(0.0, 1e-4, (2, case.gap.length))
    half = case.gap.length // 2
    strokes = [*range(0, half, half // 3), *range(half, case.gap.length, half // 9)]
    for at in strokes:
        take[:, at] += 1.0
    ringing = lfilter([1.0], [1.0, -0.998], take).astype(np.float32)
    low, middle, high = (s / RATE for s in (case.gap.start, case.gap.start + half, case.gap.stop))
    busier = Style.of(follow={"onsets": ((low, 0.5), (middle, 0.5), (middle, 2.0), (high, 2.0))})
    found = followed(case, busier, ringing)
    assert found is not None and found > 0.8


def test_music_keeps_its_own_key_and_rhythm_and_loses_them_to_another() -> None:
    one, other = (drum_track(bpm, 4, tonic=tonic).audio[:, : 3 * RATE] for bpm, tonic in ((120.0, 0), (97.0, 6)))
    same, changed = kept(one, one.copy()), kept(one, 0.5 * other)
    assert same["clear"] and same["key"][0] == same["key"][1]
    assert same["rhythm"] == pytest.approx(1.0) and same["loudness"] == 0.0
    assert changed["key"][0] != changed["key"][1]
    assert changed["rhythm"] < 0.7
    noise = np.random.default_rng(0).normal(0.0, 0.1, one.shape).astype(np.float32)
    assert kept(noise, 0.5 * noise)["loudness"] == pytest.approx(6.02, abs=0.01)


def row(number: int, wish: str, beside: str, p: float, embedding: list[float], **others: Any) -> dict[str, Any]:
    return {
        "excerpt": f"e{number}", "track": f"t{number}", "number": number, "wish": wish, "beside": beside,
        "preset": None, "tag": None, "tags": {"rock": p}, "scores": {"seam_z": 1.0}, "embedding": embedding,
        "real": [float(number), 0.0], "followed": None,
        "kept": {"key": ["C major", "C major"], "clear": True, "rhythm": 0.5, "loudness": 1.0}, **others,
    }  # fmt: skip


def rows() -> list[dict[str, Any]]:
    found = []
    for n in range(4):
        found.append(row(n, "none", "", 0.2, [float(n), 0.0]))
        found.append(row(n, "tag", "none", 0.5, [float(n), 3.0], tag="rock"))
        found.append(row(n, "loudness", "none", 0.2, [float(n), 0.0], followed=0.74 + 0.08 * n))
    return found


def test_the_tables_say_what_the_rows_say() -> None:
    text = tables(rows())
    assert "| tag | 4 | 0.200 → 0.500 (0.300 to 0.300) | 4 | 2.50 |" in text
    assert "| loudness | 4 | 0.86 " in text and "| 0.74 | 3 |" in text
    assert "| loudness | 0.0 → 0.0 | +0.0 (0.0 to 0.0) | 1.00 → 1.00 |" in text


def test_a_wish_that_moves_all_away_from_real_music_costs_and_one_that_moves_nothing_is_free() -> None:
    own, other, apart_ = kad_beside(pairs_of(rows(), "tag"))
    assert other == pytest.approx(0.0, abs=1e-9) and own > 100.0 and apart_.low > 0.0
    own, other, apart_ = kad_beside(pairs_of(rows(), "loudness"))
    assert own == pytest.approx(other) and (apart_.low, apart_.high) == (0.0, 0.0)


def test_rows_that_have_nothing_to_be_compared_with_are_left_out() -> None:
    assert pairs_of(rows()[1:], "tag") == pairs_of(rows(), "tag")[1:]
    assert "tag" not in tables(rows()[:2]).split()


def test_a_run_that_was_cut_off_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"excerpt": "a"}) + '\n{"excerpt": "b')
    with pytest.raises(InvalidRequest, match="line 2"):
        read(path)


def test_each_distance_of_presets_moves_with_its_own_cause_alone() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, 0.1, (2, 2 * RATE)).astype(np.float32)
    here = heard(noise, SILENT_EAR)
    louder = apart(here, heard(noise * np.float32(2.0), SILENT_EAR))
    assert louder["loudness"] == pytest.approx(6.02, abs=0.01)
    assert louder["spectrum"] < 0.05 and louder["onsets"] < 0.05 and louder["ear"] == 0.0
    duller = apart(here, heard(lfilter([0.1], [1.0, -0.9], noise).astype(np.float32), SILENT_EAR))
    assert duller["spectrum"] > 3.0
    assert apart(here, heard(noise, SILENT_EAR + np.float32(1.0)))["ear"] == pytest.approx(200.0**0.5)


def test_the_table_of_presets_names_the_nearest_and_how_far_it_is() -> None:
    def at(loudness: float) -> dict[str, list[float]]:
        return {"spectrum": [0.0, 0.0], "loudness": [loudness], "onsets": [0.0], "ear": [0.0]}

    def preset(name: str, *takes: float) -> dict[str, Any]:
        jitter = {"spectrum": [1.0, 1.0], "onsets": [1.0], "ear": [1.0]}
        second = [{**at(takes[0] + 0.5), **jitter}] if name != ORIGINAL else []
        return {"excerpt": "e", "preset": name, "takes": [at(takes[0]), *second]}

    text = table([preset(ORIGINAL, 0.0), preset("a", 1.0), preset("b", 3.0), preset("c", 9.0)])
    lines = [line for line in text.splitlines() if line.startswith(("| a ", "| b ", "| c "))]
    assert "| b | 4.0 in loudness |" in lines[0]
    assert "| a | 4.0 in loudness |" in lines[1]
    assert "| b | 12.0 in loudness |" in lines[2]

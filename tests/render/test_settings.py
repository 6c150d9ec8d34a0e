"""What a caller may ask of a render, and where its candidates go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidRequest
from segue.render.settings import MAX_CANDIDATES, MAX_STEPS, Progress, RenderSettings, candidate_path


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"candidates": 0}, "candidates"),
        ({"candidates": MAX_CANDIDATES + 1}, "candidates"),
        ({"steps": MAX_STEPS + 1}, "steps"),
    ],
)
def test_settings_out_of_range_are_refused(given: dict[str, int], reason: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{reason} must lie in .*, got {next(iter(given.values()))}"):
        RenderSettings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("fraction", [-0.01, 1.01, float("nan")])
def test_progress_is_a_fraction(fraction: float) -> None:
    with pytest.raises(InvalidRequest, match="fraction"):
        Progress("sample", 1, 2, fraction)


@given(st.from_regex(r"[a-z][a-z.-]{0,8}[a-z]\.(wav|flac)", fullmatch=True), st.integers(2, MAX_CANDIDATES))
def test_candidates_stand_side_by_side_under_names_of_their_own(name: str, count: int) -> None:
    out = Path("folder") / name
    paths = [candidate_path(out, rank) for rank in range(1, count + 1)]
    assert paths[0] == out
    assert len(set(paths)) == count
    assert {(p.parent, p.suffix) for p in paths} == {(out.parent, out.suffix)}


def test_the_second_candidate_is_named_out_2() -> None:
    assert candidate_path(Path("take.wav"), 2) == Path("take-2.wav")

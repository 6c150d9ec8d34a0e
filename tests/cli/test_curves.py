"""Freedom on the command line: numbers, CSV and JSON files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.curves import MAX_BYTES, read_freedom, read_points
from segue.errors import InvalidRequest

unit = st.floats(0.0, 1.0)
points = st.lists(st.tuples(st.floats(0.0, 1e4), unit), min_size=1, max_size=20).map(sorted)


def test_a_number_is_a_constant_curve() -> None:
    assert read_freedom("0.6").points == ((0.0, 0.6),)


@pytest.mark.parametrize("text", ["1.01", "-0.1", "nan", "inf"])
def test_a_number_outside_0_to_1_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_freedom(text)


@pytest.mark.parametrize("header", ["", "seconds,value\n", "\ufeffSeconds, Value\n"])
@given(curve=points)
def test_csv_gives_back_the_points_it_was_written_from(
    tmp_path_factory: pytest.TempPathFactory, header: str, curve: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("curve") / "c.csv"
    path.write_text(header + "".join(f"{t!r},{v!r}\n" for t, v in curve), encoding="utf-8")
    assert read_freedom(str(path)).points == tuple(curve)


@given(curve=points)
def test_json_gives_back_the_points_it_was_written_from(
    tmp_path_factory: pytest.TempPathFactory, curve: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("curve") / "c.json"
    path.write_text(json.dumps(curve))
    assert read_freedom(str(path)).points == tuple(curve)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("c.csv", "", "holds no points"),
        ("c.csv", "seconds,value\n", "holds no points"),
        ("c.csv", "0,0.1\n1,0.2,0.3\n", "point 2 of .* is"),
        ("c.csv", "0,loud\n", "point 1 of .* is"),
        ("c.csv", "1,0.1\n0,0.2\n", "in order of time"),
        ("c.csv", "0,1.5\n", r"must lie in \[0, 1\]"),
        ("c.csv", "0,nan\n", "finite times and numbers"),
        ("c.json", "[[0, 0.1]", "cannot be read as a curve"),
        ("c.json", "{}", "holds no points"),
        ("c.json", "[[0, true]]", "point 1 of .* is"),
        ("c.json", "[[0, null]]", "point 1 of .* is"),
        ("c.json", "[0.5]", "point 1 of .* is"),
        ("c.json", "[[0, NaN]]", "finite times and numbers"),
        ("c.json", "[" * 5000, "cannot be read as a curve"),
    ],
)
def test_a_bad_curve_file_is_refused_with_the_reason(tmp_path: Path, name: str, text: str, reason: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidRequest, match=reason):
        read_freedom(str(path))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InvalidRequest, match="cannot be read as a curve"):
        read_points(path)


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="a number or a CSV or JSON file, got 'loud', which is not there"):
        read_freedom("loud")
    with pytest.raises(InvalidRequest, match="which is not a file"):
        read_freedom(str(tmp_path))
    huge = tmp_path / "c.csv"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidRequest, match="larger than"):
        read_points(huge)

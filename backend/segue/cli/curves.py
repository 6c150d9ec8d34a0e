"""Curves as typed on the command line: a number, or a file of breakpoints."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom

MAX_BYTES = 4 * 1024 * 1024
"""A larger curve file is refused: at 20 bytes a point, this holds an hour at 50 points a second."""

_EXPECTED = "expected lines of seconds,value (CSV) or a list of [seconds, value] (JSON)"


def read_freedom(text: str) -> Curve:
    """A freedom curve from a number in [0, 1], or from the CSV or JSON file of that name.

    CSV: one ``seconds,value`` a line, with or without that header. JSON: ``[[0.0, 0.2], [4.0, 0.9]]``.

    Raises:
        InvalidRequest: neither a number nor a readable curve file, or values out of range.
    """
    return Freedom(read_curve(text, "freedom")).curve


def read_curve(text: str, what: str) -> Curve:
    """A curve from a number, or from the CSV or JSON file of that name; ``what`` it is, for messages.

    Raises:
        InvalidRequest: neither a number nor a readable curve file.
    """
    try:
        return Curve.constant(float(text))
    except ValueError:
        return Curve(read_points(Path(text), what))


def read_points(path: Path, what: str = "freedom") -> tuple[tuple[float, float], ...]:
    """Breakpoints (seconds, value) of a CSV or JSON file.

    Raises:
        InvalidRequest: not such a file, or a point that is not two numbers; the message names it.
    """
    if not path.is_file():
        there = "is not a file" if path.exists() else "is not there"
        raise InvalidRequest(f"{what} must be a number or a CSV or JSON file, got {str(path)!r}, which {there}")
    if path.stat().st_size > MAX_BYTES:
        raise InvalidRequest(f"{path} is larger than {MAX_BYTES} bytes; {_EXPECTED}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except ValueError as error:
        raise InvalidRequest(f"{path} cannot be read as a curve: {error}; {_EXPECTED}") from error
    return parse_points(text, str(path), as_json=path.suffix.lower() == ".json")


def parse_points(text: str, where: str, *, as_json: bool = False) -> tuple[tuple[float, float], ...]:
    """Breakpoints (seconds, value) of a CSV or JSON text; ``where`` it stands, for messages.

    Raises:
        InvalidRequest: not such a text, or a point that is not two numbers; the message names it.
    """
    try:
        rows = json.loads(text) if as_json else _csv_rows(text)
    except (ValueError, csv.Error, RecursionError) as error:
        raise InvalidRequest(f"{where} cannot be read as a curve: {error}; {_EXPECTED}") from error
    if not isinstance(rows, list) or not rows:
        raise InvalidRequest(f"{where} holds no points; {_EXPECTED}")
    return tuple(_point(where, n, row) for n, row in enumerate(rows, 1))


def _csv_rows(text: str) -> list[list[str]]:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    return rows[1:] if rows and [cell.strip().lower() for cell in rows[0]] == ["seconds", "value"] else rows


def _point(where: str, number: int, row: object) -> tuple[float, float]:
    if isinstance(row, list) and len(row) == 2 and not any(isinstance(cell, bool) for cell in row):
        try:
            return float(row[0]), float(row[1])
        except (TypeError, ValueError, OverflowError):
            pass
    raise InvalidRequest(f"point {number} of {where} is {row!r}; {_EXPECTED}")

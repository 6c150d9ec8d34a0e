"""The freedom curve as the page has it: lines of seconds,value, as in the files of the command line, and clicks."""

from __future__ import annotations

from segue.cli.curves import parse_points
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.studio.pictures import Stretch

Points = tuple[tuple[float, float], ...]

NEAR_SECONDS, NEAR_VALUE = 0.012, 0.08
"""A click this near to a point means that point: of the picture's span of time, and of the value."""


def read_curve(text: str) -> Curve | None:
    """The curve in a text of ``seconds,value`` lines, or of one number; None for an empty one, the renderer's choice.

    Raises:
        InvalidRequest: not such a text, or a value outside 0 to 1.
    """
    if not text.strip():
        return None
    try:
        curve = Curve.constant(float(text))
    except ValueError:
        curve = Curve(parse_points(text, "the freedom curve"))
    return Freedom(curve).curve


def clicked(points: Points, seconds: float, value: float, shown: Stretch) -> Points:
    """The points with one more; or with one less, where the click was on it."""
    near = NEAR_SECONDS * (shown[1] - shown[0])
    hit = [p for p in points if abs(p[0] - seconds) <= near and abs(p[1] - value) <= NEAR_VALUE]
    if hit:
        return tuple(p for p in points if p != hit[0])
    return tuple(sorted((*points, (round(seconds, 3), round(value, 2)))))


def as_text(points: Points) -> str:
    """The lines of a CSV file; nothing where there are no points."""
    return "\n".join(f"{round(seconds, 6):.12g},{value:g}" for seconds, value in points)

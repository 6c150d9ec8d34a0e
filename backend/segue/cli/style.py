"""A style as typed on the command line: the options that say what it should sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segue.errors import InvalidRequest

if TYPE_CHECKING:
    from segue.cli.options import RenderOptions
    from segue.guidance.curve import Curve
    from segue.style.style import Style


def read_style(options: RenderOptions) -> Style:
    """The style of a command's options; empty where none is given.

    Raises:
        InvalidRequest, AudioFileError: unknown names, values out of range, files that cannot be read.
    """
    from segue.cli.curves import read_curve
    from segue.style.style import Style

    return Style.of(
        options.preset,
        prompt=options.prompt,
        tags=options.tags or (),
        reference=tuple(options.reference or ()),
        match=options.match or (),
        follow=_followed(options.follow or ()),
        amount=read_curve(options.amount, "the amount"),
        guidance=read_curve(options.guidance, "the guidance"),
        strength=options.strength,
        mode="exact" if options.exact else None,
    )


def _followed(given: Sequence[str]) -> dict[str, Curve]:
    from segue.cli.curves import read_curve

    curves: dict[str, Curve] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise InvalidRequest(f"expected a feature and its curve, as in loudness=curve.csv, got {text!r}")
        if name in curves:
            raise InvalidRequest(f"{name} is followed twice: give one curve")
        curves[name] = read_curve(value, name)
    return curves

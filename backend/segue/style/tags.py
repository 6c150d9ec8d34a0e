"""The tags the guiding ear knows, and how they are written. Imports no torch."""

from __future__ import annotations

from segue.errors import InvalidRequest
from segue.guidance.embedders.guide import guide_tags

_WRITTEN = "expected tags with commas between them, each alone or with its probability, as in rock, guitar:0.8"


def check_tag(name: str) -> str:
    """The tag as the ear spells it, whatever the case.

    Raises:
        InvalidRequest: it knows none of that name.
    """
    spelled = {tag.lower(): tag for tag in guide_tags()}
    found = spelled.get(name.strip().lower())
    if found is None:
        raise InvalidRequest(f"the guiding ear knows no tag {name!r}; expected of: {', '.join(guide_tags())}")
    return found


def parse_tags(text: str) -> dict[str, float]:
    """Tags and probabilities from "rock, guitar:0.8"; a tag alone has probability 1.

    Raises:
        InvalidRequest: an unknown tag, one named twice, or a probability that is no number in [0, 1].
    """
    wanted: dict[str, float] = {}
    for part in text.split(","):
        name, colon, value = part.partition(":")
        tag = check_tag(name)
        if tag in wanted:
            raise InvalidRequest(f"the tag {tag!r} is named twice in {text!r}")
        try:
            wanted[tag] = float(value) if colon else 1.0
        except ValueError:
            raise InvalidRequest(f"{part.strip()!r} has no probability behind its colon; {_WRITTEN}") from None
        if not 0.0 <= wanted[tag] <= 1.0:
            raise InvalidRequest(f"expected the probability of {tag!r} in [0, 1], got {value.strip()}")
    return wanted


def write_tags(wanted: dict[str, float]) -> str:
    """Inverse of :func:`parse_tags`."""
    return ", ".join(f"{tag}:{value!r}" for tag, value in wanted.items())

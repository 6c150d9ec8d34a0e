"""The licence of weights: shown before anything is done, and acknowledged by a person."""

from __future__ import annotations

from segue.errors import InvalidRequest
from segue_export.importers.contract import Family


def describe_licence(family: Family) -> str:
    """What a musician should know before importing."""
    licence = family.licence
    use = "commercial use is allowed under its terms" if licence.commercial_use else "no commercial use"
    return f"{family.title}: {licence.name} ({use})\n{licence.summary}\nFull text: {licence.url}"


def check_accepted(family: Family, accepted: bool) -> None:
    """Refuse to go on until the licence was acknowledged.

    Raises:
        InvalidRequest: it was not; the message holds the licence's summary.
    """
    if not accepted:
        raise InvalidRequest(
            f"{describe_licence(family)}\nRead it, and give --accept-licence if you agree: nothing was written"
        )

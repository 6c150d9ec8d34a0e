"""All aims by the kind of their term: a new one needs a file of its own, an import and a line here."""

from __future__ import annotations

from segue.errors import InvalidRequest
from segue.guidance.objective import Term
from segue.style.aims.contract import Aim, Ground
from segue.style.aims.follow import aim_follow
from segue.style.aims.match import aim_match
from segue.style.aims.reference import aim_reference
from segue.style.aims.tags import aim_tags
from segue.style.terms import SteeringTerm

AIMS: dict[str, Aim] = {
    "tags": aim_tags,
    "reference": aim_reference,
    "match": aim_match,
    "follow": aim_follow,
}


def aim(term: SteeringTerm, ground: Ground) -> Term:
    """The term of the objective.

    Raises:
        InvalidRequest: no aim is known for it, or it cannot be measured there.
    """
    if term.kind not in AIMS:
        raise InvalidRequest(f"no aim is known for {term.kind!r}; expected one of {', '.join(AIMS)}")
    return AIMS[term.kind](term, ground)

"""The two-donor splice that recall began as, which knows the contexts' distances and nothing of what they foretell.

What the splice and our default have gained since is read from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from segue.clip.span import Span
from segue.recall.choose import Chosen
from segue.recall.donors import DonorPair, DonorSearch, aligned_pair, best_places, best_switch, donor_search
from segue.recall.features import HOP
from segue.recall.song import Song

_EACH, _BOTH = 12, 6  # candidates for one context, and for both together


def context_pair(song: Song, gap: Span) -> DonorPair | None:
    """The pair whose distances to its contexts and difference at the switch sum to least; None without room for one."""
    blocked = [*song.blocked, gap]
    search = donor_search(song.features, song.samples, gap, blocked, song.timeline)
    if search is None:
        return None
    _, _, chosen = min(_pairs(search, -(-gap.stop // HOP) - gap.start // HOP), key=lambda found: found[:2])
    return aligned_pair(song.audio, gap, blocked, chosen, search)


def _pairs(search: DonorSearch, length: int) -> Iterator[tuple[float, int, Chosen]]:
    """Every pair with its cost in dB^2, and its number, by which the first of equals is taken."""
    left, right = (side for _, side in (search.left, search.right))
    if left is None or right is None:
        place = int(search.places[0])
        yield 0.0, 0, Chosen(place, place, length // 2, place, float("nan"))
        return
    together = best_places((left + right) / 2, _BOTH)
    copy = together[0] if together else int(search.places[0])
    firsts, seconds = ([*best_places(side, _EACH), *together] for side in (left, right))
    for number, (i, j) in enumerate(product(firsts, seconds)):
        apart, switch = (0.0, length // 2) if i == j else best_switch(search.features, i, j, length)
        yield float(left[i] + right[j]) + apart, number, Chosen(i, j, switch, copy, float("nan"))

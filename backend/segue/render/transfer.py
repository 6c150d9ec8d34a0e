"""Sound transfer: what a plan must be, for another song's units to sound it."""

from __future__ import annotations

from segue.clip.clip import MODEL_RATE
from segue.clip.janssen import MAX_SECONDS
from segue.errors import InvalidRequest
from segue.prior.contract import Codec
from segue.render.candidates import is_short
from segue.render.studio import MOSAICS
from segue.tasks.plan import Plan


def check_transfer(plan: Plan, codec: Codec, method: str | None) -> None:
    """Refuse, before anything is rendered, what no mosaic is made for.

    Raises:
        InvalidRequest: a bundle that decodes by itself, a gap that is interpolated, a method that is no mosaic.
    """
    if not codec.needs_excitation:
        raise InvalidRequest(
            "another song's sound needs a bundle whose takes are made of a song's units, got one with a decoder of its "
            "own: leave the bundle out, or the song to take the sound from"
        )
    for region in plan.regions:
        if is_short(region):
            start, length = (1000.0 * n / MODEL_RATE for n in (region.gap.start, region.gap.length))
            raise InvalidRequest(
                f"a gap that takes another song's sound must be longer than {1000.0 * MAX_SECONDS:.0f} ms, got "
                f"{length:.0f} ms at {start / 1000.0:.3f} s, which is interpolated from what is around it: make it "
                "longer, or fill it without that song"
            )
    if method is not None and method not in MOSAICS:
        raise InvalidRequest(
            f"expected a method that is made of another song's sound ({', '.join(MOSAICS)}), got {method!r}: name one "
            "of them, or none"
        )

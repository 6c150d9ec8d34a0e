"""What every sampler refuses: before the work starts, and while it runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segue.errors import InvalidRequest, NonFinite
from segue.sampling.contract import Latents


def check_generators(generators: Sequence[torch.Generator], batch: int) -> None:
    """One generator per item, none shared.

    Raises:
        InvalidRequest: another number than ``batch``, or the same generator twice.
    """
    if len(generators) != batch:
        raise InvalidRequest(f"expected one generator for each of {batch} items, got {len(generators)}")
    if len({id(g) for g in generators}) != batch:
        raise InvalidRequest(
            f"expected {batch} different generators, got one that serves two items, which would make their results "
            "depend on each other; make one torch.Generator per item and seed each"
        )


def check_finite_input(what: str, x: Tensor) -> None:
    """Refuse NaN or infinity before any work is done.

    Raises:
        InvalidRequest: naming ``what`` and the items.
    """
    bad = not_finite(x)
    if bad:
        raise InvalidRequest(f"expected {what} to be finite, got NaN or infinity in items {list(bad)}; check the clip")


def check_shape(what: str, x: Tensor, expected: torch.Size) -> None:
    """Refuse a shape that broadcasting would otherwise hide.

    Raises:
        InvalidRequest: naming ``what`` and both shapes.
    """
    if x.shape != expected:
        raise InvalidRequest(f"expected {what} of shape {tuple(expected)}, got {tuple(x.shape)}; check the bundle")


def not_finite(x: Tensor) -> tuple[int, ...]:
    """The batch items of ``x`` that hold a NaN or an infinity."""
    return tuple((~torch.isfinite(x)).flatten(1).any(1).nonzero()[:, 0].tolist())


def check_finite(what: str, x: Tensor, x_t: Latents, step: int, sigma: float) -> None:
    """Stop where a prediction or gradient is not finite.

    Raises:
        NonFinite: for the first bad item, with the step, sigma and the 2-norm of its x_t; the others ride along.
    """
    bad = not_finite(x)
    if not bad:
        return
    first, *others = ((i, float(torch.linalg.vector_norm(x_t[i]))) for i in bad)
    rest = tuple(NonFinite(what, item=i, step=step, sigma=sigma, norm=norm) for i, norm in others)
    raise NonFinite(what, item=first[0], step=step, sigma=sigma, norm=first[1], others=rest)

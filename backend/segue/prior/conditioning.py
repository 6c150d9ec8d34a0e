"""Providers: each makes one named conditioning input of a graph from what is known of the window.

A new kind of conditioning is one function here and one line in :data:`PROVIDERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.contract import ConditioningRequest

DONORS = 2
"""Donors seen by a donor-conditioned prior: the left one and the right one."""


def mask(request: ConditioningRequest) -> Tensor:
    """(batch, 1, frames), 1 = known."""
    return request.mask.float()


def context(request: ConditioningRequest) -> Tensor:
    """(batch, channels, frames): the latents where known, else 0."""
    return request.context.float() * request.mask.float()


def presence(request: ConditioningRequest) -> Tensor:
    """(batch, 2, frames), 1 where a donor covers a frame; zeros without donors.

    Raises:
        InvalidRequest: donors came without their presence, or the other way round.
    """
    if (request.presence is None) != (request.donors is None):
        raise InvalidRequest("expected donors and presence together, got one without the other")
    batch, _, frames = request.context.shape
    if request.presence is None:
        return torch.zeros(batch, DONORS, frames, device=request.context.device)
    return request.presence.float()


def donors(request: ConditioningRequest) -> Tensor:
    """(batch, 2 * channels, frames): both donors' latents where present, else 0."""
    here = presence(request)
    batch, channels, frames = request.context.shape
    if request.donors is None:
        return torch.zeros(batch, DONORS * channels, frames, device=request.context.device)
    present = request.donors.float() * here[:, :, None]
    return present.reshape(batch, -1, frames)


def agreed(request: ConditioningRequest) -> Tensor:
    """(batch, 1, frames), 1 where likely places of the song agree on something; zeros where none are known."""
    if request.agreed is None:
        return torch.zeros_like(request.mask, dtype=torch.float32)
    return request.agreed.float()


def consensus(request: ConditioningRequest) -> Tensor:
    """(batch, channels, frames): what they agree on, else 0.

    Raises:
        InvalidRequest: a consensus came without the frames it is for, or the other way round.
    """
    if (request.agreed is None) != (request.consensus is None):
        raise InvalidRequest("expected a consensus and where there is one together, got one without the other")
    if request.consensus is None:
        return torch.zeros_like(request.context, dtype=torch.float32)
    return request.consensus.float() * agreed(request)


def seconds(request: ConditioningRequest) -> Tensor:
    """(batch, 2): where the window begins and ends, in seconds of itself: 0 and its length."""
    batch = request.context.shape[0]
    return torch.tensor([[0.0, request.seconds[1]]], device=request.context.device).repeat(batch, 1)


PROVIDERS: dict[str, Callable[[ConditioningRequest], Tensor]] = {
    "mask": mask,
    "context": context,
    "donors": donors,
    "presence": presence,
    "consensus": consensus,
    "agreed": agreed,
    "seconds": seconds,
}

PROMPT_PREFIX = "prompt_"
"""Names of conditioning inputs that begin so are no provider's: :class:`segue.prior.prompted.Prompted` gives them."""


def provide(names: Iterable[str], request: ConditioningRequest) -> dict[str, Tensor]:
    """The named conditioning inputs; a name without a provider is taken from ``request.extras``.

    Raises:
        InvalidRequest: a name has neither.
    """
    result: dict[str, Tensor] = {}
    for name in names:
        if name in request.extras:
            result[name] = request.extras[name]
        elif name in PROVIDERS:
            result[name] = PROVIDERS[name](request)
        else:
            raise InvalidRequest(
                f"this bundle asks for conditioning {name!r}; known are {sorted(PROVIDERS)}, and the request's "
                f"extras {sorted(request.extras)}: use another bundle, or add a provider to segue.prior.conditioning"
            )
    return result

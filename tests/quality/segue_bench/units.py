"""What one VJP costs in units of one forward pass: methods with gradients and without can then be compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from segue.prior.bundle import Bundle
from segue.prior.conditioning import provide
from segue.prior.contract import ConditioningRequest
from segue.prior.runtime import SessionSettings
from segue_bench.results import UnitCost

PAIRS = 15
_WARM_UP = 2


def measure_units(bundle: Bundle, pairs: int = PAIRS) -> UnitCost:
    """Seconds of a forward pass, and of a VJP (its forward pass included, as counts do) in forward passes.

    One window, one item, one thread. The two take turns, each pair in the other order, so that a busy machine slows
    both; medians over ``pairs``.
    """
    forward, vjp = _work(bundle)
    forwards, ratios = [], []
    for pair in range(_WARM_UP + pairs):
        if pair % 2:
            a, b = _seconds(vjp), _seconds(forward)
        else:
            b, a = _seconds(forward), _seconds(vjp)
        forwards.append(b)
        ratios.append(a / b)
    return UnitCost(forward_seconds=statistics.median(forwards[_WARM_UP:]), vjp=statistics.median(ratios[_WARM_UP:]))


def _work(bundle: Bundle) -> tuple[Callable[[], object], Callable[[], object]]:
    """One evaluation of each kind, at a window half of which is known."""
    channels, frames = bundle.codec().channels, bundle.manifest.window
    denoiser = bundle.denoiser(SessionSettings(threads=1))
    x_t, cot, context = torch.randn(3, 1, channels, frames, generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(frames) < frames // 2).float()[None, None]
    request = ConditioningRequest(mask=mask, context=context * mask)
    prior, t = denoiser.bind(provide(denoiser.inputs, request)), torch.full((1,), 0.5)

    def forward() -> None:
        with torch.no_grad():
            prior(x_t, t)

    def vjp() -> None:
        variable = x_t.clone().requires_grad_()
        torch.autograd.grad(prior(variable, t), variable, cot)

    return forward, vjp


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

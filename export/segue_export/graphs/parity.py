"""Compare exported graphs with their torch original, through the code that will run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segue.errors import ExportMismatch
from segue.prior.onnx_function import OnnxFunction

Sampler = Callable[[int, int, torch.Generator], Mapping[str, Tensor]]
"""(batch, frames, generator) -> values of some of the inputs by name; the others are drawn from N(0, 1)."""


@dataclass(frozen=True)
class ParityCases:
    """What is tried: every time with the next of the (batch, frames) sizes; frames count in the function's multiple."""

    times: tuple[float, ...] = (0.001, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999)
    sizes: tuple[tuple[int, int], ...] = ((1, 24), (2, 37), (3, 16))
    seed: int = 0


@dataclass(frozen=True)
class ParityReport:
    """Largest relative L2 error of any item in any case, each against torch."""

    plain: float
    forward: float
    gradient: float

    @property
    def largest(self) -> float:
        """The worst of the three."""
        return max(self.plain, self.forward, self.gradient)


def relative_error(value: Tensor, reference: Tensor) -> float:
    """Largest |value - reference| / |reference| (2-norms) over the batch; infinite for anything that is not finite."""
    difference = (value - reference).flatten(1).double().norm(dim=1)
    norm = reference.flatten(1).double().norm(dim=1)
    error = torch.where(difference == 0, torch.zeros_like(norm), difference / norm)
    return float(torch.nan_to_num(error, nan=torch.inf).max())


def _reference(module: nn.Module, inputs: Mapping[str, Tensor], variable: str, cot: Tensor) -> tuple[Tensor, Tensor]:
    x = inputs[variable].clone().requires_grad_(True)
    output = module(x, **{name: tensor for name, tensor in inputs.items() if name != variable})
    (gradient,) = torch.autograd.grad(output, x, cot, allow_unused=True)
    return output.detach(), torch.zeros_like(x) if gradient is None else gradient


def _case(
    module: nn.Module, function: OnnxFunction, inputs: dict[str, Tensor], cot: Tensor
) -> tuple[float, float, float]:
    """Errors of one case: plain graph, forward graph, gradient."""
    variable = function.signature.variable.name
    output, gradient = _reference(module, inputs, variable, cot)
    others = {name: tensor for name, tensor in inputs.items() if name != variable}
    plain = function(inputs[variable], others)
    x = inputs[variable].clone().requires_grad_(True)
    forward = function(x, others)
    (pulled,) = torch.autograd.grad(forward, x, cot)
    return (
        relative_error(plain, output),
        relative_error(forward.detach(), output),
        relative_error(pulled, gradient),
    )


def check_parity(
    module: nn.Module,
    function: OnnxFunction,
    *,
    tolerance: float,
    cases: ParityCases,
    sample: Sampler | None = None,
) -> ParityReport:
    """Largest errors over all cases.

    Raises:
        ExportMismatch: an error above ``tolerance``; the message names the largest and its case.
    """
    signature = function.signature
    generator = torch.Generator().manual_seed(cases.seed)
    errors: list[tuple[float, float, float]] = []
    worst, where = 0.0, ""
    for index, time in enumerate(cases.times):
        for batch, count in (cases.sizes[index % len(cases.sizes)], cases.sizes[(index + 1) % len(cases.sizes)]):
            frames = count * signature.frames_multiple
            inputs = {s.name: torch.randn(s.sizes(batch, frames), generator=generator) for s in signature.inputs}
            if "time" in inputs:
                inputs["time"] = torch.full((batch,), time)
            if sample is not None:
                inputs.update(sample(batch, frames, generator))
            cot = torch.randn(signature.cotangent.sizes(batch, frames), generator=generator)
            errors.append(_case(module, function, inputs, cot))
            if not max(errors[-1]) <= worst:
                worst, where = max(errors[-1]), f"t={time}, batch {batch}, {frames} frames"
    if not worst <= tolerance:
        plain, forward, gradient = (max(e) for e in zip(*errors, strict=True))
        raise ExportMismatch(
            f"{signature.graphs[0]}: expected relative errors of at most {tolerance:g} against torch, got {worst:.3g} "
            f"at {where} (largest: {signature.graphs[0]} {plain:.3g}, {signature.graphs[1]} {forward:.3g}, gradient "
            f"{gradient:.3g}): nothing was written; look for operators whose pull-back is not their derivative"
        )
    return ParityReport(*(max(e) for e in zip(*errors, strict=True)))

"""Compare exported graphs with their torch original, through the code that will run them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from onnxruntime import OrtValue
from torch import Tensor, nn

from segue.errors import ExportMismatch
from segue.prior.onnx_function import OnnxFunction
from segue.prior.signature import Signature

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


@dataclass(frozen=True)
class Reference:
    """What torch gave in one case: the inputs by name, the cotangent, output and gradient."""

    case: str
    inputs: Mapping[str, Tensor]
    cot: Tensor
    output: Tensor
    gradient: Tensor


def references(
    module: nn.Module, signature: Signature, cases: ParityCases, sample: Sampler | None = None
) -> list[Reference]:
    """Torch's own output and gradient in every case; the module is not needed afterwards."""
    generator = torch.Generator().manual_seed(cases.seed)
    found = []
    for index, time in enumerate(cases.times):
        for batch, count in (cases.sizes[index % len(cases.sizes)], cases.sizes[(index + 1) % len(cases.sizes)]):
            frames = count * signature.frames_multiple
            sizes = {s.name: s.sizes(batch, frames, 1 + 5 * index) for s in signature.inputs}
            inputs = {name: torch.randn(size, generator=generator) for name, size in sizes.items()}
            if "time" in inputs:
                inputs["time"] = torch.full((batch,), time)
            if sample is not None:
                inputs.update(sample(batch, frames, generator))
            cot = torch.randn(signature.cotangent.sizes(batch, frames), generator=generator)
            output, gradient = _by_torch(module, inputs, signature.variable.name, cot)
            found.append(Reference(f"t={time}, batch {batch}, {frames} frames", inputs, cot, output, gradient))
    return found


def _by_torch(module: nn.Module, inputs: Mapping[str, Tensor], variable: str, cot: Tensor) -> tuple[Tensor, Tensor]:
    x = inputs[variable].clone().requires_grad_(True)
    output = module(x, **{name: tensor for name, tensor in inputs.items() if name != variable})
    (gradient,) = torch.autograd.grad(output, x, cot, allow_unused=True)
    return output.detach(), torch.zeros_like(x) if gradient is None else gradient


def _split(function: OnnxFunction, case: Reference) -> tuple[Tensor, dict[str, Tensor]]:
    """The variable, and the other inputs."""
    name = function.signature.variable.name
    return case.inputs[name], {other: tensor for other, tensor in case.inputs.items() if other != name}


def _plain_error(function: OnnxFunction, case: Reference) -> float:
    variable, others = _split(function, case)
    return relative_error(function(variable, others), case.output)


@dataclass(frozen=True)
class _Saved:
    """What the forward graph saved in one case: tensors as they are, all else as files, which may be large."""

    tensors: Mapping[str, Tensor]
    files: Mapping[str, Path]

    @staticmethod
    def of(values: Mapping[str, Any], folder: Path) -> _Saved:
        """``folder`` is for this case alone."""
        folder.mkdir()
        tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
        files = {name: folder / f"{i}.npy" for i, name in enumerate(n for n in values if n not in tensors)}
        for name, path in files.items():
            np.save(path, values[name].numpy())
        return _Saved(tensors, files)

    def values(self) -> dict[str, Any]:
        """As the pull-back takes them."""
        return {**self.tensors, **{n: OrtValue.ortvalue_from_numpy(np.load(path)) for n, path in self.files.items()}}


def _forward_error(function: OnnxFunction, case: Reference, folder: Path) -> tuple[float, _Saved]:
    """Of the graph that saves what the pull-back needs, and what it saved."""
    variable, others = _split(function, case)
    output, values = function.forward(variable, others, tuple(case.output.shape))
    return relative_error(output, case.output), _Saved.of(values, folder)


def check_parity(
    load: Callable[[], OnnxFunction], cases: Sequence[Reference], scratch: Path, *, tolerance: float
) -> ParityReport:
    """Largest errors over all cases, through the code that will run the graphs.

    ``load`` opens the function anew for each of its three graphs, so that one at a time holds its weights. What is
    saved for the pull-back lies in ``scratch`` meanwhile.

    Raises:
        ExportMismatch: an error above ``tolerance``; the message names the largest and its case.
    """
    function = load()
    graphs = function.signature.graphs
    plain = [_plain_error(function, case) for case in cases]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        function = load()
        forward = [_forward_error(function, case, Path(folder) / str(i)) for i, case in enumerate(cases)]
        function = load()
        pulled = [
            relative_error(function.pull_back(saved.values(), case.cot), case.gradient)
            for (_, saved), case in zip(forward, cases, strict=True)
        ]
    errors = [(p, f, g) for p, (f, _), g in zip(plain, forward, pulled, strict=True)]
    report = ParityReport(*(max(column) for column in zip(*errors, strict=True)))
    if not report.largest <= tolerance:
        where = next(case.case for case, e in zip(cases, errors, strict=True) if max(e) == report.largest)
        raise ExportMismatch(
            f"{graphs[0]}: expected relative errors of at most {tolerance:g} against torch, got {report.largest:.3g} "
            f"at {where} (largest: {graphs[0]} {report.plain:.3g}, {graphs[1]} {report.forward:.3g}, gradient "
            f"{report.gradient:.3g}): nothing was written; report it with the model's name; in a module of your "
            "own, look for operators whose pull-back is not their derivative and numbers the exporter rounds to float32"
        )
    return report

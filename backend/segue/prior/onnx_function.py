"""Functions that run in ONNX Runtime and that torch can differentiate: the denoiser, and a codec's two halves.

The gradient of d(y, A(x0_hat(x_t))) needs g = J^T cot with J = d x0_hat / d x_t, so a function comes as three graphs:
plain, forward (keeps its activations) and pull-back. No torch model definition is imported here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import onnxruntime as ort
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.onnx_session import TensorSession, torch_device
from segue.prior.runtime import Graph, SessionSettings
from segue.prior.signature import Signature, TensorSpec
from segue.sampling.contract import Latents


class OnnxFunction:
    """``output = f(variable, **others)``, differentiable in ``variable``; float32 in and out.

    Sessions are made when first needed: the plain graph for calls without a gradient, the other two for calls with one.
    Safe to call from several threads.
    """

    def __init__(self, signature: Signature, graphs: Mapping[str, Graph], settings: SessionSettings) -> None:
        missing = [name for name in signature.graphs if name not in graphs]
        if missing:
            raise BundleRejected(f"expected the graphs {signature.graphs}, {missing} are missing: export them again")
        self.signature, self._graphs, self._settings = signature, graphs, settings
        self._sessions: dict[str, TensorSession] = {}
        self._lock = threading.Lock()

    @property
    def device(self) -> torch.device:
        """Where tensors must lie."""
        return torch_device(self._settings)

    def load(self) -> None:
        """Make the session of calls without a gradient now, so that what is in its way is told now.

        Raises:
            ResourceError: the device cannot be used. BundleRejected: ONNX Runtime cannot load the graph.
        """
        self._session(self.signature.graphs[0])

    def __call__(self, variable: Tensor, others: Mapping[str, Tensor]) -> Tensor:
        """The output; tensors as the signature says, of one batch and one length.

        Raises:
            InvalidRequest: a tensor of another shape, type or device, or named otherwise than the signature says.
        """
        output = self._check({self.signature.variable.name: variable, **others})
        fixed = {name: tensor.detach().contiguous() for name, tensor in others.items()}
        if torch.is_grad_enabled() and variable.requires_grad:
            result: Tensor = _Differentiable.apply(variable, self, fixed, output)  # type: ignore[no-untyped-call]
            return result
        return self._run(0, {self.signature.variable.name: variable.detach().contiguous(), **fixed}, output)[0]

    def forward(
        self, variable: Tensor, fixed: Mapping[str, Tensor], sizes: tuple[int, ...]
    ) -> tuple[Tensor, Mapping[str, Any]]:
        """The output by the ``fw`` graph, and all values the pull-back may ask for."""
        inputs = {self.signature.variable.name: variable.detach().contiguous(), **fixed}
        output, saved = self._run(1, inputs, sizes)
        # detached: the tensor that is returned leads to autograd's node, and this to it, which only the collector ends
        return output, {**inputs, **saved, self.signature.output.name: output.detach()}

    def pull_back(self, values: Mapping[str, Any], cot: Tensor) -> Tensor:
        """g = J^T cot from what :meth:`forward` kept."""
        variable = values[self.signature.variable.name]
        inputs = {**values, self.signature.cotangent.name: cot.to(torch.float32).contiguous()}
        return self._run(2, inputs, tuple(variable.shape))[0]

    def _run(
        self, graph: int, inputs: Mapping[str, Any], sizes: tuple[int, ...]
    ) -> tuple[Tensor, dict[str, ort.OrtValue]]:
        """Run one of the three graphs; its output (for the pull-back: the gradient) and the values it saves."""
        result = torch.empty(sizes, dtype=torch.float32, device=self.device)
        s = self.signature
        name = s.gradient.name if graph == 2 else s.output.name
        return result, self._session(s.graphs[graph]).run(inputs, {name: result})

    def _session(self, name: str) -> TensorSession:
        with self._lock:
            if name not in self._sessions:
                self._sessions[name] = TensorSession(self._graphs[name], self._settings)
            return self._sessions[name]

    def _check(self, tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
        """Sizes of the output, after all inputs have been found right."""
        s = self.signature
        expected = {spec.name: spec for spec in s.inputs}
        if set(tensors) != set(expected):
            raise InvalidRequest(f"expected inputs named {sorted(expected)}, got {sorted(tensors)}")
        batch, frames = 0, 0
        for name, spec in expected.items():
            size, length = check_tensor(tensors[name], spec, self.device)
            batch, frames = batch or size, frames or length or 0
            if (size, length or frames) != (batch, frames):
                raise InvalidRequest(
                    f"{name}: expected batch {batch} and {frames} frames like {s.variable.name}, "
                    f"got {size} and {length}: bind conditioning for this length"
                )
        if frames % s.frames_multiple:
            raise InvalidRequest(
                f"expected a multiple of {s.frames_multiple} latent frames, got {frames}: pad the window"
            )
        return s.output.sizes(batch, frames)


def check_tensor(tensor: Tensor, spec: TensorSpec, device: torch.device) -> tuple[int, int | None]:
    """Batch and frames of a tensor that must be float32, of the spec's shape and on the device.

    Raises:
        InvalidRequest: it is not.
    """
    if tensor.dtype != torch.float32:
        raise InvalidRequest(f"{spec.name}: expected float32, got {tensor.dtype}: convert it with .float()")
    if tensor.device.type != device.type:
        raise InvalidRequest(f"{spec.name}: expected a tensor on {device}, got one on {tensor.device}")
    return spec.match(tuple(tensor.shape))


class _Differentiable(torch.autograd.Function):
    """``fw`` on the way in, ``bw`` on the way back; saved activations stay where ONNX Runtime put them."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, variable: Tensor, function: OnnxFunction, fixed: Mapping[str, Tensor], sizes: tuple[int, ...]
    ) -> Tensor:
        output, values = function.forward(variable, fixed, sizes)
        ctx.function, ctx.values = function, values  # type: ignore[attr-defined]
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cot: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.function.pull_back(ctx.values, cot), None, None, None


class OnnxDenoiser:
    """The denoiser of a bundle (:class:`segue.prior.contract.Denoiser`)."""

    def __init__(self, function: OnnxFunction) -> None:
        self._function = function
        self._specs = {s.name: s for s in function.signature.others if s.name != "time"}

    def load(self) -> None:
        """See :meth:`OnnxFunction.load`."""
        self._function.load()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the conditioning inputs, beside x_t and time."""
        return tuple(self._specs)

    @property
    def device(self) -> torch.device:
        """Where x_t must lie."""
        return self._function.device

    def bind(self, conditioning: Mapping[str, Tensor]) -> OnnxPrior:
        """The prior under this conditioning, of the batch of x_t or of batch 1, which then serves every item.

        Raises:
            InvalidRequest: a named input is missing, unknown, of another shape or type, or contradicts the others.
        """
        if set(conditioning) != set(self._specs):
            missing, unknown = set(self._specs) - set(conditioning), set(conditioning) - set(self._specs)
            raise InvalidRequest(
                f"expected conditioning named {sorted(self._specs)}: missing {sorted(missing)}, "
                f"unknown {sorted(unknown)}"
            )
        bound = {n: t.detach().to(self.device) for n, t in conditioning.items()}
        matched = {n: check_tensor(t, self._specs[n], self.device) for n, t in bound.items()}
        batches = {b for b, _ in matched.values()} - {1}
        lengths = {f for _, f in matched.values() if f is not None}
        if len(batches) > 1 or len(lengths) > 1:
            raise InvalidRequest(
                f"expected conditioning of one batch (or 1) and one length, got batches {sorted(batches)} "
                f"and frames {sorted(lengths)}"
            )
        return OnnxPrior(self._function, bound)


class OnnxPrior:
    """``prior(x_t, t) -> x0_hat`` with its conditioning bound (:class:`segue.sampling.contract.Prior`)."""

    def __init__(self, function: OnnxFunction, conditioning: Mapping[str, Tensor]) -> None:
        self._function, self._conditioning = function, conditioning
        self._expanded: tuple[int, dict[str, Tensor]] = (0, {})

    def __call__(self, x_t: Latents, t: Float[Tensor, " batch"]) -> Latents:
        """x0_hat, (batch, channels, frames) float32; differentiable in x_t.

        Raises:
            InvalidRequest: x_t or t is not float32, or its shape differs from what was bound.
        """
        return self._function(x_t, {"time": t, **self._for(x_t.shape[0])})

    def _for(self, batch: int) -> dict[str, Tensor]:
        """The conditioning for a batch, expanded once."""
        if self._expanded[0] != batch:
            expanded = {
                name: tensor.expand(batch, *tensor.shape[1:]).contiguous()
                if tensor.shape[0] == 1
                else tensor.contiguous()
                for name, tensor in self._conditioning.items()
            }
            self._expanded = (batch, expanded)
        return self._expanded[1]


FunctionLoader = Callable[[Signature], OnnxFunction]
"""Gives a bundle's function by its signature."""

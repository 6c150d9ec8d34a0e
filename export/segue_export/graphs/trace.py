"""A torch module and its pull-back as one graph of plain aten operators, batch and length dynamic.

Forward and pull-back are traced together with ``make_fx`` over ``torch.func.vjp``, the weights as inputs. This leans on
torch's fake tensors, which are semi-private: it is why the project pins torch.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnx_ir as ir
import torch
import torch._dynamo
from onnx_ir.passes import common
from onnxscript.optimizer import fold_constants
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call, vjp
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

from segue.prior.signature import TOKENS, Signature, TensorSpec, frames_factor
from segue_export.graphs.decompositions import ExportFriendly, decomposition_table

OPSET = 20
_TRACED_BATCH, _TRACED_FRAMES, _TRACED_TOKENS = (
    3,
    61,
    59,
)  # sizes that no weight has, so that no axis is taken for another


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _split(spec: TensorSpec, multiple: int) -> list[tuple[int, int]]:
    """Axes (from the last to the first) to split as (length / N, N), so that divisibility is a fact and not a guard."""
    factors = [(i, frames_factor(a)) for i, a in enumerate(spec.shape)]
    return [(i, n * multiple) for i, n in reversed(factors) if n is not None and n * multiple > 1]


def _unflatten(tensor: Tensor, spec: TensorSpec, multiple: int) -> Tensor:
    for axis, size in _split(spec, multiple):
        tensor = torch.unflatten(tensor, axis, (-1, size))
    return tensor


def _flatten(tensor: Tensor, spec: TensorSpec, multiple: int) -> Tensor:
    for axis, _ in reversed(_split(spec, multiple)):
        tensor = tensor.flatten(axis, axis + 1)
    return tensor


def _free_axes(spec: TensorSpec, multiple: int) -> set[int]:
    """Axes of the unflattened tensor that are dynamic: the batch, what is left of the length, a prompt's length."""
    free = {0, *_length_axes(spec, multiple)}
    return free | {spec.shape.index(TOKENS)} if TOKENS in spec.shape else free


def _length_axes(spec: TensorSpec, multiple: int) -> list[int]:
    """Axes of the unflattened tensor that follow the number of frames."""
    splits = {axis for axis, _ in _split(spec, multiple)}
    found, shift = [], 0
    for axis, name in enumerate(spec.shape):
        if frames_factor(name) is not None:
            found.append(axis + shift)
        shift += axis in splits
    return found


def _fake_inputs(
    weights: Mapping[str, Tensor], specs: tuple[TensorSpec, ...], multiple: int
) -> tuple[FakeTensorMode, dict[str, Tensor], list[Tensor]]:
    """Stand-ins without data: weights of fixed sizes, inputs with one symbol for each free axis."""
    mode = FakeTensorMode(shape_env=ShapeEnv(duck_shape=False), allow_non_fake_inputs=True)
    fake_weights: dict[str, Tensor] = {
        name: mode.from_tensor(w.detach(), static_shapes=True) for name, w in weights.items()
    }
    inputs: list[Tensor] = []
    for spec in specs:
        sizes = spec.sizes(_TRACED_BATCH, _TRACED_FRAMES * multiple, _TRACED_TOKENS)
        real = _unflatten(torch.zeros(sizes), spec, multiple)
        free = _free_axes(spec, multiple)
        kinds = [DimDynamic.DYNAMIC if i in free else DimDynamic.STATIC for i in range(real.dim())]
        inputs.append(mode.from_tensor(real, symbolic_context=StatelessSymbolicContext(dynamic_sizes=kinds)))
    return mode, fake_weights, inputs


def _tie(tensors: list[Tensor], specs: tuple[TensorSpec, ...], multiple: int) -> None:
    """Tell the tracer that all batches are one size and all lengths follow one number of frames."""
    frames: list[int] = []
    for tensor, spec in zip(tensors, specs, strict=True):
        torch._check(tensor.shape[0] == tensors[0].shape[0])  # type: ignore[no-untyped-call]
        frames += [tensor.shape[i] for i in _length_axes(spec, multiple)]
    for count in frames[1:]:
        torch._check(count == frames[0])  # type: ignore[no-untyped-call]


def trace_pullback(module: nn.Module, signature: Signature) -> fx.GraphModule:
    """A graph ``(weights, *inputs, cotangent) -> (output, gradient)`` over unflattened inputs (see :func:`_split`)."""
    specs, multiple = (*signature.inputs, signature.cotangent), signature.frames_multiple

    def joint(weights: dict[str, Tensor], *unflattened: Tensor) -> tuple[Tensor, Tensor]:
        _tie(list(unflattened), specs, multiple)
        variable, *others, cot = (_flatten(t, s, multiple) for t, s in zip(unflattened, specs, strict=True))
        named = {spec.name: tensor for spec, tensor in zip(signature.others, others, strict=True)}
        with ExportFriendly():
            output, pull = vjp(  # type: ignore[misc]  # without has_aux there are two
                lambda x: functional_call(module, weights, (x,), named), variable
            )
            # Under grad mode the twice differentiable variants of some backwards are traced, which do not export.
            with torch.no_grad():
                (gradient,) = pull(cot)
        return output, gradient

    with quiet():
        mode, weights, inputs = _fake_inputs(weights_of(module), specs, multiple)
    with mode, quiet():
        graph = make_fx(joint, decomposition_table=decomposition_table(), tracing_mode="real")(weights, *inputs)
    _fold_constants(graph)
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph


def _fold_constants(graph: fx.GraphModule) -> None:
    """Compute with torch itself what depends on no input or weight, such as frequencies: equal to the last bit."""
    known: dict[fx.Node, Tensor] = {}
    for node in graph.graph.nodes:
        is_operator = node.op == "call_function" and isinstance(node.target, torch._ops.OpOverload)
        if is_operator and isinstance(node.meta.get("val"), Tensor) and all(a in known for a in node.all_input_nodes):
            args, kwargs = fx.map_arg((node.args, node.kwargs), known.__getitem__)
            known[node] = node.target(*args, **kwargs)
    for node, value in known.items():
        if all(user in known for user in node.users):
            continue
        name = f"constant_{node.name}"
        graph.register_buffer(name, value.clone())  # buffers that share memory would be taken for one
        with graph.graph.inserting_before(node):
            node.replace_all_uses_with(graph.graph.get_attr(name), delete_user_cb=lambda user: user not in known)


class _Joint(nn.Module):
    """The traced graph beside the module that holds its weights, so that initializers keep their names."""

    def __init__(self, net: nn.Module, graph: fx.GraphModule, signature: Signature) -> None:
        super().__init__()
        self.net, self.joint, self.signature = net, graph, signature
        self.eval()

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        s = self.signature
        specs = (*s.inputs, s.cotangent)
        split = (_unflatten(t, spec, s.frames_multiple) for t, spec in zip(inputs, specs, strict=True))
        output, gradient = self.joint(weights_of(self.net), *split)
        return output, gradient


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the exporter's own notices, which are about packages and torch internals, not about the module.

    Nor does a node remember the Python frames it was made in, nor fake tensors their earlier shapes: with free sizes
    both take as long as all the rest.
    """
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level, silent = logger.level, torch.fx.config.do_not_emit_stack_traces
    logger.setLevel(logging.ERROR)
    torch.fx.config.do_not_emit_stack_traces = True
    try:
        with warnings.catch_warnings(), torch._dynamo.config.patch(fake_tensor_cache_enabled=False):
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
        torch.fx.config.do_not_emit_stack_traces = silent


def save_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    *,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[str],
) -> None:
    """Write a module as an ONNX graph, every named axis of its inputs dynamic, its weights beside it.

    Afterwards nobody but the module holds its weights.
    """
    axes = tuple({i: torch.export.Dim.DYNAMIC for i, a in enumerate(s.shape) if isinstance(a, str)} for s in inputs)
    with quiet():
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=[s.name for s in inputs],
            output_names=list(outputs),
            dynamic_shapes=(axes,),
            optimize=False,
            verbose=False,
        )
        assert program is not None  # None only where a file is asked for
        _tidy(program.model)
        program.save(path, external_data=True)
    # The exporter's rewriting rules live as long as the process, and keep the last graph they saw.
    for value in program.model.graph.initializers.values():
        value.const_value = None


def _tidy(model: ir.Model) -> None:
    """Fold what is constant, drop what is unused or there twice.

    The exporter's own optimizer does the same and applies its rewriting rules, some of which look at all nodes for each
    node: an hour for a transformer of 20 layers. ONNX Runtime, which has the like, takes seconds when it opens a graph.
    """
    common.InlinePass()(model)
    fold_constants(model)
    ir.passes.Sequential(
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedOpsetsPass(),
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.DeduplicateInitializersPass(),
        common.CommonSubexpressionEliminationPass(),
        common.OutputFixPass(),
        common.NameFixPass(),
    )(model)


def export_joint(module: nn.Module, signature: Signature, path: Path) -> None:
    """Write ``(inputs..., cot) -> (output, g)`` as ``path`` with its weights beside it as ``path.data``."""
    graph = trace_pullback(module, signature)
    specs, multiple = (*signature.inputs, signature.cotangent), signature.frames_multiple
    example = tuple(torch.zeros(s.sizes(_TRACED_BATCH, _TRACED_FRAMES * multiple, _TRACED_TOKENS)) for s in specs)
    joint = _Joint(module, graph, signature)
    save_onnx(joint, example, path, inputs=specs, outputs=(signature.output.name, signature.gradient.name))

"""Cut one joint graph (inputs, cot) -> (output, g) into three over one weights file.

    plain: inputs             -> output              steps without guidance
    fw:    inputs             -> output, saved...     forward that keeps what the pull-back needs
    bw:    saved..., inputs   -> g = J^T cot          inputs: the cotangent, and what is recomputed from

The backward graph is what the gradient needs and depends on the cotangent. Of the forward values it uses, views are
taken again; what does not depend on the variable (time, conditioning, weights) is recomputed where that is cheap;
the rest is saved by ``fw``. Names in ``bw`` are those of ``fw``'s outputs and of the inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from segue.prior.signature import Signature, TensorSpec
from segue_export.graphs.trace import OPSET
from segue_export.graphs.weights import HALF, INLINE_BYTES, INT8, SCALE, WeightsFile, as_int8, is_half, read_tensor

IR_VERSION = 10

# fmt: off
_VIEWS = frozenset((
    "Cast", "Expand", "Flatten", "Identity", "Reshape", "Shape", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze",
))
_CHEAP = _VIEWS | frozenset((
    "Add", "And", "Concat", "Constant", "ConstantOfShape", "Cos", "Div", "Equal", "Exp", "Gather", "Greater", "Less",
    "Mul", "Neg", "Not", "Or", "Pow", "Range", "Reciprocal", "Sigmoid", "Sin", "Sqrt", "Sub", "Tanh", "Where",
))
# fmt: on


@dataclass(frozen=True)
class Cut:
    """The three graphs of a function."""

    plain: ModelProto
    fw: ModelProto
    bw: ModelProto


class _Joint:
    """The joint graph with the look-ups that cutting needs."""

    def __init__(self, graph: GraphProto, signature: Signature) -> None:
        self.graph, self.signature = graph, signature
        self.nodes: list[NodeProto] = list(graph.node)
        for node in self.nodes:
            self._unbind_shapes(node)
        self.producer = {name: i for i, node in enumerate(self.nodes) for name in node.output if name}
        self.inputs = {i.name for i in graph.input}
        self.initializers = {t.name: t for t in graph.initializer}
        self.types = {v.name: v for v in (*graph.value_info, *graph.input, *graph.output)}

    def _unbind_shapes(self, node: NodeProto) -> None:
        """Read sizes from the variable, so that shape arithmetic never ties the forward to the cotangent."""
        s = self.signature
        if node.op_type == "Shape" and node.input[0] == s.cotangent.name and s.output.shape == s.variable.shape:
            node.input[0] = s.variable.name

    def reached_from(self, start: str) -> set[str]:
        """Values that depend on the entries (not merely the shape) of a graph input."""
        reached = {start}
        for node in self.nodes:
            of_shape = node.op_type == "Shape" and node.input[0] in self.inputs
            if not of_shape and any(name in reached for name in node.input):
                reached.update(name for name in node.output if name)
        return reached

    def needed_by(self, outputs: Iterable[str]) -> list[NodeProto]:
        """Nodes that compute the outputs from the graph's inputs, in order."""
        found: set[int] = set()
        stack = list(outputs)
        while stack:
            index = self.producer.get(stack.pop())
            if index is not None and index not in found:
                found.add(index)
                stack.extend(self.nodes[index].input)
        return [self.nodes[i] for i in sorted(found)]

    @cached_property
    def backward(self) -> tuple[list[NodeProto], list[str]]:
        """Nodes of the backward graph in order, and the forward values it must be given."""
        from_cot, from_variable = (
            self.reached_from(s.name) for s in (self.signature.cotangent, self.signature.variable)
        )
        found: set[int] = set()
        saved: list[str] = []
        seen: set[str] = set()
        stack = [self.signature.gradient.name]
        while stack:
            name = stack.pop()
            if name in seen or name in self.initializers or not name:
                continue
            seen.add(name)
            index = self.producer.get(name)
            if index is None:  # an input of the graph
                continue
            allowed = _VIEWS if name in from_variable else _CHEAP
            if name in from_cot or self.nodes[index].op_type in allowed:
                found.add(index)
                stack.extend(self.nodes[index].input)
            else:
                saved.append(name)
        return [self.nodes[i] for i in sorted(found)], saved


def typed(spec: TensorSpec, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
    """A graph's input or output as the manifest has it."""
    return helper.make_tensor_value_info(spec.name, kind, list(spec.shape))


def _stripped(node: NodeProto) -> NodeProto:
    """The node without the exporter's notes, which hold stack traces and paths of the machine."""
    bare = NodeProto(op_type=node.op_type, name=node.name, input=node.input, output=node.output)
    bare.attribute.extend(node.attribute)
    return bare


class Assembler:
    """Builds models whose large initializers lie in one weights file; ``folder`` is where they lie so far."""

    def __init__(self, initializers: Mapping[str, TensorProto], folder: Path, weights: WeightsFile) -> None:
        self.initializers, self.folder, self.weights = initializers, folder, weights

    def _initializer(self, name: str) -> tuple[list[TensorProto], list[NodeProto]]:
        """The stored tensors and, where they are stored in fewer bits, the node that makes float32 of them."""
        array = read_tensor(self.initializers[name], self.folder)
        if array.nbytes < INLINE_BYTES:
            return [numpy_helper.from_array(array, name)], []
        if (levels := as_int8(array)) is not None:
            parts = ((f"{name}{INT8}", levels.values), (f"{name}{SCALE}", levels.scale))
            names = [part for part, _ in parts]
            node = helper.make_node("DequantizeLinear", names, [name], name=f"{name}.levels", axis=levels.axis)
            return [self.weights.add(part, values) for part, values in parts], [node]
        if not is_half(array):
            return [self.weights.add(name, array)], []
        cast = helper.make_node("Cast", [f"{name}{HALF}"], [name], name=f"{name}.cast", to=TensorProto.FLOAT)
        return [self.weights.add(f"{name}{HALF}", array.astype("<f2"))], [cast]

    def model(
        self, name: str, nodes: Sequence[NodeProto], inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> ModelProto:
        """One graph with the initializers its nodes use."""
        used = {i for node in nodes for i in node.input}
        stored = [self._initializer(i) for i in self.initializers if i in used]
        tensors = [tensor for tensors, _ in stored for tensor in tensors]
        wider = [node for _, nodes in stored for node in nodes]
        graph = helper.make_graph([*wider, *map(_stripped, nodes)], name, list(inputs), list(outputs), tensors)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="segue_export")


def _saved_type(joint: _Joint, name: str) -> ValueInfoProto:
    """The type of a saved value; its free sizes are left unnamed."""
    tensor = joint.types[name].type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
    return helper.make_tensor_value_info(name, tensor.elem_type, sizes)


def _sizes_from_cotangent(nodes: Sequence[NodeProto], signature: Signature) -> list[NodeProto]:
    """Let the backward graph read sizes from the cotangent, so that it need not be given the variable."""
    result = []
    for node in nodes:
        copy = _stripped(node)
        if node.op_type == "Shape" and node.input[0] == signature.variable.name:
            copy.input[0] = signature.cotangent.name
        result.append(copy)
    return result


def cut(model: ModelProto, folder: Path, signature: Signature, weights: WeightsFile) -> Cut:
    """Cut a joint model whose external data lie in ``folder``; large weights go to ``weights``."""
    joint = _Joint(model.graph, signature)
    assemble = Assembler(joint.initializers, folder, weights)
    nodes, saved = joint.backward
    if signature.output.shape == signature.variable.shape:
        nodes = _sizes_from_cotangent(nodes, signature)
    used = {i for node in nodes for i in node.input}
    kept = [_saved_type(joint, name) for name in saved if name != signature.output.name]
    inputs, output = [typed(s) for s in signature.inputs], typed(signature.output)
    back_inputs = [typed(s) for s in (*signature.inputs, signature.cotangent) if s.name in used]
    if signature.output.name in saved:
        back_inputs.append(output)
    names = signature.graphs
    return Cut(
        plain=assemble.model(names[0], joint.needed_by([signature.output.name]), inputs, [output]),
        fw=assemble.model(names[1], joint.needed_by([signature.output.name, *saved]), inputs, [output, *kept]),
        bw=assemble.model(names[2], nodes, [*kept, *back_inputs], [typed(signature.gradient)]),
    )

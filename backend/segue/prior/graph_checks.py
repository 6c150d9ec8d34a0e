"""What an ONNX graph of a bundle may be: plain operators of ai.onnx, data at honest places.

The graph is parsed with ``onnx`` alone. There is no control flow, no function and no subgraph to hide in, no operator
of another domain (custom kernels, embedded engine binaries), and every tensor's size equals its type times its shape.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from segue.errors import BundleRejected
from segue.prior.signature import Signature, TensorSpec, TextSignature
from segue.prior.weight_checks import StoredTensor

OPSETS = range(18, 24)
IR_VERSIONS = range(8, 12)
MAX_NODES = 200_000
MAX_RANK = 8
MAX_SIZE = 1 << 31
INLINE_LIMIT = 1 << 20
_WEIGHT = 64  # inline tensors of more entries are weights; smaller ones are constants, such as the -inf of a mask

# fmt: off
OPERATORS = frozenset((
    "Abs", "Add", "And", "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil", "Clip",
    "Concat", "Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "Cosh", "CumSum", "DepthToSpace",
    "DequantizeLinear", "Div", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor",
    "Gather", "GatherElements", "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "Greater", "GreaterOrEqual",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "IsInf", "IsNaN",
    "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "MatMul", "Max", "MaxPool", "Min",
    "Mish", "Mod", "Mul", "Neg", "Not", "OneHot", "Or", "PRelu", "Pad", "Pow", "RMSNormalization", "Range",
    "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "ScatterElements", "ScatterND", "Selu",
    "Shape", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth",
    "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tan", "Tanh", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where",
    "Xor",
))
# fmt: on

_TYPES: dict[int, str] = {
    TensorProto.FLOAT: "<f4",
    TensorProto.FLOAT16: "<f2",
    TensorProto.DOUBLE: "<f8",
    TensorProto.INT64: "<i8",
    TensorProto.INT32: "<i4",
    TensorProto.INT8: "|i1",
    TensorProto.BOOL: "|b1",
}
_SCALARS = {AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING}
_LISTS = {AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS}
_NUMBER = re.compile(r"[0-9]{1,18}")


def check_graph(name: str, model: bytes, weights: Mapping[str, int]) -> tuple[ModelProto, list[StoredTensor]]:
    """The parsed model and its tensors in weights files; ``weights`` gives the files there are, and their bytes.

    Raises:
        BundleRejected: not ONNX; another domain, opset, operator, attribute or type; data that lie elsewhere, reach
            past the file, or differ in size from what their shape says.
    """
    try:
        proto = ModelProto.FromString(model)
    except DecodeError as error:
        raise BundleRejected(f"{name}.onnx is not an ONNX model: {error}") from error
    _check_model(name, proto)
    for node in proto.graph.node:
        _check_node(name, node)
    names = [t.name for t in proto.graph.initializer]
    if len(set(names)) != len(names):
        raise BundleRejected(f"{name}.onnx: two initializers share a name")
    stored = [_check_tensor(name, tensor, weights) for tensor in proto.graph.initializer]
    return proto, [tensor for tensor in stored if tensor is not None]


def _check_model(name: str, proto: ModelProto) -> None:
    opsets = [(o.domain or "ai.onnx", o.version) for o in proto.opset_import]
    if len(opsets) != 1 or opsets[0][0] != "ai.onnx" or opsets[0][1] not in OPSETS:
        raise BundleRejected(
            f"{name}.onnx: expected operators of ai.onnx {OPSETS[0]} to {OPSETS[-1]} alone, got {opsets[:4]}; custom "
            "operators are never loaded"
        )
    if proto.ir_version not in IR_VERSIONS:
        raise BundleRejected(
            f"{name}.onnx: expected IR version {IR_VERSIONS[0]} to {IR_VERSIONS[-1]}, got {proto.ir_version}"
        )
    graph = proto.graph
    if proto.functions or proto.training_info or graph.sparse_initializer:
        raise BundleRejected(f"{name}.onnx: expected no functions, training graphs or sparse tensors, it has some")
    if len(graph.node) > MAX_NODES or len(graph.initializer) > MAX_NODES:
        raise BundleRejected(f"{name}.onnx: expected at most {MAX_NODES} nodes and initializers, it has more")


def _check_node(name: str, node: NodeProto) -> None:
    domain = node.domain or "ai.onnx"
    if domain != "ai.onnx" or node.op_type not in OPERATORS:
        raise BundleRejected(
            f"{name}.onnx: operator {domain[:80]}.{node.op_type[:80]} is not one a bundle may use; custom "
            "operators, control flow and embedded engines are refused"
        )
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            if _check_tensor(name, attribute.t, {}) is not None:
                raise BundleRejected(f"{name}.onnx: {node.op_type} holds its constant outside the graph")
        elif attribute.type not in _SCALARS | _LISTS or attribute.ref_attr_name:
            raise BundleRejected(
                f"{name}.onnx: attribute {attribute.name[:80]!r} of {node.op_type} is a graph, type or reference, "
                "which a bundle may not use"
            )


def _check_tensor(graph: str, tensor: TensorProto, weights: Mapping[str, int]) -> StoredTensor | None:
    """Where an initializer lies, or None where it is whole and sound inside the graph."""
    name = tensor.name[:80]
    if tensor.data_type not in _TYPES:
        raise BundleRejected(f"{graph}.onnx: {name} is of a type bundles do not use ({tensor.data_type})")
    dims = list(tensor.dims)
    if len(dims) > MAX_RANK or any(not 0 <= d < MAX_SIZE for d in dims) or tensor.HasField("segment"):
        raise BundleRejected(f"{graph}.onnx: {name} has an impossible shape {dims[:MAX_RANK]}")
    dtype = np.dtype(_TYPES[tensor.data_type])
    length = math.prod(dims) * dtype.itemsize
    if tensor.data_location == TensorProto.EXTERNAL:
        return _check_external(graph, tensor, dtype, length, weights)
    if tensor.external_data or length > INLINE_LIMIT:
        raise BundleRejected(f"{graph}.onnx: {name} must lie whole in the graph, or in the weights file if over 1 MiB")
    _check_inline(graph, tensor, length)
    return None


def _check_inline(graph: str, tensor: TensorProto, length: int) -> None:
    name = tensor.name[:80]
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise BundleRejected(f"{graph}.onnx: {name} cannot be read: {error}") from error
    if array.nbytes != length:
        raise BundleRejected(f"{graph}.onnx: {name} should hold {length} bytes by its shape, it holds {array.nbytes}")
    if not np.issubdtype(array.dtype, np.floating):
        return
    if np.isnan(array).any() or (array.size > _WEIGHT and not np.isfinite(array).all()):
        raise BundleRejected(f"{graph}.onnx: {name} holds NaN or infinite weights; get the bundle again")


def _check_external(
    graph: str, tensor: TensorProto, dtype: np.dtype, length: int, weights: Mapping[str, int]
) -> StoredTensor:
    """The place of an external tensor, after it has been found inside one of the bundle's weights files."""
    name = tensor.name[:80]
    entries = {e.key: e.value for e in tensor.external_data}
    if set(entries) != {"location", "offset", "length"} or len(tensor.external_data) != 3 or tensor.raw_data:
        raise BundleRejected(
            f"{graph}.onnx: {name}: expected external data with location, offset and length, got {sorted(entries)[:6]}"
        )
    location = entries["location"]
    if location not in weights:
        raise BundleRejected(
            f"{graph}.onnx: {name} lies in {location[:200]!r}; external data may only lie in the bundle's own "
            f"weights file ({sorted(weights)}), never in another folder or behind a link"
        )
    if not (_NUMBER.fullmatch(entries["offset"]) and _NUMBER.fullmatch(entries["length"])):
        raise BundleRejected(f"{graph}.onnx: {name}: offset and length must be whole numbers of at most 18 digits")
    offset, stated = int(entries["offset"]), int(entries["length"])
    if stated != length or length == 0:
        raise BundleRejected(f"{graph}.onnx: {name} should hold {length} bytes by its shape, {stated} are stated")
    if offset + length > weights[location]:
        raise BundleRejected(
            f"{graph}.onnx: {name} ends at byte {offset + length} of {location}, which has {weights[location]}"
        )
    return StoredTensor(offset, length, location, tensor.name, dtype.str)


def check_interface(signature: Signature, plain: ModelProto, forward: ModelProto, backward: ModelProto) -> None:
    """The three graphs of a function take and give what its signature says, and fit each other.

    Raises:
        BundleRejected: a name, type or shape differs.
    """
    inputs, output = {s.name: s for s in signature.inputs}, signature.output
    for name, proto in zip(signature.graphs[:2], (plain, forward), strict=True):
        _check_values(name, "inputs", proto.graph.input, inputs)
        _check_values(name, "outputs", proto.graph.output[:1], {output.name: output})
    if len(plain.graph.output) != 1:
        raise BundleRejected(f"{signature.graphs[0]}.onnx: expected the one output {output.name!r}")
    name = signature.graphs[2]
    _check_values(name, "outputs", backward.graph.output, {signature.gradient.name: signature.gradient})
    known = {**inputs, signature.cotangent.name: signature.cotangent, output.name: output}
    saved = {v.name: v for v in forward.graph.output[1:]}
    if set(saved) & set(known) or len(saved) != len(forward.graph.output) - 1:
        raise BundleRejected(f"{signature.graphs[1]}.onnx: saved values must have names of their own")
    for value in backward.graph.input:
        if value.name in known:
            _check_values(name, "inputs", [value], {value.name: known[value.name]})
        elif value.name not in saved or saved[value.name].type != value.type:
            raise BundleRejected(f"{name}.onnx: input {value.name[:80]!r} is not what {signature.graphs[1]}.onnx saves")


def check_text_interface(signature: TextSignature, proto: ModelProto) -> None:
    """The text encoder takes tokens and gives conditioning.

    Raises:
        BundleRejected: a name, type or shape differs.
    """
    inputs, outputs = ({s.name: s for s in specs} for specs in (signature.inputs, signature.outputs))
    _check_values(signature.graph, "inputs", proto.graph.input, inputs, TensorProto.INT64)
    _check_values(signature.graph, "outputs", proto.graph.output, outputs)


def _check_values(
    graph: str,
    what: str,
    values: Sequence[ValueInfoProto],
    expected: Mapping[str, TensorSpec],
    kind: int = TensorProto.FLOAT,
) -> None:
    """Names, type and shapes of a graph's inputs or outputs."""
    found = [v.name for v in values]
    if sorted(found) != sorted(expected):
        raise BundleRejected(
            f"{graph}.onnx: expected {what} {sorted(expected)}, got {[n[:80] for n in found[:20]]}: manifest and graph "
            "are of different exports"
        )
    for value in values:
        tensor, spec = value.type.tensor_type, expected[value.name]
        shape = tuple(d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim)
        if tensor.elem_type != kind or shape != spec.shape:
            raise BundleRejected(
                f"{graph}.onnx: expected {value.name} to be {_type_name(kind)} {spec.describe()}, "
                f"got {_type_name(tensor.elem_type)} {shape}"
            )


def _type_name(kind: int) -> str:
    """As numpy calls it, or ONNX's number for what has no name."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(kind))
    except (KeyError, ValueError):
        return f"type {kind}"

"""How torch operators become operators that ONNX has, forward and backward.

Two layers: a torch function mode rewrites whole functions before they are dispatched (so that no fused CPU kernel is
traced), and a table of decompositions rewrites the aten operators that remain, with the backward ones among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._decomp import core_aten_decompositions, get_decompositions
from torch.overrides import TorchFunctionMode

aten = torch.ops.aten

_ATTENTION = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale", "enable_gqa")
_LINEAR = ("input", "weight", "bias")


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale q k^T + mask) v (Vaswani et al. 2017), with the meaning of torch's own function of the name.

    Shapes (batch, heads, length, head). A boolean mask is True where attention is allowed; ``enable_gqa`` repeats the
    key's and value's heads. Dropout is refused: a graph is exported for inference.
    """
    if dropout_p:
        raise ValueError(f"expected attention without dropout, got dropout_p={dropout_p}: call module.eval() first")
    if enable_gqa and query.shape[-3] != key.shape[-3]:
        repeats = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(repeats, -3), value.repeat_interleave(repeats, -3)
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query * factor) @ key.transpose(-1, -2)
    if is_causal:
        allowed = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device).tril()
        scores = scores.masked_fill(~allowed, float("-inf"))
    if attn_mask is not None:
        is_bool = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, float("-inf")) if is_bool else scores + attn_mask
    return torch.softmax(scores, -1) @ value


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b on rows: one matrix product that takes the bias along (ONNX's Gemm)."""
    rows = input.reshape(-1, input.shape[-1])
    product = rows @ weight.t() if bias is None else torch.addmm(bias, rows, weight.t())
    return product.reshape(*input.shape[:-1], weight.shape[0])


class ExportFriendly(TorchFunctionMode):
    """Replaces linear layers and attention by :func:`linear` and :func:`attention` while a module is traced."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if func is torch.nn.functional.linear:
            return linear(**dict(zip(_LINEAR, args, strict=False)), **named)
        if func is torch.nn.functional.scaled_dot_product_attention:
            return attention(**dict(zip(_ATTENTION, args, strict=False)), **named)
        return func(*args, **named)


def _silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def _silu_backward(cot: Tensor, x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return cot * (s * (1 + x * (1 - s)))


def _flipped(weight: Tensor, groups: int) -> Tensor:
    """Convolution weight (out, in / groups, *kernel) turned into that of the pull-back: flipped, in and out swapped."""
    out, per_group, *kernel = weight.shape
    weight = weight.flip(list(range(2, weight.dim())))
    if groups == 1:
        return weight.transpose(0, 1)
    if per_group == 1 and out == groups:  # depthwise: in and out are the same channel
        return weight
    grouped = weight.reshape(groups, out // groups, per_group, *kernel).transpose(1, 2)
    return grouped.reshape(groups * per_group, out // groups, *kernel)


def _convolution_backward(
    cot: Tensor,
    x: Tensor,
    weight: Tensor,
    bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[Tensor | None, None, None]:
    """Pull-back of a convolution with respect to its input only; the weights are constants.

    Stride 1: a convolution with flipped weights. Strided: a transposed convolution with the same weights. Transposed: a
    convolution with the same weights.
    """
    if output_mask[1] or output_mask[2]:
        raise ValueError("expected constant weights, got a request for their gradient: call requires_grad_(False)")
    if not output_mask[0]:
        return None, None, None
    n = len(stride)
    none = [0] * n
    if transposed:
        return aten.convolution.default(cot, weight, None, stride, padding, dilation, False, none, groups), None, None
    kernel = weight.shape[2:]
    if all(s == 1 for s in stride):
        pad = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True)]
        if all(p >= 0 for p in pad):
            flipped = _flipped(weight, groups)
            return aten.convolution.default(cot, flipped, None, stride, pad, dilation, False, none, groups), None, None
    # Samples at the end that no stride reached: a constant where the length is a multiple of the strides.
    rest = [
        int(x.shape[2 + i] - ((cot.shape[2 + i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (kernel[i] - 1) + 1))
        for i in range(n)
    ]
    return aten.convolution.default(cot, weight, None, stride, padding, dilation, True, rest, groups), None, None


def decomposition_table() -> dict[Any, Callable[..., Any]]:
    """Core aten's decompositions, less what ONNX has whole, plus the backward ones."""
    table: dict[Any, Callable[..., Any]] = dict(core_aten_decompositions())
    # linspace's decomposition differs from its kernel in the last bit, which at 200 rad is a relative 1e-5.
    whole = (aten.gelu, aten.native_layer_norm, aten.addmm, aten._softmax, aten.linspace)
    for kept in whole:
        table.pop(kept.default, None)
    backward = (
        aten.native_layer_norm_backward,
        aten.native_group_norm_backward,
        aten.gelu_backward,
        aten._softmax_backward_data,
    )
    table.update(get_decompositions(backward))
    table[aten.convolution_backward.default] = _convolution_backward
    table[aten.silu.default] = _silu
    table[aten.silu_backward.default] = _silu_backward
    return table

"""Attention and convolution, rewritten for export, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from segue_export.graphs.decompositions import ExportFriendly, attention, decomposition_table

aten = torch.ops.aten


def _heads(count: int, length: int, seed: int) -> torch.Tensor:
    return torch.randn(2, count, length, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": torch.ones(5, 5, dtype=torch.bool).tril(1)},
        {"attn_mask": torch.linspace(-2.0, 2.0, 25).reshape(5, 5)},
        {"attn_mask": torch.ones(2, 1, 5, 5, dtype=torch.bool).triu(-2), "scale": 2.0},
    ],
    ids=lambda o: "+".join(o) or "plain",
)
def test_attention_equals_torch(options: dict[str, object]) -> None:
    q, k, v = (_heads(4, 5, i) for i in range(3))
    expected = functional.scaled_dot_product_attention(q, k, v, **options)  # type: ignore[arg-type]
    torch.testing.assert_close(attention(q, k, v, **options), expected)  # type: ignore[arg-type]


def test_grouped_query_attention_equals_torch() -> None:
    q, k, v = _heads(6, 5, 0), _heads(2, 7, 1), _heads(2, 7, 2)
    expected = functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    torch.testing.assert_close(attention(q, k, v, enable_gqa=True), expected)


def test_keyword_calls_are_rewritten_like_positional_ones() -> None:
    q, k, v = (_heads(4, 5, i) for i in range(3))
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    expected = functional.scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=mask)
    with ExportFriendly(), torch.profiler.profile() as profile:
        rewritten = functional.scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=mask)
        functional.linear(input=q, weight=torch.ones(3, 8), bias=torch.ones(3))
    torch.testing.assert_close(rewritten, expected)
    ran = {event.key for event in profile.key_averages()}
    assert "aten::softmax" in ran
    assert not {name for name in ran if "attention" in name or "linear" in name}


def test_attention_with_dropout_is_refused() -> None:
    q = _heads(1, 3, 0)
    with pytest.raises(ValueError, match="dropout"):
        attention(q, q, q, dropout_p=0.1)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups", "transposed", "output_padding", "kernel"),
    [
        (1, 1, 1, 1, False, 0, 3),
        (1, 3, 1, 6, False, 0, 7),
        (1, 2, 2, 2, False, 0, 3),
        (1, 0, 1, 3, False, 0, 1),
        (1, 4, 1, 1, False, 0, 3),  # more padding than the flipped form can express
        (2, 1, 1, 1, False, 0, 4),
        (4, 2, 1, 2, False, 0, 8),
        (3, 0, 1, 1, False, 0, 2),  # the last samples are reached by no stride
        (2, 1, 1, 1, True, 0, 4),
        (2, 1, 2, 3, True, 1, 3),
        (1, 1, 1, 2, True, 0, 3),
    ],
)
def test_convolution_pull_back_equals_autograd(
    stride: int, padding: int, dilation: int, groups: int, transposed: bool, output_padding: int, kernel: int
) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 6, 24, generator=generator, requires_grad=True)
    shape = (6, 12 // groups, kernel) if transposed else (12, 6 // groups, kernel)
    weight = torch.randn(shape, generator=generator)
    settings = ([stride], [padding], [dilation], transposed, [output_padding], groups)
    y = torch.convolution(x, weight, None, *settings)
    cot = torch.randn(y.shape, generator=generator)
    (expected,) = torch.autograd.grad(y, x, cot)
    pull_back = decomposition_table()[aten.convolution_backward.default]
    gradient, *_ = pull_back(cot, x.detach(), weight, None, *settings, [True, False, False])
    torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-5)


def test_gradients_of_weights_are_refused() -> None:
    pull_back = decomposition_table()[aten.convolution_backward.default]
    x = torch.zeros(1, 1, 4)
    with pytest.raises(ValueError, match="constant weights"):
        pull_back(x, x, torch.zeros(1, 1, 1), None, [1], [0], [1], False, [0], 1, [True, True, False])

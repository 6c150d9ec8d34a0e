"""Distances against numbers worked out by hand, and item by item."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.distances import DISTANCES, BinaryCrossEntropy, Mahalanobis, item_norm, item_sum
from segue.registry import Choice

Y = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
A = torch.tensor([[1.0, 0.0, 6.0], [3.0, -4.0, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice("l1"), [5.0, 7.0]),
        (Choice("l2"), [math.sqrt(13.0), 5.0]),
        (Choice("squared_l2"), [13.0, 25.0]),
        (Choice("mahalanobis", {"sigma": 0.5}), [26.0, 50.0]),
        (Choice("mahalanobis", {"sigma": torch.tensor([1.0, 2.0, torch.inf])}), [0.5, 6.5]),
    ],
    ids=lambda value: value.name if isinstance(value, Choice) else "",
)
def test_distances_by_hand(choice: Choice, expected: list[float]) -> None:
    assert DISTANCES.build(choice)(Y, A).tolist() == pytest.approx(expected)


def test_cross_entropy_is_minus_the_log_probability_of_the_class() -> None:
    logits = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    p = [1.0 / (1.0 + math.exp(-2.0)), 1.0 / (1.0 + math.exp(1.0))]
    soft = torch.tensor([[1.0, 0.3]], dtype=torch.float64)
    expected = -math.log(p[0]) - 0.3 * math.log(p[1]) - 0.7 * math.log(1.0 - p[1])
    assert BinaryCrossEntropy()(soft, logits).tolist() == pytest.approx([expected])


def test_cross_entropy_of_extreme_logits_is_finite() -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss = BinaryCrossEntropy()(torch.tensor([[0.0, 1.0]]), logits)
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([400.0])
    assert logits.grad is not None
    assert logits.grad.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("reduce", [item_sum, item_norm])
def test_an_item_is_reduced_to_the_same_bits_in_any_batch(reduce: Callable[[Tensor], Tensor]) -> None:
    """Long items that cancel, and two threads: torch splits the long sum of a lone item, but not the sums of three."""
    x = torch.randn(3, 7, 40001, generator=torch.Generator().manual_seed(0))
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together, alone = reduce(x), torch.cat([reduce(x[item : item + 1]) for item in range(3)])
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(together, alone)


@pytest.mark.parametrize("name", ["l1", "l2", "squared_l2"])
def test_at_the_target_the_distance_is_zero_and_so_is_its_gradient(name: str) -> None:
    a = Y.clone().requires_grad_()
    distance = DISTANCES.make(name)(Y, a)
    distance.sum().backward()
    assert distance.tolist() == [0.0, 0.0]
    assert a.grad is not None
    assert a.grad.abs().max() == 0.0


def test_bad_targets_and_widths_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"in \[0, 1\]"):
        BinaryCrossEntropy()(torch.tensor([[1.2]]), torch.tensor([[0.0]]))
    for sigma in (0.0, -1.0, math.nan):
        with pytest.raises(InvalidRequest, match="sigma above 0"):
            Mahalanobis(sigma)
    with pytest.raises(InvalidRequest, match=r"unknown distance 'l3'.*bce"):
        DISTANCES.make("l3")

"""What a gradient costs."""

from __future__ import annotations

from segue_bench.units import measure_units
from tests.quality.bench_loop_case import renderer


def test_a_gradient_costs_more_than_the_forward_pass_it_holds_and_less_than_ten() -> None:
    cost = measure_units(renderer().bundle, pairs=3)
    assert 0.0 < cost.forward_seconds < 60.0
    assert 1.0 < cost.vjp < 10.0

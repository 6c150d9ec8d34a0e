"""Fault 28: NaN or Inf in the prediction or gradient; that item stops at step k, reporting sigma and norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest, NonFinite
from segue.sampling.contract import Latents, Prediction, Prior, Sampler, Step
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.ding import DING
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.isolate import sample_each
from segue.sampling.noise import start_noise
from segue.sampling.pingpong import PingPong
from segue.sampling.schedule import Schedule, sigma

ITEMS, CHANNELS, FRAMES, STEPS = 3, 2, 5, 6
SCHEDULE = Schedule.linear(STEPS)


def sound(x_t: Latents, t: Tensor) -> Latents:
    return x_t / (1.0 + x_t * x_t)


@dataclass
class Breaking:
    """Sound but for ``value`` in one place of ``items`` from the evaluation at step ``at`` on."""

    value: float
    items: tuple[int, ...]
    at: int
    evaluations: int = 0

    def broken(self, clean: Latents) -> Latents:
        if self.evaluations > self.at:
            for item in self.items:
                clean[item, 0, 1] = self.value
        return clean


class BreakingPrior(Breaking):
    def __call__(self, x_t: Latents, t: Tensor) -> Latents:
        self.evaluations += 1
        return self.broken(sound(x_t, t))


class BreakingGradient(Breaking):
    def __call__(self, x_t: Latents, t: Tensor) -> Latents:
        return sound(x_t, t)

    def predict(self, x_t: Latents, t: Tensor) -> Prediction:
        self.evaluations += 1
        return Prediction(sound(x_t, t), self.broken(0.1 * x_t), lambda t, s: 0.01)


def samplers(items: int) -> dict[str, Sampler]:
    nothing = DING(torch.zeros(items, CHANNELS, FRAMES), torch.full((items, 1, FRAMES), torch.inf))
    return {"ddpm": DDPM(), "ddim": DDIM(), "dpmpp": DPMpp2M(), "pingpong": PingPong(), "ding": nothing}


def run(name: str, prior: Prior, items: Sequence[int], seen: list[Step] | None = None) -> Latents:
    seeded = [torch.Generator().manual_seed(i) for i in items]
    x_T = start_noise(seeded, CHANNELS, FRAMES)
    return samplers(len(items))[name](prior, SCHEDULE, x_T, seeded, callback=None if seen is None else seen.append)


@pytest.mark.parametrize("name", samplers(1))
@pytest.mark.parametrize(("broken", "what"), [(BreakingPrior, "prediction"), (BreakingGradient, "gradient")])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("at", [0, 3, STEPS - 1])
def test_fault_28_sampling_stops_at_the_step_and_reports_item_sigma_and_norm(
    name: str, broken: type[BreakingPrior | BreakingGradient], what: str, value: float, at: int
) -> None:
    prior, seen = broken(value, (1,), at), list[Step]()
    with pytest.raises(NonFinite, match=rf"{what} of item 1 .* step {at} ") as failure:
        run(name, prior, range(ITEMS), seen)
    assert prior.evaluations == at + 1
    assert (failure.value.item, failure.value.step, failure.value.others) == (1, at, ())
    assert failure.value.sigma == sigma(SCHEDULE.times[at])
    assert failure.value.norm == pytest.approx(float(seen[-1].x_s[1].norm()))


def test_fault_28_a_bad_item_does_not_cost_its_neighbours_their_result() -> None:
    """Two of five items break, at different steps and together with a third at one; the rest equal their solo runs."""

    def run_items(items: Sequence[int]) -> Latents:
        class Fragile:
            evaluations = 0

            def __call__(self, x_t: Latents, t: Tensor) -> Latents:
                x0_hat = sound(x_t, t)
                for place, item in enumerate(items):
                    if self.evaluations >= {0: 4, 2: 1, 3: 1}.get(item, STEPS):
                        x0_hat[place] = torch.nan
                self.evaluations += 1
                return x0_hat

        return run("ddpm", Fragile(), items)

    results, failures = sample_each(run_items, 5)
    assert {item: (f.item, f.step) for item, f in failures.items()} == {0: (0, 4), 2: (2, 1), 3: (3, 1)}
    assert sorted(results) == [1, 4]
    for item, x_0 in results.items():
        assert torch.equal(x_0, run("ddpm", sound, [item]))


def test_fault_28_when_all_items_break_all_are_reported_and_none_returned() -> None:
    results, failures = sample_each(
        lambda items: run("ddim", BreakingPrior(torch.nan, tuple(range(len(items))), 2), items), 3
    )
    assert results == {}
    assert {item: failure.step for item, failure in failures.items()} == {0: 2, 1: 2, 2: 2}
    assert len({failure.norm for failure in failures.values()}) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_fault_28_a_starting_point_that_is_not_finite_is_refused_before_work(value: float) -> None:
    def prior(x_t: Latents, t: Tensor) -> Latents:
        raise AssertionError("work was done")

    x_T = torch.zeros(2, CHANNELS, FRAMES)
    x_T[1, 0, 0] = value
    with pytest.raises(InvalidRequest, match=r"items \[1\]"):
        DDPM()(prior, SCHEDULE, x_T, [torch.Generator(), torch.Generator()])

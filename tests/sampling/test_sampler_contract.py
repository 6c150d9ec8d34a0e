"""What every sampler promises beside its equations: independence, precision, progress, refusals."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from segue.errors import Cancelled, InvalidRequest, NonFinite
from segue.guidance.guided import guided
from segue.guidance.mean_step import Jitter, mean_step
from segue.guidance.objective import ObjectiveSpec, TermSpec
from segue.guidance.operators.keep import Keep
from segue.registry import Choice
from segue.sampling.constraint import Chain, DataConsistency, Hold
from segue.sampling.contract import Constraint, Latents, Prior, Sampler, Step
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.ding import DING
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.dpmpp_sde import SDEDPMpp2M
from segue.sampling.noise import start_noise
from segue.sampling.pingpong import PingPong
from segue.sampling.registry import SAMPLERS
from segue.sampling.schedule import Schedule, alpha, sigma
from tests.sampling.gaussian import generators, without_shape_checks

CHANNELS, FRAMES = 3, 7


def rational(x_t: Latents, t: Tensor) -> Latents:
    """A nonlinear prior of exactly rounded operations, so that only the library can make items depend on each other."""
    return x_t * (2.0 - t[:, None, None]) / (1.0 + x_t * x_t)


def reference(items: range) -> Latents:
    """Each item's own material, whatever batch it is in."""
    return torch.cat([start_noise([torch.Generator().manual_seed(77 + i)], CHANNELS, FRAMES) for i in items])


def edge_mask(items: range) -> Tensor:
    """Each item keeps another number of frames."""
    return torch.stack([(torch.arange(FRAMES) < 2 + i).float() for i in items])[:, None]


def ding(items: range) -> Sampler:
    return DING(reference(items), torch.where(edge_mask(items) > 0, 0.05, torch.inf))


SAMPLER_OF: dict[str, Callable[[range], Sampler]] = {
    "ddpm": lambda _: DDPM(),
    "ddim": lambda _: DDIM(),
    "ddim_eta": lambda _: DDIM(eta=0.7),
    "dpmpp": lambda _: DPMpp2M(),
    "dpmpp-sde": lambda _: SDEDPMpp2M(),
    "pingpong": lambda _: PingPong(),
    "ding": ding,
}
every_sampler = pytest.mark.parametrize("make", SAMPLER_OF.values(), ids=SAMPLER_OF.keys())


def steered(items: range) -> Prior:
    own = [torch.Generator().manual_seed(500 + i) for i in items]
    objective = ObjectiveSpec((TermSpec(Choice("l2"), reference(items)),)).build()
    return mean_step(rational, objective, 0.1, iterations=2, jitter=Jitter(2, 0.3, own))


def through_denoiser(items: range) -> Prior:
    keep = Choice("keep", {"mask": edge_mask(items)})
    terms = TermSpec(Choice("l1"), reference(items) * edge_mask(items), keep), TermSpec(Choice("l2"), reference(items))
    return guided(rational, ObjectiveSpec(terms).build(), 0.05, normalise="item")


def constrained(items: range) -> Constraint:
    release = torch.where(edge_mask(items) > 0, 0.4, 1.0)
    noise = reference(items).flip(-1)
    consistency = DataConsistency(Keep(edge_mask(items)), reference(items) * edge_mask(items), eps=noise)
    return Chain((consistency, Hold(reference(items), noise, release)))


@every_sampler
@pytest.mark.parametrize("guide", [lambda _: rational, steered, through_denoiser], ids=["free", "mean_step", "guided"])
@pytest.mark.parametrize("constraint", [lambda _: None, constrained], ids=["", "constrained"])
def test_a_neighbour_in_the_batch_never_changes_a_bit(
    make: Callable[[range], Sampler],
    guide: Callable[[range], Prior],
    constraint: Callable[[range], Constraint | None],
) -> None:
    def run(items: range) -> Latents:
        seeded = [torch.Generator().manual_seed(i) for i in items]
        x_T = start_noise(seeded, CHANNELS, FRAMES)
        return make(items)(guide(items), Schedule.linear(6), x_T, seeded, constraint=constraint(items))

    together = run(range(3))
    for item in range(3):
        assert torch.equal(together[item], run(range(item, item + 1))[0])


@every_sampler
def test_the_same_seeds_give_the_same_samples_and_others_do_not(make: Callable[[range], Sampler]) -> None:
    def run(seed: int) -> Latents:
        seeded = generators(1, seed)
        return make(range(1))(rational, Schedule.linear(4), start_noise(seeded, CHANNELS, FRAMES), seeded)

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


@every_sampler
def test_the_prior_hears_float32_one_time_per_item_and_is_called_once_a_step(make: Callable[[range], Sampler]) -> None:
    heard: list[tuple[torch.dtype, Tensor]] = []

    def prior(x_t: Latents, t: Tensor) -> Latents:
        heard.append((x_t.dtype, t))
        return rational(x_t, t)

    schedule = Schedule.linear(5)
    x_0 = make(range(2))(prior, schedule, reference(range(2)), generators(2))
    assert x_0.dtype == torch.float32
    assert [dtype for dtype, _ in heard] == [torch.float32] * 5
    assert torch.equal(torch.stack([t for _, t in heard]), torch.tensor(schedule.times[:-1])[:, None].expand(5, 2))


@pytest.mark.parametrize("sampler", [DDIM(), DPMpp2M()], ids=["ddim", "dpmpp"])
def test_the_state_keeps_float64_precision_over_a_thousand_steps(sampler: Sampler) -> None:
    """Under a constant prediction c the ODE is linear: x_s = alpha_s c + sigma_s x_T, whatever the steps."""
    c, x_T = 0.3125, reference(range(1))
    worst = 0.0

    def compare(step: Step) -> None:
        nonlocal worst
        exact = alpha(step.s) * c + sigma(step.s) * x_T.double()
        worst = max(worst, float((step.x_s - exact).abs().max()))

    sampler(lambda x, _: torch.full_like(x, c), Schedule.linear(1000), x_T, generators(1), callback=compare)
    assert worst < 1e-12  # float32 states lose about 1e-6


@every_sampler
def test_the_callback_sees_the_start_and_every_step(make: Callable[[range], Sampler]) -> None:
    seen: list[Step] = []
    schedule = Schedule.linear(4)
    x_0 = make(range(1))(rational, schedule, reference(range(1)), generators(1), callback=seen.append)
    assert [step.index for step in seen] == [-1, 0, 1, 2, 3]
    assert [step.progress for step in seen] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert [(step.t, step.s) for step in seen] == [(1.0, 1.0), *itertools.pairwise(schedule.times)]
    assert seen[0].x0_hat is None
    assert torch.equal(seen[0].x_s.float(), reference(range(1)))
    assert torch.equal(seen[-1].x_s.float(), x_0)


@every_sampler
@pytest.mark.parametrize("stop_at", [-1, 0, 2])
def test_cancel_takes_effect_within_the_step_and_even_before_the_first(
    make: Callable[[range], Sampler], stop_at: int
) -> None:
    evaluations = 0

    def prior(x_t: Latents, t: Tensor) -> Latents:
        nonlocal evaluations
        evaluations += 1
        return rational(x_t, t)

    with pytest.raises(Cancelled, match=f"{stop_at + 1} of 10 steps"):
        make(range(1))(
            prior,
            Schedule.linear(10),
            reference(range(1)),
            generators(1),
            callback=lambda step: step.index < stop_at,
        )
    assert evaluations == stop_at + 1


@every_sampler
def test_an_error_raised_by_the_callback_comes_through(make: Callable[[range], Sampler]) -> None:
    def deadline(step: Step) -> None:
        raise TimeoutError("too late")

    with pytest.raises(TimeoutError, match="too late"):
        make(range(1))(rational, Schedule.linear(2), reference(range(1)), generators(1), callback=deadline)


@every_sampler
def test_bad_input_is_refused_before_the_prior_is_called(make: Callable[[range], Sampler]) -> None:
    def prior(x_t: Latents, t: Tensor) -> Latents:
        raise AssertionError("work was done")

    def run(x_T: Latents, seeded: list[torch.Generator]) -> None:
        make(range(2))(prior, Schedule.linear(2), x_T, seeded)

    x_T, shared = reference(range(2)), torch.Generator()
    with pytest.raises(InvalidRequest, match="one generator for each of 2 items, got 1"):
        run(x_T, generators(1))
    with pytest.raises(InvalidRequest, match="serves two items"):
        run(x_T, [shared, shared])
    with pytest.raises(InvalidRequest, match=r"x_T to be finite.*items \[1\]"):
        run(torch.stack([x_T[0], x_T[1] / 0.0]), generators(2))


@every_sampler
def test_a_prediction_of_another_shape_is_refused_not_broadcast(make: Callable[[range], Sampler]) -> None:
    with without_shape_checks(), pytest.raises(InvalidRequest, match=r"x0_hat of shape \(1, 3, 7\), got \(1, 1, 7\)"):
        make(range(1))(lambda x, _: x[:, :1], Schedule.linear(2), reference(range(1)), generators(1))


def test_a_result_beyond_float32_is_not_returned() -> None:
    """A finite prediction, a finite gradient, and a strength that together leave the range."""
    term = TermSpec(Choice("squared_l2"), torch.zeros(1, CHANNELS, FRAMES))
    prior = guided(lambda x, _: 1.0 * x, ObjectiveSpec((term,)).build(), 1e39)
    with pytest.raises(NonFinite, match="result of item 0"):
        DDPM()(prior, Schedule.linear(1), reference(range(1)), generators(1))


def test_samplers_are_made_by_name_with_their_settings() -> None:
    assert SAMPLERS.make("ddim", eta=0.25) == DDIM(eta=0.25)
    assert {"ddpm", "ddim", "dpmpp", "dpmpp-sde", "pingpong", "ding"} <= set(SAMPLERS.names)
    with pytest.raises(InvalidRequest, match=r"unknown sampler 'euler'.*ddim"):
        SAMPLERS.make("euler")
    with pytest.raises(InvalidRequest, match=r"settings of sampler 'ddim' do not fit.*steps"):
        SAMPLERS.make("ddim", steps=3)
    with pytest.raises(InvalidRequest, match="'ddim' is taken"):
        SAMPLERS.register("ddim", DDPM)
    with pytest.raises(InvalidRequest, match="eta must lie"):
        SAMPLERS.make("ddim", eta=1.5)

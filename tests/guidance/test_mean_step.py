"""The mean step: its size, where it acts, and that it goes downhill."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.distances import L2, Mahalanobis, SquaredL2
from segue.guidance.mean_step import Jitter, mean_step
from segue.guidance.objective import Objective, Term
from segue.guidance.operators.identity import Identity
from segue.sampling.contract import Latents, Prediction
from segue.sampling.schedule import sigma

SHAPE = (2, 3, 6)
T = 0.6


def draw(seed: int) -> Tensor:
    return torch.randn(*SHAPE, generator=torch.Generator().manual_seed(seed))


def prior(x_t: Latents, t: Tensor) -> Latents:
    with torch.no_grad():  # as a prior without a gradient graph
        return 0.8 * x_t


def objective() -> Objective:
    return Objective((Term(Identity(), SquaredL2(), draw(1)),))


def predict(kappa: float | Curve, objective: Objective, **options: object) -> Prediction:
    return mean_step(prior, objective, kappa, **options).predict(draw(0), torch.full((2,), T))  # type: ignore[arg-type]


def delta(prediction: Prediction) -> Tensor:
    update = prediction.update(T, 0.5)
    assert update is not None
    return update


def test_one_iteration_moves_each_item_by_kappa_sigma_t_in_rms_towards_the_target() -> None:
    prediction = predict(0.1, objective())
    moved = delta(prediction)
    assert moved.square().mean((1, 2)).sqrt().tolist() == pytest.approx([0.1 * sigma(T)] * 2, rel=1e-6)
    to_target = prediction.x0_hat - draw(1)
    assert torch.nn.functional.cosine_similarity(moved.flatten(1), to_target.flatten(1)).tolist() == pytest.approx(
        [1, 1]
    )


def test_iterations_take_the_gradient_anew_where_the_last_one_led() -> None:
    """Down |x - y|, four steps of fixed length come four step lengths nearer."""
    distance = Objective((Term(Identity(), L2(), draw(1)),))
    prediction = predict(0.05, distance, iterations=4)
    before, after = (distance(x) for x in (prediction.x0_hat, (prediction.x0_hat - delta(prediction)).float()))
    length = 0.05 * sigma(T) * (SHAPE[1] * SHAPE[2]) ** 0.5
    assert (before - after).tolist() == pytest.approx([4.0 * length] * 2, rel=1e-4)


def test_two_iterations_are_two_single_ones_in_a_row() -> None:
    """Down a narrow valley, where the second gradient points elsewhere than the first."""
    width = torch.tensor([0.1, 1.0, 10.0]).reshape(3, 1)
    valley = Objective((Term(Identity(), Mahalanobis(width), draw(1)),))
    first = predict(0.3, valley)
    led_to = (first.x0_hat - delta(first)).float()
    second = mean_step(lambda x, t: led_to, valley, 0.3).predict(draw(0), torch.full((2,), T))
    both = delta(predict(0.3, valley, iterations=2))
    torch.testing.assert_close(both, delta(first) + delta(second), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(both, 2.0 * delta(first), rtol=0.05)


def test_the_step_stays_inside_its_frames() -> None:
    where = torch.tensor([0.0, 0, 1, 1, 0, 0]).expand(2, 1, 6)
    moved = delta(predict(0.1, objective(), where=where))
    assert float((moved * (1.0 - where)).abs().max()) == 0.0
    inside = moved[..., 2:4].square().mean((1, 2)).sqrt()
    assert inside.tolist() == pytest.approx([0.1 * sigma(T)] * 2, rel=1e-6)


def test_where_nothing_may_move_nothing_does() -> None:
    moved = delta(predict(0.1, objective(), where=torch.zeros(2, 1, 6)))
    assert float(moved.abs().max()) == 0.0


def test_jitter_averages_out_what_changes_sign_from_copy_to_copy() -> None:
    """The gradient of a square is linear, so that jitter averages to nothing; what is left falls with the copies."""

    def scatter(copies: int) -> float:
        own = [torch.Generator().manual_seed(i) for i in range(2)]
        jittered = delta(predict(0.1, objective(), jitter=Jitter(copies, 1.0, own)))
        return float((jittered - delta(predict(0.1, objective()))).norm())

    assert scatter(64) < 0.5 * scatter(2)
    assert scatter(2) > 0.0


def test_jitter_is_repeatable_and_each_item_has_its_own() -> None:
    def run(seeds: tuple[int, int]) -> Tensor:
        own = [torch.Generator().manual_seed(s) for s in seeds]
        return delta(predict(0.1, objective(), jitter=Jitter(2, 0.5, own)))

    assert torch.equal(run((1, 2)), run((1, 2)))
    assert torch.equal(run((1, 2))[0], run((1, 3))[0])
    assert not torch.equal(run((1, 2))[1], run((1, 3))[1])


def test_a_curve_restricts_the_step_to_the_noisy_part() -> None:
    assert predict(Curve(((0.9, 0.0), (0.95, 0.1))), objective()).gradient is None
    assert predict(Curve(((0.5, 0.0), (0.6, 0.1))), objective()).gradient is not None


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least 1 iteration"):
        mean_step(prior, objective(), 0.1, iterations=0)
    with pytest.raises(InvalidRequest, match="copies >= 1"):
        Jitter(0, 0.1, [])
    with pytest.raises(InvalidRequest, match="scale >= 0"):
        Jitter(2, float("nan"), [])
    with pytest.raises(InvalidRequest, match="one generator for each of 2 items, got 1"):
        predict(0.1, objective(), jitter=Jitter(2, 0.1, [torch.Generator()]))

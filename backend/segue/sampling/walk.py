"""The bookkeeping all samplers share, so that a sampler's file holds its equations alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch

from segue.errors import Cancelled
from segue.sampling.checks import check_finite, check_finite_input, check_generators, check_shape
from segue.sampling.contract import Constraint, GuidedPrior, Latents, Prediction, Prior, Step, StepCallback
from segue.sampling.noise import noise
from segue.sampling.schedule import Schedule, sigma


class Walk:
    """One run of a sampler along a schedule.

    Usage: start at ``walk.x_T``; for each ``t, s`` of ``walk.steps()`` call ``predict`` once, compute x_s, and pass it
    through ``finish``; return ``walk.result(x_0)``. Checks, casts, the constraint and the callback are seen to here.
    The state is float64, the prior hears float32 (as in EDM's reference sampler, Karras et al. 2022).
    """

    def __init__(
        self,
        prior: Prior,
        schedule: Schedule,
        x_T: Latents,
        generators: Sequence[torch.Generator],
        *,
        constraint: Constraint | None,
        callback: StepCallback | None,
    ) -> None:
        check_generators(generators, x_T.shape[0])
        check_finite_input("x_T", x_T)
        self.prior, self.schedule, self.generators = prior, schedule, generators
        self.constraint, self.callback = constraint, callback
        self.x_T: Latents = x_T.detach().double()
        self._index = -1

    @property
    def last(self) -> bool:
        """Whether the present step is the last."""
        return self._index == self.schedule.steps - 1

    def steps(self) -> Iterator[tuple[float, float]]:
        """The pairs t, s. The callback is first called here, before any evaluation of the prior."""
        start = self.schedule.times[0]
        self._report(Step(-1, self.schedule.steps, start, start, self.x_T, None))
        for index, (t, s) in enumerate(pairwise(self.schedule.times)):
            self._index, self._t, self._s = index, t, s
            yield t, s

    def predict(self, x_t: Latents) -> tuple[Latents, Latents | None]:
        """x0_hat at the present t and, where a guide is at work, xi * gradient for the present step; float64.

        Raises:
            NonFinite: x0_hat, the gradient or their product with xi is not finite; no later step is taken.
        """
        heard, times = x_t.float(), torch.full((x_t.shape[0],), self._t, device=x_t.device)
        with torch.no_grad():
            if isinstance(self.prior, GuidedPrior):
                prediction = self.prior.predict(heard, times)
            else:
                prediction = Prediction(self.prior(heard, times))
        check_shape("x0_hat", prediction.x0_hat, x_t.shape)
        self._check("prediction", prediction.x0_hat, x_t)
        if prediction.gradient is not None:
            check_shape("the guidance gradient", prediction.gradient, x_t.shape)
            self._check("gradient", prediction.gradient, x_t)
        return prediction.x0_hat.double(), prediction.update(self._t, self._s)

    def noise(self) -> Latents:
        """Fresh standard normal noise, float64, each item's from its own generator."""
        return noise(self.generators, self.x_T)

    def finish(self, x_s: Latents, x0_hat: Latents, s: float | None = None) -> Latents:
        """x_s after the constraint, shown to the callback; ``s`` where x_s stands at another time than the schedule's.

        Raises:
            Cancelled: the callback returned False.
        """
        s = self._s if s is None else s
        if self.constraint is not None:
            x_s = self.constraint(x_s, s)
        self._report(Step(self._index, self.schedule.steps, self._t, s, x_s, x0_hat))
        return x_s

    def result(self, x_0: Latents) -> Latents:
        """x_0 as float32.

        Raises:
            NonFinite: it left the range of float32.
        """
        result = x_0.float()
        self._check("result", result, x_0)
        return result

    def _check(self, what: str, x: Latents, x_t: Latents) -> None:
        check_finite(what, x, x_t, self._index, sigma(self._t))

    def _report(self, step: Step) -> None:
        if self.callback is not None and self.callback(step) is False:
            raise Cancelled(f"sampling was stopped after {step.index + 1} of {step.steps} steps; nothing was returned")

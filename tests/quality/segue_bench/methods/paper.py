"""Levy et al. 2023: Algorithms 1 and 2 over the unconditional prior, with the settings of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from segue.guidance.guided import guided
from segue.guidance.objective import Objective
from segue.render.generate import SampleSettings, kept_context
from segue_bench.methods.filling import GAPS, Filling
from segue_bench.workbench import Made, Workbench

XI = 3e-2
"""The paper's guidance strength on latents."""

STEPS = 50


def paper_settings(sampler: str, steps: int) -> SampleSettings:
    """From t = 1, as printed; the network is shown no mask, context or donors."""
    return SampleSettings(sampler, steps, conditioned=False)


@dataclass(frozen=True)
class Paper:
    """``sampler`` ddpm (Algorithm 1) or ddim (Algorithm 2) over the unconditional prior.

    L1 to the context through x0_hat, strength ``xi`` (0: no gradient is taken), and data consistency after each step.
    Where the region has an x_bar, x_T = k z + (1 - k) x_bar with the region's freedom as k.
    """

    sampler: str
    steps: int = STEPS
    xi: float = XI

    def __call__(self, bench: Workbench, seed: int) -> Made:
        guidance = partial(guided, objective=Objective((kept_context(bench.scene, 1),)), xi=self.xi)
        return bench.sounded(bench.sample(paper_settings(self.sampler, self.steps), seed, guidance=guidance))


PAPER = (
    Filling("ddpm-50 guided", "Algorithm 1 of Levy et al. 2023 over the unconditional prior", Paper("ddpm"), GAPS),
    Filling("ddim-50 guided", "Algorithm 2 of Levy et al. 2023 over the unconditional prior", Paper("ddim"), GAPS),
    Filling("ddpm-50", "Algorithm 1 without its gradient: data consistency alone", Paper("ddpm", xi=0.0), GAPS),
    Filling("ddim-50", "Algorithm 2 without its gradient: data consistency alone", Paper("ddim", xi=0.0), GAPS),
)

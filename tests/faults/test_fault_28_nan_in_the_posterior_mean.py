"""Fault 28 in a render: what ranks the candidates is checked like what makes them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from segue.clip.span import Span
from segue.errors import NonFinite
from segue.render.generate import SampleSettings, posterior_mean
from segue.render.scene import Scene
from segue.render.windows import Layout
from segue.sampling.contract import Latents, Prior


class Broken:
    """A denoiser that answers with a NaN."""

    inputs = ("mask",)
    device = torch.device("cpu")

    def bind(self, conditioning: Mapping[str, torch.Tensor]) -> Prior:
        def prior(x_t: Latents, t: torch.Tensor) -> Latents:
            x0_hat = torch.zeros_like(x_t)
            x0_hat[0, 1, 2] = torch.nan
            return x0_hat

        return prior


def test_fault_28_a_nan_in_the_posterior_mean_stops_the_render_with_sigma_and_norm() -> None:
    scene = Scene(Layout(2048, 0, 8, (Span(0, 8),)), torch.zeros(1, 1, 8), torch.zeros(1, 4, 8), None, None, None)
    with pytest.raises(NonFinite, match="sigma"):
        posterior_mean(Broken(), scene, SampleSettings("dpmpp", 2), seed=0)

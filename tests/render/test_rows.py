"""An item comes out the same whatever its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.bundle import Bundle
from segue.render import jobs
from segue.render.region import Take
from segue.render.renderer import Renderer
from segue.render.rows import RowByRow
from segue.render.settings import RenderSettings
from tests.pools import RATE, song
from tests.tiny_models import CHANNELS, tiny_bundle


def tiny_rows() -> RowByRow:
    return RowByRow(Bundle.open(tiny_bundle()).denoiser())


def test_rows_are_those_of_the_whole_and_differentiable() -> None:
    rows, frames = tiny_rows(), 16
    x_t = torch.randn(3, CHANNELS, frames, requires_grad=True)
    t, cot = torch.tensor([0.9, 0.5, 0.1]), torch.randn(3, CHANNELS, frames)
    mask = (torch.rand(3, 1, frames) > 0.5).float()
    for conditioning in (mask, mask[:1]):
        results = []
        for denoiser in (rows, rows.whole):
            x0_hat = denoiser.bind({"mask": conditioning})(x_t, t)
            results.append((x0_hat.detach(), torch.autograd.grad(x0_hat, x_t, cot)[0]))
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_batch_of_another_size_than_the_conditioning_is_refused() -> None:
    prior = tiny_rows().bind({"mask": torch.ones(2, 1, 16)})
    with pytest.raises(InvalidRequest, match="expected 2 items"):
        prior(torch.zeros(3, CHANNELS, 16), torch.ones(3))


def test_with_the_embedded_bundle_a_seed_gives_the_same_bits_alone_and_among_others() -> None:
    plan = jobs.infill(AudioFile.of(song(8.0)), [Span(4 * RATE, 5 * RATE)]).plan
    renderer = Renderer()

    def takes(seed: int, candidates: int) -> dict[int | None, Take]:
        settings = RenderSettings(seed, 2, candidates=candidates, method="generated")
        return {take.seed: take for take in renderer.render(plan, settings).regions[0].takes}

    many, few = takes(0, 4), takes(2, 1)
    assert set(few) == {2, 3}
    for seed, take in few.items():
        assert np.array_equal(take.audio, many[seed].audio)

"""Fault 34: an export that differs from torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from segue.errors import ExportMismatch
from segue_export.graphs.export import export_denoiser
from tests.tiny_models import FEW, randomised


class LongInputsDiffer(nn.Module):
    """Behaves otherwise above 40 frames, which a graph traced at one length cannot know.

    With ``predictions_agree`` both ways predict the same, but long inputs take a straight-through gradient.
    """

    def __init__(self, predictions_agree: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 3, 3, padding=1)
        self.predictions_agree = predictions_agree

    def forward(self, x_t: Tensor, time: Tensor) -> Tensor:
        h = self.conv(x_t) + time[:, None, None]
        bent = functional.silu(h)
        if x_t.shape[-1] <= 40:
            return bent
        return h + (bent - h).detach() if self.predictions_agree else h


@pytest.mark.parametrize("predictions_agree", [False, True], ids=["prediction", "gradient alone"])
def test_fault_34_an_export_that_differs_fails_with_its_error_and_leaves_nothing(
    tmp_path: Path, predictions_agree: bool
) -> None:
    module = randomised(LongInputsDiffer(predictions_agree))
    with pytest.raises(ExportMismatch, match=r"at most 5e-05 against torch, got \d") as caught:
        export_denoiser(module, tmp_path / "bundle", channels=3, cases=FEW)
    assert list(tmp_path.iterdir()) == []
    prediction = float(str(caught.value).split("(largest: denoise ")[1].split(",")[0])
    assert (prediction < 1e-5) == predictions_agree


def test_fault_34_the_same_network_without_the_branch_exports(tmp_path: Path) -> None:
    module = randomised(nn.Conv1d(3, 3, 3, padding=1))

    class Sound(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = module

        def forward(self, x_t: Tensor, time: Tensor) -> Tensor:
            return functional.silu(self.conv(x_t) + time[:, None, None])

    report = export_denoiser(Sound(), tmp_path / "bundle", channels=3, cases=FEW)
    assert report.largest < torch.finfo(torch.float32).eps * 100

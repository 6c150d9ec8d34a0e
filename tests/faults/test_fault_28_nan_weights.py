"""Fault 28: NaN or Inf, where it would come from: the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segue.errors import BundleRejected
from segue.prior.bundle import Bundle
from tests.tiny_models import CACHE, copy_of_tiny, sign


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_fault_28_weights_that_are_not_finite_are_refused(tmp_path: Path, poison: float) -> None:
    folder = copy_of_tiny(tmp_path)
    weights = np.fromfile(folder / "weights.bin", "<f4")
    weights[len(weights) // 2] = poison
    weights.tofile(folder / "weights.bin")
    sign(folder)
    with pytest.raises(BundleRejected, match=r"weights\.bin: .* NaN or infinite weights"):
        Bundle.open(folder, cache=CACHE)

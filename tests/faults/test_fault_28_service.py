"""Fault 28, through a live renderer: a bundle whose predictions are NaN costs the jobs that name it, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import segue
from segue.client import ServiceError
from tests.pools import RATE, song
from tests.renderers import RunningRenderer
from tests.tiny_models import write_overflowing_bundle


def test_fault_28_predictions_that_become_nan_fail_their_job_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "data" / "segue" / "bundles" / "overflowing"
    folder.parent.mkdir(parents=True)
    write_overflowing_bundle(folder)
    renderer = RunningRenderer(tmp_path, "--drain", "0")
    try:
        with segue.Client(renderer.file) as client:
            assert [bundle.name for bundle in client.welcome.bundles] == ["embedded", "overflowing", "waveform"]
            with pytest.raises(ServiceError, match=r"not finite at step 0 .*another bundle") as caught:
                client.fill(song().samples, RATE, (5.0, 6.0), settings=segue.RenderSettings(bundle="overflowing"))
            assert caught.value.code == "NONFINITE"
            settings = segue.RenderSettings(steps=1, method="splice")
            filled = client.fill(song().samples, RATE, (5.0, 6.0), settings=settings).audio
        assert np.isfinite(filled).all()
        counts = renderer.counts()
        assert counts['device_restarts_total{device="cpu"}'] == 0, "the same process goes on"
        assert counts['jobs_ended_total{final="FAILED"}'] == counts['jobs_ended_total{final="RESULT"}'] == 1
    finally:
        renderer.kill()

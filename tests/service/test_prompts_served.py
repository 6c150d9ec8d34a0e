"""Prompts through a running service: a bundle's stored prompts in the list of presets, and jobs that name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import segue
from segue.clip.clip import Clip
from segue.clip.span import Span
from segue.errors import SegueError
from segue.render.settings import RenderSettings
from segue.service.jobs import Job
from segue.service.wire import submit_of
from segue_protocol.messages import Accepted, Result
from tests.renderers import Peer, RunningRenderer
from tests.songs import loop_song
from tests.tiny_models import CACHE
from tests.tiny_priors import untold_bundle

RATE, GAP = 44100, (2.5, 2.65)
SETTINGS = RenderSettings(steps=1, candidates=1)


@pytest.fixture
def renderer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningRenderer]:
    """A service whose devices run a bundle of two stored prompts, ``rain`` and ``piano``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    running = RunningRenderer(tmp_path, "--bundle", str(untold_bundle()), "--drain", "0")
    yield running
    running.kill()


def test_a_stored_prompt_is_a_preset_to_plug_ins_and_a_prompt_to_clients(
    renderer: RunningRenderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plug-in lists what WELCOME says and names one in a job; the client says the same as a prompt."""
    song = loop_song(RATE, 4.0)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: CACHE)
    with segue.Client(renderer.file) as client:
        assert {"rain", "piano"} <= set(client.welcome.presets)
        rain, piano = (
            client.fill(song, RATE, GAP, style=segue.Style.of(prompt=prompt), settings=SETTINGS)
            for prompt in ("rain", "dusty upright piano")
        )
        with pytest.raises(SegueError, match="it has 'rain', 'piano'"):
            client.fill(song, RATE, GAP, style=segue.Style.of(prompt="warm pads"), settings=SETTINGS)
    here = segue.fill(
        song,
        RATE,
        GAP,
        style=segue.Style.of(prompt="rain"),
        settings=RenderSettings(steps=1, candidates=1, bundle=untold_bundle()),
    )
    np.testing.assert_allclose(rain.audio, here.audio, atol=1e-4)
    assert rain.recipe.parameters["prompt"] == "rain"
    assert piano.audio.tobytes() != rain.audio.tobytes()
    gap = Span(round(GAP[0] * RATE), round(GAP[1] * RATE))
    job = Job("infill", Clip(song, RATE), SETTINGS, gaps=(gap,), preset="rain")
    with Peer(renderer.content, greet=False) as peer:
        assert "rain" in peer.greet().presets
        peer.send(submit_of(job, "named", 8, digests=False))
        peer.send_audio("named", song, peer.await_(Accepted))
        final = peer.final("named")
    assert isinstance(final, Result), final

"""Restyling and sound transfer served: the plug-in's tasks give the library's own samples."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import segue
from segue.errors import InvalidRequest
from segue.render.settings import RenderSettings
from tests.renderers import RunningRenderer, shared_renderer
from tests.songs import loop_song

RATE = 44100
GAP = (3.0, 3.6)


@pytest.fixture(scope="module")
def client() -> Iterator[segue.Client]:
    with segue.Client(shared_renderer().file) as client:
        yield client
    atexit.register(shared_renderer().kill)


def test_a_restyling_with_preset_and_curves_is_the_librarys_own(client: segue.Client) -> None:
    song = loop_song(RATE, 7.0)
    style = segue.Style.of("open air", guidance=((3.0, 0.5), (3.6, 2.0)), amount=0.7)
    settings = RenderSettings(steps=1)
    assert "open air" in client.welcome.presets and "restyle" in client.welcome.tasks
    served = client.restyle(song, RATE, GAP, style=style, settings=settings)
    here = segue.restyle(song, RATE, GAP, style=style, settings=settings)
    assert served.recipe.parameters["style"] == here.recipe.parameters["style"]
    np.testing.assert_allclose(served.audio, here.audio, atol=1e-4)
    outside = np.ones(song.shape[1], bool)
    outside[int(GAP[0] * RATE) : round(GAP[1] * RATE)] = False
    assert served.audio[:, outside].tobytes() == song[:, outside].tobytes()


def test_another_songs_sound_is_served_as_the_library_has_it(client: segue.Client) -> None:
    song, other = loop_song(RATE, 7.0), loop_song(48000, 3.0, seed=1)
    settings = RenderSettings(method="mean")
    served = client.fill(song, RATE, GAP, sound_from=(other, 48000), settings=settings)
    here = segue.fill(song, RATE, GAP, sound_from=(other, 48000), settings=settings)
    assert served.recipe.parameters["sound_from"] == here.recipe.parameters["sound_from"]
    assert served.recipe.sources == ("clip", "clip")
    assert "of another song" in served.report["gaps"][0]["candidates"][0]["how"]
    np.testing.assert_allclose(served.audio, here.audio, atol=1e-4)


def test_a_silent_song_to_take_the_sound_from_is_refused_by_the_service(client: segue.Client) -> None:
    silence = np.zeros((2, 2 * RATE), np.float32)
    with pytest.raises(InvalidRequest, match="silent"):
        client.fill(loop_song(RATE, 7.0), RATE, GAP, sound_from=(silence, RATE), settings=RenderSettings(method="mean"))


def test_a_presets_own_reference_is_heard_as_the_library_hears_it_and_a_missing_one_fails_the_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    presets = tmp_path / "segue" / "presets"
    presets.mkdir(parents=True)
    for name, file in (("own", "heard.wav"), ("gone", "nowhere.wav")):
        (presets / f"{name}.toml").write_text(f'about = "x"\nreferences = ["{file}"]\n')
    soundfile.write(presets / "heard.wav", loop_song(RATE, 4.0, seed=3).T, RATE, subtype="FLOAT")
    song, settings = loop_song(RATE, 7.0), RenderSettings(steps=1)
    renderer = RunningRenderer(tmp_path, "--drain", "0", "--no-store")
    try:
        with segue.Client(renderer.file) as client:
            with pytest.raises(InvalidRequest, match=r"nowhere\.wav is not there"):
                client.fill(song, RATE, GAP, style=segue.Style.of("gone"), settings=settings)
            served = client.fill(song, RATE, GAP, style=segue.Style.of("own"), settings=settings)
    finally:
        renderer.kill()
    here = segue.fill(song, RATE, GAP, style=segue.Style.of("own"), settings=settings)
    assert served.recipe.parameters["style"] == here.recipe.parameters["style"]
    assert served.recipe.sources[-1] == "heard.wav"
    np.testing.assert_allclose(served.audio, here.audio, atol=1e-4)

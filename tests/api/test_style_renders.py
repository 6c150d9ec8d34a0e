"""Features in real renders: what is drawn or kept is measured again in what comes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float32

import segue
from segue.errors import InvalidRequest
from segue.guidance.operators.brightness import Brightness
from segue.guidance.operators.loudness import Loudness
from tests.songs import loop_song

RATE = 44100
GAP = (4.0, 4.8)
TENTHS = np.linspace(*GAP, 11)[:-1] + 0.04
QUICK = segue.RenderSettings(steps=2)
Audio = Float32[np.ndarray, "2 samples"]


@pytest.fixture(scope="module")
def song() -> Audio:
    return loop_song(RATE, 9.0)


def inside(audio: Audio) -> Audio:
    return audio[:, int(GAP[0] * RATE) : int(GAP[1] * RATE)]


def loudness(audio: Audio) -> np.ndarray:
    """LUFS over 0.19 s, at the middle of each tenth of the gap."""
    frames = Loudness(float(RATE), 8192, 2048)(torch.from_numpy(audio[None].copy()))[0].numpy()
    seconds = TENTHS
    return np.interp(seconds, np.arange(len(frames)) * 2048 / RATE, frames)


def test_a_drawn_loudness_is_followed_and_the_context_kept_bit_for_bit(song: Audio) -> None:
    points = ((4.0, -14.0), (4.4, -26.0), (4.8, -14.0))
    style = segue.Style.of(follow={"loudness": points}, strength=0.2)
    result = segue.fill(song, RATE, GAP, style=style, settings=QUICK)
    asked = segue.Curve(points).at(TENTHS)
    assert np.corrcoef(asked, loudness(result.audio))[0, 1] > 0.8
    for kept in (slice(0, int(GAP[0] * RATE)), slice(int(GAP[1] * RATE), None)):
        assert result.audio[:, kept].tobytes() == song[:, kept].tobytes()
    takes = result.report["gaps"][0]["candidates"]
    assert takes[0]["method"].startswith("steered")
    splice = next(take for take in takes if take["method"] == "splice")
    assert takes[0]["wish"] < 0.5 * splice["wish"]


def test_guidance_0_and_style_0_are_the_render_without_a_style(song: Audio) -> None:
    plain = segue.fill(song, RATE, GAP, settings=QUICK)
    for off in ({"guidance": 0.0}, {"amount": 0.0}):
        style = segue.Style.of(follow={"loudness": -40.0}, **off)
        assert segue.fill(song, RATE, GAP, style=style, settings=QUICK).audio.tobytes() == plain.audio.tobytes()


def test_a_strength_that_begins_late_leaves_the_first_half_nearly_alone(song: Audio) -> None:
    late = segue.Curve(((4.4, 0.0), (4.4, 1.0)))
    settings = segue.RenderSettings(steps=2, method="reshaped", sampler="ding")
    whole, half = (
        segue.regenerate(
            song, RATE, GAP, freedom=0.5, settings=settings,
            style=segue.Style.of(follow={"loudness": -32.0}, guidance=course, strength=0.3),
        )
        for course in (1.0, late)
    )  # fmt: skip
    plain = segue.regenerate(song, RATE, GAP, freedom=0.5, settings=settings)
    moved = [loudness(r.audio) - loudness(plain.audio) for r in (whole, half)]
    assert moved[0][:4].mean() < -4.0 and moved[1][-4:].mean() < -4.0
    assert abs(moved[1][:3]).max() < 0.5 * abs(moved[0][:3]).max()


def test_matching_keeps_the_originals_brightness_where_the_rest_is_free(song: Audio) -> None:
    """The original of the gap is made dull; a free variation goes back to the song, one that matches stays dull."""
    dull = song.copy()
    spectrum = np.fft.rfft(inside(song))
    spectrum[:, 1500:] *= 0.05
    inside(dull)[:] = np.fft.irfft(spectrum, n=inside(song).shape[1]).astype(np.float32)

    def brightness(audio: Audio) -> float:
        return float(Brightness(float(RATE))(torch.from_numpy(inside(audio)[None].copy()))[0, 4:-4].mean())

    settings = segue.RenderSettings(steps=2, sampler="ding", method="regenerated")
    free = segue.regenerate(dull, RATE, GAP, freedom=1.0, settings=settings)
    style = segue.Style.of(match="brightness", strength=0.3)
    held = segue.regenerate(dull, RATE, GAP, freedom=1.0, settings=settings, style=style)
    wanted = brightness(dull)
    assert abs(brightness(held.audio) - wanted) < 0.5 * abs(brightness(free.audio) - wanted)


def test_a_style_that_only_keeps_what_stood_there_is_refused_where_nothing_is_known(
    song: Audio, tmp_path: Path
) -> None:
    (tmp_path / "notes.toml").write_text('about = "x"\n[features]\nchroma = { original = true }\n')
    with pytest.raises(InvalidRequest, match="only keeps the original's features"):
        segue.fill(song, RATE, GAP, style=segue.Style.of(str(tmp_path / "notes.toml")), settings=QUICK)


def test_a_gap_too_short_to_sample_says_that_it_was_not_steered(song: Audio) -> None:
    result = segue.fill(song, RATE, (4.0, 4.03), style=segue.Style.of(tags="rock"), settings=QUICK)
    assert "no style can steer" in result.report["gaps"][0]["notes"][0]

"""What guidance hears: a decoder with its excitation bound, exact in the gain, blind to the excitation's origin."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.song import Song
from segue.render.scene import Scene, make_scene
from segue.render.sound import MARGIN, Sound, bind_decoder, mirrored, recalled, shape
from segue.render.windows import lay_out
from tests.songs import loop_song

GAP = Span(5 * 44100, 6 * 44100)
HEARD = Span(GAP.start - 22050, GAP.stop + 22050)


@pytest.fixture(scope="module")
def codec() -> MelCodec:
    settings = MelSettings()
    return MelCodec(settings, torch.full((settings.bands,), -1.0), torch.full((settings.bands,), 1.2))


@pytest.fixture(scope="module")
def song(codec: MelCodec) -> Song:
    return Song.of(loop_song(44100, 12.0), [GAP], codec)


@pytest.fixture(scope="module")
def scene(codec: MelCodec, song: Song) -> Scene:
    """The region begun from the song one period (4 s) earlier, which is what stands in the gap."""
    x_bar = song.audio[:, GAP.start - 4 * 44100 : GAP.stop - 4 * 44100]
    return make_scene(lay_out(GAP, codec.token, 96, 20), codec, song.audio, song.blocked, None, x_bar, GAP)


def true_sound(song: Song) -> Sound:
    start = GAP.start - 4 * 44100
    return Sound(song.audio[:, start - MARGIN : start + GAP.length + MARGIN], "the song, a period earlier")


def test_its_own_latents_leave_an_excitation_as_it_is_in_the_gap_and_around_it(
    codec: MelCodec, song: Song, scene: Scene
) -> None:
    """Gains of 0 dB: the excitation and the known timeline come back, but for the transform's edges."""
    decoder = bind_decoder(scene, song, GAP, codec, true_sound(song), HEARD)
    assert scene.x_bar is not None
    audio = decoder(scene.x_bar)[0].numpy()
    whole = loop_song(44100, 12.0)[:, HEARD.start : HEARD.stop] * np.float32(song.gain)
    error = float(np.sqrt(np.mean((audio - whole) ** 2) / np.mean(whole**2)))
    assert error < 0.02


def test_the_gradient_is_that_of_finite_differences(codec: MelCodec, song: Song, scene: Scene) -> None:
    """Along directions that lean on the gradient: a random one is orthogonal to it, and rounding would be measured."""
    decoder = bind_decoder(scene, song, GAP, codec, mirrored(song, GAP), HEARD)
    generator = torch.Generator().manual_seed(1)
    assert scene.x_bar is not None
    x = scene.x_bar.clone().requires_grad_()
    reference = torch.randn(1, 2, HEARD.length, generator=generator)

    def loss(latents: torch.Tensor) -> torch.Tensor:
        return (decoder(latents) * reference).double().sum()

    (g,) = torch.autograd.grad(loss(x), x)
    for _ in range(2):
        along = 1e-2 * (g / g.square().mean().sqrt() + torch.randn(x.shape, generator=generator))
        with torch.no_grad():
            measured = (loss(x + along) - loss(x - along)) / 2.0
        expected = (g.double() * along).sum()
        assert float((measured - expected).abs() / expected.abs()) < 0.01


def test_nothing_outside_of_what_is_heard_has_a_gradient(codec: MelCodec, song: Song, scene: Scene) -> None:
    decoder = bind_decoder(scene, song, GAP, codec, mirrored(song, GAP))
    x = scene.context.clone().requires_grad_()
    (g,) = torch.autograd.grad(decoder(x).square().sum(), x)
    token, frames = codec.token, scene.layout.frames
    seconds = (scene.layout.first + (np.arange(frames) + 0.5) * token - GAP.start) / 44100
    inside, far = (seconds > 0.1) & (seconds < 0.9), (seconds < -0.3) | (seconds > 1.3)
    assert bool((g[..., inside].abs().amax(1) > 0.0).all())
    assert float(g[..., far].abs().max()) == 0.0


def test_shaping_is_this_decoder_and_a_batch_is_its_items(codec: MelCodec, song: Song, scene: Scene) -> None:
    start = mirrored(song, GAP)
    generator = torch.Generator().manual_seed(2)
    latents = scene.context + 0.3 * torch.randn(2, *scene.context.shape[1:], generator=generator)
    both = bind_decoder(scene, song, GAP, codec, start)(latents)
    for item in range(2):
        alone = shape(latents[item : item + 1], scene, song, GAP, start, codec).audio
        assert alone.shape == (2, GAP.length + 2 * MARGIN)
        assert np.allclose(both[item].numpy(), alone, atol=1e-6)


def test_the_song_alone_offers_the_spliced_donors_and_without_any_the_mirror(song: Song) -> None:
    """Donors of a loop are the loop itself."""
    pair = song.donors(GAP)
    made = recalled(song, GAP, pair).audio[:, MARGIN : MARGIN + GAP.length]
    real = loop_song(44100, 12.0)[:, GAP.start : GAP.stop] * np.float32(song.gain)
    assert float(np.mean((made - real) ** 2)) < 1e-4 * float(np.mean(real**2))
    assert np.array_equal(recalled(song, GAP, None).audio, mirrored(song, GAP).audio)


@pytest.mark.parametrize("span", [Span(0, 44100), Span(GAP.start, GAP.start), Span(GAP.start, 12 * 44100)])
def test_a_span_outside_of_the_scene_is_refused(codec: MelCodec, song: Song, scene: Scene, span: Span) -> None:
    with pytest.raises(InvalidRequest, match="scene"):
        bind_decoder(scene, song, GAP, codec, mirrored(song, GAP), span)

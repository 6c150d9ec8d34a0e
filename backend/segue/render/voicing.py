"""Latents sampled, and heard: as the song's units, as another sound shaped to them, and as a style wishes."""

from __future__ import annotations

from collections.abc import Sequence

from segue.clip.span import Span
from segue.errors import NonFinite
from segue.guidance.freedom import Freedom
from segue.render.generate import Guidance, sample_latents
from segue.render.scene import Scene, cut, encode, paste, widened
from segue.render.sound import MARGIN, Sound, decode, shape
from segue.render.studio import Studio
from segue.sampling.contract import Latents
from segue.sampling.isolate import sample_each


def sampled(
    studio: Studio, scene: Scene, seeds: tuple[int, ...], freedom: Freedom | None, guidance: Guidance | None
) -> tuple[dict[int, Latents], dict[int, NonFinite]]:
    """Latents and failures by item, one for each seed; one that fails costs the others nothing."""

    def run(items: Sequence[int]) -> Latents:
        chosen = [seeds[i] for i in items]
        return sample_latents(
            studio.denoiser,
            scene,
            studio.sampling,
            chosen,
            freedom=freedom,
            guidance=guidance,
            callback=studio.progress.sampling,
        )

    with studio.progress.stage("sample"):
        return sample_each(run, len(seeds))


def excitation_for(studio: Studio, scene: Scene, gap: Span, likely: Latents | None, own: Sound) -> Sound:
    """What an ear hears samples with: the song's ``own`` sound, or another song's units, along ``likely`` latents."""
    if studio.ear is None or likely is None or not studio.transfers:
        return own
    return decode(likely, scene, studio.song, gap, studio.codec)


def voiced(studio: Studio, scene: Scene, gap: Span, latents: Latents) -> Sound:
    """The latents as sound. The mosaic, which looks for the nearest sound of the song, undoes most of a wish: where
    there is one, what it made is shaped once more.
    """
    made = decode(latents, scene, studio.song, gap, studio.codec)
    if studio.ear is None:
        return made
    return as_wished(studio, scene, gap, latents, made)


def as_wished(studio: Studio, scene: Scene, gap: Span, latents: Latents, made: Sound) -> Sound:
    """Sound as it is wished for; its spectrum is left alone where a fader does all that is asked, or it was decoded."""
    assert studio.ear is not None
    if studio.ear.is_faded or not studio.codec.needs_excitation:
        return studio.ear.levelled(made)
    return reshaped(studio, scene, gap, _course(studio, scene, gap, latents, made), made)


def _course(studio: Studio, scene: Scene, gap: Span, latents: Latents, made: Sound) -> Latents:
    """What recalled sound is shaped to: the samples where a network was pleased by them, else its own course, from
    which formulas find their way alone: shaping to samples costs more of what makes it music than it gains.
    """
    assert studio.ear is not None
    if not studio.ear.is_measured:
        return latents
    span, margin = widened(scene.layout, studio.codec)
    audio = cut(studio.song.audio[:, : studio.song.timeline], span)
    paste(audio, span, made.audio, Span(gap.start - MARGIN, gap.stop + MARGIN))
    return encode(studio.codec, audio[None], margin)


def reshaped(studio: Studio, scene: Scene, gap: Span, latents: Latents, excitation: Sound) -> Sound:
    """``excitation`` with the latents' spectrum, its features as they are wished for."""
    ear = studio.ear
    if ear is not None:
        latents = ear.settled(latents, scene, studio.codec, excitation)
    made = shape(latents, scene, studio.song, gap, excitation, studio.codec)
    return made if ear is None else ear.levelled(made)

"""From what a musician writes to what is rendered: the preset looked up, fallbacks chosen and said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.embedders.guide import guide_tags
from segue.guidance.freedom import Freedom
from segue.render.settings import RenderSettings
from segue.style.preset import Preset, find_preset, load_preset, preset_references
from segue.style.steering import Steering
from segue.style.style import Style
from segue.style.tags import check_tag, parse_tags
from segue.style.terms import Follow, Match, Reference, SteeringTerm, Tags

SAMPLER = "ding"
"""Sampler of a guided render that names none: first order and stochastic, which gradients want."""

GUIDABLE = ("ddpm", "pingpong", "ding")
"""Samplers like that: a bundle that has one of them for its own is guided with it."""

STEPS = 16
"""Steps of a guided render that names neither them nor a sampler."""


@dataclass(frozen=True)
class Resolved:
    """``steering``, the ``settings`` with what the preset adds, the ``prompt`` for a bundle that reads one, and
    ``notes`` for people: what was done another way than it was asked.
    """

    steering: Steering
    settings: RenderSettings
    prompt: str | None = None
    notes: tuple[str, ...] = ()


def resolve(
    style: Style,
    settings: RenderSettings,
    *,
    reads_text: bool,
    knows: Callable[[str], bool] = lambda prompt: True,
    sampler: str | None = None,
) -> Resolved:
    """All of a style; ``reads_text``: whether the bundle takes a prompt; ``knows``: which of them it can read;
    ``sampler``: the bundle's own.

    Raises:
        InvalidRequest: an unknown or faulty preset, or a prompt that nothing can stand in for.
    """
    preset = _preset(style)
    heard, notes = _heard(style, preset, reads_text, knows)
    written, more = _prompted(style, preset, reads_text)
    notes = (*notes, *more)
    references = style.references or _references(style, preset)
    terms = _terms(style, preset, written, bool(references))
    guided = preset.guidance if preset is not None else None
    plain = Steering()
    steering = Steering(
        terms=terms,
        strength=_first(style.strength, guided.strength if guided else None, plain.strength),
        mode=style.mode or (guided.mode if guided else plain.mode),
        until=guided.until if guided else plain.until,
        guidance=style.guidance,
        amount=style.amount,
        chain=preset.chain if preset else (),
        keep_level=preset.keep_level if preset else True,
        references=references,
        preset=preset.name if preset else None,
    )
    if heard is None and not steering.terms and not steering.chain:
        raise InvalidRequest(
            "the style asks for nothing this bundle can do: name tags, a reference, features or a preset with them"
        )
    return Resolved(steering, _sampling(settings, preset, steering, sampler), heard, notes)


def freedom_for(style: Style, given: Curve | None, usual: float) -> Curve:
    """How far a variation in this style may leave the original: what was ``given``, else the preset's own or, without
    one, ``usual``, as far as the style is wanted: where its amount is 0 the original stays.

    Raises:
        InvalidRequest: an unknown or faulty preset; a freedom out of [0, 1].
    """
    if given is not None:
        return Freedom(given).curve
    preset = _preset(style)
    own = preset.sampling.freedom if preset is not None else None
    return Curve.constant(usual if own is None else own).times(style.amount)


def _preset(style: Style) -> Preset | None:
    return style.preset if style.preset is None or isinstance(style.preset, Preset) else load_preset(style.preset)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)


def _sampling(settings: RenderSettings, preset: Preset | None, steering: Steering, own: str | None) -> RenderSettings:
    sampler = settings.sampler or (preset.sampling.sampler if preset else None)
    steps = settings.steps or (preset.sampling.steps if preset else None)
    if steering.guides and sampler is None and own not in GUIDABLE:
        sampler, steps = SAMPLER, steps or STEPS
    return replace(settings, sampler=sampler, steps=steps)


def _terms(
    style: Style, preset: Preset | None, written: tuple[tuple[str, float], ...], has_references: bool
) -> tuple[SteeringTerm, ...]:
    """The style's own terms, and those of the preset that it does not say otherwise."""
    weights = (preset.guidance.tags_weight, preset.guidance.reference_weight) if preset else (1.0, 1.0)
    own: list[SteeringTerm] = [Follow(feature=name, points=curve.points) for name, curve in style.follow]
    own += [Match(feature=name) for name in style.match]
    named = {check_tag(name) for name, _ in style.tags}
    if wanted := (*style.tags, *((name, value) for name, value in written if name not in named)):
        own.append(Tags(weights[0], wanted))
    if has_references:
        own.append(Reference(weights[1]))
    said = {_subject(term) for term in own}
    kept = [term for term in (preset.terms if preset else ()) if _subject(term) not in said]
    return (*own, *kept)


def _subject(term: SteeringTerm) -> str:
    """What a term is about: of two about the same, the musician's own counts."""
    return term.feature if isinstance(term, Match | Follow) else term.kind


def _references(style: Style, preset: Preset | None) -> tuple[AudioFile, ...]:
    """The preset's own, from its folder."""
    if preset is None or not preset.references or style.preset is None:
        return ()
    if isinstance(style.preset, Preset):
        raise InvalidRequest(f"the preset {preset.name} has references of its own: give them with it")
    return preset_references(preset, find_preset(style.preset))


def _heard(
    style: Style, preset: Preset | None, reads_text: bool, knows: Callable[[str], bool]
) -> tuple[str | None, tuple[str, ...]]:
    """The prompt the bundle hears, and what to say where a preset's is none of those it can read."""
    if not reads_text:
        return None, ()
    if style.prompt is not None or preset is None or preset.prompt is None:
        return style.prompt, ()
    if knows(preset.prompt):
        return preset.prompt, ()
    return None, (
        f"this bundle has no stored prompt like that of {preset.name}: it goes by its tags, features and references",
    )


def _prompted(
    style: Style, preset: Preset | None, reads_text: bool
) -> tuple[tuple[tuple[str, float], ...], tuple[str, ...]]:
    """Tags that stand in for a prompt the bundle cannot read, and what to say of it.

    Raises:
        InvalidRequest: a prompt that names no tag, with nothing else to go by.
    """
    if reads_text:
        return (), ()
    if style.prompt is not None:
        found = tags_in(style.prompt)
        if found:
            names = ", ".join(name for name, _ in found)
            return found, (f"this bundle reads no text: of the prompt, these tags were taken: {names}",)
        if replace(style, prompt=None).is_empty:
            raise InvalidRequest(
                f"this bundle reads no text, and the prompt {style.prompt!r} names none of the tags it could be "
                f"steered by instead: {', '.join(guide_tags())}"
            )
        return (), ("this bundle reads no text, and the prompt names no known tag: it was left out",)
    if preset is not None and preset.prompt is not None:
        return (), (f"this bundle reads no text: {preset.name} goes by its tags, features and references instead",)
    return (), ()


def tags_in(text: str) -> tuple[tuple[str, float], ...]:
    """The tags of a list such as "rock, guitar:0.8" or, of any other text, those whose names stand in it."""
    try:
        return tuple(parse_tags(text).items())
    except InvalidRequest:
        low, found = text.lower(), []
        for tag in sorted(guide_tags(), key=len, reverse=True):  # "indie rock" before "rock"
            pattern = rf"(?<![a-z0-9]){re.escape(tag.lower())}(?![a-z0-9])"
            if re.search(pattern, low):
                found.append((tag, 1.0))
                low = re.sub(pattern, " ", low)
        return tuple(found)

"""What a musician writes: a style, from a preset's name to a drawn curve, before anything is looked up or measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

from segue.clip.clip import Clip
from segue.clip.files import AudioFile, read_audio
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.style.features import check_followed, feature
from segue.style.preset import Preset
from segue.style.steering import MAX_GUIDANCE, MAX_REFERENCES, Mode, check_curve
from segue.style.tags import check_tag, parse_tags

CurveLike = float | Sequence[tuple[float, float]] | Curve
ReferenceLike = AudioFile | str | Path | tuple[Float[np.ndarray, "_channels _samples"], int]
TagsLike = str | Sequence[str] | Mapping[str, float]


@dataclass(frozen=True)
class Style:
    """A wish beyond music that fits; made by :meth:`of`, which takes looser types. Curves are over the track's seconds.

    ``preset``: a name, a path to a TOML file, or one that was loaded. ``prompt``: a text, for bundles that read one; of
    others, the tags it names. ``tags``: of the guiding ear, each with the probability wanted; ``references``: clips it
    is to sound like. ``match``: features kept from the original or, where nothing is known of it, from the music
    around. ``follow``: features that go where they are drawn. ``amount``: how much of it all, 0 to 1, the protocol's
    curve "style"; ``guidance``: a factor on the strength, 0 to 2. ``strength`` and ``mode``: see
    :class:`segue.style.steering.Steering`; None for the preset's.

    Raises:
        InvalidRequest: unknown tags or features, values out of range.
    """

    preset: str | Path | Preset | None = None
    prompt: str | None = None
    tags: tuple[tuple[str, float], ...] = ()
    references: tuple[AudioFile, ...] = field(default=(), repr=False)
    match: tuple[str, ...] = ()
    follow: tuple[tuple[str, Curve], ...] = ()
    amount: Curve = field(default_factory=lambda: Curve.constant(1.0))
    guidance: Curve = field(default_factory=lambda: Curve.constant(1.0))
    strength: float | None = None
    mode: Mode | None = None

    def __post_init__(self) -> None:
        for name, value in self.tags:
            if check_tag(name) and not 0.0 <= value <= 1.0:
                raise InvalidRequest(f"expected the probability of {name!r} in [0, 1], got {value}")
        for name in self.match:
            feature(name)
        for name, curve in self.follow:
            check_followed(name, curve)
        check_curve("style", self.amount, 1.0)
        check_curve("guidance", self.guidance, MAX_GUIDANCE)
        if len(self.references) > MAX_REFERENCES:
            raise InvalidRequest(f"expected at most {MAX_REFERENCES} references, got {len(self.references)}")

    @staticmethod
    def of(
        preset: str | Path | Preset | None = None,
        *,
        prompt: str | None = None,
        tags: TagsLike = (),
        reference: ReferenceLike | Sequence[ReferenceLike] = (),
        match: str | Sequence[str] = (),
        follow: Mapping[str, CurveLike] | None = None,
        amount: CurveLike = 1.0,
        guidance: CurveLike = 1.0,
        strength: float | None = None,
        mode: Mode | None = None,
    ) -> Style:
        """A style from what is at hand: tags as "rock, guitar:0.8", as names or with probabilities; references as
        files, paths or (audio, rate); curves as numbers or points (seconds, value).

        Raises:
            InvalidRequest, AudioFileError: what cannot be read or is out of range.
        """
        return Style(
            preset=preset,
            prompt=prompt,
            tags=_tags(tags),
            references=tuple(_reference(one) for one in _several(reference)),
            match=_names(match),
            follow=tuple((name, Curve.of(curve)) for name, curve in (follow or {}).items()),
            amount=Curve.of(amount),
            guidance=Curve.of(guidance),
            strength=strength,
            mode=mode,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.preset or self.prompt or self.tags or self.references or self.match or self.follow)


def _tags(tags: TagsLike) -> tuple[tuple[str, float], ...]:
    if isinstance(tags, str):
        return tuple(parse_tags(tags).items())
    if isinstance(tags, Mapping):
        return tuple((check_tag(name), float(value)) for name, value in tags.items())
    return tuple((check_tag(name), 1.0) for name in tags)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    given = names.split(",") if isinstance(names, str) else names
    return tuple(name.strip() for name in given)


def _several(reference: ReferenceLike | Sequence[ReferenceLike]) -> Sequence[ReferenceLike]:
    if isinstance(reference, AudioFile | str | Path):
        return (reference,)
    if isinstance(reference, tuple) and len(reference) == 2 and isinstance(reference[0], np.ndarray):
        return (reference,)
    return reference


def _reference(one: ReferenceLike) -> AudioFile:
    if isinstance(one, AudioFile):
        return one
    if isinstance(one, str | Path):
        return read_audio(Path(one))
    audio, rate = one
    if audio.ndim != 2:
        raise InvalidRequest(f"expected a reference as (channels, samples), got shape {audio.shape}")
    return AudioFile.of(Clip(np.asarray(audio, np.float32), rate), "reference")


def wished(
    style: Style | None,
    *,
    preset: str | Path | None = None,
    reference: ReferenceLike | Sequence[ReferenceLike] = (),
    tags: TagsLike = (),
    amount: CurveLike = 1.0,
    needed: bool = True,
) -> Style:
    """The style of a restyling: whole, or by its commonest parts.

    Raises:
        InvalidRequest: nothing is asked for though it is ``needed``, or a style and parts of another.
    """
    parts = Style.of(preset, reference=reference, tags=tags, amount=amount)
    if style is not None and parts != Style():
        raise InvalidRequest(
            "expected a style, or preset, reference, tags and amount, got both: put them into the style"
        )
    asked = parts if style is None else style
    if needed and asked.is_empty:
        raise InvalidRequest(
            "restyling needs a style: a preset, a reference, tags, or features to match or follow; or another song to "
            "take the sound from"
        )
    return asked

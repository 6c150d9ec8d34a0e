"""A style as jobs carry it: a preset's name, a prompt, references among the audio, and curves by name; both directions.

The curves "style" and "guidance" say how much and how strongly; one named like a feature is followed, and one named
"match." and a feature keeps it, at a weight that is always 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.style.features import FEATURES
from segue.style.preset import SUFFIX, Preset, is_preset_name, parse_preset
from segue.style.style import Style
from segue.style.tags import write_tags

MATCH = "match."
FOLLOWED = tuple(name for name, feature in FEATURES.items() if feature.asked is not None)
CURVES = frozenset({"guidance", "style", *FOLLOWED, *(MATCH + name for name in FEATURES)})
"""Names of the curves that are part of a style."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What a job has of a style."""

    preset: str | None = None
    prompt: str | None = None
    references: tuple[Clip, ...] = ()
    curves: Mapping[str, Curve] | None = None


def parts_of(style: Style | None) -> Parts:
    """A style in the parts that travel.

    Raises:
        InvalidRequest: what cannot travel: a preset by path, a strength or mode of one's own, tags beside a prompt.
    """
    if style is None:
        return Parts()
    if style.preset is not None and not (isinstance(style.preset, str) and is_preset_name(style.preset)):
        raise InvalidRequest(
            f"expected a preset by a name the renderer lists, got {style.preset}: put it into the presets folder of "
            "the renderer's machine"
        )
    if style.strength is not None or style.mode is not None:
        raise InvalidRequest("a strength and a mode of one's own do not travel: put them into a preset of the renderer")
    if style.tags and style.prompt is not None:
        raise InvalidRequest("tags travel as the prompt: expected tags or a prompt, got both")
    curves = {
        name: curve for name, curve in (("style", style.amount), ("guidance", style.guidance)) if not _is_one(curve)
    }
    curves |= dict(style.follow) | {MATCH + name: Curve.constant(1.0) for name in style.match}
    prompt = write_tags(dict(style.tags)) if style.tags else style.prompt
    return Parts(style.preset, prompt, tuple(file.clip() for file in style.references), curves)


def style_of(
    preset: str | Preset | None, prompt: str | None, references: Sequence[AudioFile], curves: Mapping[str, Curve]
) -> Style:
    """Inverse of :func:`parts_of`.

    Raises:
        InvalidRequest: a curve out of its range, or a weight other than 1.
    """
    one = Curve.constant(1.0)
    matched = tuple(name.removeprefix(MATCH) for name in curves if name.startswith(MATCH))
    for name in matched:
        if not _is_one(curves[MATCH + name]):
            raise InvalidRequest(f"expected the curve {MATCH + name} to be 1 throughout: its weight cannot be drawn")
    return Style(
        preset=preset,
        prompt=prompt,
        references=tuple(references),
        match=matched,
        follow=tuple((name, curves[name]) for name in FOLLOWED if name in curves),
        amount=curves.get("style", one),
        guidance=curves.get("guidance", one),
    )


def style_in(header: Mapping[str, Any], files: Mapping[str, AudioFile]) -> Style:
    """The style of a job's header, its references from the job's audio by role.

    Raises:
        InvalidRequest: the preset's text is faulty.
    """
    about = header["style"]
    preset = None
    if about["preset"] is not None:
        preset = parse_preset(about["text"].encode(), Path(f"{about['preset']}{SUFFIX}"))
    references = [file for role, file in files.items() if role.startswith("reference")]
    curves = {name: Curve(tuple((t, v) for t, v in points)) for name, points in about["curves"].items()}
    return style_of(preset, about["prompt"], references, curves)


def _is_one(curve: Curve) -> bool:
    return all(value == 1.0 for _, value in curve.points)

"""Style presets: TOML files with a name, in the package and in the user's folder. Imports no torch."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segue.clip.atomic import replacing
from segue.clip.files import AudioFile, read_audio
from segue.errors import InvalidRequest
from segue.style.effects import Effect
from segue.style.steering import MAX_STRENGTH, Mode
from segue.style.terms import MAX_WEIGHT, Match, SteeringTerm, Tags

SUFFIX = ".toml"
MAX_BYTES = 1 << 18
MAX_LISTED = 512
"""Presets WELCOME has room for."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}")
Weight = Annotated[float, Field(ge=0.0, le=MAX_WEIGHT, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Kept(_Table):
    """``[features.NAME]``: a feature that is kept, moved by ``shift`` in its own unit (dB, octaves); with ``original``
    only in variations of what stood there.
    """

    shift: float = 0.0
    weight: Weight = 1.0
    original: bool = False


class Guided(_Table):
    """``[guidance]``: how hard the terms are followed, see :class:`segue.style.steering.Steering`."""

    strength: Annotated[float, Field(ge=0.0, le=MAX_STRENGTH)] = 0.2
    mode: Mode = "fast"
    until: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    tags_weight: Weight = 1.0
    reference_weight: Weight = 1.0


class Sampled(_Table):
    """``[sampling]``: what is left out is the renderer's choice; ``freedom`` is that of restyle and regenerate."""

    sampler: str | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    freedom: Annotated[float, Field(ge=0.0, le=1.0)] | None = None


class Preset(_Table):
    """A style by name: tags and their probabilities, kept or moved features, references, effects.

    ``prompt``: a text for bundles that read one; the rest is what stands in for it elsewhere. ``references``: audio
    files, from the preset's own folder. ``keep_level``: the effects leave the loudness as it was.
    """

    name: Annotated[str, Field(pattern=_NAME.pattern)]
    about: Annotated[str, Field(min_length=1, max_length=200)]
    prompt: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    tags: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = {}
    features: dict[str, Kept] = {}
    references: tuple[str, ...] = ()
    guidance: Guided = Guided()
    sampling: Sampled = Sampled()
    keep_level: bool = True
    effects: tuple[dict[str, float | str], ...] = ()

    @property
    def terms(self) -> tuple[SteeringTerm, ...]:
        """Its wish, references left out.

        Raises:
            InvalidRequest: unknown tags or features.
        """
        wanted = (Tags(self.guidance.tags_weight, tuple(self.tags.items())),) if self.tags else ()
        kept = (Match(one.weight, name, one.shift, one.original) for name, one in self.features.items())
        return (*wanted, *kept)

    @property
    def chain(self) -> tuple[Effect, ...]:
        """Its effects.

        Raises:
            InvalidRequest: an unknown effect or parameter, or a value out of its range.
        """
        return tuple(_effect(effect) for effect in self.effects)


def _effect(plain: dict[str, float | str]) -> Effect:
    parameters: dict[str, Any] = {name: value for name, value in plain.items() if name != "kind"}
    return Effect(str(plain.get("kind", "")), parameters)


def embedded_presets() -> Path:
    """Where the package's own presets lie."""
    return Path(str(importlib.resources.files("segue"))) / "presets"


def presets_folder() -> Path:
    """Where the user's own presets lie."""
    return platformdirs.user_data_path("segue") / "presets"


def is_preset_name(source: str) -> bool:
    """Whether this is a bare name, to be looked up, and no path."""
    return _NAME.fullmatch(source) is not None and not source.endswith(SUFFIX)


def preset_paths(folder: Path | None = None) -> dict[str, Path]:
    """All presets by name, in order; one of the user's ``folder`` stands for the package's of the same name."""
    found: dict[str, Path] = {}
    for place in (embedded_presets(), folder or presets_folder()):
        if place.is_dir():
            found |= {p.stem: p for p in sorted(place.glob(f"*{SUFFIX}")) if is_preset_name(p.stem)}
    return dict(sorted(found.items()))


def find_preset(source: str | Path, folder: Path | None = None) -> Path:
    """The file of a preset: by name, or by a path that ends in .toml.

    Raises:
        InvalidRequest: there is none.
    """
    if isinstance(source, str) and is_preset_name(source):
        known = preset_paths(folder)
        if source in known:
            return known[source]
        raise InvalidRequest(f"unknown preset {source!r}; expected one of {', '.join(known)}, or a file NAME.toml")
    path = Path(source)
    if not path.is_file():
        raise InvalidRequest(f"there is no preset {str(source)!r}: expected a name or a .toml file that exists")
    return path


def load_preset(source: str | Path, folder: Path | None = None) -> Preset:
    """A preset, all of it checked.

    Raises:
        InvalidRequest: there is none, or it is not as it should be; the message names the file, the key and the range.
    """
    path = find_preset(source, folder)
    return parse_preset(_read(path), path)


def preset_text(source: str | Path, folder: Path | None = None) -> str:
    """A preset's text, for a renderer that has no such file; :func:`parse_preset` reads it.

    Raises:
        InvalidRequest: there is none, or it is not text.
    """
    path = find_preset(source, folder)
    try:
        return _read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not TOML: {error}") from error


def preset_references(preset: Preset, path: Path) -> tuple[AudioFile, ...]:
    """A preset's own references, from the folder of its file.

    Raises:
        AudioFileError, InvalidRequest: one of them cannot be read.
    """
    return tuple(read_audio(path.parent / Path(name)) for name in preset.references)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidRequest(f"{path} is larger than {MAX_BYTES} bytes: it is no preset")
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the preset {path} cannot be read: {error}") from error


def parse_preset(text: bytes, path: Path) -> Preset:
    """A preset from the text of its file, which is named like it.

    Raises:
        InvalidRequest: as :func:`load_preset`.
    """
    try:
        table = tomllib.loads(text.decode("utf-8"))
        preset = Preset.model_validate({"name": path.stem, **table})
        _ = preset.terms, preset.chain
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'preset'}: {e['msg']}" for e in error.errors()[:5])
        raise InvalidRequest(f"the preset {path} is not as expected: {faults}") from error
    except InvalidRequest as error:
        raise InvalidRequest(f"the preset {path} is not as expected: {error}") from error
    if preset.name != path.stem:
        raise InvalidRequest(f"{path} names itself {preset.name!r}: expected the file's own name, or none")
    return preset


def new_preset(name: str, source: str | Path | None = None, folder: Path | None = None) -> Path:
    """Write a preset of the user's own, a copy of ``source`` (by default the first one), to begin from; its path.

    Raises:
        InvalidRequest: the name is taken in the folder or cannot be one; there is no such source.
    """
    if not is_preset_name(name):
        raise InvalidRequest(f"expected a name of letters, digits, spaces and . _ + -, at most 64, got {name!r}")
    path = (folder or presets_folder()) / f"{name}{SUFFIX}"
    if path.exists():
        raise InvalidRequest(f"{path} exists: edit it, or take another name")
    origin = find_preset(source if source is not None else next(iter(preset_paths(folder))), folder)
    text = re.sub(rb"(?m)^name *=.*\n", b"", _read(origin))
    parse_preset(text, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(text)
    return path

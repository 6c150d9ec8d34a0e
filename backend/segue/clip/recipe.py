"""The recipe: all it takes to make a result again. It travels inside the audio file."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from segue.errors import InvalidRequest

MAJOR, MINOR = 1, 0
MAX_BYTES = 1 << 20
"""A longer recipe is refused, written or read."""

_ALWAYS, _EITHER = ("segue", "torch", "numpy"), ("onnxruntime", "onnxruntime-gpu", "pedalboard")

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Recipe(BaseModel):
    """Same recipe, same device class: the same samples.

    ``task`` and its ``parameters`` as given, ``seed``; ``bundle`` by name and SHA-256; ``clip_digest``: that of
    :attr:`segue.clip.files.AudioFile.digest`; ``sources``: the names of the files used; ``versions`` of what computed
    it; ``device``: its class ("cpu", "cuda"). Fields a newer minor version adds are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Annotated[str, Field(pattern=r"^\d{1,4}\.\d{1,4}$")] = f"{MAJOR}.{MINOR}"
    task: Annotated[str, Field(min_length=1)]
    parameters: dict[str, JsonValue]
    seed: int
    bundle: Annotated[str, Field(min_length=1)]
    bundle_digest: Digest
    clip_digest: Digest
    sources: tuple[str, ...]
    versions: dict[str, str]
    device: Annotated[str, Field(min_length=1)]

    @field_validator("parameters")
    @classmethod
    def _plain_numbers(cls, value: dict[str, Any]) -> dict[str, Any]:
        json.dumps(
            value, allow_nan=False
        )  # JSON has no NaN and no infinity; null in their place would be another recipe
        return value

    def to_json(self) -> str:
        """One line of JSON, keys sorted, so that equal recipes are equal text.

        Raises:
            InvalidRequest: longer than 1 MiB.
        """
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, allow_nan=False, separators=(",", ":"))
        if len(text) > MAX_BYTES:
            raise InvalidRequest(
                f"expected a recipe of at most {MAX_BYTES} bytes, got {len(text)}: shorten its parameters"
            )
        return text

    @property
    def digest(self) -> str:
        """SHA-256 of :meth:`to_json`: the key in the store."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @staticmethod
    def from_json(text: str | bytes) -> Recipe:
        """Inverse of :meth:`to_json`.

        Raises:
            InvalidRequest: not JSON, not a recipe, or of a newer major version.
        """
        if len(text) > MAX_BYTES:
            raise InvalidRequest(f"expected a recipe of at most {MAX_BYTES} bytes, got {len(text)}")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(
                f"the recipe is not JSON ({error}): the file was changed after Segue wrote it"
            ) from error
        version = data.get("format") if isinstance(data, dict) else None
        major = version.partition(".")[0] if isinstance(version, str) else ""
        if major.isascii() and major.isdigit() and int(major[:9]) > MAJOR:
            raise InvalidRequest(f"the recipe has format {version}, this Segue reads {MAJOR}.x: update Segue")
        try:
            return Recipe.model_validate(data)
        except (ValidationError, RecursionError) as error:
            raise InvalidRequest(f"the recipe is damaged or was not written by Segue: {error}") from error


def running_versions() -> dict[str, str]:
    """Versions of what a render depends on; "not installed" for what runs from its source folder."""
    versions = {name: _version(name) for name in (*_ALWAYS, *_EITHER)}
    return {name: version or "not installed" for name, version in versions.items() if version or name in _ALWAYS}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

"""manifest.toml: what a bundle says of itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.signature import Axis, Signature, TensorSpec, codec_signatures, denoiser_signature

MANIFEST = "manifest.toml"
FORMAT_MAJOR, FORMAT_MINOR = 1, 0
_MAX_BYTES = 4 << 20

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Table(BaseModel):
    """A table of the manifest: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Sampling(_Table):
    """Defaults: the sampler's name in the registry, its steps, and the range of t it visits."""

    sampler: Name = "ddim"
    steps: int = Field(default=14, ge=1, le=10000)
    t_start: float = Field(default=1.0, gt=0.0, le=1.0)
    t_stop: float = Field(default=0.0, ge=0.0, lt=1.0)
    schedule: Literal["cosine"] = "cosine"

    @model_validator(mode="after")
    def _falls(self) -> Sampling:
        if self.t_stop >= self.t_start:
            raise ValueError(f"t_stop must be below t_start, got {self.t_stop} and {self.t_start}")
        return self


class ConditioningInput(_Table):
    """A named input of the denoiser beside x_t and time."""

    name: str
    shape: tuple[Axis, ...]

    @model_validator(mode="after")
    def _is_a_spec(self) -> ConditioningInput:
        try:
            self.spec()
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        return self

    def spec(self) -> TensorSpec:
        """Name and shape as the run time knows them."""
        return TensorSpec(self.name, self.shape)


class TrainingSource(_Table):
    """Music the bundle was trained on."""

    name: Text
    licence: Text
    url: str = Field(default="", max_length=2048)
    author: str = Field(default="", max_length=2048)
    hours: float = Field(default=0.0, ge=0.0)


class CodecTable(BaseModel):
    """The codec's kind, and what that kind needs (see ``segue.prior.codecs.registry``)."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    kind: Name

    @property
    def fields(self) -> dict[str, Any]:
        """All keys but ``kind``."""
        return dict(self.__pydantic_extra__ or {})


class Manifest(_Table):
    """A bundle's description.

    ``sample_rate`` in hertz; ``channels`` of the latent; ``token`` samples of audio for each latent frame; ``window``
    in latent frames is what the prior was trained on; lengths are multiples of ``latent_multiple``. ``files`` holds the
    SHA-256 of every other file. ``licence`` is the most restrictive of weights and training data.
    """

    format: str
    name: Name
    version: Name
    kind: Literal["latent", "waveform"]
    sample_rate: int = Field(ge=8000, le=768000)
    channels: int = Field(ge=1, le=65536)
    token: int = Field(ge=1, le=1 << 20)
    window: int = Field(ge=1, le=1 << 20)
    latent_multiple: int = Field(default=1, ge=1, le=1 << 16)
    licence: Text
    commercial_use: bool
    description: str = Field(default="", max_length=4096)
    sampling: Sampling = Sampling()
    codec: CodecTable
    conditioning: tuple[ConditioningInput, ...] = ()
    training_data: tuple[TrainingSource, ...] = ()
    files: dict[str, Digest] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _is_whole(self) -> Manifest:
        if self.window % self.latent_multiple:
            raise ValueError(f"window {self.window} must be a multiple of latent_multiple {self.latent_multiple}")
        try:
            functions = self.functions()
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        needed = {f"{graph}.onnx" for function in functions for graph in function.graphs}
        listed = {name for name in self.files if name.endswith(".onnx")}
        if needed != listed:
            raise ValueError(f"expected the graphs {sorted(needed)} in [files], got {sorted(listed)}")
        return self

    def denoiser(self) -> Signature:
        """The denoiser's inputs, output and graphs."""
        return denoiser_signature(self.channels, [c.spec() for c in self.conditioning], self.latent_multiple)

    def functions(self) -> tuple[Signature, ...]:
        """All functions the bundle holds as graphs."""
        if self.codec.kind != "onnx":
            return (self.denoiser(),)
        return (self.denoiser(), *codec_signatures(self.channels, self.token, self.latent_multiple))


def _check_format(data: dict[str, Any]) -> dict[str, Any]:
    """Refuse another major version; of a newer minor one, leave out the tables this version does not know."""
    version = data.get("format")
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", version) if isinstance(version, str) else None
    if match is None:
        raise BundleRejected(f'expected format = "{FORMAT_MAJOR}.{FORMAT_MINOR}" in {MANIFEST}, got {version!r}')
    major, minor = int(match[1]), int(match[2])
    if major != FORMAT_MAJOR:
        raise BundleRejected(
            f"the bundle's format is {version}, this Segue reads {FORMAT_MAJOR}.x: update Segue, "
            "or export the bundle again"
        )
    if minor > FORMAT_MINOR:
        return {key: value for key, value in data.items() if key in Manifest.model_fields}
    return data


def parse_manifest(text: bytes) -> Manifest:
    """The manifest of its TOML bytes.

    Raises:
        BundleRejected: not TOML, another major format, or a field that is missing, unknown or out of range.
    """
    if len(text) > _MAX_BYTES:
        raise BundleRejected(f"expected a {MANIFEST} of at most {_MAX_BYTES} bytes, got {len(text)}")
    try:
        data = tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BundleRejected(f"{MANIFEST} is not TOML: {error}; export the bundle again") from error
    try:
        return Manifest.model_validate(_check_format(data))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors()[:5])
        raise BundleRejected(
            f"{MANIFEST} is not as format {FORMAT_MAJOR} asks: {faults}; export the bundle again"
        ) from error


def read_manifest(folder: Path) -> tuple[Manifest, bytes]:
    """The manifest of a bundle folder, and its very bytes.

    Raises:
        BundleRejected: as :func:`parse_manifest`, or the file is missing or no regular file.
    """
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file():
        raise BundleRejected(f"expected a bundle folder with a {MANIFEST}, found none in {folder}")
    if path.stat().st_size > _MAX_BYTES:
        raise BundleRejected(f"expected a {MANIFEST} of at most {_MAX_BYTES} bytes, got {path.stat().st_size}")
    text = path.read_bytes()
    return parse_manifest(text), text

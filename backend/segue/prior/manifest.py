"""manifest.toml: what a bundle says of itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.signature import (
    Axis,
    Signature,
    TensorSpec,
    TextSignature,
    codec_signatures,
    denoiser_signature,
)

MANIFEST = "manifest.toml"
FORMAT_MAJOR, FORMAT_MINOR = 1, 1
_MAX_BYTES = 4 << 20

TOKENIZER, PROMPTS = "tokenizer.json", "prompts.safetensors"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Table(BaseModel):
    """A table of the manifest: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Schedule = Literal["linear", "log_snr", "edm", "flow"]


class Sampling(_Table):
    """Defaults: the sampler's name in the registry, its steps, and the times it visits.

    ``schedule``, with lambda = log(alpha_t / sigma_t) and tau = sigma_t / (alpha_t + sigma_t):

    - "linear": equal steps in t from ``t_start`` to ``t_stop``. Bundles of format 1.0 call it "cosine".
    - "log_snr": steps + 1 times at equal distances of lambda from ``low`` to ``high``, the two ends set to t = 1 and 0.
    - "edm": ``steps`` times at equal distances of lambda from ``low`` to ``high``, then t = 0.
    - "flow": equal steps in u from 1 to 0, tau = ``shift`` u / (1 + (``shift`` - 1) u).
    """

    sampler: Name = "ddim"
    steps: int = Field(default=14, ge=1, le=10000)
    t_start: float = Field(default=1.0, gt=0.0, le=1.0)
    t_stop: float = Field(default=0.0, ge=0.0, lt=1.0)
    schedule: Schedule = "linear"
    low: float = Field(default=-6.0, ge=-20.0, le=20.0)
    high: float = Field(default=2.0, ge=-20.0, le=20.0)
    shift: float = Field(default=1.0, gt=0.0, le=100.0)

    @field_validator("schedule", mode="before")
    @classmethod
    def _renamed(cls, value: object) -> object:
        return "linear" if value == "cosine" else value

    @model_validator(mode="after")
    def _falls(self) -> Sampling:
        if self.t_stop >= self.t_start:
            raise ValueError(f"t_stop must be below t_start, got {self.t_stop} and {self.t_start}")
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        return self


class Prompting(_Table):
    """Classifier-free guidance (Ho & Salimans 2021): how a prediction with the prompt and one without are combined.

    ``scale`` 1: the prompted prediction alone. ``rule`` "linear": without + scale (with - without). "apg": adaptive
    projected guidance (Sadat et al. 2025) on the flow's velocity, with ``momentum`` between steps and the norm over
    time of each channel's difference at most ``threshold``.
    """

    scale: float = Field(default=1.0, ge=1.0, le=100.0)
    rule: Literal["linear", "apg"] = "linear"
    momentum: float = Field(default=0.0, gt=-1.0, lt=1.0)
    threshold: float = Field(default=0.0, ge=0.0)


class TextEncoder(_Table):
    """The text encoder text.onnx, whose tokenizer is tokenizer.json.

    ``template`` is what is tokenized, {prompt} and {seconds} (whole seconds of the window) replaced; more than
    ``max_length`` tokens are refused; ``pad_to`` tokens are always given where it is set, filled up with ``pad_id``
    under a ``token_mask`` of 0. ``outputs`` are names of conditioning inputs.
    """

    max_length: int = Field(ge=1, le=1 << 16)
    pad_to: int | None = Field(default=None, ge=1, le=1 << 16)
    pad_id: int = Field(default=0, ge=0)
    template: Text = "{prompt}"
    outputs: tuple[str, ...] = Field(min_length=1, max_length=8)

    @model_validator(mode="after")
    def _has_room(self) -> TextEncoder:
        if self.pad_to is not None and self.pad_to != self.max_length:
            raise ValueError(f"pad_to must be max_length or absent, got {self.pad_to} and {self.max_length}")
        if "{prompt}" not in self.template:
            raise ValueError(f"the template must contain {{prompt}}, got {self.template!r}")
        return self


class StoredPrompt(_Table):
    """A prompt encoded when the bundle was made: tensors ``INDEX.INPUT`` of prompts.safetensors, batch 1.

    INDEX is its place in the manifest's list, from 0; INPUT the name of a conditioning input.
    """

    name: Label
    text: str = Field(max_length=4096)


class Origin(_Table):
    """Where imported weights come from. ``digest`` is one SHA-256 over the names and digests of the files read."""

    family: Text
    pipeline: Text
    url: str = Field(default="", max_length=2048)
    digest: Digest
    licence_url: str = Field(default="", max_length=2048)
    licence_accepted: bool = False


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
    in latent frames is what the prior was trained on, ``min_window`` the least it makes sense of; lengths are multiples
    of ``latent_multiple``. ``files`` holds the SHA-256 of every other file. ``licence`` is the most restrictive of
    weights and training data.
    """

    format: str
    name: Name
    version: Name
    kind: Literal["latent", "waveform"]
    sample_rate: int = Field(ge=8000, le=768000)
    channels: int = Field(ge=1, le=65536)
    token: int = Field(ge=1, le=1 << 20)
    window: int = Field(ge=1, le=1 << 20)
    min_window: int = Field(default=1, ge=1, le=1 << 20)
    latent_multiple: int = Field(default=1, ge=1, le=1 << 16)
    licence: Text
    commercial_use: bool
    description: str = Field(default="", max_length=4096)
    sampling: Sampling = Sampling()
    codec: CodecTable
    conditioning: tuple[ConditioningInput, ...] = ()
    prompting: Prompting = Prompting()
    text: TextEncoder | None = None
    prompts: tuple[StoredPrompt, ...] = Field(default=(), max_length=256)
    origin: Origin | None = None
    training_data: tuple[TrainingSource, ...] = ()
    files: dict[str, Digest] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _is_whole(self) -> Manifest:
        if self.window % self.latent_multiple:
            raise ValueError(f"window {self.window} must be a multiple of latent_multiple {self.latent_multiple}")
        if self.min_window > self.window:
            raise ValueError(f"min_window {self.min_window} must be at most window {self.window}")
        try:
            functions, text = self.functions(), self.text_signature()
        except InvalidRequest as error:
            raise ValueError(str(error)) from error
        needed = {f"{graph}.onnx" for function in functions for graph in function.graphs}
        if text is not None:
            needed.add(f"{text.graph}.onnx")
        listed = {name for name in self.files if name.endswith(".onnx")}
        if needed != listed:
            raise ValueError(f"expected the graphs {sorted(needed)} in [files], got {sorted(listed)}")
        return self

    @model_validator(mode="after")
    def _has_its_prompts(self) -> Manifest:
        for file, wanted in ((TOKENIZER, self.text is not None), (PROMPTS, bool(self.prompts))):
            if (file in self.files) != wanted:
                raise ValueError(f"[text] needs {TOKENIZER} and [[prompts]] needs {PROMPTS}, and neither comes alone")
        names = [p.name for p in self.prompts]
        if len(set(names)) != len(names):
            raise ValueError(f"expected prompts of different names, got {names}")
        return self

    def denoiser(self) -> Signature:
        """The denoiser's inputs, output and graphs."""
        return denoiser_signature(self.channels, [c.spec() for c in self.conditioning], self.latent_multiple)

    def functions(self) -> tuple[Signature, ...]:
        """All functions the bundle holds as graphs."""
        if self.codec.kind != "onnx":
            return (self.denoiser(),)
        return (self.denoiser(), *codec_signatures(self.channels, self.token, self.latent_multiple))

    def text_signature(self) -> TextSignature | None:
        """The text encoder's graph, None where the bundle has none.

        Raises:
            InvalidRequest: it makes what the denoiser does not take.
        """
        if self.text is None:
            return None
        inputs = {c.name: c.spec() for c in self.conditioning}
        unknown = [name for name in self.text.outputs if name not in inputs]
        if unknown:
            raise InvalidRequest(f"[text] outputs {unknown} are no conditioning inputs: take some of {list(inputs)}")
        return TextSignature(tuple(inputs[name] for name in self.text.outputs))


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

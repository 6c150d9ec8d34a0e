"""Codecs by the ``kind`` a manifest names. A new kind is a table, a maker and one line in :data:`CODECS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segue.clip.clip import MODEL_RATE
from segue.errors import BundleRejected, InvalidRequest
from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.prior.codecs.onnx import OnnxCodec
from segue.prior.codecs.rated import RatedCodec
from segue.prior.codecs.stft import StftCodec, StftSettings
from segue.prior.contract import Codec
from segue.prior.manifest import Manifest
from segue.prior.onnx_function import FunctionLoader
from segue.prior.signature import codec_signatures

T = TypeVar("T", bound=BaseModel)
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1, le=1 << 16)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MelTable(_Table):
    """``[codec]`` of kind mel: the fields of :class:`MelSettings`, and mean and deviation of the music per band."""

    rate: Count
    n_fft: Count
    hop: Count
    mid_bands: Count
    side_bands: Count
    f_min: Positive
    f_max: Positive
    frames_per_token: Count
    floor: Positive
    mean: tuple[float, ...]
    std: tuple[Positive, ...]


class OnnxTable(_Table):
    """``[codec]`` of kind onnx: ``reach`` in samples, see :class:`segue.prior.contract.Codec`."""

    reach: Annotated[int, Field(ge=0, le=1 << 24)]


class StftTable(_Table):
    """``[codec]`` of kind stft: the fields of :class:`StftSettings`; mean and deviation of the music per feature."""

    rate: Count
    n_fft: Count
    hop: Count
    bins: Count
    noise_bands: Count
    f_max: Positive
    frames_per_token: Count
    floor: Positive
    noise_seed: Annotated[int, Field(ge=0, le=1 << 32)]
    mean: tuple[float, ...]
    std: tuple[Positive, ...]


@dataclass(frozen=True)
class CodecSource:
    """What a codec may be made of: the manifest, and a loader of the bundle's functions."""

    manifest: Manifest
    load: FunctionLoader


def make_mel(source: CodecSource) -> MelCodec:
    """The mel codec of a manifest.

    Raises:
        BundleRejected: the table is incomplete, or its statistics or geometry contradict the manifest.
    """
    table = _parse(MelTable, source.manifest)
    settings = MelSettings(**{f.name: getattr(table, f.name) for f in fields(MelSettings)})
    _check_geometry(source.manifest, settings)
    return MelCodec(settings, *_statistics(table, settings.bands))


def make_stft(source: CodecSource) -> StftCodec:
    """The complex-spectrum codec of a manifest.

    Raises:
        BundleRejected: the table is incomplete, or contradicts itself or the manifest.
    """
    table = _parse(StftTable, source.manifest)
    try:
        settings = StftSettings(**{f.name: getattr(table, f.name) for f in fields(StftSettings)})
    except InvalidRequest as error:
        raise BundleRejected(f"[codec] of kind stft: {error}: export the bundle again") from error
    _check_geometry(source.manifest, settings)
    return StftCodec(settings, *_statistics(table, settings.features))


def _check_geometry(manifest: Manifest, settings: MelSettings | StftSettings) -> None:
    stated = (manifest.sample_rate, manifest.channels, manifest.token)
    made = (settings.rate, settings.channels, settings.token)
    if stated != made:
        raise BundleRejected(
            f"the manifest states sample_rate, channels, token = {stated}, its {manifest.codec.kind} codec makes "
            f"{made}: export the bundle again"
        )


def _statistics(table: MelTable | StftTable, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    if not len(table.mean) == len(table.std) == count:
        raise BundleRejected(
            f"expected mean and std of {count} numbers, got {len(table.mean)} and {len(table.std)}: export again"
        )
    return torch.tensor(table.mean), torch.tensor(table.std)


def make_onnx(source: CodecSource) -> Codec:
    """The codec whose six graphs are in the bundle, at 44.1 kHz whatever its own rate.

    Raises:
        BundleRejected: the table is incomplete, or its rate is one that cannot be converted.
    """
    manifest = source.manifest
    encode, decode = codec_signatures(manifest.channels, manifest.token, manifest.latent_multiple)
    own = OnnxCodec(
        encoder=source.load(encode),
        decoder=source.load(decode),
        token=manifest.token,
        channels=manifest.channels,
        reach=_parse(OnnxTable, manifest).reach,
    )
    return own if manifest.sample_rate == MODEL_RATE else RatedCodec(own, manifest.sample_rate)


CODECS: dict[str, Callable[[CodecSource], Codec]] = {
    "mel": make_mel,
    "onnx": make_onnx,
    "stft": make_stft,
}


def make_codec(source: CodecSource) -> Codec:
    """The codec a manifest names.

    Raises:
        BundleRejected: an unknown kind, or a table that is not what the kind needs.
    """
    kind = source.manifest.codec.kind
    if kind not in CODECS:
        raise BundleRejected(f"codec kind {kind!r} is unknown, known are {sorted(CODECS)}: update Segue")
    return CODECS[kind](source)


def _parse(table: type[T], manifest: Manifest) -> T:
    try:
        return table.model_validate(manifest.codec.fields)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise BundleRejected(f"[codec] of kind {manifest.codec.kind} is not as expected: {faults}") from error


def stft_table(codec: StftCodec) -> dict[str, Any]:
    """``[codec]`` for a manifest, from a codec."""
    settings = {f.name: getattr(codec.settings, f.name) for f in fields(StftSettings)}
    return {"kind": "stft", **settings, "mean": codec.mean.tolist(), "std": codec.std.tolist()}


def mel_table(codec: MelCodec) -> dict[str, Any]:
    """``[codec]`` for a manifest, from a codec."""
    settings = {f.name: getattr(codec.settings, f.name) for f in fields(MelSettings)}
    statistics = {"mean": codec.mean.float().tolist(), "std": codec.std.float().tolist()}
    return {"kind": "mel", **settings, **statistics}

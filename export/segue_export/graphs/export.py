"""The entry points: a torch module becomes a function of a bundle, or nothing is written."""

from __future__ import annotations

import copy
import functools
import gc
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import nn

from segue.errors import InvalidRequest
from segue.prior.onnx_function import OnnxFunction
from segue.prior.runtime import Graph, SessionSettings
from segue.prior.signature import Axis, Signature, TensorSpec, codec_signatures, denoiser_signature
from segue_export.graphs.cut import cut
from segue_export.graphs.names import name_weights
from segue_export.graphs.parity import ParityCases, ParityReport, Sampler, check_parity, references
from segue_export.graphs.trace import export_joint
from segue_export.graphs.weights import Storage, WeightsFile, round_weights

TOLERANCE = 5e-5
DENOISER_WEIGHTS = "weights.bin"
CODEC_WEIGHTS = "codec.bin"

Conditioning = Sequence[tuple[str, tuple[Axis, ...]]]


@dataclass(frozen=True)
class _Job:
    """A module, prepared, and the function it is to become; with ``consume`` it is not needed afterwards."""

    module: nn.Module
    signature: Signature
    consume: bool = False


@dataclass(frozen=True)
class _Demand:
    """How like torch the graphs must be, and on what inputs."""

    tolerance: float
    cases: ParityCases
    sample: Sampler | None = None


def export_denoiser(
    module: nn.Module,
    folder: Path,
    *,
    channels: int,
    conditioning: Conditioning = (),
    latent_multiple: int = 1,
    tolerance: float = TOLERANCE,
    store: Storage = "fp16",
    cases: ParityCases | None = None,
    sample: Sampler | None = None,
    consume: bool = False,
) -> ParityReport:
    """Write denoise.onnx, fw.onnx, bw.onnx and weights.bin of ``module(x_t, time, **conditioning) -> x0_hat``.

    ``x_t`` (batch, channels, frames), ``time`` (batch,), conditioning by name and shape as in
    ``("mask", ("batch", 1, "frames"))``. Frames must be a multiple of ``latent_multiple``. Large weights
    are rounded to ``store`` first; parity is then taken against the rounded module. ``sample``
    draws inputs for the comparison where N(0, 1) would be unlike real ones. The module itself is not changed, unless
    ``consume`` allows it: large ones are then not copied.

    Raises:
        ExportMismatch: prediction or gradient differ from torch by more than ``tolerance``; no file is left.
        InvalidRequest: the files exist already, or a name or shape cannot be used.
    """
    specs = [TensorSpec(name, tuple(shape)) for name, shape in conditioning]
    signature = denoiser_signature(channels, specs, latent_multiple)
    job = _Job(_prepared(module, store, consume), signature, consume)
    return _export([job], folder, DENOISER_WEIGHTS, _Demand(tolerance, cases or ParityCases(), sample))[0]


def export_codec(
    encoder: nn.Module,
    decoder: nn.Module,
    folder: Path,
    *,
    channels: int,
    token: int,
    latent_multiple: int = 1,
    tolerance: float = TOLERANCE,
    store: Storage = "fp16",
    cases: ParityCases | None = None,
    consume: bool = False,
) -> tuple[ParityReport, ParityReport]:
    """Write a codec as six graphs and codec.bin: ``encoder(audio) -> latents`` and ``decoder(latents) -> audio``.

    ``audio`` (batch, 2, frames * token), ``latents`` (batch, channels, frames). Errors as :func:`export_denoiser`.
    """
    signatures = codec_signatures(channels, token, latent_multiple)
    modules = (_prepared(m, store, consume) for m in (encoder, decoder))
    jobs = [_Job(m, s, consume) for m, s in zip(modules, signatures, strict=True)]
    first, second = _export(jobs, folder, CODEC_WEIGHTS, _Demand(tolerance, cases or ParityCases()))
    return first, second


def _prepared(module: nn.Module, store: Storage, consume: bool) -> nn.Module:
    """A copy (or the very module) for inference, its weights constant and rounded to what is stored."""
    prepared = (module if consume else copy.deepcopy(module)).eval().float().cpu().requires_grad_(False)
    round_weights(prepared, store)
    return prepared


def _export(jobs: Sequence[_Job], folder: Path, weights: str, demand: _Demand) -> list[ParityReport]:
    names = [weights, *(f"{graph}.onnx" for job in jobs for graph in job.signature.graphs)]
    with _all_or_nothing(folder, names) as temporary:
        with WeightsFile(temporary / weights) as file:
            for job in jobs:
                _write_graphs(job, temporary, file)
        for job in jobs:
            _name(job, temporary)
        cases = [references(job.module, job.signature, demand.cases, demand.sample) for job in jobs]
        for job in jobs:
            _release(job)
        return [
            check_parity(
                functools.partial(load_function, job.signature, temporary), c, temporary, tolerance=demand.tolerance
            )
            for job, c in zip(jobs, cases, strict=True)
        ]


def _release(job: _Job) -> None:
    """Give back the memory of a module that may be consumed, before its graphs hold the same weights again."""
    if job.consume:
        for tensor in (*job.module.parameters(), *job.module.buffers()):
            tensor.data = torch.empty(0)


def _write_graphs(job: _Job, folder: Path, weights: WeightsFile) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch, torch.no_grad():
        joint = Path(scratch) / "joint.onnx"
        export_joint(job.module, job.signature, joint)
        gc.collect()  # the tracer's graphs point at themselves
        graphs = cut(onnx.load(joint, load_external_data=False), joint.parent, job.signature, weights)
    for name, model in zip(job.signature.graphs, (graphs.plain, graphs.fw, graphs.bw), strict=True):
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def _name(job: _Job, folder: Path) -> None:
    for name in job.signature.graphs:
        model = onnx.load(folder / f"{name}.onnx", load_external_data=False)
        name_weights(model, folder, job.module, "net.")
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def load_function(signature: Signature, folder: Path, settings: SessionSettings | None = None) -> OnnxFunction:
    """A function just exported, before a bundle is made of it; files of one's own are not checked."""
    graphs = {name: Graph(name, (folder / f"{name}.onnx").read_bytes(), folder) for name in signature.graphs}
    return OnnxFunction(signature, graphs, settings or SessionSettings(threads=1))


@contextmanager
def _all_or_nothing(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """A temporary folder beside ``folder``; its files are moved in at the end, or vanish with it on any error."""
    existing = [name for name in names if (folder / name).exists()]
    if existing:
        raise InvalidRequest(f"{folder} already holds {existing}: choose another folder or remove them")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder.parent) as temporary:
        yield Path(temporary)
        folder.mkdir(exist_ok=True)
        for name in names:
            (Path(temporary) / name).replace(folder / name)

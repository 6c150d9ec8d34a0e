"""musicnn's weights, from its wheel on PyPI to our safetensors; needs no TensorFlow.

    pip download musicnn==0.1.0 --no-deps
    python -m segue_export.embedders.musicnn musicnn-0.1.0-py3-none-any.whl \\
        backend/segue/guidance/embedders/weights/msd_musicnn.safetensors \\
        tests/quality/segue_bench/weights/mtt_musicnn.safetensors

MSD is the ear that guides, MTT the ear that scores: they go to different places on purpose. Batch norms are folded to
a scale and a shift each; Adam's state is left behind.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from segue.clip.atomic import replacing
from segue.errors import BundleRejected
from segue.guidance.embedders.guide import HEADER
from segue.guidance.embedders.musicnn import Musicnn, digest
from segue_export.embedders.tensor_bundle import Entry, read_index, read_tensor

WHEEL = "musicnn-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
EPSILON = 1e-3  # of tf.layers.batch_normalization

Model = Literal["MSD_musicnn", "MTT_musicnn"]
Array = Float[np.ndarray, "*shape"]


class Checkpoint:
    """A tensor bundle's variables by name."""

    def __init__(self, index: bytes, data: bytes) -> None:
        self._entries: dict[str, Entry] = read_index(index)
        self._data = data

    def __getitem__(self, name: str) -> Array:
        """The variable, float64.

        Raises:
            BundleRejected: no such variable, or a damaged one.
        """
        if name not in self._entries:
            raise BundleRejected(f"the checkpoint has no {name}: it is of another network than musicnn")
        return read_tensor(self._data, name, self._entries[name]).astype(np.float64)


def convert(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The state of :class:`segue.guidance.embedders.musicnn.Musicnn`, float32.

    TensorFlow numbers layers in the order the graph makes them: input norm, five of the front end, three of the middle,
    then the pooled features' norm and the two dense layers.

    Raises:
        BundleRejected: a variable is missing or damaged.
    """
    arrays: dict[str, Array] = {}

    def norm(ours: str, number: int) -> None:
        name = _numbered("batch_normalization", number)
        gamma, beta = checkpoint[f"{name}/gamma"], checkpoint[f"{name}/beta"]
        mean, variance = checkpoint[f"{name}/moving_mean"], checkpoint[f"{name}/moving_variance"]
        scale = gamma / np.sqrt(variance + EPSILON)
        arrays[f"{ours}.scale"], arrays[f"{ours}.shift"] = scale, beta - mean * scale

    def layer(ours: str, name: str, axes: tuple[int, ...]) -> None:
        arrays[f"{ours}.weight"] = checkpoint[f"{name}/kernel"].transpose(axes)
        arrays[f"{ours}.bias"] = checkpoint[f"{name}/bias"]

    norm("input_norm", 0)
    for i in range(5):
        layer(f"front.{i}.conv", _numbered("conv2d", i), (3, 2, 0, 1))  # frames, bands, in, out
        norm(f"front.{i}.norm", 1 + i)
    for i in range(3):
        layer(f"mid.{i}.conv", _numbered("conv2d", 5 + i), (3, 1, 0, 2))  # frames, channels, 1, out
        arrays[f"mid.{i}.conv.weight"] = arrays[f"mid.{i}.conv.weight"][..., 0]
        norm(f"mid.{i}.norm", 6 + i)
    norm("pool_norm", 9)
    layer("dense", "dense", (1, 0))
    norm("dense_norm", 10)
    layer("output", "dense_1", (1, 0))
    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()}


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name


def open_wheel(path: Path) -> zipfile.ZipFile:
    """The wheel, whose digest is that of musicnn 0.1.0 on PyPI.

    Raises:
        BundleRejected: another file.
    """
    content = path.read_bytes() if path.is_file() else b""
    got = hashlib.sha256(content).hexdigest()
    if got != WHEEL_SHA256:
        raise BundleRejected(
            f"expected {WHEEL} with SHA-256 {WHEEL_SHA256}, got {path} with {got if content else 'nothing in it'}: "
            "get it with pip download musicnn==0.1.0 --no-deps"
        )
    return zipfile.ZipFile(io.BytesIO(content))


def labels(configuration: str, model: Model) -> tuple[str, ...]:
    """The tags in the order of the logits, from the source of ``configuration.py``, which is read and not run.

    Raises:
        BundleRejected: no such list.
    """
    wanted = f"{model[:3]}_LABELS"
    for statement in ast.parse(configuration).body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == wanted for t in statement.targets
        ):
            return tuple(ast.literal_eval(statement.value))
    raise BundleRejected(f"expected a list {wanted} in configuration.py: another release of musicnn?")


def write(wheel: zipfile.ZipFile, model: Model, out: Path) -> None:
    """One model as safetensors, and the licence beside it, read back before it takes its place.

    Raises:
        BundleRejected: the wheel's checkpoint is damaged or of another network.
    """
    index, data = (wheel.read(f"musicnn/{model}/{name}") for name in (".index", ".data-00000-of-00001"))
    tensors = {name: tensor.contiguous() for name, tensor in sorted(convert(Checkpoint(index, data)).items())}
    licence = wheel.read(LICENCE)
    header = {
        "model": model,
        "labels": labels(wheel.read("musicnn/configuration.py").decode(), model),
        "source": f"https://pypi.org/project/musicnn/0.1.0: {WHEEL}",
        "source_sha256": WHEEL_SHA256,
        "licence": licence.decode(),
        "tensors_sha256": digest(tensors),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        # One entry holds all: safetensors writes several in any order, and the same wheel shall make the same file.
        part.write_bytes(save(tensors, {HEADER: json.dumps(header)}))
        Musicnn.load(part)
    with replacing(out.with_name("LICENSE-musicnn.md")) as part:
        part.write_bytes(licence)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("wheel", "out_msd", "out_mtt"):
        parser.add_argument(name, type=Path)
    a = parser.parse_args()
    with open_wheel(a.wheel) as wheel:
        write(wheel, "MSD_musicnn", a.out_msd)
        write(wheel, "MTT_musicnn", a.out_mtt)


if __name__ == "__main__":
    main()

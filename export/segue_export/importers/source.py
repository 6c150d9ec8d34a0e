"""A local folder in diffusers' format: its index, its parts' configurations, and where their weights lie.

Nothing here loads a weight, unpickles anything or asks a network.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from segue.errors import InvalidRequest
from segue.prior.checks import file_digest

INDEX = "model_index.json"
_WEIGHTS = ("diffusion_pytorch_model", "model")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_MAX_JSON = 16 << 20


@dataclass(frozen=True)
class Part:
    """A folder of the model: its name, and the classes it may hold by name (any, where there are none).

    ``optional`` parts may be missing; ``needs_weights`` is False for schedulers and tokenizers.
    """

    name: str
    classes: tuple[str, ...]
    optional: bool = False
    needs_weights: bool = True


@dataclass(frozen=True)
class Source:
    """A folder as :func:`read_source` found it. ``index`` is model_index.json; ``pipeline`` its class name.

    Other formats derive from this class (see :mod:`segue_export.importers.parts.stability`).
    """

    folder: Path
    pipeline: str
    index: dict[str, Any]

    def path(self, part: str) -> Path:
        """Where the files of a part lie."""
        return self.folder / part

    def class_of(self, part: str) -> str:
        """The class name that the index gives a part, "" where it has none."""
        entry = self.index.get(part)
        return str(entry[1]) if isinstance(entry, list) and len(entry) == 2 and entry[1] else ""

    def has(self, part: str) -> bool:
        """Whether the index names the part and its folder is there."""
        return bool(self.class_of(part)) and self.path(part).is_dir()

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of a part.

        Raises:
            InvalidRequest: it is missing or broken.
        """
        names = ("config.json", "scheduler_config.json", "tokenizer_config.json")
        for name in names:
            if (self.path(part) / name).is_file():
                return read_json(self.path(part) / name)
        raise InvalidRequest(f"{self.path(part)} has no {names[0]}: the download is not whole, get it again")

    def weights(self, part: str) -> list[Path]:
        """The safetensors files of a part, each found to be whole.

        Raises:
            InvalidRequest: there are none, or only pickled ones, or one is missing, cut or damaged.
        """
        folder = self.path(part)
        for stem in _WEIGHTS:
            index = folder / f"{stem}.safetensors.index.json"
            if index.is_file():
                shards = sorted({str(name) for name in dict(read_json(index).get("weight_map", {})).values()})
                return [sound(_inside(folder, name)) for name in shards]
            if (folder / f"{stem}.safetensors").is_file():
                return [sound(folder / f"{stem}.safetensors")]
        pickled = sorted(p.name for p in folder.iterdir() if p.suffix in _PICKLES) if folder.is_dir() else []
        found = f"only {pickled[0]}, which is a pickle and is never opened" if pickled else "none"
        raise InvalidRequest(f"expected {folder / _WEIGHTS[0]}.safetensors, there is {found}: get the part again")

    def tensors(self, part: str) -> Iterator[tuple[str, Tensor]]:
        """Every weight of a part by name, one at a time, each mapped from its file.

        Raises:
            InvalidRequest: as :meth:`weights`.
        """
        for file in self.weights(part):
            with safe_open(file, framework="pt") as stored:
                for name in stored.keys():  # noqa: SIM118  no mapping
                    yield name, stored.get_tensor(name)

    def tensor(self, part: str, name: str) -> Tensor:
        """One weight of a part, in float32.

        Raises:
            InvalidRequest: the part has none of that name.
        """
        for found, value in self.tensors(part):
            if found == name:
                return value.float()
        raise InvalidRequest(f"{part} has no weight named {name}: the download is not whole, get it again")

    def shape(self, part: str, name: str) -> tuple[int, ...]:
        """The shape of one weight, without reading it.

        Raises:
            InvalidRequest: the part has none of that name.
        """
        for file in self.weights(part):
            if name in (shapes := shapes_of(file)):
                return shapes[name]
        raise InvalidRequest(f"{part} has no weight named {name}: the download is not whole, get it again")

    def parameters(self, part: str) -> int:
        """How many numbers the weights of a part hold."""
        return sum(math.prod(shape) for file in self.weights(part) for shape in shapes_of(file).values())

    def files(self) -> list[Path]:
        """The files an import may read: the index, and those of the parts it names."""
        parts = [path for part in self.index if self.has(part) for path in self.path(part).iterdir()]
        return sorted(p for p in (self.folder / INDEX, *parts) if p.is_file() and not p.name.startswith("."))

    def digest(self) -> str:
        """One SHA-256 over the names and digests of these files."""
        lines = "".join(f"{p.relative_to(self.folder).as_posix()} {file_digest(p)}\n" for p in self.files())
        return hashlib.sha256(lines.encode()).hexdigest()


def read_source(folder: Path) -> Source:
    """A local folder in diffusers' format.

    Raises:
        InvalidRequest: no folder, or no model_index.json in it, or a broken one.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"expected a local folder with {INDEX}, {folder} is none: download the model first")
    if not (folder / INDEX).is_file():
        raise InvalidRequest(
            f"{folder} has no {INDEX}: expected a whole model in diffusers' format, no part of one; see docs/priors.md"
        )
    index = read_json(folder / INDEX)
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str):
        raise InvalidRequest(f"{folder / INDEX} names no pipeline (_class_name): get the model again")
    return Source(folder, pipeline, index)


def check_parts(source: Source, parts: tuple[Part, ...]) -> None:
    """Every part is there, of a class that can be read, with whole weights.

    Raises:
        InvalidRequest: one is not.
    """
    for part in parts:
        if not source.has(part.name):
            if part.optional:
                continue
            raise InvalidRequest(f"{source.folder} has no {part.name}: the download is not whole, get it again")
        name = source.class_of(part.name)
        if part.classes and name not in part.classes:
            raise InvalidRequest(
                f"{part.name} is a {name}, expected {' or '.join(part.classes)}: this variant is not supported"
            )
        source.config(part.name)
        if part.needs_weights:
            source.weights(part.name)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        InvalidRequest: too large, or no JSON object.
    """
    if path.stat().st_size > _MAX_JSON:
        raise InvalidRequest(f"{path} is too large for a configuration ({path.stat().st_size} bytes): get it again")
    try:
        data = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{path} is no JSON ({error}): get the file again") from error
    if not isinstance(data, dict):
        raise InvalidRequest(f"{path} should hold a JSON object, it holds a {type(data).__name__}: get the file again")
    return data


def _inside(folder: Path, name: str) -> Path:
    """A shard of this very folder."""
    if Path(name).name != name:
        raise InvalidRequest(f"{folder} lists a weights file {name!r} outside itself: do not use this download")
    return folder / name


def sound(path: Path) -> Path:
    """The file, once its header has been read and found to fit its size.

    Raises:
        InvalidRequest: it is missing, cut or damaged.
    """
    if not path.is_file():
        raise InvalidRequest(f"{path} is missing: the download is not whole, get it again")
    shapes_of(path)
    return path


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a safetensors file.

    Raises:
        InvalidRequest: it is cut or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  no mapping
    except (SafetensorError, OSError) as error:
        raise InvalidRequest(f"{path} is cut or damaged ({error}): get the file again") from error

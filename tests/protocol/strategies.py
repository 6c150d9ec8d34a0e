"""Messages of any content, made from the fields' own types and ranges."""

from __future__ import annotations

import functools
import types
from typing import Any, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from segue_protocol.messages import MESSAGES, Message, Part, Payload


def _bound(metadata: list[Any], kind: type, name: str) -> Any:
    return next((getattr(one, name) for one in metadata if isinstance(one, kind)), None)


def _of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    """Values of an annotation within what its metadata allows; texts and lists are kept short."""
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _of(annotation.__origin__, [*_flat(annotation.__metadata__), *metadata])
    if get_origin(annotation) in (Union, types.UnionType):
        return st.one_of(*(_of(one, metadata) for one in get_args(annotation)))
    if get_origin(annotation) is tuple:
        return _tuples(*get_args(annotation), metadata)
    return parts(annotation) if issubclass(annotation, Part) else _scalars(annotation, metadata)


def _tuples(first: Any, second: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if second is not ...:
        return st.tuples(_of(first, []), _of(second, []))
    most = min(4, _bound(metadata, MaxLen, "max_length"))
    return st.lists(_of(first, []), min_size=_bound(metadata, MinLen, "min_length") or 0, max_size=most).map(tuple)


def _scalars(kind: type, metadata: list[Any]) -> st.SearchStrategy[Any]:
    least, most = _bound(metadata, Ge, "ge"), _bound(metadata, Le, "le")
    pattern = next((one.pattern for one in metadata if getattr(one, "pattern", None)), None)
    made: dict[type, st.SearchStrategy[Any]] = {
        types.NoneType: st.none(),
        bool: st.booleans(),
        bytes: st.binary(min_size=32, max_size=32),
        str: st.from_regex(pattern.removesuffix("$") + r"\Z") if pattern else st.text(max_size=64),
    }
    if kind is int:
        return st.integers(least, most)
    if kind is float:
        return st.floats(least, most, allow_nan=False, allow_infinity=False)
    return made[kind]


def _flat(metadata: Any) -> list[Any]:
    """Metadata with what pydantic's Field holds laid open."""
    flat = []
    for one in metadata:
        flat += one.metadata if isinstance(one, FieldInfo) else [one]
    return flat


@functools.cache
def _fields(kind: type[Part]) -> dict[str, st.SearchStrategy[Any]]:
    return {name: _of(field.annotation, list(field.metadata)) for name, field in kind.model_fields.items()}


@st.composite
def parts(draw: st.DrawFn, kind: type[Part]) -> Part:
    """Parts and messages whose fields also fit one another."""
    values = {name: draw(strategy) for name, strategy in _fields(kind).items()}
    values.pop("protocol", None)  # another major version is not for parsing
    if "points" in values:
        values["points"] = tuple(sorted(values["points"]))
    if "streams" in values:
        first, *rest = values["streams"]
        others = (stream.model_copy(update={"role": "song"}) for stream in rest)
        values["streams"] = (first.model_copy(update={"role": "track"}), *others)
    if "curves" in values:
        values["curves"] = tuple({curve.name: curve for curve in values["curves"]}.values())
    if "bytes" in values:
        values["bytes"] = draw(st.integers(1, 64))
    if kind.__name__ == "Chunk":
        values["samples"] = draw(st.integers(1, 64))
    return kind(**values)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Message, bytes]:
    """Any message, with a payload that fits it."""
    message = draw(parts(MESSAGES[draw(st.sampled_from(sorted(MESSAGES)))]))
    assert isinstance(message, Message)
    if message.PAYLOAD is Payload.NONE:
        return message, b""
    size = message.bytes  # type: ignore[attr-defined]
    if message.PAYLOAD is Payload.AUDIO:
        return message, draw(st.binary(min_size=size, max_size=size))
    text = draw(st.text("aé♪", max_size=size // 3)).encode()
    return message, text.ljust(size)

"""The types of fields, as spec.md names them, with their ranges."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from segue_protocol import limits


def bounded(most: int) -> Any:
    """Text of so many bytes of UTF-8."""

    def check(value: str) -> str:
        if len(value.encode()) > most:
            raise ValueError(f"expected at most {most} bytes of UTF-8, got {len(value.encode())}")
        return value

    return AfterValidator(check)


def pair(value: Any) -> Any:
    """The value, once it is two of something."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise PydanticCustomError("pair_type", "expected two numbers")
    return value


def between(least: int, most: int) -> Any:
    """A number of this range."""
    return Field(ge=least, le=most)


def several(least: int, most: int) -> tuple[Any, Any]:
    """So many entries. Too many are refused before any of them is looked at."""

    def check(value: Any) -> Any:
        if isinstance(value, tuple) and len(value) > most:
            raise PydanticCustomError("too_many", f"expected at most {most} entries, got {len(value)}")
        return value

    return Field(min_length=least, max_length=most), BeforeValidator(check)


JobId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}$")]
"""A name of a part: task, role, method, sampler, stage, bundle, preset. Never a path."""
Line = Annotated[str, bounded(256)]
Text = Annotated[str, bounded(2048)]
CodeName = Annotated[str, Field(pattern=r"^[A-Z][A-Z_]{0,31}$")]
Version = Annotated[str, Field(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}$")]
Hex256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Nonce = Annotated[bytes, Field(min_length=limits.NONCE_BYTES, max_length=limits.NONCE_BYTES)]
Count = Annotated[int, between(0, limits.MAX_COUNT)]
Samples = Annotated[int, between(1, limits.MAX_SAMPLES)]
Position = Annotated[int, between(-limits.MAX_SAMPLES, limits.MAX_SAMPLES)]
Rate = Annotated[int, between(limits.MIN_RATE, limits.MAX_RATE)]
Channels = Annotated[int, between(1, limits.MAX_CHANNELS)]
StreamId = Annotated[int, between(0, (1 << 32) - 1)]
Credits = Annotated[int, between(0, limits.MAX_CREDITS)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0.0, le=limits.MAX_SECONDS, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Gap = Annotated[tuple[Position, Position], BeforeValidator(pair)]
Point = Annotated[tuple[Number, Number], BeforeValidator(pair)]

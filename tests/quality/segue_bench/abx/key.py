"""What the key and the votes of a listening test look like. The key alone knows which method a clip is of."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from segue.errors import InvalidRequest

MAX_BYTES = 4 << 20
"""A larger file is refused unread: a vote takes 60 bytes."""

Choice = Literal["A", "B", "none"]
PairId = Annotated[str, Field(pattern=r"^\d{3}$")]
T = TypeVar("T", bound=BaseModel)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pair(_File):
    """One comparison: the methods behind sides A and B of a pair, and the case both filled."""

    id: PairId
    condition: str
    excerpt: str
    a: str
    b: str


class AbxKey(_File):
    """All pairs, in the order of the page. ``test`` names the test; ``same``: comparisons left out as both
    methods had made the very same samples, by "method / method".
    """

    format: Literal[1] = 1
    test: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    bundle_digest: str
    pairs: tuple[Pair, ...]
    same: dict[str, int] = Field(default_factory=dict)


class Vote(_File):
    """What a rater chose; ``heard_a`` and ``heard_b``: how often the sides were played."""

    pair: PairId
    choice: Choice
    heard_a: Annotated[int, Field(ge=1)]
    heard_b: Annotated[int, Field(ge=1)]


class Votes(_File):
    """One rater's file. ``seal``: see :func:`seal_of`."""

    format: Literal[1] = 1
    test: str
    rater: Annotated[str, Field(min_length=1, max_length=80)]
    votes: tuple[Vote, ...]
    seal: str

    @model_validator(mode="after")
    def _whole(self) -> Votes:
        ids = [vote.pair for vote in self.votes]
        if len(set(ids)) != len(ids):
            raise ValueError("a pair is voted on twice")
        if self.seal != seal_of(self.test, self.rater, self.votes):
            raise ValueError("the seal does not fit the votes: the file was changed after the page wrote it")
        return self


def seal_of(test: str, rater: str, votes: tuple[Vote, ...]) -> str:
    """A check sum (FNV-1a, 32 bits, over UTF-8) against slips of the hand; whoever wants to cheat can compute it."""
    lines = [test, rater, *(f"{v.pair} {v.choice} {v.heard_a} {v.heard_b}" for v in votes)]
    value = 0x811C9DC5
    for byte in "\n".join(lines).encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{value:08x}"


def name_of(pairs: tuple[Pair, ...], seed: int) -> str:
    """The test's name: 16 hexadecimal digits of a hash of its pairs."""
    text = json.dumps([seed, [pair.model_dump() for pair in pairs]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(kind: type[T], path: Path, what: str) -> T:
    """A key or a file of votes.

    Raises:
        InvalidRequest: missing, too large, not JSON, or not what it should be; the message names the file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidRequest(f"{path} is larger than {MAX_BYTES} bytes: expected {what}")
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read ({error.strerror}): expected {what}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidRequest(f"{path} is not {what} as the page wrote it: {where}: {first['msg']}") from error

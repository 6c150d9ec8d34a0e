"""REAPER's project text as a tree of lines: blocks from "<" to ">", everything kept byte for byte."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from segue.errors import InvalidRequest

MAX_BYTES = 256 << 20
MAX_DEPTH = 64


@dataclass
class Block:
    """A block: its head line, what it holds (lines and blocks), and its closing line; lines with their own ends."""

    head: str
    inner: list[str | Block] = field(default_factory=list)
    tail: str = ""

    @property
    def words(self) -> list[str]:
        """The head's words, without the bracket."""
        return words(self.head.lstrip()[1:])

    @property
    def kind(self) -> str:
        """Its first word."""
        return (self.words or [""])[0]

    def lines(self) -> Iterator[list[str]]:
        """Words of its own lines; of most lines the first is a name."""
        return (split for line in self.inner if isinstance(line, str) and (split := words(line)))

    def blocks(self, kind: str) -> Iterator[Block]:
        """Blocks right in it."""
        return (block for block in self.inner if isinstance(block, Block) and block.kind == kind)

    def text(self) -> str:
        """As it was read, but for what was changed."""
        return self.head + "".join(x if isinstance(x, str) else x.text() for x in self.inner) + self.tail


def words(line: str) -> list[str]:
    """Words of a line; one in quotes (", ' or `) may hold spaces."""
    found, at, line = [], 0, line.strip()
    while at < len(line):
        if line[at] in " \t":
            at += 1
        elif line[at] in "\"'`":
            end = line.find(line[at], at + 1)
            end = len(line) if end < 0 else end
            found.append(line[at + 1 : end])
            at = end + 1
        else:
            end = next((i for i in range(at, len(line)) if line[i] in " \t"), len(line))
            found.append(line[at:end])
            at = end
    return found


def word(line: list[str], index: int) -> str:
    """The word at a place of a line, empty where there is none."""
    return line[index] if len(line) > index else ""


def quoted(text: str) -> str:
    """A word in the quotes that it does not hold itself, as REAPER writes it."""
    text = " ".join(text.split())
    mark = next((mark for mark in "\"'`" if mark not in text), None)
    return f"`{text.replace('`', chr(39))}`" if mark is None else f"{mark}{text}{mark}"


def number(line: list[str], index: int, default: float = 0.0) -> float:
    """The number at a place of a line.

    Raises:
        InvalidRequest: something else is there.
    """
    if len(line) <= index:
        return default
    try:
        value = float(line[index])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidRequest(
            f"expected a number as word {index + 1} of {' '.join(line)[:80]!r}: save the project again"
        )
    return value


def parse(content: bytes) -> Block:
    """The project's block. What stands before and behind it belongs to its head and tail.

    Raises:
        InvalidRequest: no REAPER project, cut off, or too large.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRequest(f"expected a project within {MAX_BYTES} bytes, got {len(content)}")
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    lines = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    if not lines or not lines[0].lstrip("\ufeff").startswith("<REAPER_PROJECT"):
        raise InvalidRequest("expected a REAPER project, the file does not begin with <REAPER_PROJECT")
    root = Block(lines[0])
    stack = [root]
    for line in lines[1:]:
        bare = line.strip()
        if not stack:
            root.tail += line
        elif bare == ">":
            stack.pop().tail = line
        elif bare.startswith("<"):
            block = Block(line)
            stack[-1].inner.append(block)
            stack.append(block)
            if len(stack) > MAX_DEPTH:
                raise InvalidRequest("the project is nested deeper than REAPER nests: save it again")
        else:
            stack[-1].inner.append(line)
    if stack:
        raise InvalidRequest(f"the project is cut off: {len(stack)} blocks are not closed; copy or save it again")
    return root


def unparse(root: Block) -> bytes:
    """Inverse of :func:`parse`."""
    return root.text().encode("utf-8", "surrogateescape")

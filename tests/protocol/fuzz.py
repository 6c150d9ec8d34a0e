"""Damaged and invented messages against the parser: in CI a few (test_protocol_fuzz.py), at night many.

    python -m tests.protocol.fuzz              200,000 inputs for Python and for the C++ twin under its sanitizers
    python -m tests.protocol.fuzz 5000 17      as many as said, from the seed that a failure named

Plain random numbers, not hypothesis, whose own cost a message is fifty times that of the parser; test_protocol_fuzz.py
has a smaller run with hypothesis, which shrinks what it finds. Both languages must make the same of each message.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgpack

from segue_protocol import MESSAGES, Code, ProtocolError, Sender, pack, parse
from segue_protocol.vectors.vector import read_listing, to_file
from tests.protocol.twin import VECTORS, check

NIGHTLY = 200_000
GROWTH = 64 << 20  # bytes; a parser that keeps inputs, or believes their lengths, is far above
_CODES = {Code.MALFORMED, Code.INVALID, Code.UNSUPPORTED, Code.VERSION}
_SHORT = [vector for vector in read_listing(VECTORS) if vector.key is None and sum(map(len, vector.frames)) < 4096]
_STARTS = _SHORT + [vector for vector in _SHORT if vector.type] * 4
_HEADS = bytes([0xC1, 0xC4, 0xC6, 0xC7, 0xC9, 0xD4, 0xD8, 0xD9, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0x8F, 0x9F, 0xBF, 0xFF])

Input = tuple[list[bytes], Sender]


def damaged(random: Random) -> Input:
    """A vector with some bytes changed, taken away, doubled or put in."""
    vector = random.choice(_STARTS)
    frames = [bytearray(frame) for frame in vector.frames] or [bytearray()]
    for _ in range(random.randint(1, 3)):
        frame = random.choice(frames)
        start = random.randint(0, len(frame))
        stop = min(len(frame), start + random.choice((0, 1, 1, 2, 8)))
        put = (b"", random.randbytes(stop - start), bytes([random.choice(_HEADS)]), random.randbytes(3), frame[start:])
        frame[start:stop] = random.choice(put)
    return [bytes(frame) for frame in frames], vector.sender


def _value(random: Random, depth: int = 0) -> Any:
    """Any value that msgpack can say."""
    number = random.choice((0, 1, -1, 2**53, 2**63, 2**64 - 1, -(2**63), random.randrange(1000)))
    special = random.choice((None, True, False, float("nan"), float("inf"), random.uniform(-2.0, 2.0)))
    known = random.choice(("1.0", "2.0", "track", "a" * 64, "job-1", "INVALID", random.randbytes(32)))
    text = "".join(random.choices("aZ0_-. /é♪\0", k=random.randrange(9)))
    if depth == 3:
        return random.choice((number, special, known, text))
    several = [_value(random, depth + 1) for _ in range(random.randrange(4))]
    return random.choice((number, special, known, text, several, {f"k{i}": one for i, one in enumerate(several)}))


def invented(random: Random) -> Input:
    """A message of a known type with any values in its fields."""
    name = random.choice(sorted(MESSAGES))
    fields = {field: _value(random) for field in MESSAGES[name].model_fields if random.random() < 0.9}
    frames = [msgpack.packb({"type": name, **fields})]
    frames += [random.randbytes(16)] * random.randrange(2)
    return frames, random.choice(tuple(Sender))


def noise(random: Random) -> Input:
    """Bytes."""
    return [random.randbytes(random.randrange(64)) for _ in range(random.randrange(4))], random.choice(tuple(Sender))


def parsed_or_refused(frames: list[bytes], sender: Sender) -> str:
    """Its type, or the code of the refusal. What is parsed packs again, what is refused has a reason."""
    try:
        received = parse(frames, sender)
    except ProtocolError as refused:
        assert refused.code in _CODES
        assert 0 < len(str(refused)) < 2000
        return refused.code
    assert parse(pack(received.message, received.payload), sender).message == received.message
    return received.message.TYPE


def inputs(count: int, seed: int) -> Iterator[Input]:
    """So many of each kind, always the same for one seed."""
    random = Random(seed)
    for _ in range(count):
        yield random.choice((damaged, damaged, invented, noise))(random)


def run(count: int, seed: int) -> tuple[list[str], int]:
    """What came of each input, and by how many bytes the process has grown at the most."""
    outcomes = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for frames, sender in inputs(count, seed):
        try:
            outcomes.append(parsed_or_refused(frames, sender))
        except Exception as error:
            error.add_note(f"input {len(outcomes)} of seed {seed}: {[f.hex() for f in frames]} from a {sender.name}")
            raise
    return outcomes, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def run_twin(count: int, seed: int, folder: Path, *, sanitize: bool = False) -> list[str]:
    """What the C++ twin makes of the same inputs."""
    path = folder / "inputs"
    with path.open("wb") as file:
        for frames, sender in inputs(count, seed):
            file.write(sender.value + len(frames).to_bytes(4, "little") + to_file(frames))
    done = check("outcomes", path, sanitize=sanitize)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.split()


def differences(ours: list[str], theirs: list[str], seed: int) -> list[str]:
    """Inputs of which the languages make something different."""
    assert len(ours) == len(theirs)
    return [
        f"{index}: {ours[index]} in Python, {theirs[index]} in C++, {[f.hex() for f in frames]} from a {sender.name}"
        for index, (frames, sender) in enumerate(inputs(len(ours), seed))
        if ours[index] != theirs[index]
    ]


def main(count: int, seed: int) -> None:
    """Both languages, with figures."""
    began = time.monotonic()
    ours, grown = run(count, seed)
    parsed = sum(outcome in MESSAGES for outcome in ours)
    print(f"{count} inputs of seed {seed}, {parsed} of them parsed, the rest refused")
    print(f"Python: {time.monotonic() - began:.0f} s, {grown / 2**20:.1f} MiB more at the most")
    with tempfile.TemporaryDirectory() as folder:
        different = differences(ours, run_twin(count, seed, Path(folder), sanitize=True), seed)
    print(f"C++: {len(different)} different", *different[:5], sep="\n")
    if different or grown > GROWTH:
        sys.exit(1)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*numbers, *(NIGHTLY, int(time.time()))[len(numbers) :])

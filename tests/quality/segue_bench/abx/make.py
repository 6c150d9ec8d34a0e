"""``segue-bench abx make``: results to a page for raters, and the key that says what they heard."""

from __future__ import annotations

import html
import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segue.clip.atomic import replacing
from segue.errors import InvalidRequest
from segue_bench.abx.key import AbxKey, Pair, name_of
from segue_bench.results import Results, Row
from segue_bench.sound import MIME, Encoding, as_text, encoded

PAGE, KEY = "listen.html", "key.json"
RATERS = "for-raters"
MAX_PAIRS = 999
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class AbxSettings:
    """``pairs`` to compare in all; ``methods`` to compare with each other; ``seed`` of excerpts, order and sides."""

    pairs: int
    methods: tuple[str, ...]
    condition: str = "infill-2s-song"
    seed: int = 0
    encoding: Encoding = "flac"

    def __post_init__(self) -> None:
        if len(self.methods) < 2 or len(set(self.methods)) != len(self.methods):
            raise InvalidRequest(f"a comparison needs two or more different methods, got {', '.join(self.methods)}")
        least = len(self.versus)
        if not least <= self.pairs <= MAX_PAIRS:
            raise InvalidRequest(
                f"{len(self.methods)} methods make {least} comparisons: --pairs must lie in {least} to {MAX_PAIRS}, "
                f"got {self.pairs}"
            )

    @property
    def versus(self) -> tuple[tuple[str, str], ...]:
        """Each two of the methods."""
        return tuple(itertools.combinations(self.methods, 2))


def make(results: Results, out: Path, settings: AbxSettings) -> AbxKey:
    """Write OUT/for-raters/listen.html and OUT/key.json; the key.

    Raises:
        InvalidRequest: OUT is not empty; a method that was not heard; fewer clips than pairs.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidRequest(f"{out} exists and is not an empty folder: name a new one, so that no key is lost")
    heard = _heard(results, settings)
    versus, same = _different(results, heard, settings.versus)
    pairs = _draw(settings, versus)
    key = AbxKey(
        test=name_of(pairs, settings.seed),
        bundle_digest=results.facts().identity.bundle_digest,
        pairs=pairs,
        same={" / ".join(names): count for names, count in same.items() if count},
    )
    (out / RATERS).mkdir(parents=True)
    with replacing(out / RATERS / PAGE) as part:
        part.write_text(_page(results, heard, key, settings.encoding), encoding="utf-8")
    with replacing(out / KEY) as part:
        part.write_text(key.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return key


Heard = dict[tuple[str, str], Row]
"""Rows with audio by method and excerpt, the first seed of each."""


def _heard(results: Results, settings: AbxSettings) -> Heard:
    found: Heard = {}
    methods: set[str] = set()
    for row in results.rows():
        if row.condition != settings.condition or not row.kept:
            continue
        methods.add(row.method)
        place = (row.method, row.excerpt.name)
        if row.method in settings.methods and (place not in found or row.seed < found[place].seed):
            found[place] = row
    missing = [name for name in settings.methods if name not in methods]
    if missing:
        raise InvalidRequest(
            f"no audio of {', '.join(missing)} under {settings.condition}; "
            f"there is of: {', '.join(sorted(methods)) or 'nothing'}"
        )
    return found


Versus = dict[tuple[str, str], list[str]]
"""Excerpts both methods were heard on and differ in, by the two methods."""


def _different(
    results: Results, heard: Heard, versus: Sequence[tuple[str, str]]
) -> tuple[Versus, dict[tuple[str, str], int]]:
    found: Versus = {}
    same: dict[tuple[str, str], int] = {}
    for one, other in versus:
        both = [name for method, name in heard if method == one and (other, name) in heard]
        found[one, other] = [name for name in both if not _equal(results, heard[one, name], heard[other, name])]
        same[one, other] = len(both) - len(found[one, other])
    return found, same


def _equal(results: Results, one: Row, other: Row) -> bool:
    return np.array_equal(results.audio(one.key), results.audio(other.key))


def _draw(settings: AbxSettings, versus: Versus) -> tuple[Pair, ...]:
    """Excerpts by lot, each two methods as often as the others, each on side A as often as on B, in random order."""
    rng = random.Random(settings.seed)
    share, rest = divmod(settings.pairs, len(versus))
    drawn: list[tuple[str, str, str]] = []
    for number, ((one, other), excerpts) in enumerate(versus.items()):
        count = share + (number < rest)
        if count > len(excerpts):
            raise InvalidRequest(
                f"{count} comparisons of {one} and {other} are asked for, {len(excerpts)} excerpts were heard that "
                "differ: lower --pairs, or run the bench with more --listen"
            )
        flipped = [i % 2 == 0 for i in range(count)]
        if count % 2 and rng.random() < 0.5:
            flipped = [not flip for flip in flipped]
        chosen = rng.sample(sorted(excerpts), count)
        drawn += [
            (name, other, one) if flip else (name, one, other) for name, flip in zip(chosen, flipped, strict=True)
        ]
    rng.shuffle(drawn)
    return tuple(
        Pair(id=f"{number:03}", condition=settings.condition, excerpt=name, a=a, b=b)
        for number, (name, a, b) in enumerate(drawn, 1)
    )


def _page(results: Results, heard: Heard, key: AbxKey, encoding: Encoding) -> str:
    def side(method: str, excerpt: str) -> str:
        return as_text(encoded(results.audio(heard[method, excerpt].key), encoding))

    pairs = []
    for pair in key.pairs:
        row = heard[pair.a, pair.excerpt]
        gap = [row.gap_at, row.gap_at + row.gap_seconds]
        pairs.append({"id": pair.id, "gap": gap, "a": side(pair.a, pair.excerpt), "b": side(pair.b, pair.excerpt)})
    data = json.dumps({"test": key.test, "mime": MIME[encoding], "pairs": pairs}, separators=(",", ":"))
    page = (_HERE / "listen.html").read_text(encoding="utf-8")
    script = (_HERE / "listen.js").read_text(encoding="utf-8")
    # base64 and numbers alone: nothing in it could end the script element
    return page.replace("{{test}}", html.escape(key.test)).replace("{{data}}", data).replace("{{script}}", script)

"""excerpts.toml and excerpts_foreign.toml: the places the bench fills, and what must hold before anything is measured.

No track of it was trained on. The tracks of the test split were not looked at while the prior was trained, but recall's
settings and ranking's weights were tuned on gaps at other places of these same tracks. Those of the validation split
were looked at for the training curve alone. ``Excerpt.split`` says which is which, and reports keep them apart.
Foreign tracks are of packages that training never had, of kinds of music that it hardly heard.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from segue.errors import InvalidRequest
from segue_bench.contract import RATE, Excerpt, Split
from segue_export.train.corpus import split_of

PATH = Path(__file__).with_name("excerpts.toml")
FOREIGN_PATH = Path(__file__).with_name("excerpts_foreign.toml")

REACH = 10 * RATE
"""Samples of the track on each side of an excerpt's centre at the least: half a gap of 4 s and 8 s of context."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _below(path: str) -> str:
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"expected a path below the package's folder, got {path!r}")
    return path


Below = Annotated[str, AfterValidator(_below)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Place(_Table):
    """One excerpt of a track; ``other``: the excerpt, of another track, whose centre is its floor."""

    name: Name
    centre: int = Field(ge=REACH)
    distance_db: float = Field(ge=0.0)
    other: Name


class Recording(_Table):
    """One held-out file and the excerpts taken from it."""

    package: Name
    file: Below
    sha256: Digest
    title: Text
    artist: Text
    licence: Text
    split: Split
    heard: bool
    samples: int = Field(ge=2 * REACH)
    excerpts: tuple[Place, ...] = Field(min_length=1)


class Package(_Table):
    """A Debian package and the version the digests are of."""

    name: Name
    version: Text


class Pair(_Table):
    """Two excerpts of different tracks for a transition: the left one leaves, the right one enters."""

    left: Name
    right: Name


class Document(_Table):
    """excerpts.toml as it is written."""

    suite: Name
    seed: int
    smoke: tuple[Name, ...]
    package: tuple[Package, ...]
    track: tuple[Recording, ...]
    pair: tuple[Pair, ...]


@dataclass(frozen=True)
class Manifest:
    """The excerpts, in an order of which every beginning is as mixed as the whole (see :func:`spread`).

    ``versions``: of each package, as in the Debian suite ``suite``. ``pairs``: left and right excerpt of each
    transition, by name, in the order of the left ones. ``others``: to each excerpt the one its floor is taken from.
    ``smoke``: the names of the small set, whose others and some of whose pairs lie within it.
    """

    suite: str
    versions: Mapping[str, str]
    excerpts: tuple[Excerpt, ...]
    pairs: tuple[tuple[str, str], ...]
    others: Mapping[str, str]
    smoke: tuple[str, ...]

    @cached_property
    def by_name(self) -> dict[str, Excerpt]:
        """Excerpts by name."""
        return {e.name: e for e in self.excerpts}

    def small(self) -> Manifest:
        """The manifest of the smoke set alone: its packages, excerpts, and the pairs within it."""
        kept = tuple(e for e in self.excerpts if e.name in self.smoke)
        packages = {e.package for e in kept}
        return Manifest(
            self.suite,
            {name: version for name, version in self.versions.items() if name in packages},
            kept,
            tuple(pair for pair in self.pairs if set(pair) <= set(self.smoke)),
            {e.name: self.others[e.name] for e in kept},
            self.smoke,
        )


def spread(excerpts: Iterable[Excerpt]) -> tuple[Excerpt, ...]:
    """An order of which every beginning has its share of easy, middle and hard, and of as many tracks as it can.

    Next comes the class furthest behind its share; of it, the excerpt whose track was used least; then by the hash of
    the name, which is as good as chance and the same everywhere.
    """
    left = sorted(excerpts, key=lambda e: hashlib.sha256(e.name.encode()).hexdigest())
    share = {recall: count / max(1, len(left)) for recall, count in Counter(e.recall for e in left).items()}
    order: list[Excerpt] = []
    classes: Counter[str] = Counter()
    tracks: Counter[tuple[str, str]] = Counter()
    while left:
        due = {recall: share[recall] * (len(order) + 1) - classes[recall] for recall in {e.recall for e in left}}
        furthest = max(sorted(due), key=due.__getitem__)
        chosen = min((e for e in left if e.recall == furthest), key=lambda e: tracks[e.package, e.file])
        left.remove(chosen)
        order.append(chosen)
        classes[chosen.recall] += 1
        tracks[chosen.package, chosen.file] += 1
    return tuple(order)


@cache
def load(path: Path = PATH) -> Manifest:
    """Read a manifest and check it.

    Raises:
        InvalidRequest: not TOML, not a manifest, or one that breaks a rule; the entry is named.
    """
    try:
        with path.open("rb") as f:
            document = Document.model_validate(tomllib.load(f))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest(f"expected the bench's manifest at {path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{path.name} is not a manifest: {at}: {first['msg']}") from error
    return manifest_of(document)


def manifest_of(document: Document) -> Manifest:
    """The manifest a document describes.

    Raises:
        InvalidRequest: a training track, an excerpt too near an edge, names that are taken or lead nowhere, a pair or
            floor within one track, a package without a version.
    """
    excerpts = spread(excerpt for track in document.track for excerpt in excerpts_of(track))
    versions = {package.name: package.version for package in document.package}
    pairs = {pair.left: pair.right for pair in document.pair}
    others = {place.name: place.other for track in document.track for place in track.excerpts}
    _check_tracks(document.track, versions)
    _check_names(excerpts, document)
    for kind, couples in (("pair", pairs), ("floor", others)):
        _check_apart(kind, couples, {e.name: e for e in excerpts})
    lost = [name for name in document.smoke if others[name] not in document.smoke]
    if lost:
        raise InvalidRequest(
            f"excerpts.toml: the floors of {', '.join(lost)} must lie within the smoke set, as they do"
        )
    ordered = tuple((e.name, pairs[e.name]) for e in excerpts if e.name in pairs)
    return Manifest(document.suite, versions, excerpts, ordered, others, document.smoke)


def excerpts_of(track: Recording) -> list[Excerpt]:
    """The excerpts of one recording."""
    about = track.model_dump(exclude={"excerpts"})
    return [
        Excerpt(name=place.name, centre=place.centre, distance_db=place.distance_db, **about)
        for place in track.excerpts
    ]


def _check_tracks(tracks: Sequence[Recording], versions: Mapping[str, str]) -> None:
    seen = set()
    for track in tracks:
        where = f"excerpts.toml: {track.package}/{track.file}"
        split = split_of(track.package, Path(track.file).name)
        if split != track.split:
            raise InvalidRequest(f"{where} says it is of the {track.split} split, but training holds it as {split!r}")
        if track.package not in versions:
            raise InvalidRequest(f"{where}: expected a [[package]] entry with the version of {track.package}, got none")
        if (track.package, track.file) in seen:
            raise InvalidRequest(f"{where} is listed twice: put all its excerpts into one entry")
        seen.add((track.package, track.file))
        for place in track.excerpts:
            if place.centre > track.samples - REACH:
                raise InvalidRequest(
                    f"{where}: {place.name} needs {REACH} samples after its centre, got {track.samples - place.centre}"
                )


def _check_names(excerpts: Sequence[Excerpt], document: Document) -> None:
    known = Counter(e.name for e in excerpts)
    twice = [name for name, count in known.items() if count > 1]
    if twice:
        raise InvalidRequest(f"excerpts.toml: each name must be used once, used again: {', '.join(twice)}")
    lefts = Counter(pair.left for pair in document.pair)
    again = [name for name, count in lefts.items() if count > 1]
    if again:
        raise InvalidRequest(
            f"excerpts.toml: a transition is known by its left excerpt, used again: {', '.join(again)}"
        )
    lost = [name for name in document.smoke if name not in known]
    if lost:
        raise InvalidRequest(f"excerpts.toml: smoke names no excerpt: {', '.join(lost)}")


def _check_apart(kind: str, couples: Mapping[str, str], excerpts: Mapping[str, Excerpt]) -> None:
    for one, two in couples.items():
        lost = [name for name in (one, two) if name not in excerpts]
        if lost:
            raise InvalidRequest(f"excerpts.toml: the {kind} of {one} names no excerpt: {', '.join(lost)}")
        a, b = excerpts[one], excerpts[two]
        if (a.package, a.file) == (b.package, b.file):
            raise InvalidRequest(f"excerpts.toml: the {kind} of {one} must be of another track, got {two}")

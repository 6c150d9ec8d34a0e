"""The results of a run: a folder that can be stopped at any time, gone on with, and read by the report.

    run.json                                    what was run: bundle, settings, environments, cost of a gradient
    rows/CONDITION/EXCERPT/METHOD-SEED.json     scores of one rendering, or why there is none
    audio/CONDITION/EXCERPT/METHOD-SEED.flac    what is to be heard: the gap with two seconds on each side

Every file is written whole or not at all, so a row that exists is done. Nothing in a row depends on when it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import soundfile
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from segue.clip.atomic import replacing
from segue.errors import AudioFileError, InvalidRequest
from segue.tasks.plan import Stereo
from segue_bench.contract import RATE, Excerpt, Recall, Split, TaskName

FORMAT = 1
RUN, ROWS, AUDIO = "run.json", "rows", "audio"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.+()-]*")
_EXCERPT = re.compile(r"[a-z0-9][a-z0-9_.-]*")

T = TypeVar("T", bound=BaseModel)
Vector = tuple[FiniteFloat, ...]


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExcerptFacts(_Facts):
    """What a report says of an excerpt; fields as in :class:`segue_bench.contract.Excerpt`."""

    name: str
    package: str
    file: str
    title: str
    artist: str
    licence: str
    split: Split
    heard: bool
    distance_db: float
    recall: Recall

    @staticmethod
    def of(excerpt: Excerpt) -> ExcerptFacts:
        """The excerpt without what only the renderer needs."""
        return ExcerptFacts.model_validate({name: getattr(excerpt, name) for name in ExcerptFacts.model_fields})

    @property
    def track(self) -> str:
        """The track it is of; excerpts of one track are not independent."""
        return f"{self.package}/{self.file}"


class Failure(_Facts):
    """Why there is no rendering.

    ``kind``: "refused" if the method cannot do the case and said so (InvalidRequest), else "failed".
    """

    kind: Literal["refused", "failed"]
    message: str


class Row(_Facts):
    """One rendering and its scores, or the failure.

    ``seconds``: wall time of the method alone. ``forward`` and ``vjp``: evaluations of network and gradient.
    ``embedding`` and ``tags``: of the scoring embedder, empty where it failed. ``kept``: whether its audio is;
    ``gap_at``: seconds into that audio at which the gap begins; ``clipped``: how many of its samples were beyond full
    scale.
    """

    condition: str
    excerpt: ExcerptFacts
    method: str
    seed: int
    task: TaskName
    gap_seconds: FiniteFloat
    whole_song: bool
    how: str = ""
    scores: Mapping[str, FiniteFloat] = Field(default_factory=dict)
    embedding: Vector = ()
    tags: Vector = ()
    forward: int = 0
    vjp: int = 0
    seconds: FiniteFloat = 0.0
    kept: bool = False
    gap_at: FiniteFloat = 0.0
    clipped: int = 0
    failure: Failure | None = None

    @property
    def key(self) -> Key:
        """Unique in a run."""
        return Key(self.condition, self.excerpt.name, self.method, self.seed)


class Environment(_Facts):
    """Where rows were made; times compare within one environment only. ``code``: a digest of Segue's sources."""

    versions: Mapping[str, str]
    python: str
    system: str
    cpus: int
    memory_mb: int
    jobs: int
    code: str


class UnitCost(_Facts):
    """Measured cost of the network: seconds of one forward pass, and a gradient (VJP) in forward passes."""

    forward_seconds: Annotated[float, Field(gt=0.0)]
    vjp: Annotated[float, Field(gt=0.0)]


class Identity(_Facts):
    """What all rows of a folder share: rows under another identity do not belong in one table."""

    profile: str
    settings: Mapping[str, str]
    bundle: str
    bundle_digest: str
    segue: str


class MethodFacts(_Facts):
    """A row of the tables: its ``family`` (references, baselines, paper, ours) and what it does in one line."""

    name: str
    family: str
    about: str


class RunFacts(_Facts):
    """``run.json``. ``methods`` in the order of the tables; ``units`` None until measured; ``peak_mb``: memory of a
    render above the loaded renderer's, None where it could not be measured.
    """

    format: int = FORMAT
    identity: Identity
    environments: tuple[Environment, ...]
    methods: tuple[MethodFacts, ...]
    units: UnitCost | None = None
    peak_mb: Mapping[str, FiniteFloat | None] = Field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Key:
    """Names a row. Conditions and methods are made of letters, digits, blanks and ``, . + - ( )``, excerpts as in the
    manifest, so that no two rows share a file.

    Raises:
        InvalidRequest: another character.
    """

    condition: str
    excerpt: str
    method: str
    seed: int

    def __post_init__(self) -> None:
        for part in (self.condition, self.method):
            if not _NAME.fullmatch(part):
                raise InvalidRequest(
                    f"conditions and methods are made of letters, digits, blanks and ,.+-(), got {part!r}: rename it"
                )
        if not _EXCERPT.fullmatch(self.excerpt):
            raise InvalidRequest(f"an excerpt is made of a-z, 0-9 and _ . -, got {self.excerpt!r}: rename it")

    @property
    def stem(self) -> Path:
        """Below ``rows`` and ``audio``, without a suffix."""
        condition, method = (part.replace(" ", "_") for part in (self.condition, self.method))
        return Path(condition, self.excerpt, f"{method}-{self.seed}")


@dataclass(frozen=True)
class Results:
    """A folder of results; open one with :meth:`create` to add to it, with :meth:`read` to look at it."""

    folder: Path

    @staticmethod
    def create(folder: Path, identity: Identity, environment: Environment, methods: tuple[MethodFacts, ...]) -> Results:
        """Open a folder for writing, new or with results of the same identity.

        Raises:
            InvalidRequest: the folder holds something else, or results of another bundle or other settings.
        """
        results = Results(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / RUN).exists():
            if any(not name.name.startswith(".") for name in folder.iterdir()):
                raise InvalidRequest(f"{folder} holds files but no {RUN}: results go into a new or empty folder")
            results.write_facts(RunFacts(identity=identity, environments=(environment,), methods=methods))
            return results
        facts = results.facts()
        _check_same(folder, facts.identity, identity)
        environments = facts.environments if environment in facts.environments else (*facts.environments, environment)
        now = facts.model_copy(update={"environments": environments, "methods": methods})
        if now != facts:
            results.write_facts(now)
        return results

    @staticmethod
    def read(folder: Path) -> Results:
        """Open a folder of results for reading.

        Raises:
            InvalidRequest: it is none.
        """
        results = Results(folder)
        results.facts()
        return results

    def facts(self) -> RunFacts:
        """What was run.

        Raises:
            InvalidRequest: no run.json, a damaged one, or one of another format.
        """
        path = self.folder / RUN
        if not path.is_file():
            raise InvalidRequest(f"{self.folder} holds no {RUN}: make results with segue-bench run first")
        facts = _parse(RunFacts, path)
        if facts.format != FORMAT:
            raise InvalidRequest(f"{path} has format {facts.format}, this bench reads {FORMAT}: run the bench again")
        return facts

    def write_facts(self, facts: RunFacts) -> None:
        """Replace run.json."""
        _write(self.folder / RUN, facts)

    def has(self, key: Key) -> bool:
        """Whether the row is done, or failed."""
        return self._row(key).is_file()

    def write(self, row: Row, audio: Stereo | None = None) -> None:
        """Write a row; its audio (2, samples), peak at most 1, first, so that a row that says so has it."""
        if row.kept != (audio is not None):
            raise InvalidRequest(f"the row {row.key} says kept={row.kept}, which its audio must agree with")
        if audio is not None:
            path = self._path(AUDIO, row.key, ".flac")
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                soundfile.write(part, audio.T, RATE, subtype="PCM_24", format="FLAC")
        path = self._row(row.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, row)

    def forget(self, method: str) -> int:
        """Remove the rows of a method, so that it is rendered anew; how many there were."""
        rows = [row for row in self.rows() if row.method == method]
        for row in rows:
            self._row(row.key).unlink()
            self._path(AUDIO, row.key, ".flac").unlink(missing_ok=True)
        return len(rows)

    def rows(self) -> Iterator[Row]:
        """All rows, ordered by their files' names.

        Raises:
            InvalidRequest: a row that cannot be read, or stands under another row's name.
        """
        for path in sorted((self.folder / ROWS).rglob("*.json")):
            row = _parse(Row, path)
            if path != self._row(row.key):
                raise InvalidRequest(f"{path} holds the row of {row.key}: it was moved; delete it and run again")
            yield row

    def audio(self, key: Key) -> Stereo:
        """(2, samples) at 44.1 kHz: the kept audio of a row.

        Raises:
            AudioFileError: it is missing or broken.
        """
        path = self._path(AUDIO, key, ".flac")
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioFileError(f"expected the audio of {key} in {path}: {error}; run the bench again") from error
        if rate != RATE or samples.shape[1] != 2:
            raise AudioFileError(f"expected 44.1 kHz stereo in {path}, got {rate} Hz, {samples.shape[1]} channels")
        return np.ascontiguousarray(samples.T)

    def _row(self, key: Key) -> Path:
        return self._path(ROWS, key, ".json")

    def _path(self, kind: str, key: Key, suffix: str) -> Path:
        stem = key.stem
        return self.folder / kind / stem.parent / f"{stem.name}{suffix}"


def rounded(vector: Float[np.ndarray, " size"]) -> tuple[float, ...]:
    """A vector for a row: six significant digits."""
    return tuple(float(f"{value:.6g}") for value in vector)


def _check_same(folder: Path, old: Identity, new: Identity) -> None:
    was, asked = old.model_dump(), new.model_dump()
    differing = [name for name in was if was[name] != asked[name]]
    if differing:
        listed = "; ".join(f"{name} was {was[name]!r}, now {asked[name]!r}" for name in differing)
        raise InvalidRequest(f"{folder} holds results of another run: {listed}. Give another --results folder")


def _write(path: Path, facts: BaseModel) -> None:
    with replacing(path) as part:
        part.write_text(facts.model_dump_json(indent=1, exclude_defaults=False) + "\n", encoding="utf-8")


def _parse(kind: type[T], path: Path) -> T:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidRequest(f"{path} cannot be read as {kind.__name__}: {error}; delete it and run again") from error

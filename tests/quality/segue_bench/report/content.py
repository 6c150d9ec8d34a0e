"""What the report says, whatever it is written in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from segue_bench.report.columns import COLUMNS, Column
from segue_bench.report.table import Table, Tables
from segue_bench.report.targets import Target, targets
from segue_bench.report.words import Opening, Trouble, counted, opening, troubles
from segue_bench.results import MethodFacts, RunFacts
from segue_export.train.corpus import foreign

_TASKS = {
    "infill": "what stands in the gap is invented",
    "regenerate": "what stands in the gap is made anew from itself",
    "continuation": "the music goes on after its end",
    "transition": "one track leads into another; the real line is the constant-power cross-fade",
    "embedder": "the gap is filled towards the embedding of the real one",
    "classifier": "the gap is filled towards the tags of the real one",
}
_SPLITS = (
    ("easy", "middle", "hard"),
    ("test", "validation"),
    ("artist heard", "artist unheard"),
    tuple(package.kind for package in foreign().values()),
)


@dataclass(frozen=True)
class Group:
    """One condition: its table, what it is, and its tables by part, those of one split together."""

    table: Table
    about: str
    splits: tuple[tuple[Table, ...], ...]


@dataclass(frozen=True)
class Content:
    """The report's parts, in order."""

    tables: Tables

    title = "How good Segue is"

    @property
    def facts(self) -> RunFacts:
        """What was run."""
        return self.tables.facts

    @cached_property
    def opening(self) -> Opening:
        """Where baselines win."""
        return opening(self.tables)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Kept or not."""
        return targets(self.tables)

    @cached_property
    def lead(self) -> tuple[str, ...]:
        """Two sentences: what was measured, on what."""
        facts, rows = self.facts, self.tables.rows
        excerpts = {row.excerpt.name: row.excerpt for row in rows}
        tracks = {one.track for one in excerpts.values()}
        return (
            f"Bundle {facts.identity.bundle} (`{facts.identity.bundle_digest[:12]}`), Segue {facts.identity.segue}, "
            f"profile {facts.identity.profile}: {len(rows)} renderings of {len(excerpts)} excerpts from {len(tracks)} "
            f"held-out tracks by {len({row.method for row in rows})} methods under {len(self.tables.conditions)} "
            "conditions.",
        )

    @cached_property
    def reading(self) -> tuple[str, ...]:
        """How to read the tables."""
        cost = self.facts.units
        units = "no gradient's cost was measured" if cost is None else f"a gradient counts {cost.vjp:.2f}, as measured"
        return (
            "Bold: the best of ours in a column. Italic: the best baseline. References (the real gap, what sounding it "
            "by our codec makes of it, another track, noise) are never marked.",
            "▲: beyond chance better than our default on the excerpts both have; ▼: worse. Scores of clips: paired "
            "Wilcoxon test over excerpts, Holm over the methods of the column, p < 0.05. gap-KAD: the 95 % interval of "
            "the difference, over the same draws of tracks, leaves out 0. Nothing corrects for the number of columns "
            "and tables: of twenty marks, one may be chance.",
            "Seeds of an excerpt are averaged first. Intervals are bootstraps over whole tracks, as excerpts of one "
            "track are not independent; the paired tests do treat excerpts as independent.",
            "Recall: easy, middle and hard are excerpts whose mean context distance to the best place of the song is "
            "under 5 dB, under 7 dB, and from 7 dB on.",
            f"Units: evaluations of the network in forward passes, median over renderings; {units}. s: wall time, "
            "median, on one thread, without reading and scoring; what methods share (features of the song, donors) is "
            "found once for a case and charged to whichever asks first. MB: peak memory above the opened bundle and "
            "the song, in a process of its own.",
            "clips: excerpts with a rendering. A method that cannot do the hard ones is averaged over the others: "
            "compare lines of equal number.",
        )

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns that any table has."""
        having = {column for group in self.groups for column in group.table.columns}
        return tuple(column for column in COLUMNS if column in having)

    @cached_property
    def methods(self) -> tuple[MethodFacts, ...]:
        """Methods with rows."""
        names = {row.method for row in self.tables.rows}
        return tuple(method for method in self.facts.methods if method.name in names)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All conditions."""
        return tuple(self._group(condition) for condition in self.tables.conditions)

    def _group(self, condition: str) -> Group:
        whole = self.tables.table(condition)
        assert whole is not None  # a condition is one because it has rows
        row = next(row for row in self.tables.rows if row.condition == condition)
        material = "the whole song to recall from" if row.whole_song else "nothing but a clip of a few seconds"
        about = (
            f"{row.task.capitalize()}: {_TASKS[row.task]}. {row.gap_seconds:g} s, {material}; "
            f"{counted(whole.excerpts, 'excerpt')} of {counted(whole.tracks, 'track')}."
        )
        splits = [[self.tables.table(condition, part) for part in parts] for parts in _SPLITS]
        kept = [tuple(table for table in tables if table is not None) for tables in splits]
        return Group(whole, about, tuple(tables for tables in kept if tables))

    @cached_property
    def troubles(self) -> list[Trouble]:
        """Missing renderings."""
        return troubles(self.tables.rows)

    @property
    def trouble_lines(self) -> list[str]:
        """One line each; failures before refusals."""
        if not self.troubles:
            return ["Nothing: every method did every case it was given."]
        return [
            f"- {t.method}, {t.condition}: {t.kind} {t.count} of {t.tried}: {' '.join(t.message.split())}"
            for t in self.troubles
        ]

    @cached_property
    def data(self) -> tuple[str, ...]:
        """Where the excerpts are from."""
        excerpts = {row.excerpt.name: row.excerpt for row in self.tables.rows}
        lines = []
        tracks = sorted({(e.split, e.package, e.title, e.artist, e.licence, e.track) for e in excerpts.values()})
        places = Counter(e.track for e in excerpts.values())
        for split, package, title, artist, licence, track in tracks:
            lines.append(f"- {title}, {artist} ({package}; {licence}); {split}; {counted(places[track], 'excerpt')}")
        return tuple(lines)

    @cached_property
    def again(self) -> tuple[str, ...]:
        """Commands and machines."""
        identity = self.facts.identity
        lines = [
            f"`segue-bench run --profile {identity.profile} --music FOLDER --results RESULTS`, then "
            "`segue-bench report RESULTS --out FOLDER`.",
            "",
            f"Settings: {', '.join(f'{k} {v}' for k, v in identity.settings.items())}. Rows were made in:",
            "",
        ]
        for one in self.facts.environments:
            versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
            lines.append(
                f"- {one.system}, {one.cpus} CPUs, {one.memory_mb} MB, {one.jobs} workers; Python {one.python}, "
                f"{versions}; sources `{one.code}`"
            )
        if len(self.facts.environments) > 1:
            lines += ["", "Rows of several environments stand in these tables: wall times are not all of one machine."]
        return tuple(lines)

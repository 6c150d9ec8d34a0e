"""``segue-bench abx read``: votes to wins, a test, and a matrix of preferences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from segue.errors import InvalidRequest
from segue_bench.abx.key import AbxKey, Pair, Votes, read


@dataclass(frozen=True)
class Tally:
    """Votes between two methods: how often ``first`` and ``second`` were preferred, how often neither."""

    first: str
    second: str
    wins: int
    ties: int
    losses: int

    @property
    def votes(self) -> int:
        """All of them."""
        return self.wins + self.ties + self.losses

    @property
    def p(self) -> float:
        """Two-sided binomial test of wins against losses being as likely; ties say nothing. 1 without a decision."""
        decided = self.wins + self.losses
        return float(binomtest(self.wins, decided).pvalue) if decided else 1.0

    @property
    def share(self) -> float:
        """Preference for ``first``: its wins and half of the ties, among all votes."""
        return (self.wins + self.ties / 2.0) / self.votes


def read_votes(key: AbxKey, paths: Sequence[Path]) -> tuple[Votes, ...]:
    """The files of all raters.

    Raises:
        InvalidRequest: no file; votes of another test, changed votes, unknown pairs, the same rater twice.
    """
    if not paths:
        raise InvalidRequest("expected at least one file of votes, got none: collect those the page's raters saved")
    known = {pair.id for pair in key.pairs}
    by_rater: dict[str, Path] = {}
    read_files = []
    for path in paths:
        votes = read(Votes, path, "a file of votes")
        if votes.test != key.test:
            raise InvalidRequest(f"{path} holds votes of test {votes.test}, the key is of {key.test}: use its own key")
        unknown = sorted({vote.pair for vote in votes.votes} - known)
        if unknown:
            raise InvalidRequest(f"{path} votes on pairs the key lacks ({', '.join(unknown)}): it was changed")
        if votes.rater in by_rater:
            raise InvalidRequest(
                f"{path} and {by_rater[votes.rater]} are both by {votes.rater!r}: give one file for each rater"
            )
        by_rater[votes.rater] = path
        read_files.append(votes)
    return tuple(read_files)


def tallies(key: AbxKey, files: Sequence[Votes]) -> tuple[Tally, ...]:
    """One tally for each two methods compared, names in alphabetical order, over all raters."""
    pairs = {pair.id: pair for pair in key.pairs}
    counts: dict[tuple[str, str], Counter[str]] = {}
    for pair in key.pairs:
        counts.setdefault(_names(pair), Counter())
    for vote in (vote for file in files for vote in file.votes):
        pair = pairs[vote.pair]
        preferred = {"A": pair.a, "B": pair.b, "none": ""}[vote.choice]
        counts[_names(pair)][preferred] += 1
    return tuple(Tally(a, b, n[a], n[""], n[b]) for (a, b), n in sorted(counts.items()))


def text(key: AbxKey, files: Sequence[Votes]) -> str:
    """What ``abx read`` prints: a table of tallies and the matrix of preferences, in Markdown."""
    rows = tallies(key, files)
    votes = sum(len(file.votes) for file in files)
    lines = [
        f"{len(files)} raters, {votes} of {len(files) * len(key.pairs)} possible votes, {len(key.pairs)} pairs.",
        "p: two-sided binomial test of wins against losses, ties left out, each vote counted as independent.",
        "",
        "| methods | wins | ties | losses | p |",
        "|---|---|---|---|---|",
        *(f"| {t.first} over {t.second} | {t.wins} | {t.ties} | {t.losses} | {t.p:.3g} |" for t in rows),
        "",
        "Share of votes for the row over the column, ties counted half:",
        "",
        *_matrix(rows),
    ]
    if key.same:
        made = ", ".join(f"{names} {n}" for names, n in key.same.items())
        lines += ["", f"Not asked, as both methods had made the same samples: {made}."]
    return "\n".join(lines)


def _matrix(rows: Sequence[Tally]) -> list[str]:
    names = sorted({name for t in rows for name in (t.first, t.second)})
    share = {(t.first, t.second): t.share for t in rows if t.votes}
    share |= {(second, first): 1.0 - value for (first, second), value in list(share.items())}
    cells = {pair: f"{100.0 * value:.0f} %" for pair, value in share.items()}
    lines = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    return lines + [f"| {row} | {' | '.join(cells.get((row, column), '-') for column in names)} |" for row in names]


def _names(pair: Pair) -> tuple[str, str]:
    return (pair.a, pair.b) if pair.a < pair.b else (pair.b, pair.a)

"""What styles do, measured by another ear: ``python -m segue_bench.styles MUSIC OUT.jsonl --excerpts 32``.

At places of the manifest a gap of the whole song is rendered in each of :data:`WISHES`: filled without a style, towards
a tag and after drawn curves; varied freely and with features kept; restyled by presets, and rendered again without one.
musicnn MTT scores, which never guides, and measures that are not those that were gone down: see
:mod:`segue_bench.style_measures`. Rows are added as they come, so that a run can go on; the tables are made from all of
them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
import typer
from scipy.special import expit

from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from segue.guidance.freedom import Freedom
from segue.guidance.operators.loudness import Loudness
from segue.prior.bundle import Bundle
from segue.recall.song import Song
from segue.render.region import Take
from segue.render.settings import RenderSettings
from segue.style.resolve import SAMPLER, STEPS, Resolved, freedom_for, resolve
from segue.style.style import Style
from segue.tasks.plan import Plan
from segue.tasks.regenerate import PAPER_K, Regenerate
from segue.tasks.restyle import Restyle
from segue_bench.cases import Setting
from segue_bench.contract import RATE, Case, Excerpt, Rendering
from segue_bench.listener import Listener
from segue_bench.manifest import load
from segue_bench.report.styles import FILLED, tables
from segue_bench.style_measures import followed, kept, own_course
from segue_bench.tools import BenchTools, MakeTools

TAGS = ("ambient", "rock", "electronic", "guitar", "dance", "metal", "pop", "country")
"""Tags that both ears know by one name."""

PRESETS = (
    ("ambient wash", "ambient"),
    ("heavy", "metal"),
    ("dance floor", "dance"),
    ("acoustic room", "guitar"),
    ("synth eighties", "electronic"),
)
"""Presets that ask for a tag both ears know, and that tag."""

POINTS = 5
"""Of a drawn curve, evenly over the gap, drawn at random for each excerpt."""

Row = dict[str, Any]


def _drawn(case: Case, number: int, spread: float) -> Curve:
    rng = np.random.default_rng(number)
    seconds = np.linspace(case.gap.start, case.gap.stop, POINTS) / RATE
    return Curve(tuple(zip(seconds.tolist(), (rng.uniform(-1.0, 1.0, POINTS) * spread).tolist(), strict=True)))


def _around(case: Case) -> float:
    """Median loudness of two seconds before the gap, LUFS."""
    before = case.original[:, max(0, case.gap.start - 2 * RATE) : case.gap.start]
    lufs = Loudness(float(RATE))(torch.from_numpy(before[None].copy()))[0]
    return float(lufs.median())


def _nothing(case: Case, number: int) -> Style:
    return Style()


def _tag(case: Case, number: int) -> Style:
    return Style.of(tags=(TAGS[number % len(TAGS)],))


def _loudness(case: Case, number: int) -> Style:
    middle, curve = _around(case), _drawn(case, number, 8.0)
    return Style.of(follow={"loudness": tuple((t, min(0.0, max(-70.0, middle + v))) for t, v in curve.points)})


def _onsets(case: Case, number: int) -> Style:
    return Style.of(follow={"onsets": tuple((t, 2.0**v) for t, v in _drawn(case, number, 1.5).points)})


def _own(name: str) -> Callable[[Case, int], Style]:
    """To follow what the real gap does."""
    return lambda case, number: Style.of(follow={name: own_course(case, name).points})


def _match(case: Case, number: int) -> Style:
    return Style.of(match="loudness,chroma")


def _preset(case: Case, number: int) -> Style:
    return Style.of(PRESETS[number % len(PRESETS)][0])


@dataclass(frozen=True)
class Wish:
    """What is rendered at a place: a ``task`` on a gap of so many ``seconds`` in a ``style``; ``freedom`` of a
    variation, None for what the preset of this place has. ``tag``: what the scoring ear is asked about. ``beside``: the
    wish whose rendering of the same gap it is compared with.
    """

    style: Callable[[Case, int], Style] = _nothing
    task: Literal["infill", "regenerate", "restyle"] = "infill"
    seconds: float = 2.0
    freedom: float | None = None
    tag: Callable[[int], str] | None = None
    beside: str = ""


WISHES: Mapping[str, Wish] = {
    FILLED: Wish(),
    "tag": Wish(_tag, tag=lambda number: TAGS[number % len(TAGS)], beside=FILLED),
    "loudness": Wish(_loudness, beside=FILLED),
    "onsets": Wish(_onsets, beside=FILLED),
    "own loudness": Wish(_own("loudness"), beside=FILLED),
    "own onsets": Wish(_own("onsets"), beside=FILLED),
    "free": Wish(task="regenerate", freedom=1.0),
    "match": Wish(_match, "regenerate", freedom=1.0, beside="free"),
    "again": Wish(task="restyle", seconds=3.0),
    "restyle": Wish(_preset, "restyle", 3.0, tag=lambda number: PRESETS[number % len(PRESETS)][1], beside="again"),
}
"""All by name, each after the one it is compared with. Restyled is as much as the ear hears at once."""


def number_of(excerpt: Excerpt) -> int:
    """What curve, tag and preset an excerpt has: the same however many are measured."""
    return zlib.crc32(excerpt.name.encode())


def plan_of(wish: Wish, case: Case, number: int) -> Plan:
    """What the renderer is given at this place."""
    if wish.task == "infill":
        return case.plan
    freedom = Curve.constant(wish.freedom) if wish.freedom is not None else None
    free = Freedom(freedom_for(_preset(case, number), freedom, PAPER_K))
    task = Regenerate((case.gap,), free) if wish.task == "regenerate" else Restyle((case.gap,), free)
    return task.plan([case.original])


@dataclass(frozen=True)
class Way:
    """How all is rendered: ``steps`` of guided renders, None for segue's own; ``quick``: gaps are filled by the spliced
    donors alone, and curves followed by shaping those, with one step: the same sound with and without, at a tenth of
    the work.
    """

    steps: int | None = None
    quick: bool = False

    def settings(self, wish: Wish, style: Style) -> tuple[RenderSettings, Resolved | None]:
        """What the renderer is asked for."""
        of_splice = self.quick and wish.task == "infill" and wish.tag is None
        if not style.is_empty:
            method, steps = ("steered splice", 1) if of_splice else (None, self.steps)
            return RenderSettings(), resolve(style, RenderSettings(steps=steps, method=method), reads_text=False)
        if wish.task != "infill":  # as the one that is compared with it
            return RenderSettings(sampler=SAMPLER, steps=self.steps or STEPS), None
        return RenderSettings(method="splice" if of_splice else None), None


def measure(tools: BenchTools, excerpt: Excerpt, names: Sequence[str], way: Way) -> Iterator[Row]:
    """One excerpt in several styles: what the scoring ear and the measures say of the first take of each.

    The song's features and the listener are shared by wishes with one gap of one task.
    """
    known: dict[tuple[str, float], tuple[Listener, Song]] = {}
    number, labels = number_of(excerpt), tools.ear.labels
    for name in names:
        wish = WISHES[name]
        at = wish.task, wish.seconds
        case = known[at][0].case if at in known else tools.case(excerpt, Setting("infill", wish.seconds))
        plan = plan_of(wish, case, number)
        if at not in known:
            known[at] = Listener.of(case, tools.ear), tools.renderer.song(plan)
        listener, song = known[at]
        style = wish.style(case, number)
        settings, asked = way.settings(wish, style)
        best = tools.renderer.render(plan, settings, style=asked, song=song).regions[0].takes[0]
        facts = {"excerpt": excerpt.name, "track": f"{excerpt.package}/{excerpt.file}", "wish": name}
        chosen = None if wish.tag is None else wish.tag(number)
        yield {**facts, "beside": wish.beside, "tag": chosen, **asdict(way), **_heard(listener, labels, style, best)}


def _heard(listener: Listener, labels: Sequence[str], style: Style, take: Take) -> Row:
    """What is measured of one take."""
    case = listener.case
    scores = listener.score(Rendering(take.audio, take.how))
    return {
        "preset": style.preset,
        "method": take.method,
        "asked": take.scores.wish,
        "scores": dict(scores.values),
        "tags": dict(zip(labels, scores.tags.tolist(), strict=True)),
        "real_tags": dict(zip(labels, expit(listener.real.logits).tolist(), strict=True)),
        "embedding": scores.embedding.tolist(),
        "real": listener.real.embedding.tolist(),
        "followed": followed(case, style, take.audio),
        "kept": kept(case.truth, take.audio),
    }


def read(path: Path) -> list[Row]:
    """The rows of a run so far.

    Raises:
        InvalidRequest: a line is not whole.
    """
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise InvalidRequest(f"{path}, line {number}, is not whole: delete it and run again") from error
    return rows


def main(
    music: Annotated[Path, typer.Argument(help="Where the music is (segue-bench music).")],
    out: Annotated[Path, typer.Argument(help="One line of JSON a rendering; goes on where it was stopped.")],
    excerpts: Annotated[int, typer.Option(help="How many, spread over the manifest.")] = 32,
    wishes: Annotated[str, typer.Option(help="Which, with commas; the others' rows stay.")] = ",".join(WISHES),
    steps: Annotated[int | None, typer.Option(help="Of guided renders.", show_default="segue's own")] = None,
    quick: Annotated[bool, typer.Option(help="Curves on the splice alone.")] = False,
    bundle: Annotated[str | None, typer.Option(help="The bundle.", show_default="the embedded one")] = None,
) -> None:
    """Measure what styles do, and print the tables of all that was measured so far."""
    torch.set_num_threads(1)
    names = wishes.split(",")
    if unknown := [name for name in names if name not in WISHES]:
        raise InvalidRequest(f"unknown wish {', '.join(unknown)}; expected of {', '.join(WISHES)}")
    manifest = load()
    tools = MakeTools(bundle, Bundle.open(bundle).digest, manifest, music)()
    rows = read(out) if out.exists() else []
    done = {(row["excerpt"], row["wish"]) for row in rows}
    chosen = [manifest.excerpts[i * len(manifest.excerpts) // excerpts] for i in range(excerpts)]
    with out.open("a", encoding="utf-8") as file:
        for excerpt in chosen:
            left = [name for name in names if (excerpt.name, name) not in done]
            for row in measure(tools, excerpt, left, Way(steps, quick)):
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
    print(tables(rows))


if __name__ == "__main__":
    typer.run(main)

"""``segue transition``: one track flows into another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.options import Freedom, RenderOptions, with_options
from segue.errors import InvalidRequest

if TYPE_CHECKING:
    from segue.joint.settings import JointSettings
    from segue.render.settings import FileResult

MaybeOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="The audio file to write; needless with --dry-run."),
]


@dataclass(frozen=True)
class TransitionOptions(RenderOptions):
    """Where and how two tracks are joined."""

    overlap: Annotated[float, typer.Option(metavar="SECONDS", help="What is regenerated around the joint.")] = 2.5
    bars: Annotated[int, typer.Option(help="Bars that tempo, key and loudness take to change; a phrase.")] = 8
    at_a: Annotated[
        float | None, typer.Option("--at-a", metavar="SECONDS", help="The joint in LEFT.", show_default="found")
    ] = None
    at_b: Annotated[
        float | None, typer.Option("--at-b", metavar="SECONDS", help="The joint in RIGHT.", show_default="found")
    ] = None
    match_tempo: Annotated[
        bool | None,
        typer.Option("--match-tempo/--no-match-tempo", help="Stretch both to meet.", show_default="where possible"),
    ] = None
    match_key: Annotated[bool, typer.Option("--match-key/--no-match-key", help="Shift both to meet.")] = False
    match_loudness: Annotated[
        bool, typer.Option("--match-loudness/--no-match-loudness", help="Bring both to one level.")
    ] = True
    plain: Annotated[
        bool, typer.Option("--plain", help="No plan: the end of LEFT over the start of RIGHT, nothing matched.")
    ] = False
    plan: Annotated[Path | None, typer.Option("--plan", metavar="PNG", help="Draw the plan.")] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print and draw the plan, render nothing.")] = False


@with_options(TransitionOptions)
def transition(
    options: TransitionOptions,
    left: Annotated[Path, typer.Argument(metavar="LEFT", help="The track that leaves.", show_default=False)],
    right: Annotated[Path, typer.Argument(metavar="RIGHT", help="The track that enters.", show_default=False)],
    out: MaybeOut = None,
    freedom: Freedom = None,
) -> None:
    """Join two tracks by music that leads from one into the other.

    Finds beats, key and loudness of both, puts the joint on a downbeat of both, brings tempo and loudness of the one
    to those of the other, and regenerates the overlap. Where there is no clear beat, end and start are joined.
    """
    from segue.api import transition_file
    from segue.cli.curves import read_freedom
    from segue.cli.output import check_picture
    from segue.cli.render import render

    joint = _joint(options)
    check_picture(options.plan, "--plan", force=options.force)
    if options.dry_run:
        _show(options, left, right)
        return
    if out is None:
        raise InvalidRequest("expected a file to write, got none: give --out FILE, or --dry-run for the plan alone")
    course = read_freedom(freedom) if freedom else None

    def job(**shared: Any) -> FileResult:
        done = transition_file(left, right, out, overlap=options.overlap, freedom=course, joint=joint, **shared)
        if options.plan is not None:
            _draw(done.report["joint"], left, right, options.plan)
        return done

    render(options, job)


def _joint(options: TransitionOptions) -> JointSettings | None:
    """The settings of the plan; none for a plain transition, which no other option of the plan goes with."""
    from segue.joint.settings import JointSettings

    settings = JointSettings(
        bars=options.bars,
        match_tempo=options.match_tempo,
        match_key=options.match_key,
        match_loudness=options.match_loudness,
        at_a=options.at_a,
        at_b=options.at_b,
    )
    if not options.plain:
        return settings
    if settings != JointSettings() or options.plan is not None or options.dry_run:
        raise InvalidRequest(
            "--plain joins end and start as they are: leave out --bars, --at, --match, --plan, --dry-run"
        )
    return None


def _show(options: TransitionOptions, left: Path, right: Path) -> None:
    """The plan alone."""
    from segue.api import plan_transition_file
    from segue.cli.output import print_json

    plan = plan_transition_file(left, right, _joint(options), overlap=options.overlap)
    if options.plan is not None:
        _draw(plan.plain(), left, right, options.plan)
    if options.as_json:
        print_json({"plan": plan.plain()})
    elif not options.quiet:
        print("\n".join(plan.lines()))


def _draw(plain: dict[str, Any], left: Path, right: Path, path: Path) -> None:
    from segue.clip.files import read_audio
    from segue.joint.picture import draw_plan
    from segue.joint.plan import JoinPlan

    draw_plan(JoinPlan.from_plain(plain), read_audio(left).clip(), read_audio(right).clip(), path)

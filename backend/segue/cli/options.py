"""Options that commands share: each is a field of a dataclass, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

import typer

P = ParamSpec("P")
Options = TypeVar("Options")

Track = Annotated[Path, typer.Argument(metavar="TRACK", help="An audio file.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The audio file to write.", show_default=False)]
Freedom = Annotated[
    str | None,
    typer.Option(
        "--freedom",
        metavar="NUMBER|FILE",
        help="How far to leave what is there, 0 (keep) to 1 (invent); or a CSV or JSON file of seconds,value.",
        show_default="the preset's, or 0.85",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text, for errors too.")]


@dataclass(frozen=True)
class OutputOptions:
    """Where results and messages go."""

    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False
    plot: Annotated[Path | None, typer.Option(metavar="PNG", help="Draw spectrograms before and after.")] = None
    report: Annotated[Path | None, typer.Option(metavar="JSON", help="Write the full report there.")] = None
    as_json: Json = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no text; errors only.")] = False


@dataclass(frozen=True)
class RenderOptions(OutputOptions):
    """How to render, beside the above."""

    song: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Another file to recall sounds from; may be given several times."),
    ] = None
    sound_from: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another song: the music goes on as TRACK's would, in the sound of this."),
    ] = None
    candidates: Annotated[
        int, typer.Option(metavar="N", help="Takes to render: the best in FILE, the next in FILE-2, FILE-3.")
    ] = 1
    seed: Annotated[int, typer.Option(help="Same seed, same samples; another one: other places of the song, too.")] = 0
    steps: Annotated[int | None, typer.Option(help="Sampling steps.", show_default="the bundle's")] = None
    sampler: Annotated[str | None, typer.Option(metavar="NAME", show_default="the bundle's")] = None
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Candidates of one kind only.", show_default="the best of all")
    ] = None
    bundle: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The model bundle.", show_default="the embedded one")
    ] = None
    preset: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A style, see segue presets list; or a TOML file.")
    ] = None
    tags: Annotated[
        str | None, typer.Option(metavar="TAGS", help='What it should sound like, as in "rock, guitar:0.8".')
    ] = None
    reference: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Music it should sound like; may be given several times."),
    ] = None
    match: Annotated[
        str | None,
        typer.Option(
            metavar="FEATURES", help="Keep these of what is there, or around: loudness,onsets,brightness,chroma."
        ),
    ] = None
    follow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE=FILE",
            help="Follow a curve of seconds,value: loudness in LUFS, onsets as times the usual, brightness in Hz.",
        ),
    ] = None
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help='What it should be, as in "dusty upright piano", or a prompt stored in the bundle by name; '
            "of bundles that read none, the tags it names.",
        ),
    ] = None
    amount: Annotated[
        str, typer.Option(metavar="NUMBER|FILE", help="How much of the style, 0 to 1; or a file of seconds,value.")
    ] = "1"
    guidance: Annotated[
        str, typer.Option(metavar="NUMBER|FILE", help="A factor on the style's own strength, 0 to 2; or a file.")
    ] = "1"
    strength: Annotated[
        float | None, typer.Option(help="RMS of a guided step, 0 to 1.", show_default="the preset's, or 0.2")
    ] = None
    exact: Annotated[
        bool, typer.Option("--exact", help="Guide by the gradient through the network: slower, more precise.")
    ] = False


def with_options(
    kind: type[Options],
) -> Callable[[Callable[Concatenate[Options, P], None]], Callable[..., None]]:
    """Decorate a command so that the fields of ``kind`` become its options, handed over as its first argument."""

    def decorate(command: Callable[Concatenate[Options, P], None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]
        hints = get_type_hints(command, include_extras=True)
        shared = fields(kind)  # type: ignore[arg-type]
        kinds = get_type_hints(kind, include_extras=True)

        @functools.wraps(command)
        def run(**given: Any) -> None:
            options = kind(**{field.name: given.pop(field.name) for field in shared})
            command(options, **given)  # type: ignore[call-arg]

        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in own]
        parameters += [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=kinds[field.name],
            )
            for field in shared
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return run

    return decorate

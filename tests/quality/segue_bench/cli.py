"""``segue-bench``: run, report, abx, music. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.main import main as run_app

app = typer.Typer(
    name="segue-bench",
    help="How good is Segue's music? Renders, scores, writes it down, and asks listeners.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
abx = typer.Typer(name="abx", help="Blind comparison by listeners.", rich_markup_mode=None)
app.add_typer(abx)

Music = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the music is, or goes.", show_default=False)]
ProfileName = Annotated[str, typer.Option("--profile", metavar="NAME", help="smoke, report, seeds, foreign or full.")]
ResultsFolder = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder segue-bench run made.")]


@app.command()
def music(folder: Annotated[Path, typer.Argument(metavar="FOLDER")], profile: ProfileName = "report") -> None:
    """Fetch the music of a profile with apt, unless it is there."""
    from segue_bench.commands import fetch

    fetch(folder, profile)


@app.command()
def run(
    music: Music,
    results: Annotated[Path, typer.Option(metavar="FOLDER", help="Where results go; goes on where it was stopped.")],
    profile: ProfileName = "report",
    jobs: Annotated[int, typer.Option(help="Worker processes, of one thread and about 2 GB each.")] = 2,
    listen: Annotated[int, typer.Option(help="Excerpts of each recall class and condition whose audio is kept.")] = 4,
    bundle: Annotated[
        str | None, typer.Option(metavar="NAME|PATH", help="The model bundle.", show_default="the embedded one")
    ] = None,
    memory: Annotated[bool, typer.Option(help="Measure each method's peak memory, in processes of its own.")] = True,
    redo: Annotated[
        list[str] | None, typer.Option(metavar="METHOD", help="Render this method anew; may be repeated.")
    ] = None,
) -> None:
    """Render and score what a profile asks for."""
    from segue_bench.commands import render
    from segue_bench.run import RunSettings

    render(profile, music, results, bundle, RunSettings(jobs, listen, memory), tuple(redo or ()))


@app.command()
def report(
    results: ResultsFolder,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where NAME.md and NAME.html go.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the two files.")] = "quality",
    excerpts: Annotated[int, typer.Option(help="Excerpts of each recall class to listen to, in the main table.")] = 1,
    others: Annotated[int, typer.Option(help="Excerpts of each other table to listen to, by few methods.")] = 1,
    heard: Annotated[
        str, typer.Option(metavar="A,B,...", help="Methods to listen to in the main table.", show_default="all")
    ] = "",
) -> None:
    """Write NAME.md, and NAME.html, which holds its sounds and pictures in itself."""
    from segue_bench.report.listening import ListenSettings
    from segue_bench.report.write import write

    for path in write(results, out, ListenSettings(excerpts, others, split_names(heard) if heard else None), name):
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


@abx.command("make")
def abx_make(
    results: ResultsFolder,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    pairs: Annotated[int, typer.Option(help="Comparisons in all.")] = 40,
    methods: Annotated[str, typer.Option(metavar="A,B,...", help="Methods, each compared with each.")] = (
        "default,splice,copy,ddpm-50 guided"
    ),
    condition: Annotated[str, typer.Option(metavar="NAME")] = "infill-2s-song",
    seed: Annotated[int, typer.Option(help="Of excerpts, order and sides.")] = 0,
    mp3: Annotated[
        bool, typer.Option("--mp3", help="A page a quarter of the size; its coding may hide clicks.")
    ] = False,
) -> None:
    """Write a page for raters, for-raters/listen.html, and the key to its votes, key.json."""
    from segue_bench.abx.make import KEY, PAGE, RATERS, AbxSettings, make
    from segue_bench.results import Results

    settings = AbxSettings(pairs, split_names(methods), condition, seed, "mp3" if mp3 else "flac")
    key = make(Results.read(results), out, settings)
    page = out / RATERS / PAGE
    print(
        f"{len(key.pairs)} pairs. Hand out {page} ({page.stat().st_size / 1e6:.1f} MB), keep {out / KEY} to yourself."
    )
    for names, count in key.same.items():
        print(f"{names}: {count} excerpts left out, as both made the same samples")


@abx.command("read")
def abx_read(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="The test's key.json.")],
    votes: Annotated[list[Path], typer.Argument(metavar="VOTES...", help="Files that the page's raters saved.")],
) -> None:
    """Print wins, ties and losses of each two methods, a binomial test, and shares of preference."""
    from segue_bench.abx.key import AbxKey
    from segue_bench.abx.key import read as read_file
    from segue_bench.abx.tally import read_votes, text

    opened = read_file(AbxKey, key, "the key of a listening test")
    print(text(opened, read_votes(opened, votes)))


def split_names(text: str) -> tuple[str, ...]:
    """Names between commas; between semicolons if there is one, as a method's name may hold a comma."""
    return tuple(name.strip() for name in text.split(";" if ";" in text else ",") if name.strip())


def main() -> None:
    """The console script."""
    run_app(app)


if __name__ == "__main__":
    main()

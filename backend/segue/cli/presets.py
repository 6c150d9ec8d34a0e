"""``segue presets``: the styles there are, and one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from segue.cli.options import Json

presets = typer.Typer(name="presets", help="The styles there are, and one's own.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A preset.", show_default=False)]


@presets.command("list")
def listed(as_json: Json = False) -> None:
    """All presets, with a line about each; those that are faulty say why."""
    from segue.cli.output import print_json
    from segue.errors import InvalidRequest
    from segue.style.preset import load_preset, preset_paths

    rows = []
    for name, path in preset_paths().items():
        try:
            rows.append({"name": name, "about": load_preset(path).about, "path": str(path), "error": None})
        except InvalidRequest as error:
            rows.append({"name": name, "about": None, "path": str(path), "error": str(error)})
    if as_json:
        print_json({"presets": rows})
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['about'] or 'not usable: ' + str(row['error'])}")


@presets.command("show")
def show(name: Name, as_json: Json = False) -> None:
    """A preset's text as it is; with --json, all that it means."""
    from segue.cli.output import print_json
    from segue.style.preset import find_preset, load_preset

    preset = load_preset(name)
    if as_json:
        print_json(preset.model_dump(mode="json"))
    else:
        print(find_preset(name).read_text(encoding="utf-8"), end="")


@presets.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--from", metavar="NAME|FILE", help="The preset to begin from.", show_default="first")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a preset of your own, a copy of another, to begin from; its path is printed."""
    from segue.cli.output import print_json
    from segue.style.preset import new_preset

    path = new_preset(name, source)
    if as_json:
        print_json({"name": name, "path": str(path)})
    else:
        print(path)

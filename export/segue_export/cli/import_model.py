"""``segue-export import FOLDER -o BUNDLE``: a local model becomes a bundle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from segue.errors import InvalidRequest
from segue_export.cli.extra import check_extra


def import_model(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The model, in diffusers' format.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="BUNDLE", help="The bundle's folder to make.")],
    accept_licence: Annotated[bool, typer.Option("--accept-licence", help="I have read the weights' licence.")] = False,
    prompt: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Store a ready prompt; may be given several times.")
    ] = None,
    text: Annotated[bool, typer.Option("--text/--no-text", help="Keep the text encoder, for any prompt.")] = True,
    store: Annotated[str, typer.Option(metavar="fp16|fp32|int8", help="How weights are stored.")] = "fp16",
    min_seconds: Annotated[
        float | None, typer.Option(metavar="S", help="Allow windows shorter than the model was trained on.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The bundle's name.", show_default="BUNDLE's")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the bundle that is there.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Say what it would take, and do nothing.")] = False,
) -> None:
    """Turn a model folder on this disk into a bundle. It never downloads anything; see docs/priors.md."""
    check_extra()
    from segue_export.graphs.weights import Storage  # noqa: PLC0415  seconds to import
    from segue_export.importing.licence import describe_licence  # noqa: PLC0415
    from segue_export.importing.run import ImportOptions, import_folder, plan_import  # noqa: PLC0415

    if store not in get_args(Storage):
        raise InvalidRequest(f"--store takes one of {', '.join(get_args(Storage))}, got {store!r}")
    options = ImportOptions(
        accept_licence=accept_licence,
        store=cast(Storage, store),
        text=text,
        prompts=named_prompts(prompt or ()),
        min_seconds=min_seconds,
        name=name,
        replace=replace,
    )
    if check:
        plan = plan_import(folder, options)
        print(f"{describe_licence(plan.family)}\n{plan.needs.describe()}")
        return
    bundle = import_folder(folder, output, options, note=lambda line: print(line, file=sys.stderr, flush=True))
    size = sum(f.stat().st_size for f in bundle.folder.iterdir()) / 1e6
    print(f"{bundle.folder}: {bundle.manifest.name}, {size:.0f} MB; segue fill SONG --bundle {bundle.folder}")


def named_prompts(prompts: Sequence[str]) -> dict[str, str]:
    """``NAME=TEXT`` as a mapping.

    Raises:
        InvalidRequest: no "=", an empty name or text, or a name given twice.
    """
    result: dict[str, str] = {}
    for entry in prompts:
        name, sign, text = entry.partition("=")
        if not sign or not name.strip() or not text.strip():
            raise InvalidRequest(f'expected --prompt NAME=TEXT, as in --prompt "pads=warm slow pads", got {entry!r}')
        if name.strip() in result:
            raise InvalidRequest(f"--prompt {name.strip()} is given twice: choose another name")
        result[name.strip()] = text.strip()
    return result

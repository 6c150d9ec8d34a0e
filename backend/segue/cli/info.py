"""``segue info``: what an audio file or a model bundle is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segue.cli.options import Json
from segue.cli.output import print_json


def info(
    what: Annotated[str, typer.Argument(metavar="FILE|BUNDLE", help="An audio file, or a bundle by path or name.")],
    as_json: Json = False,
) -> None:
    """Show what an audio file or a model bundle is.

    For audio: format, loudness, and the recipe it carries if Segue made it.
    """
    from segue.cli.about import about_audio, about_bundle
    from segue.clip.files import READABLE

    path = Path(what)
    is_missing_audio = path.suffix.lower() in READABLE and not path.exists()  # a file's name, not a bundle's
    is_bundle = path.is_dir() or path.suffix.lower() == ".zip" or not (path.exists() or is_missing_audio)
    facts = about_bundle(what) if is_bundle else about_audio(path)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        lines = [str(one) for one in value] if isinstance(value, list) else [_text(value)]
        for label, line in zip([name, *[""] * len(lines)], lines, strict=False):
            print(f"{label:16} {line}")


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    return str(value)

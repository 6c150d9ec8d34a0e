"""``segue store``: what the service keeps of its renders."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segue.cli.options import Json
from segue.cli.output import print_json
from segue.errors import InvalidRequest

if TYPE_CHECKING:
    from segue.service.store.store import Listed, Store

store = typer.Typer(name="store", help="See, keep and drop what the service has rendered.", rich_markup_mode=None)

Folder = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the store is.", show_default="the user's cache"),
]
Key = Annotated[str, typer.Argument(metavar="KEY", help="An entry, by the beginning of its key.", show_default=False)]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _open(folder: Path | None) -> Store:
    from segue.service.store.index import NAME
    from segue.service.store.store import Store, default_folder

    folder = folder or default_folder()
    if not (folder / NAME).is_file():
        raise InvalidRequest(f"expected a store in {folder}, there is none: name another, or render something first")
    return Store(folder)


def parse_size(text: str) -> int:
    """Bytes from "2G", "500M" or "1048576"; units are powers of 1024.

    Raises:
        InvalidRequest: not a size.
    """
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]?)", text.strip().upper())
    if match is None:
        raise InvalidRequest(f"expected a size such as 500M, 2G or 1048576, got {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])


def _facts(entry: Listed) -> dict[str, object]:
    return {**vars(entry), "made": _when(entry.made), "used": _when(entry.used)}


def _when(time: float) -> str:
    return datetime.fromtimestamp(time).astimezone().isoformat(" ", "seconds")


@store.command("list")
def list_entries(folder: Folder = None, as_json: Json = False) -> None:
    """List all entries, the one used last first."""
    entries = _open(folder).entries()
    if as_json:
        print_json({"entries": [_facts(entry) for entry in entries]})
        return
    for e in entries:
        pin = "pinned" if e.pinned else ""
        size = f"{e.bytes / (1 << 20):.1f}M"
        print(
            f"{e.key[:12]}  {_when(e.used)[:16]}  {e.task:12} {e.seconds:6.2f} s x {e.renditions:<2} {size:>8}  {pin}"
        )
    total = sum(e.bytes for e in entries) / (1 << 20)
    print(f"{len(entries)} entries, {total:.1f}M")


@store.command()
def show(key: Key, folder: Folder = None, as_json: Json = False) -> None:
    """Show one entry with its recipe and report."""
    opened = _open(folder)
    whole = opened.resolve(key)
    listed = next(e for e in opened.entries() if e.key == whole)
    entry = opened.get(whole)
    if entry is None:
        raise InvalidRequest(f"entry {whole[:12]} was damaged and is now set aside in {opened.set_aside}: render again")
    recipes = [rendition.recipe.model_dump(mode="json") for rendition in entry.renditions]
    if as_json:
        print_json({**_facts(listed), "recipes": recipes, "report": entry.report})
        return
    for name, value in {**_facts(listed), **recipes[0]}.items():
        print(f"{name:16} {value}")


@store.command()
def pin(key: Key, folder: Folder = None) -> None:
    """Never drop an entry."""
    opened = _open(folder)
    opened.pin(opened.resolve(key))


@store.command()
def unpin(key: Key, folder: Folder = None) -> None:
    """Let a pinned entry go again."""
    opened = _open(folder)
    opened.pin(opened.resolve(key), pinned=False)


@store.command()
def prune(
    to: Annotated[str, typer.Option(metavar="SIZE", help="What may be left, such as 500M; pins are kept.")] = "0",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Drop what was not used longest."""
    gone = _open(folder).prune(parse_size(to))
    if as_json:
        print_json({"dropped": gone})
    else:
        print(f"{len(gone)} entries dropped")


@store.command()
def verify(folder: Folder = None, as_json: Json = False) -> None:
    """Read every entry and compare its digest.

    Damaged entries are set aside, exit code 1; what killed processes left behind is removed.
    """
    opened = _open(folder)
    found = opened.verify()
    if as_json:
        print_json({"whole": found.whole, "damaged": found.damaged, "removed": found.removed})
    else:
        print(f"{found.whole} entries are whole, {len(found.damaged)} damaged, {len(found.removed)} files removed")
        for damaged in found.damaged:
            print(f"damaged, set aside in {opened.set_aside}: {damaged}")
    if found.damaged:
        raise typer.Exit(1)

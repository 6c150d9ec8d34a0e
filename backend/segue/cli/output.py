"""What commands print: JSON, and refusals as one line; and what they refuse before any work."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from segue.cli.options import OutputOptions
from segue.errors import AudioFileError, BundleRejected, Cancelled, InvalidRequest, ResourceError, SegueError
from segue.plain import jsonable

EXIT_CODES: Mapping[type[BaseException], int] = {
    InvalidRequest: 2,
    AudioFileError: 3,
    BundleRejected: 4,
    Cancelled: 130,
}
"""Exit codes by error; any other refusal is 5."""


def is_refusal(error: Exception) -> bool:
    """Whether the error is for the user to read: Segue's own, the system's, or a wrong option.

    A wrong option is known by its ``format_message``, as typer either bundles click or imports it.
    """
    return isinstance(error, SegueError | OSError | MemoryError) or hasattr(error, "format_message")


def exit_code(error: Exception) -> int:
    """The exit code for a refusal."""
    if hasattr(error, "format_message"):
        return 2
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 5)


def refuse(error: Exception, *, as_json: bool) -> int:
    """Print the error as one line on stderr, or as a JSON object on stdout; the exit code."""
    code = exit_code(error)
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    line = " ".join(message.split()) or type(error).__name__
    if as_json:
        print_json({"error": {"kind": type(error).__name__, "message": line, "exit_code": code}})
    else:
        print(f"segue: {line}", file=sys.stderr)
    return code


def print_json(value: object) -> None:
    """One JSON object on stdout; NaN and infinity, which JSON lacks, become null.

    What stdout cannot encode, such as half a surrogate pair in a file's name, is written as JSON's own escape.
    """
    text = json.dumps(jsonable(value), ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(jsonable(value), indent=2)
    print(text)


def check_destinations(options: OutputOptions) -> None:
    """Refuse a plot or report that could not be written, before anything is rendered.

    Raises:
        InvalidRequest: the file exists and --force is not given, its folder does not, or it has the wrong suffix.
        ResourceError: a plot is asked for and matplotlib is missing.
    """
    check_picture(options.plot, "--plot", force=options.force)
    _check_destination(options.report, "--report", ".json", force=options.force)


def check_picture(path: Path | None, option: str, *, force: bool) -> None:
    """Refuse a PNG that could not be drawn; as :func:`check_destinations`."""
    _check_destination(path, option, ".png", force=force)
    if path is not None and importlib.util.find_spec("matplotlib") is None:
        raise ResourceError(f"{option} needs matplotlib; install it with: pip install segue[plot]")


def _check_destination(path: Path | None, option: str, suffix: str, *, force: bool) -> None:
    if path is None:
        return
    if path.suffix.lower() != suffix:
        raise InvalidRequest(f"{option} writes a {suffix} file, got {path}; name it {path.stem}{suffix}")
    if not path.parent.is_dir():
        raise InvalidRequest(f"{option} {path}: the folder {path.parent} does not exist; make it first")
    if path.exists() and not force:
        raise InvalidRequest(f"{option} {path} exists; give --force to overwrite it")

"""The command line's entry: builds the app, turns every refusal into one line and an exit code.

Exit codes: 0 done; 1 ``doctor`` found something broken; 2 the request cannot be done, or a wrong option; 3 an audio
file; 4 a model bundle; 5 any other refusal (memory, disk, a render that became NaN); 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from segue.cli import output
from segue.cli.bounce import bounce
from segue.cli.doctor import doctor
from segue.cli.extend import extend
from segue.cli.fill import fill
from segue.cli.info import info
from segue.cli.keys import keys
from segue.cli.presets import presets
from segue.cli.regenerate import regenerate
from segue.cli.rerun import rerun
from segue.cli.restyle import restyle
from segue.cli.serve import serve
from segue.cli.status import status
from segue.cli.store import store
from segue.cli.studio import studio
from segue.cli.transition import transition
from segue.errors import Cancelled

INTERRUPTED = 130
COMMANDS = (fill, extend, regenerate, restyle, transition, bounce, studio, rerun, info, doctor, serve, status)
GROUPS = (store, keys, presets)

app = typer.Typer(
    name="segue",
    help="Fill a gap in a track with music that fits.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich alone would take half of the time that --help may
    add_completion=False,
)
for _command in COMMANDS:
    app.command()(_command)
for _group in GROUPS:
    app.add_typer(_group)


def _tell_version(asked: bool) -> bool:
    if asked:
        from importlib.metadata import version

        print(f"segue {version('segue')}")
        raise typer.Exit
    return asked


@app.callback()
def main_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Fill a gap in a track with music that fits."""


def run(argv: Sequence[str], other: typer.Typer | None = None) -> int:
    """Run one command line, without the program's name, of ``segue`` or of ``other``; the exit code."""
    as_json = "--json" in argv
    bare = not argv or (other is None and list(argv) in [[group.info.name] for group in GROUPS])
    try:
        code = (other or app)([*argv, "--help"] if bare else list(argv), standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return output.refuse(Cancelled("stopped by Ctrl-C"), as_json=as_json)
    except Exception as error:
        if not output.is_refusal(error):
            raise
        return output.refuse(error, as_json=as_json)
    if code == INTERRUPTED:  # newer typers turn the KeyboardInterrupt into this code
        return output.refuse(Cancelled("stopped by Ctrl-C"), as_json=as_json)
    return code if isinstance(code, int) else 0


def main(other: typer.Typer | None = None) -> None:
    """The console script of ``segue``, or of ``other``."""
    code = run(sys.argv[1:], other)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # what was printed did not arrive: the reader is gone, or the disk full
        code = code or output.exit_code(OSError())
    os._exit(code)  # taking torch's modules apart one by one would hold up the prompt for a second or more


if __name__ == "__main__":
    main()

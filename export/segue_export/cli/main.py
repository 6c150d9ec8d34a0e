"""``segue-export``: bundles from models. Refusals and exit codes are those of ``segue`` (:mod:`segue.cli.main`)."""

from __future__ import annotations

import typer

from segue.cli.main import main as run_main
from segue_export.cli.families import families
from segue_export.cli.import_model import import_model

app = typer.Typer(
    name="segue-export",
    help="Make bundles for Segue out of models on this disk. Nothing is ever downloaded.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
app.command("import")(import_model)
app.command()(families)


def main() -> None:
    """The console script."""
    run_main(app)


if __name__ == "__main__":
    main()

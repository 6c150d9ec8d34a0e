"""``segue-export families``: the models that can be imported, where they come from, and under what licence."""

from __future__ import annotations

from segue_export.cli.extra import check_extra


def families() -> None:
    """List the models that can be imported, where their weights come from, and under what licence."""
    check_extra()
    from segue_export.importers.registry import families as known  # noqa: PLC0415  seconds to import
    from segue_export.importing.licence import describe_licence  # noqa: PLC0415

    for family in known().values():
        print(f"{family.name}\n  {family.weights}\n  " + describe_licence(family).replace("\n", "\n  "))

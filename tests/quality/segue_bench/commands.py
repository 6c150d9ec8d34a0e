"""What ``segue-bench run`` and ``music`` do. Imported when the command runs."""

from __future__ import annotations

from pathlib import Path

from segue.errors import InvalidRequest
from segue.prior.bundle import Bundle
from segue_bench.music import ensure
from segue_bench.profiles import PROFILES, Profile
from segue_bench.results import Results
from segue_bench.run import RunSettings, environment, identity, measure_memory, method_facts, plan, run
from segue_bench.tools import MakeTools
from segue_bench.units import measure_units


def profile_named(name: str) -> Profile:
    """A profile.

    Raises:
        InvalidRequest: there is none of that name.
    """
    if name not in PROFILES:
        raise InvalidRequest(f"unknown profile {name!r}; expected one of {', '.join(PROFILES)}")
    return PROFILES[name]


def fetch(folder: Path, profile: str) -> None:
    """The packages a profile's excerpts are of."""
    manifest = profile_named(profile).manifest()
    ensure(folder, manifest.versions)
    print(f"{len(manifest.versions)} packages in {folder}")


def render(
    profile: str, music: Path, folder: Path, bundle: str | None, settings: RunSettings, redo: tuple[str, ...]
) -> None:
    """Units, rows, peak memory, in this order; each is done once for a folder."""
    chosen = profile_named(profile)
    planned = plan(chosen, chosen.manifest(), settings)
    unknown = [name for name in redo if name not in planned.methods]
    if unknown:
        raise InvalidRequest(f"--redo {', '.join(unknown)}: no such method; there are {', '.join(planned.methods)}")
    opened = Bundle.open(bundle)
    results = Results.create(folder, identity(planned, settings, opened), environment(settings.jobs), method_facts())
    for name in redo:
        print(f"{results.forget(name)} rows of {name} removed")
    if results.facts().units is None:
        results.write_facts(results.facts().model_copy(update={"units": measure_units(opened)}))
    make = MakeTools(bundle, opened.digest, planned.manifest, music)
    # the main table before the others: a run that is stopped early is still worth a report
    counts = run(results, planned.first_condition(), make, settings) + run(results, planned, make, settings)
    if settings.memory:
        measure_memory(results, planned, make, settings)
    print(f"{counts['done']} done, {counts['failed']} failed; report: segue-bench report {folder} --out FOLDER")

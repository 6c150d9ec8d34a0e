"""What the wrappers read out of the hosts' structures (C++), and what the shared objects show to hosts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.plugin.builds import Formats


def test_the_unit_tests_of_the_wrappers_pass(built: Formats) -> None:
    done = subprocess.run([str(built.wrapper_tests)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("format_", "entries"),
    [
        ("clap", {"clap_entry"}),
        ("vst3", {"GetPluginFactory", "ModuleEntry", "ModuleExit"}),
        ("lv2", {"lv2_descriptor", "lv2_generate_ttl", "lv2ui_descriptor"}),
    ],
)
def test_only_the_entry_points_are_exported(built: Formats, format_: str, entries: set[str]) -> None:
    path: Path = getattr(built, format_)
    library = path if path.is_file() else next(path.rglob("*.so"))
    shown = subprocess.run(["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True)
    assert {line.split()[-1] for line in shown.stdout.splitlines()} == entries


def test_the_lv2_s_description_is_valid_turtle(built: Formats) -> None:
    for path in sorted(built.lv2.glob("*.ttl")):
        subprocess.run(["sordi", "-i", "turtle", str(path)], check=True, capture_output=True, timeout=30)

"""The configure-time changes to DPF: made where their text is there exactly once, else refused in words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.plugin.builds import ROOT

PATCHES = ROOT / "plugin_shim" / "dpf" / "patches"


def cmake(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """One command of patch.cmake on a copy of "DPF" in ``folder``."""
    script = folder / "script.cmake"
    script.write_text(f'set(SEGUE_DPF_COPY "{folder}")\ninclude("{PATCHES / "patch.cmake"}")\n{command}\n')
    return subprocess.run(["cmake", "-P", str(script)], capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "file.cpp"
    path.write_text("first();\nsecond[1] = '\\0'; // $x; a;b\nthird();\nthird();\n")
    return path


def test_a_text_is_replaced_and_the_rest_stays_byte_for_byte(tmp_path: Path, source: Path) -> None:
    assert cmake(tmp_path, 'segue_patch(file.cpp [=[first();\n]=] [=[other("\\n");\n]=])').returncode == 0
    assert source.read_text() == "other(\"\\n\");\nsecond[1] = '\\0'; // $x; a;b\nthird();\nthird();\n"


def test_a_range_is_replaced_from_its_beginning_to_its_end(tmp_path: Path, source: Path) -> None:
    assert cmake(tmp_path, "segue_patch_range(file.cpp [=[first]=] [=[ // $x]=] [=[gone]=])").returncode == 0
    assert source.read_text() == "gone; a;b\nthird();\nthird();\n"


@pytest.mark.parametrize(
    ("text", "how"), [("fourth();", "not at all, expected once"), ("third();", "more than once, expected once")]
)
def test_a_text_that_is_missing_or_ambiguous_is_refused_and_nothing_changes(
    tmp_path: Path, source: Path, text: str, how: str
) -> None:
    before = source.read_text()
    done = cmake(tmp_path, f"segue_patch(file.cpp [=[{text}]=] [=[x]=])")
    assert done.returncode != 0
    assert how in " ".join(done.stderr.split())
    assert "Set SEGUE_DPF_SOURCE" in " ".join(done.stderr.split())
    assert source.read_text() == before


def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path, source: Path) -> None:
    done = cmake(tmp_path, "segue_patch_range(file.cpp [=[second]=] [=[first]=] [=[x]=])")
    assert done.returncode != 0
    assert "stands before its beginning" in " ".join(done.stderr.split())

"""The command line of the bench: refusals before any work, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from segue.cli.main import run
from segue.errors import BundleRejected
from segue_bench.cli import app
from segue_bench.tools import MakeTools
from tests.quality.bench_material import Planted, places, planted


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = run(arguments, app)
    said = capsys.readouterr()
    assert code == 2 and said.out == "" and said.err.count("\n") == 1
    return said.err


def test_wrong_requests_are_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music, folder = ("--music", str(tmp_path)), ("--results", str(tmp_path / "results"))
    known = "expected one of smoke, report, seeds, foreign, full"
    assert known in refused(capsys, "run", *music, *folder, "--profile", "ful")
    assert known in refused(capsys, "music", str(tmp_path), "--profile", "ful")
    assert "--jobs must lie in 1 to 256, got 0" in refused(capsys, "run", *music, *folder, "--jobs", "0")
    assert "holds no run.json" in refused(capsys, "report", str(tmp_path), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "results").exists() and not (tmp_path / "out").exists()


def test_redoing_a_method_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("run", "--music", str(tmp_path), "--results", str(tmp_path / "results"), "--redo", "defualt")
    assert "--redo defualt: no such method; there are real, " in refused(capsys, *arguments)


def test_a_bundle_replaced_during_a_run_stops_it(tmp_path: Path) -> None:
    make = MakeTools(None, "0" * 64, places(2), tmp_path)
    with pytest.raises(BundleRejected, match=r"began with bundle 000000000000, now [0-9a-f]{12} stands in its place"):
        make()


def test_a_report_is_written_from_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = planted(tmp_path / "results", {"default": Planted()}, excerpts=4)
    assert run(("report", str(made.folder), "--out", str(tmp_path / "out")), app) == 0
    assert "quality.md" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"quality.md", "quality.html"}


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from segue.cli.main import run; from segue_bench.cli import app; run(['--help'], app); "
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0

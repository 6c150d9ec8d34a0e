"""A run: everything asked for becomes a row, whatever happens, and nothing is made twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from segue.errors import InvalidRequest
from segue_bench.cases import Setting
from segue_bench.profiles import Condition, Profile
from segue_bench.results import Key, Results
from segue_bench.run import Plan, RunSettings, measure_memory, plan, run
from tests.quality.bench_material import MakeLight, Noisy, places, results

ONE = RunSettings(jobs=1, listen=1)


def planned(*methods: str, excerpts: int = 2, seeds: tuple[int, ...] = (0,)) -> tuple[Plan, MakeLight]:
    manifest = places(excerpts)
    profile = Profile("planted", (Condition(Setting("infill", 0.5)),), seeds)
    return plan(profile, manifest, ONE, {name: Noisy(name) for name in methods}), MakeLight(manifest, methods)


def test_what_fails_is_a_row_with_its_reason_and_nothing_is_made_twice(tmp_path: Path) -> None:
    folder, said = results(tmp_path), []
    asked, make = planned("fills", "refuses", "breaks", "dies", "fills after", excerpts=2, seeds=(0, 1))
    first = replace(asked, tasks={"track-00": asked.tasks["track-00"]})
    counts = run(folder, first, make, ONE, said.append)
    assert counts == {"done": 6, "failed": 3}
    rows = {(row.method, row.seed): row for row in folder.rows()}
    assert len(rows) == 9
    assert rows["fills", 1].failure is None and rows["fills after", 0].scores["gap_mr"] > 0
    for method, kind, message in (
        ("refuses", "refused", "expected another gap"),
        ("breaks", "failed", "ZeroDivisionError: by zero"),
        ("dies", "failed", "the worker was killed by SIGKILL, as when memory runs out"),
    ):
        failure = rows[method, 0].failure
        assert failure is not None and (failure.kind, failure.message) == (kind, message)
    assert sum("FAILED" in line for line in said) == 3

    kept = [row for row in rows.values() if row.kept]
    assert {(row.method, row.seed) for row in kept} == {("fills", 0), ("fills after", 0)}
    assert folder.audio(kept[0].key).shape[1] == round(4.5 * 44100) and kept[0].gap_at == 2.0

    assert run(folder, first, make, ONE, said.append).total() == 0
    assert said[-1] == "9 renderings asked for, 9 done already, 0 to do"
    folder.forget("fills")
    assert sum(not folder.has(key) for key in first.all_keys()) == 2


SCRIPT = """
    from pathlib import Path
    from tests.quality.bench_material import results
    from tests.quality.test_bench_run import ONE, planned
    from segue_bench.run import run
    if __name__ == "__main__":
        folder, asked = results(Path({folder!r})), planned("slow", seeds=tuple(range(30)))
        run(folder, *asked, ONE, lambda line: print(line, flush=True))
"""


def test_a_killed_run_leaves_a_folder_that_is_gone_on_with(tmp_path: Path) -> None:
    folder, script = tmp_path / "results", tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(folder=str(folder))))
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    child = subprocess.Popen([sys.executable, str(script)], cwd=root, env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(list(folder.rglob("rows/**/*.json"))) < 3 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    before = {row.key for row in Results.read(folder).rows()}
    assert 3 <= len(before) < 60
    asked, make = planned("slow", seeds=tuple(range(30)))
    counts = run(results(folder), asked, make, ONE, lambda line: None)
    assert counts == {"done": 60 - len(before)}
    assert {row.key for row in Results.read(folder).rows()} == set(asked.all_keys())


def test_a_profile_that_names_no_method_is_refused_before_any_work() -> None:
    profile = Profile("planted", (Condition(Setting("infill", 0.5), methods=("fils",)),))
    with pytest.raises(InvalidRequest, match="planted names fils; the methods are fills"):
        plan(profile, places(2), ONE, {"fills": Noisy("fills")})


def test_methods_are_asked_only_for_tasks_they_do() -> None:
    profile = Profile("planted", (Condition(Setting("continuation", 0.5)), Condition(Setting("infill", 0.5))))
    asked = plan(profile, places(2), ONE, {"fills": Noisy("fills")})
    assert {key.condition for key in asked.all_keys()} == {"infill-0.5s-song"}


def test_peak_memory_is_that_of_the_render_alone(tmp_path: Path) -> None:
    folder = results(tmp_path)
    asked, make = planned("hungry", "dies", excerpts=1)
    (task,) = asked.tasks["track-00"]
    for method in ("hungry", "dies"):  # rows as a run would leave them
        folder.write(task.row(Key(task.condition, "track-00", method, 0)))
    said: list[str] = []
    measure_memory(folder, asked, make, ONE, said.append)
    peaks = folder.facts().peak_mb
    assert peaks["dies"] is None and any(
        "memory of dies could not be measured: its process ended with exit code -9" in line for line in said
    )
    assert peaks["hungry"] == pytest.approx(200.0, abs=20.0)


@pytest.mark.parametrize("settings", [{"jobs": 0}, {"jobs": 1000}, {"listen": -1}])
def test_settings_out_of_range_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest, match="--"):
        RunSettings(**settings)

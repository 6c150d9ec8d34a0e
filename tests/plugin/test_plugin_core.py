"""The plug-in's C++ tests, without and with sanitizers; the watch over its audio thread; its bench."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.builds import ROOT, core

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="watches system calls by Linux's own means")


def programs() -> Path:
    """The folder of the tests' programs."""
    return core("segue_plugin_tests", "segue_realtime_check", "segue_block_bench")


def run(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, **environment},
    )


def assert_passed(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"


def test_the_unit_tests_pass() -> None:
    assert_passed(run(programs() / "segue_plugin_tests"))


def test_a_second_configuration_compiles_as_the_first_did(tmp_path: Path) -> None:
    """Else every build after the first compiles everything again: minutes, for each sanitizer."""
    configure = ["cmake", "-S", str(ROOT / "plugin_shim"), "-B", str(tmp_path), "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    commands = []
    for _ in range(2):
        subprocess.run([*configure, "-DSEGUE_PLUGIN_FORMATS=OFF"], check=True, capture_output=True, timeout=300)
        commands.append((tmp_path / "compile_commands.json").read_text())
    assert "connection.cpp" in commands[0]
    assert commands[1] == commands[0]


def test_the_address_and_undefined_behaviour_sanitizers_find_nothing() -> None:
    assert_passed(
        run(
            core("segue_plugin_tests", sanitizer="address") / "segue_plugin_tests",
            "--test-suite-exclude=speed",
            ASAN_OPTIONS="detect_stack_use_after_return=1",
        )
    )


def test_the_thread_sanitizer_finds_nothing_in_what_the_audio_thread_shares() -> None:
    assert_passed(run(core("segue_realtime_tests", sanitizer="thread") / "segue_realtime_tests"))


@linux_only
def test_fault_07_the_audio_thread_never_allocates_locks_logs_or_enters_the_kernel() -> None:
    done = run(programs() / "realtime_check/segue_realtime_check")
    assert_passed(done)
    assert len(re.findall(r": 0 allocations, 0 releases, 0 locks, 0 logs, 0 system calls$", done.stdout, re.M)) >= 14


@linux_only
def test_fault_07_an_allocation_a_lock_a_log_and_a_system_call_would_be_seen() -> None:
    done = run(programs() / "realtime_check/segue_realtime_check", "--self-test")
    assert_passed(done)
    for offence in ("new", "delete", "a mutex", "printing lines", "opening a file", "sleeping"):
        assert re.search(rf"^{offence} .*: (?!0 allocations, 0 releases, 0 locks, 0 logs, 0 system)", done.stdout, re.M)


def test_the_bench_says_how_long_a_block_takes_beside_an_empty_plug_in() -> None:
    done = run(programs() / "bench/segue_block_bench", "3000")
    assert done.returncode in {0, 1}, done.stderr  # how fast it is, a loaded machine cannot tell
    medians = [float(number) for number in re.findall(r"median +([\d.]+) us", done.stdout)]
    assert len(medians) == 4
    assert medians[1] < medians[2]

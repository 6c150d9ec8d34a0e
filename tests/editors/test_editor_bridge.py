"""What both editors' scripts share, in a real Lua."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from segue.clip.gaps import parse_gap
from segue.clip.span import Span

BRIDGE = Path(__file__).parents[2] / "examples" / "editors" / "segue_fill.lua"
LUA = shutil.which("lua5.4") or shutil.which("lua5.3")
HOUR = 3600

pytestmark = pytest.mark.skipif(LUA is None, reason="Lua is missing: run scripts/setup")


def lua(program: str) -> list[str]:
    assert LUA is not None
    given = f"local bridge = dofile({str(BRIDGE)!r})\n{program}"
    done = subprocess.run([LUA, "-"], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000, 192000])
def test_each_sample_that_an_editor_names_is_the_one_that_segue_reads(rate: int) -> None:
    first = [0, 1, rate - 1, rate, 3 * rate + 7, HOUR * rate + 12345]
    calls = "\n".join(f"print(bridge.seconds({at}, {rate}) .. '-' .. bridge.seconds({at + 1}, {rate}))" for at in first)
    spans = [parse_gap(line, rate, 2 * HOUR * rate) for line in lua(calls)]
    assert spans == [Span(at, at + 1) for at in first]


def test_times_have_a_point_and_nine_decimals_whatever_kind_of_number_an_editor_counts_in() -> None:
    assert lua("print(bridge.seconds(66150, 44100), bridge.seconds(66150.0, 44100.0))") == ["1.500000000\t1.500000000"]


def test_the_command_line_quotes_what_a_shell_would_read() -> None:
    program = 'bridge.segue = "/a b/segue"\nprint(bridge.command("it\'s.wav", "$out.wav", 44100, 66150, 44100))'
    expected = "'/a b/segue' fill 'it'\\''s.wav' -o '$out.wav' --gap 1.000000000:1.500000000"
    assert lua(program) == [expected]

"""REAPER projects: items as REAPER plays them, every unknown line kept, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segue.arrangement.contract import Filled
from segue.arrangement.registry import open_project
from segue.arrangement.rpp import parse, unparse, words
from segue.arrangement.timeline import Timeline, lay_out
from segue.clip.span import Span
from segue.errors import AudioFileError, InvalidRequest
from tests.arrangement.projects import RATE, RECIPE, item, noise, reaper, write

SECOND_TAKE = """      TAKE SEL
      NAME other
      TAKEVOLPAN 0 -1 -1
      SOFFS 0.25
      <SOURCE WAVE
        FILE b.wav
      >
"""


def laid(path: Path) -> Timeline:
    opened = open_project(path)
    return lay_out(opened.project.track("Drums"), opened.audio)


def test_offset_gain_phase_mute_takes_and_loops(tmp_path: Path) -> None:
    a, b = noise(2.0, 1), noise(0.5, 2)
    write(tmp_path / "a.wav", a)
    write(tmp_path / "b.wav", b)
    two = item(2.0, 0.25, "a.wav")
    items = item(0.0, 1.0, "a.wav", "      SOFFS 0.5\n").replace("VOLPAN 1 0 1", "VOLPAN 0.5 0 0.5")
    items += two[: two.rindex("    >\n")] + SECOND_TAKE + "    >\n"
    items += item(3.0, 1.0, "b.wav").replace("LOOP 0", "LOOP 1") + item(5.0, 1.0, "a.wav", "      MUTE 1 0\n")
    track = laid(reaper(tmp_path / "s.rpp", items))
    assert track.sounding == (Span(0, RATE), Span(2 * RATE, 2 * RATE + RATE // 4), Span(3 * RATE, 4 * RATE))
    out = track.played[0]
    assert np.allclose(out[:RATE], 0.25 * a[RATE // 2 : RATE // 2 + RATE], atol=1e-8)
    assert np.array_equal(out[2 * RATE : 2 * RATE + RATE // 4], -b[RATE // 4 : RATE // 2])
    assert np.array_equal(out[3 * RATE :], np.tile(b, 2))


def test_a_clip_ends_where_its_file_does_and_crossing_clips_add_up(tmp_path: Path) -> None:
    a = noise(1.0, 1)
    write(tmp_path / "a.wav", a)
    fade = "      FADEOUT 0 0.01 0.5 0 0 0 0\n"
    rise = "      FADEIN 0 0.01 0.5 0 0 0 0\n"
    track = laid(reaper(tmp_path / "s.rpp", item(0.0, 1.0, "a.wav", fade) + item(0.5, 9.0, "a.wav", rise)))
    assert track.sounding == (Span(0, RATE + RATE // 2),)
    assert track.joints == (Span(RATE // 2, RATE),)
    half = RATE // 2
    ramp = (np.arange(half) / half).astype(np.float32)
    assert np.allclose(track.played[0, half : 2 * half], a[half:] * ramp[::-1] + a[:half] * ramp, atol=1e-7)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_unknown_lines_are_kept_byte_for_byte_and_a_track_is_added_at_the_end(tmp_path: Path, ending: str) -> None:
    write(tmp_path / "a.wav", noise(4.0))
    odd = "  <NOTES 0 2\n    |<not a block\n  >\n  SOMETHING \"with `odd' words\n  <VST x\n    ZXZhdw==\n  >\n"
    path = reaper(tmp_path / "s.rpp", item(0, 1, "a.wav") + item(2, 1, "a.wav"), head=odd, ending=ending)
    path.write_bytes(path.read_bytes() + b"\xff trailing\x0b bytes")
    before = path.read_bytes()
    assert unparse(parse(before)) == before
    opened = open_project(path)
    opened.write(tmp_path / "same.rpp", [])
    assert (tmp_path / "same.rpp").read_bytes() == before
    take = write(tmp_path / "out Segue" / "fill.wav", noise(1.0, 7))
    drums = opened.project.track("Drums")
    fill = Filled(drums, 'a "fill"', RATE, Span(RATE, 2 * RATE), noise(1.0, 7)[None], RECIPE, take, RATE, RATE)
    opened.write(tmp_path / "out.rpp", [fill])
    after = (tmp_path / "out.rpp").read_bytes()
    new = after[len(before[: before.rindex(b">" + ending.encode())]) :]
    start = next(i for i in range(len(before)) if before[i] != after[i])
    assert after[:start] + after[start + len(after) - len(before) :] == before, "one insertion, nothing else"
    assert new.count(b"\r\n") == (new.count(b"\n") if ending == "\r\n" else 0)
    again = open_project(tmp_path / "out.rpp")
    assert [t.name for t in again.project.tracks] == ["Drums", "Bus of all", "Segue Drums"], "routing goes by number"
    made = lay_out(again.project.track("Segue Drums"), again.audio)
    assert np.array_equal(made.played[0, RATE:], noise(1.0, 7))
    assert path.read_bytes() == before


def test_tempo_map_markers_regions_and_envelopes(tmp_path: Path) -> None:
    """From 60 to 120 in a line over 4 s: 6 beats; then 2 beats a second."""
    write(tmp_path / "a.wav", noise(4.0))
    head = (
        "  <TEMPOENVEX\n    PT 0 60 0\n    PT 4 120 1\n  >\n  MARKER 1 1.5 segue 0\n"
        '  MARKER 2 2 "Segue: 1-1:02.5" 1\n  MARKER 2 3 "" 1\n'
    )
    chain = (
        "    <FXCHAIN\n      <PARMENV 3:freedom 0 1 0.5\n        PT 0 0.25 1\n        PT 2 0.75 0\n      >\n"
        "      <PARMENV 4:_Gap 0 1 0\n        PT 1 1 1\n        PT 1.5 0 1\n      >\n    >\n"
    )
    project = open_project(reaper(tmp_path / "s.rpp", item(0, 4, "a.wav"), head, chain)).project
    assert project.tempo.beat_at(4.0) == pytest.approx(6.0)
    assert project.tempo.beat_at(5.0) == pytest.approx(8.0)
    assert project.tempo.seconds_at(project.tempo.beat_at(2.5)) == pytest.approx(2.5)
    assert [(m.seconds, m.name, m.stop) for m in project.markers] == [
        (1.5, "segue", None),
        (2.0, "Segue: 1-1:02.5", 3.0),
    ]
    track = project.track("Drums")
    assert track.wanted == ((1.0, 1.5),)
    assert track.freedom is not None
    assert track.freedom.at(np.array([1.9, 2.1])).tolist() == [0.25, 0.75]


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("      PLAYRATE 1.5 1 0 -1 0 0.0025\n", "1.5 times its speed"),
        ("      PLAYRATE 1 1 2 -1 0 0.0025\n", "2 semitones"),
        ("      SM 0 0 + 1 1.1\n", "stretch markers"),
        ("      CHANMODE 2\n", "CHANMODE"),
        ("      SOFFS nan\n", "expected a number"),
    ],
)
def test_items_that_play_otherwise_are_refused_in_words(tmp_path: Path, extra: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        open_project(reaper(tmp_path / "s.rpp", item(0, 1, "a.wav", extra)))


def test_paths_lead_out_only_where_they_are_absolute(tmp_path: Path) -> None:
    folder = tmp_path / "song"
    folder.mkdir()
    file = write(tmp_path / "out.wav", noise(1.0))
    assert laid(reaper(folder / "s.rpp", item(0, 1, str(file)))).length == RATE
    for name in ("../out.wav", "..\\out.wav", "a/../../out.wav"):
        with pytest.raises(InvalidRequest, match="inside of the project"):
            laid(reaper(folder / "s.rpp", item(0, 1, name)))
    (folder / "link.wav").symlink_to(file)
    with pytest.raises(InvalidRequest, match="by a link"):
        laid(reaper(folder / "s.rpp", item(0, 1, "link.wav")))
    with pytest.raises(AudioFileError):
        laid(reaper(folder / "s.rpp", item(0, 1, "missing.wav")))


def test_a_project_that_is_cut_off_or_none_is_refused(tmp_path: Path) -> None:
    path = reaper(tmp_path / "s.rpp", item(0, 1, "a.wav"))
    for content, says in ((path.read_bytes()[:-4], "cut off"), (b"RIFF", "does not begin")):
        path.write_bytes(content)
        with pytest.raises(InvalidRequest, match=says):
            open_project(path)


def test_words_in_all_three_quotes() -> None:
    assert words("""  A "b c" 'd "e' `f ' "g` h""") == ["A", "b c", 'd "e', "f ' \"g", "h"]

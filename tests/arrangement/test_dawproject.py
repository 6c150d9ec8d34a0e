"""DAWproject: clips as the DAW plays them, schema, round trip, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import numpy as np
import pytest
import xmlschema

from segue.arrangement.container import MAX_RATIO, Container, written
from segue.arrangement.contract import Filled
from segue.arrangement.registry import open_project
from segue.arrangement.timeline import lay_out
from segue.clip.span import Span
from segue.errors import InvalidRequest
from tests.arrangement.projects import RATE, RECIPE, audio, dawproject, noise, write

SCHEMA = Path(__file__).parent / "schema"
TWO = (
    '<Clips id="c0">'
    f'<Clip time="0" duration="4" contentTimeUnit="seconds" playStart="0.5">{audio("audio/a.wav", 3.0)}</Clip>'
    f'<Clip time="6" duration="4">'
    f'<Warps contentTimeUnit="seconds" timeUnit="beats" id="w0">{audio("audio/b.wav", 3.0)}'
    '<Warp time="0" contentTime="0"/><Warp time="6" contentTime="3"/></Warps></Clip></Clips>'
)
FILES = {"audio/a.wav": noise(3.0, 1), "audio/b.wav": noise(3.0, 2)}


def filled(project: Path, folder: Path) -> tuple[Filled, Path]:
    """A second of noise between the two clips, at 2 s."""
    opened = open_project(project)
    path = write(folder / "Drums_001_2.000s.wav", noise(1.0, 9))
    span = Span(2 * RATE, 3 * RATE)
    fill = Filled(opened.project.track("Drums"), "fill", RATE, span, noise(1.0, 9)[None], RECIPE, path, 2 * RATE, RATE)
    out = folder / "out.dawproject"
    opened.write(out, [fill])
    return fill, out


def played(path: Path) -> np.ndarray:
    opened = open_project(path)
    return lay_out(opened.project.track("drums"), opened.audio).played[0]


def test_offsets_and_warps_at_the_file_s_own_speed_play_the_very_samples(tmp_path: Path) -> None:
    out = played(dawproject(tmp_path / "s.dawproject", TWO, FILES))
    silence = np.zeros(RATE, np.float32)
    a, b = FILES["audio/a.wav"][RATE // 2 : RATE // 2 + 2 * RATE], FILES["audio/b.wav"][: 2 * RATE]
    assert np.array_equal(out, np.concatenate([a, silence, b]))


def test_loops_nested_clips_disabled_clips_and_fades(tmp_path: Path) -> None:
    source = noise(1.0, 3)
    clip = f'<Clip time="0" duration="2" contentTimeUnit="seconds">{audio("audio/a.wav", 1.0)}</Clip>'
    inner = f'<Clips id="c1">{clip}</Clips>'
    lane = (
        f'<Clips id="c0"><Clip time="0" duration="5" playStart="1" loopStart="0" loopEnd="2" fadeTimeUnit="seconds" '
        f'fadeOutTime="0.25">{inner}</Clip><Clip time="6" duration="2" enable="false"/></Clips>'
    )
    out = played(dawproject(tmp_path / "s.dawproject", lane, {"audio/a.wav": source}))
    half = RATE // 2
    expected = np.concatenate([source[half:], source, source])
    expected[-half // 2 :] *= (np.arange(half // 2) / (half // 2))[::-1].astype(np.float32)
    assert np.allclose(out, expected, atol=1e-7)


def test_what_starts_behind_its_loop_never_loops(tmp_path: Path) -> None:
    source = noise(3.0, 3)
    lane = (
        '<Clips id="c0"><Clip time="1" duration="2" contentTimeUnit="seconds" playStart="1.5" loopStart="0" '
        f'loopEnd="1">{audio("audio/a.wav", 3.0)}</Clip></Clips>'
    )
    out = played(dawproject(tmp_path / "s.dawproject", lane, {"audio/a.wav": source}))
    start = RATE // 2  # a beat at 120
    assert not out[:start].any()
    assert np.array_equal(out[start:], source[3 * RATE // 2 : 5 * RATE // 2])


def test_beats_follow_a_tempo_that_rises_in_a_line(tmp_path: Path) -> None:
    """From 60 to 120 over 4 beats: 4 ln 2 seconds; then half a second a beat."""
    tempo = (
        '<TempoAutomation id="ta" unit="bpm"><Target parameter="t0"/><RealPoint time="0" value="60" '
        'interpolation="linear"/><RealPoint time="4" value="120" interpolation="hold"/></TempoAutomation>'
    )
    lane = f'<Clips id="c0"><Clip time="6" duration="2">{audio("audio/a.wav", 3.0)}</Clip></Clips>'
    opened = open_project(dawproject(tmp_path / "s.dawproject", lane, FILES, after=tempo))
    (clip,) = opened.project.tracks[0].clips
    assert clip.start == pytest.approx(4 * np.log(2.0) + 1.0, abs=1e-12)
    assert clip.stop - clip.start == pytest.approx(1.0)
    assert opened.project.tempo.beat_at(clip.start) == pytest.approx(6.0, abs=1e-9)


def test_markers_and_automation_named_freedom_and_gap_are_read(tmp_path: Path) -> None:
    lane = TWO + (
        '<Points id="p0" unit="normalized"><Target parameter="t4"/><RealPoint time="0" value="0.2" '
        'interpolation="linear"/><RealPoint time="4" value="0.6" interpolation="linear"/></Points>'
        '<Points id="p1"><Target parameter="t5"/><BoolPoint time="1" value="true"/><BoolPoint time="2" value="false"/>'
        "</Points>"
    )
    marks = '<Markers id="m0"><Marker time="2" name="segue"/><Marker time="3" name="end"/></Markers>'
    project = open_project(dawproject(tmp_path / "s.dawproject", lane, FILES, after=marks)).project
    track = project.track("Drums")
    assert track.freedom is not None
    assert track.freedom.at(np.array([1.0]))[0] == pytest.approx(0.4)
    assert track.wanted == ((0.5, 1.0),)
    assert [(m.seconds, m.name) for m in project.markers] == [(1.0, "segue"), (1.5, "end")]


def test_a_project_without_anything_new_is_copied_with_the_same_xml(tmp_path: Path) -> None:
    path = dawproject(tmp_path / "s.dawproject", TWO, FILES)
    open_project(path).write(tmp_path / "out.dawproject", [])
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(tmp_path / "out.dawproject") as two:
        assert one.namelist() == two.namelist()
        for name in one.namelist():
            assert one.read(name) == two.read(name)
        text = one.read("project.xml").decode()
    again = written(Container(path).xml("project.xml")).decode()
    assert canonicalize(text, with_comments=True) == canonicalize(again, with_comments=True), "written anew, too"


def test_a_filled_project_is_valid_and_keeps_all_that_was_there(tmp_path: Path) -> None:
    path = dawproject(tmp_path / "s.dawproject", TWO, FILES)
    fill, out = filled(path, tmp_path)
    schema = xmlschema.XMLSchema(str(SCHEMA / "Project.xsd"))
    container = Container(out)
    for one in (path, out):
        schema.validate(Container(one).read("project.xml").decode())
    xmlschema.XMLSchema(str(SCHEMA / "MetaData.xsd")).validate(container.read("metadata.xml").decode())
    root = container.xml("project.xml")
    new = next(t for t in root.iter("Track") if t.get("name") == "Segue Drums")
    assert new.find("Channel/Volume").get("value") == "0.7"  # type: ignore[union-attr]
    assert container.read("audio/Drums_001_2.000s.wav") == fill.path.read_bytes()
    opened = open_project(out)
    laid = lay_out(opened.project.track("Segue Drums"), opened.audio)
    assert laid.sounding == (Span(2 * RATE, 3 * RATE),)
    assert np.array_equal(laid.played[0, 2 * RATE :], noise(1.0, 9))
    root.find("Structure").remove(new)  # type: ignore[union-attr]
    lanes = root.find("Arrangement/Lanes")
    assert lanes is not None
    lanes.remove(next(lane for lane in lanes if lane.get("track") == new.get("id")))
    left = canonicalize(written(root).decode(), strip_text=True)
    assert left == canonicalize(Container(path).read("project.xml").decode(), strip_text=True)


def test_a_filled_project_can_be_filled_again(tmp_path: Path) -> None:
    """New files and identifiers beside those of the first time."""
    _, once = filled(dawproject(tmp_path / "s.dawproject", TWO, FILES), tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    _, twice = filled(once, again)
    container = Container(twice)
    xmlschema.XMLSchema(str(SCHEMA / "Project.xsd")).validate(container.read("project.xml").decode())
    names = [file.get("path") for file in container.xml("project.xml").iter("File")]
    assert len(set(names)) == len(names) == 4


@pytest.mark.parametrize(
    ("lane", "says"),
    [
        (
            '<Clips><Clip time="0" duration="4"><Warps contentTimeUnit="seconds">'
            + audio("audio/a.wav", 3.0)
            + '<Warp time="0" contentTime="0"/><Warp time="4" contentTime="3"/></Warps></Clip></Clips>',
            "stretched",
        ),
        (f'<Clips><Clip time="0" duration="4">{audio("../a.wav", 3.0)}</Clip></Clips>', "not in it"),
        (f'<Clips><Clip time="0" duration="4">{audio("../a.wav", 3.0, external="true")}</Clip></Clips>', "inside of"),
        (f'<Clips><Clip time="nan" duration="4">{audio("audio/a.wav", 3.0)}</Clip></Clips>', "expected a number"),
        (f'<Clips><Clip time="0">{audio("audio/a.wav", 3.0)}</Clip></Clips>', "neither how long"),
        (f'<Clips><Clip time="1e9" duration="4">{audio("audio/a.wav", 3.0)}</Clip></Clips>', "at most 21600 s"),
    ],
)
def test_what_cannot_be_played_as_it_is_is_refused_in_words(tmp_path: Path, lane: str, says: str) -> None:
    path = dawproject(tmp_path / "s.dawproject", lane, FILES)
    with pytest.raises(InvalidRequest, match=says):
        played(path)


def test_external_audio_is_read_where_the_project_says_so(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    file = write(tmp_path / "elsewhere.wav", noise(2.0, 5))
    lane = f'<Clips><Clip time="0" duration="2">{audio(str(file), 2.0, external="true")}</Clip></Clips>'
    path = dawproject(tmp_path / "song" / "s.dawproject", lane, {})
    assert np.array_equal(played(path), noise(2.0, 5)[:RATE])


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("project.xml", b"\0" * (MAX_RATIO * (1 << 16)))


def entities(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as container:
        container.writestr(
            "project.xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><Project>&x;</Project>'
        )


def escaping(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as container:
        container.writestr("../project.xml", "<Project/>")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (bomb, "would unpack"),
        (entities, "not plain XML"),
        (escaping, "inside of the project"),
        (lambda path: path.write_bytes(b"PK\3\4 cut off"), "not a DAWproject"),
    ],
)
def test_unsafe_and_broken_containers_are_refused(tmp_path: Path, make: object, says: str) -> None:
    path = tmp_path / "bad.dawproject"
    assert callable(make)
    make(path)
    with pytest.raises(InvalidRequest, match=says):
        open_project(path)

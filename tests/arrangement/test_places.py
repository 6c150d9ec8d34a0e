"""Which places are found on a track, and the clips that make them whole."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.arrangement.gaps import Wanted, find_places
from segue.arrangement.model import AudioClip, Fade, Marker, Tempo, Track
from segue.arrangement.takes import clip_of, write_take
from segue.arrangement.timeline import Timeline, lay_out
from segue.clip.chunks import WAV, walk
from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.clip.span import Span
from segue.errors import InvalidRequest
from segue.guidance.curve import Curve
from tests.arrangement.projects import RATE, noise


def source(_: str) -> AudioFile:
    return AudioFile.of(Clip(noise(60.0)[None], RATE))


def track(*clips: tuple[float, float], fade: float = 0.0) -> Track:
    edge = Fade(fade) if fade else None
    return Track(
        "t", "Drums", tuple(AudioClip("c", "s", float(a), float(b), float(a), 1.0, edge, edge) for a, b in clips)
    )


def found(
    own: Track, wanted: Wanted | None = None, markers: tuple[Marker, ...] = ()
) -> list[tuple[str, str, float, float]]:
    laid = lay_out(own, source)
    places = find_places(own, laid, markers, wanted or Wanted()).places
    return [(p.kind, p.task, p.span.start / RATE, p.span.stop / RATE) for p in places]


def test_gaps_are_between_clips_and_a_longer_silence_is_a_rest_that_is_named() -> None:
    own = track((1, 3), (3.001, 5), (6, 7), (20, 22))
    assert found(own) == [("gap", "infill", 5.0, 6.0)]
    (left,) = find_places(own, lay_out(own, source), (), Wanted()).left
    assert left == "7.000 to 20.000 s is longer than 8 s, and taken for a rest"
    assert len(found(own, Wanted(max_gap=15.0))) == 2


def test_transitions_stand_around_joints_and_leave_half_of_a_short_clip() -> None:
    own = track((0, 4), (4, 8), (8, 9))
    assert found(own, Wanted(transitions=True, overlap=2.0)) == [
        ("transition", "regenerate", 3.0, 5.0),
        ("transition", "regenerate", 7.5, 8.5),
    ]
    assert found(own) == []


def test_markers_name_regions_in_three_ways_and_go_before_gaps() -> None:
    own = track((0, 5), (6, 10))
    markers = (
        Marker(1.0, "segue"),
        Marker(2.0, "verse"),
        Marker(3.0, "Segue: 5.5-7"),
        Marker(8.0, "SEGUE", 9.0),
        Marker(9.5, "segue it"),
    )
    assert found(own, Wanted(marked=True), markers) == [
        ("marked", "regenerate", 1.0, 2.0),
        ("marked", "infill", 5.5, 7.0),
        ("marked", "regenerate", 8.0, 9.0),
    ]
    assert found(own, Wanted(), markers) == [("gap", "infill", 5.0, 6.0)]
    with pytest.raises(InvalidRequest, match="nothing closes"):
        found(own, Wanted(marked=True), (Marker(9.0, "segue"),))


def test_automation_named_gap_fills_and_with_a_freedom_curve_varies() -> None:
    own = replace(track((0, 10)), wanted=((2.0, 3.0),))
    assert found(own) == [("automation", "infill", 2.0, 3.0)]
    free = replace(own, freedom=Curve.constant(0.4))
    assert found(free) == [("automation", "regenerate", 2.0, 3.0)]
    whole = replace(own, wanted=((0.0, 10.0),))
    assert "all there is" in find_places(whole, lay_out(whole, source), (), Wanted()).left[0]


def test_the_context_of_a_gap_is_the_clips_around_it_and_no_further_gap() -> None:
    own = track((0, 2), (3, 5), (6, 9))
    places = find_places(own, lay_out(own, source), (), Wanted()).places
    assert [place.context for place in places] == [Span(0, 5 * RATE), Span(3 * RATE, 9 * RATE)]


def together(laid: Timeline, clips: list[tuple[Span, np.ndarray]]) -> np.ndarray:
    total = laid.played.copy()
    for span, audio in clips:
        total[:, span.start : span.stop] += audio
    return total


def test_short_fades_at_gaps_are_undone_once_even_where_two_gaps_share_a_short_clip() -> None:
    own = track((0, 2), (3, 3.03), (4, 6), fade=0.02)
    laid = lay_out(own, source)
    places = find_places(own, laid, (), Wanted()).places
    patches = [noise(1.0, 5)[None], noise(0.97, 6)[None]]
    total = together(laid, [clip_of(laid, p, a[:, : p.span.length]) for p, a in zip(places, patches, strict=True)])
    dry = noise(60.0)
    assert np.allclose(total[0, RATE : 2 * RATE], dry[RATE : 2 * RATE], atol=1e-7)
    assert np.allclose(total[0, 3 * RATE : round(3.03 * RATE)], dry[3 * RATE : round(3.03 * RATE)], atol=1e-7)
    assert np.allclose(total[0, 2 * RATE : 3 * RATE], patches[0][0], atol=1e-7)
    assert total[0, 0] == 0.0, "the track's own fade at its start stays"


@pytest.mark.parametrize("fade", [0.01, 0.5])
def test_fades_are_at_the_ends_of_the_clip_though_its_source_begins_later_and_ends_before(fade: float) -> None:
    """A clip of 4 s, of which 2 s sound, from 1 s on: a DAW has faded in before, and not begun to fade out."""
    own = Track("t", "Drums", (AudioClip("c", "s", 0.0, 4.0, -1.0, 1.0, Fade(fade), Fade(fade)),))
    laid = lay_out(own, lambda _: AudioFile.of(Clip(noise(2.0)[None], RATE)))
    assert laid.sounding == (Span(RATE, 3 * RATE),)
    assert np.array_equal(laid.played[0, RATE:], noise(2.0))
    assert np.array_equal(laid.heard, laid.played)


def test_a_fade_that_the_source_enters_or_leaves_half_way_is_heard_from_there() -> None:
    own = Track("t", "Drums", (AudioClip("c", "s", 0.0, 4.0, -1.0, 1.0, Fade(2.0), Fade(2.0)),))
    laid = lay_out(own, lambda _: AudioFile.of(Clip(noise(2.0)[None], RATE)))
    rise = (np.arange(RATE, 2 * RATE) / (2 * RATE)).astype(np.float32)
    expected = noise(2.0) * np.concatenate([rise, (np.arange(2 * RATE)[::-1][:RATE] / (2 * RATE)).astype(np.float32)])
    assert np.allclose(laid.played[0, RATE:], expected, atol=1e-7)


def test_a_long_fade_is_music_and_stays() -> None:
    own = track((0, 4), (5, 9), fade=1.0)
    laid = lay_out(own, source)
    (place,) = find_places(own, laid, (), Wanted()).places
    span, _ = clip_of(laid, place, noise(1.0)[None])
    assert span == place.span
    assert np.array_equal(laid.heard, laid.played)


def test_over_sound_the_clip_is_the_difference_to_the_track() -> None:
    own = track((0, 4), (4, 8))
    laid = lay_out(own, source)
    (place,) = find_places(own, laid, (), Wanted(transitions=True, overlap=1.0)).places
    new = noise(1.0, 7)[None]
    total = together(laid, [clip_of(laid, place, new)])
    assert np.allclose(total[:, place.span.start : place.span.stop], new, atol=1e-7)
    assert np.array_equal(total[:, : place.span.start], laid.played[:, : place.span.start])


def test_sources_of_two_rates_and_channel_counts_are_laid_at_the_higher_and_noted() -> None:
    files = {
        "mono": AudioFile.of(Clip(np.full((1, 8000), 0.25, np.float32), 8000), "mono"),
        "stereo": AudioFile.of(Clip(np.full((2, 16000), 0.5, np.float32), 16000), "stereo"),
    }
    clips = (AudioClip("a", "mono", 0.0, 1.0), AudioClip("b", "stereo", 2.0, 3.0))
    laid = lay_out(Track("t", "t", clips), files.__getitem__)
    assert (laid.rate, laid.played.shape) == (16000, (2, 48000))
    assert np.allclose(laid.played[:, 4000:12000], 0.25, atol=1e-3)
    assert laid.notes == ("mono was resampled from 8000 to 16000 Hz",)


def test_a_take_is_a_broadcast_file_that_knows_its_place(tmp_path: Path) -> None:
    path, audio = tmp_path / "take.wav", noise(0.5)[None]
    write_take(path, audio, RATE, 123_456, "Segue, Drums, gap 1")
    read, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    assert np.array_equal(read, audio[0])
    with path.open("rb") as file:
        chunk = next(c for c in walk(file, WAV) if c.id == b"bext")
        file.seek(chunk.start)
        content = file.read(chunk.size)
    assert len(content) == 602
    assert content[:19] == b"Segue, Drums, gap 1"
    assert struct.unpack_from("<QH", content, 338) == (123_456, 1)


@pytest.mark.parametrize("unit", ["beats", "seconds"])
def test_a_tempo_map_and_its_inverse_agree(unit: str) -> None:
    points = [(1.0, 90.0, True), (5.0, 180.0, False), (9.0, 60.0, True), (12.0, 200.0, True)]
    tempo = Tempo.over(points, "beats" if unit == "beats" else "seconds")
    for beat in np.linspace(-2.0, 40.0, 85):
        assert tempo.beat_at(tempo.seconds_at(float(beat))) == pytest.approx(beat, abs=1e-9)
    with pytest.raises(InvalidRequest, match="expected a tempo"):
        Tempo.constant(0.0)

"""What is heard of a track: beats, bars, key and level, against tracks that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from segue.clip.clip import Clip
from segue.clip.files import AudioFile
from segue.errors import InvalidRequest
from segue.joint.key import Key
from segue.joint.place import plain
from segue.joint.ramp import common_grid, fold
from segue.joint.track import listen
from tests.joint.drum_tracks import RATE, Drummed, drum_track


@pytest.mark.parametrize(("bpm", "tonic", "name"), [(90.0, 0, "C major"), (97.0, 2, "D major")])
def test_tempo_beats_downbeats_and_key_of_a_drummed_track_are_found(bpm: float, tonic: int, name: str) -> None:
    track = drum_track(bpm, 8, tonic=tonic)
    heard = listen(track.file("a.wav"), 90.0, end=True)
    assert heard.has_beat
    assert heard.beats is not None and heard.bars is not None and heard.key is not None
    assert heard.beats.tempo == pytest.approx(bpm, rel=1e-3)
    assert heard.beats.steady
    assert heard.bars.meter == 4
    away = np.abs(heard.beats.times[:, None] - np.array(track.beats)).min(0)
    assert away.max() < 0.010
    down = heard.beats.times[heard.downbeats]
    assert np.abs(np.array(track.downbeats)[:, None] - down).min(1).max() < 0.010
    assert heard.key.name == name


def test_only_the_end_or_the_start_is_listened_to_at_times_of_the_whole_track() -> None:
    track = drum_track(97.0, 8, tonic=2)
    heard = listen(track.file("a.wav"), 12.0, end=True)
    assert heard.stop == pytest.approx(track.audio.shape[1] / RATE)
    assert heard.start == pytest.approx(heard.stop - 12.0, abs=1e-4)
    assert heard.beats is not None
    inner = np.array([t for t in track.beats if heard.start + 1.0 < t < heard.stop - 1.0])
    assert np.abs(heard.beats.times[:, None] - inner).min(0).max() < 0.010


@pytest.mark.parametrize("kind", ["chord", "noise"])
def test_what_has_no_beat_is_said_to_have_none(kind: str) -> None:
    audio = drum_track(90.0, 4, drums=False).audio
    if kind == "noise":
        audio = np.random.default_rng(3).normal(0.0, 0.1, audio.shape).astype(np.float32)
    assert not listen(Drummed(audio, ()).file("pad.wav"), 90.0, end=True).has_beat


def test_silence_has_neither_beat_nor_key_nor_loudness() -> None:
    heard = listen(Drummed(np.zeros((2, 10 * RATE), np.float32), ()).file("none.wav"), 90.0, end=False)
    assert (heard.beats, heard.key, heard.loudness) == (None, None, None)


def test_loudness_is_that_of_bs_1770() -> None:
    t = np.arange(10 * RATE) / RATE
    tone = np.stack([np.sin(2 * np.pi * 997.0 * t)] * 2) * 10 ** (-23.0 / 20.0)  # EBU Tech 3341, case 1
    heard = listen(Drummed(tone.astype(np.float32), ()).file("tone.wav"), 90.0, end=True)
    assert heard.loudness == pytest.approx(-23.0, abs=0.1)


def test_a_track_under_four_seconds_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"lasts 3\.000 s"):
        listen(Drummed(np.zeros((2, 3 * RATE), np.float32), ()).file("short.wav"), 90.0, end=True)


def test_half_and_double_time_are_one_tempo() -> None:
    assert (fold(80.0, 160.0).left, fold(80.0, 160.0).right, fold(80.0, 160.0).ratio) == (2, 1, 1.0)
    assert (fold(170.0, 85.0).left, fold(170.0, 85.0).right, fold(170.0, 85.0).ratio) == (1, 2, 1.0)
    assert fold(120.0, 126.0).ratio == pytest.approx(1.05)


def test_the_common_grid_goes_from_one_tempo_to_the_other() -> None:
    left, right = np.arange(33) * 0.6, np.arange(33) * 0.5
    periods = np.diff(common_grid(left, right))
    assert periods[0] == pytest.approx(0.6, rel=0.01)
    assert periods[-1] == pytest.approx(0.5, rel=0.01)
    assert (np.diff(periods) < 0.0).all()
    assert np.diff(np.log(periods)) == pytest.approx(np.log(0.5 / 0.6) / 32)


@pytest.mark.parametrize(
    ("tonic", "minor", "name", "wheel"),
    [(0, False, "C major", "8B"), (9, True, "A minor", "8A"), (7, False, "G major", "9B"), (3, True, "Eb minor", "2A")],
)
def test_keys_have_their_names_and_places_on_the_wheel(tonic: int, minor: bool, name: str, wheel: str) -> None:
    key = Key(tonic, minor, 0.9)
    assert (key.name, key.wheel) == (name, wheel)


def test_a_key_is_shifted_to_the_same_notes_by_the_least_way() -> None:
    c, a_minor, d, b = Key(0, False, 1.0), Key(9, True, 1.0), Key(2, False, 1.0), Key(11, False, 1.0)
    assert [c.shift_to(a_minor), d.shift_to(c), b.shift_to(c), c.shift_to(Key(6, False, 1.0))] == [0, -2, 1, 6]


@pytest.mark.parametrize(("sounds", "silent"), [(12.0, 5.0), (12.0, 5.5), (12.0, 0.9), (12.9, 4.05)])
def test_without_a_beat_the_overlap_ends_with_the_second_that_sounds_last(sounds: float, silent: float) -> None:
    time = np.arange(round(sounds * RATE)) / RATE
    chord = 0.1 * sum(np.sin(2 * np.pi * hertz * time) for hertz in (261.6, 329.6, 392.0))
    audio = np.concatenate([chord, np.zeros(round(silent * RATE))])
    heard = listen(AudioFile.of(Clip(np.stack([audio, audio]).astype(np.float32), RATE), "a.wav"), 90.0, end=True)
    place = plain(heard, (1.25, 1.25), end=True)
    assert place.second + 1.25 == pytest.approx(np.ceil(sounds), abs=0.01)

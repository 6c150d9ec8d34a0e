"""The same recording is found under another name, codec, gain and trim; other music is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from jaxtyping import Float32

from segue.prior.codecs.mel import MelCodec, MelSettings
from segue.recall.features import mel_frames
from segue_export.train.corpus import Track, feature_file, load, mark_duplicates
from segue_export.train.fingerprint import WORD_SECONDS, Fingerprint, fingerprint, matches

RATE = 44100


def melody(seconds: float, seed: int) -> Float32[np.ndarray, "2 samples"]:
    """Notes of random pitch and length with a little noise, at an RMS of 0.1; never the same twice."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    song = 0.002 * rng.normal(size=(2, count))
    for _ in range(int(seconds * 8)):
        start, length = int(rng.integers(0, count - RATE // 10)), int(rng.uniform(0.1, 0.8) * RATE)
        time = np.arange(min(length, count - start)) / RATE
        pitch = 110.0 * 2 ** (rng.integers(0, 48) / 12)
        note = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3, 4, 5)) * np.exp(-4.0 * time)
        song[:, start : start + len(time)] += rng.uniform(0.2, 0.8, (2, 1)) * note
    return (song * (0.1 / np.sqrt(np.mean(song**2)))).astype(np.float32)


def frames_of(audio: Float32[np.ndarray, "2 samples"]) -> Float32[np.ndarray, "frames bands"]:
    mel = MelSettings()
    return mel_frames(audio, MelCodec(mel, torch.zeros(mel.bands), torch.ones(mel.bands)))


def heard(audio: Float32[np.ndarray, "2 samples"]) -> Fingerprint:
    return fingerprint(frames_of(audio))


@pytest.fixture(scope="module")
def song() -> Float32[np.ndarray, "2 samples"]:
    return melody(28.0, 0)


@pytest.mark.parametrize(
    ("suffix", "form", "subtype", "compression"),
    [("ogg", "OGG", "VORBIS", 0.9), ("mp3", "MP3", "MPEG_LAYER_III", 0.8), ("opus", "OGG", "OPUS", 0.9)],
)
def test_a_recording_is_known_by_any_codec_gain_and_trim(
    song: Float32[np.ndarray, "2 samples"], tmp_path: Path, suffix: str, form: str, subtype: str, compression: float
) -> None:
    trimmed = 0.3 * song[:, int(7.317 * RATE) : int(26.0 * RATE)]
    path = tmp_path / f"again.{suffix}"
    rate = 48000 if subtype == "OPUS" else RATE  # all that Opus takes; the samples come back as they were
    soundfile.write(path, trimmed.T, rate, format=form, subtype=subtype, compression_level=compression)
    again, _ = soundfile.read(path, dtype="float32")
    (match,) = matches({"again": heard(np.ascontiguousarray(again.T))}, {"song": heard(song)})
    assert (match.one, match.other) == ("again", "song")
    assert match.later_s == pytest.approx(-7.317, abs=2 * WORD_SECONDS)
    assert match.error < 0.2


def test_other_music_is_not_the_same(song: Float32[np.ndarray, "2 samples"]) -> None:
    others = {"other": heard(melody(20.0, 1)), "backwards": heard(np.ascontiguousarray(song[:, ::-1]))}
    assert matches(others, {"song": heard(song)}) == []


def test_silence_is_not_the_same_as_silence() -> None:
    silent = np.zeros((2, 20 * RATE), np.float32)
    assert matches({"one": heard(silent)}, {"other": heard(silent.copy())}) == []


def test_a_short_piece_has_nothing_to_be_known_by(song: Float32[np.ndarray, "2 samples"]) -> None:
    assert matches({"short": heard(song[:, : 5 * RATE])}, {"song": heard(song)}) == []
    assert matches({"empty": heard(song[:, : RATE // 50])}, {"song": heard(song)}) == []


def test_what_is_held_out_is_not_trained_on_under_another_name(
    song: Float32[np.ndarray, "2 samples"], tmp_path: Path
) -> None:
    def track(identity: str, split: str, audio: Float32[np.ndarray, "2 samples"]) -> Track:
        np.save(feature_file(tmp_path, identity), frames_of(audio).astype(np.float16))
        return Track(identity, "pack", f"{identity}.ogg", audio.shape[1] / RATE, split, audio.shape[1] // 512)

    again = 0.5 * song[:, RATE + 100 :]
    tracks = [
        track("kept", "validation", song),
        track("again", "train", again),
        track("other", "train", melody(20.0, 2)),
        track("demo", "demo", again),
    ]
    marked = mark_duplicates(tracks, tmp_path)
    assert {t.id: t.split for t in marked} == {
        "kept": "validation",
        "again": "duplicate",
        "other": "train",
        "demo": "demo",
    }
    assert load(tmp_path) == marked
    assert mark_duplicates(marked, tmp_path) == marked

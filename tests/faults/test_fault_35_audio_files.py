"""Fault 35: broken, cut or lying audio files are refused with a clear error, without a huge allocation."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.clip.files import AudioFile, read_audio
from segue.errors import AudioFileError, InvalidRequest

KINDS = [
    ("wav", "WAV", "PCM_16"), ("wav", "WAV", "FLOAT"), ("wav", "RF64", "PCM_24"), ("flac", "FLAC", "PCM_24"),
    ("aiff", "AIFF", "PCM_16"), ("w64", "W64", "PCM_16"), ("caf", "CAF", "PCM_24"), ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"), ("mp3", "MP3", "MPEG_LAYER_III"),
]  # fmt: skip


def whole(path: Path, container: str, subtype: str) -> bytes:
    t = np.arange(30_000) / 48_000
    tone = np.stack([0.3 * np.sin(2 * np.pi * 440 * t), 0.2 * np.sin(2 * np.pi * 3000 * t)], axis=1)
    soundfile.write(path, tone, 48_000, format=container, subtype=subtype)
    return path.read_bytes()


def wav(data_size: int, *, rate: int = 44100, channels: int = 2, body: bytes = b"\0" * 56) -> bytes:
    """A 16-bit WAV of 100 bytes that says what it likes."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2 * channels & 0xFFFFFFFF, 2 * channels, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 36 + data_size & 0xFFFFFFFF, b"WAVE")
        + fmt
        + struct.pack("<4sI", b"data", data_size)
        + body
    )


@pytest.mark.parametrize(("extension", "container", "subtype"), KINDS)
def test_fault_35_a_file_cut_anywhere_is_refused(tmp_path: Path, extension: str, container: str, subtype: str) -> None:
    path = tmp_path / f"in.{extension}"
    data = whole(path, container, subtype)
    read_audio(path)
    for share in (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(AudioFileError, match=r"in\."):
            read_audio(path)


@pytest.mark.parametrize("size", [2**31, 2**31 - 1, 2**32 - 1, 2**32 - 9, 57])
def test_fault_35_a_hundred_bytes_that_declare_two_gigabytes_are_refused_in_little_memory(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(wav(size))
    assert path.stat().st_size == 100
    tracemalloc.start()
    with pytest.raises(AudioFileError, match=r"cut off|never given its length"):
        read_audio(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_fault_35_a_flac_header_that_declares_2_to_the_36_samples_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "in.flac"
    data = bytearray(whole(path, "FLAC", "PCM_16"))
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(AudioFileError, match=r"declares 68719476735 samples|damaged"):
        read_audio(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 24


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (wav(56, rate=7999), InvalidRequest, "7999 Hz"), (wav(56, rate=2_000_000_000), InvalidRequest, "2000000000 Hz"),
        (wav(56, channels=14, body=b"\0" * 56), InvalidRequest, "14 channels"),
        (wav(56, channels=0), AudioFileError, "damaged"), (wav(56, rate=4_000_000_000), AudioFileError, "damaged"),
        (wav(56, rate=0), AudioFileError, "damaged"), (wav(0), AudioFileError, "no samples|damaged"),
        (b"RIFF\x24\0\0\0WAVE", AudioFileError, "no audio"), (b"hello" * 100, AudioFileError, "not a kind of audio"),
        (b"", AudioFileError, "empty"), (b"\0" * 4096, AudioFileError, "not a kind of audio"),
    ],
)  # fmt: skip
def test_fault_35_headers_beyond_sense_are_refused(tmp_path: Path, data: bytes, error: type, words: str) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(data)
    with pytest.raises(error, match=words):
        read_audio(path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.integers(0, len(KINDS) - 1),
    damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1),
)
def test_fault_35_a_damaged_header_is_read_or_refused_but_nothing_else(
    tmp_path: Path, kind: int, damage: list[tuple[int, int]]
) -> None:
    extension, container, subtype = KINDS[kind]
    path = tmp_path / f"{container}{subtype}.{extension}"
    kept = tmp_path / f"{container}{subtype}.whole"
    if not kept.exists():
        kept.write_bytes(whole(path, container, subtype))
    data = bytearray(kept.read_bytes())
    for at, value in damage:
        data[at] = value
    path.write_bytes(data)
    try:
        assert isinstance(read_audio(path), AudioFile)
    except (AudioFileError, InvalidRequest):
        return


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_fault_35_numbers_that_are_not_finite_are_refused_with_their_place(
    tmp_path: Path, value: float, subtype: str
) -> None:
    samples = np.zeros((500, 2))
    samples[123, 1] = value
    soundfile.write(tmp_path / "in.wav", samples, 48_000, subtype=subtype)
    with pytest.raises(AudioFileError, match="at sample 123 of channel 2"):
        read_audio(tmp_path / "in.wav")


def test_fault_35_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    for name in ("pipe.wav", "folder.wav", "missing.wav"):
        with pytest.raises(AudioFileError, match=name):
            read_audio(tmp_path / name)


def test_fault_35_a_broken_tag_behind_whole_audio_does_not_cost_the_audio(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    path.write_bytes(whole(path, "WAV", "PCM_16") + struct.pack("<4sI", b"LIST", 5000) + b"INFO")
    assert read_audio(path).length == 30_000

"""Reading and writing audio files: what is kept is bit-identical, what is new is quantised as promised."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.clip import chunks
from segue.clip.clip import Clip
from segue.clip.files import AudioFile, Excerpt, read_audio, read_recipe, write_assembled, write_filled
from segue.clip.gaps import kept_spans
from segue.clip.recipe import Recipe
from segue.clip.span import Span
from segue.errors import AudioFileError, InvalidRequest

FORMS = [
    (".wav", "WAV", "PCM_16"), (".wav", "WAV", "PCM_24"), (".wav", "WAV", "PCM_32"), (".wav", "WAV", "PCM_U8"),
    (".wav", "WAV", "FLOAT"), (".wav", "WAV", "DOUBLE"), (".wav", "WAVEX", "PCM_24"), (".wav", "RF64", "PCM_16"),
    (".flac", "FLAC", "PCM_16"), (".flac", "FLAC", "PCM_24"), (".flac", "FLAC", "PCM_S8"),
    (".aiff", "AIFF", "PCM_16"), (".aiff", "AIFF", "PCM_24"), (".aif", "AIFF", "FLOAT"), (".aiff", "AIFF", "PCM_S8"),
    (".w64", "W64", "PCM_24"), (".w64", "W64", "FLOAT"), (".caf", "CAF", "PCM_16"), (".caf", "CAF", "DOUBLE"),
]  # fmt: skip
NOISE = np.random.default_rng(7)


def native(subtype: str, frames: int, channels: int) -> np.ndarray:
    """Random samples over the whole range of a subtype, (frames, channels), as soundfile takes them."""
    if subtype == "FLOAT":
        return NOISE.standard_normal((frames, channels)).astype(np.float32)
    if subtype == "DOUBLE":
        return NOISE.standard_normal((frames, channels)) / 3.0
    bits = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}[subtype]
    steps = NOISE.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (frames, channels))
    return (steps << (32 - bits)).astype(np.int32)


def make(
    path: Path, container: str, subtype: str, *, frames: int = 3000, channels: int = 2, rate: int = 48000
) -> np.ndarray:
    samples = native(subtype, frames, channels)
    soundfile.write(path, samples, rate, format=container, subtype=subtype)
    return samples.T


def recipe(**changes: object) -> Recipe:
    known = {
        "task": "infill", "parameters": {"gap": [1.0, 2.0]}, "seed": 3, "bundle": "mel", "bundle_digest": "0" * 64,
        "clip_digest": "f" * 64, "sources": ("in.wav",), "versions": {"segue": "0.1.0"}, "device": "cpu",
    }  # fmt: skip
    return Recipe.model_validate(known | changes)


@pytest.mark.parametrize(("extension", "container", "subtype"), FORMS)
@pytest.mark.parametrize("channels", [1, 2])
def test_everything_outside_the_gaps_is_bit_identical(
    tmp_path: Path, extension: str, container: str, subtype: str, channels: int
) -> None:
    original = make(tmp_path / f"in{extension}", container, subtype, channels=channels)
    source = read_audio(tmp_path / f"in{extension}")
    assert source.samples.dtype == original.dtype
    assert np.array_equal(source.samples, original)
    gaps = [Span(2000, 2500), Span(100, 101)]
    patches = [0.5 * NOISE.uniform(-1, 1, (channels, g.length)).astype(np.float32) for g in gaps]
    report = write_filled(tmp_path / f"out{extension}", source, gaps, patches, recipe())
    info = soundfile.info(tmp_path / f"out{extension}")
    assert (info.samplerate, info.channels, info.subtype, info.format) == (48000, channels, subtype, container)
    written, _ = soundfile.read(tmp_path / f"out{extension}", dtype=original.dtype.name, always_2d=True)
    for span in kept_spans(gaps, 3000):
        assert written.T[:, span.start : span.stop].tobytes() == original[:, span.start : span.stop].tobytes()
    step = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "PCM_32": 2.0**-23, "FLOAT": 1e-12, "DOUBLE": 1e-12}.get(
        subtype, 2.0**-7
    )
    floats, _ = soundfile.read(tmp_path / f"out{extension}", always_2d=True)
    for gap, patch in zip(gaps, patches, strict=True):
        assert np.abs(floats.T[:, gap.start : gap.stop] - patch).max() <= 1.5 * step
    assert report.subtype == subtype
    if container == "W64":
        assert report.dropped == ("recipe",)
    else:
        assert read_recipe(tmp_path / f"out{extension}") == recipe()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges=st.lists(st.integers(0, 400), min_size=2, max_size=8, unique=True))
def test_any_gaps_filled_with_the_original_give_the_original(tmp_path: Path, edges: list[int]) -> None:
    edges = sorted(edges)
    gaps = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    original = make(tmp_path / "in.flac", "FLAC", "PCM_16", frames=400)
    source = read_audio(tmp_path / "in.flac")
    patches = [source.clip().samples[:, g.start : g.stop] for g in gaps]
    report = write_filled(tmp_path / "out.flac", source, gaps, patches)
    assert np.array_equal(read_audio(tmp_path / "out.flac").samples, original)
    assert not report.dithered, "a copy lies on the steps already: dither would only add noise"


def test_float_files_keep_denormals_negative_zero_and_overs(tmp_path: Path) -> None:
    odd = np.array([[1e-42, -0.0, 3.5, -1e30]], np.float32)
    soundfile.write(tmp_path / "in.wav", odd.T, 44100, subtype="FLOAT")
    source = read_audio(tmp_path / "in.wav")
    report = write_assembled(tmp_path / "out.wav", source, [Span(0, 4), np.full((1, 2), 2.5, np.float32)])
    assert read_audio(tmp_path / "out.wav").samples.tobytes() == np.append(odd, np.float32([[2.5, 2.5]]), 1).tobytes()
    assert report.over == 0
    assert report.peak_db == pytest.approx(20 * np.log10(2.5))


def test_overs_in_an_integer_file_are_limited_counted_and_never_wrap(tmp_path: Path) -> None:
    make(tmp_path / "in.wav", "WAV", "PCM_16", channels=1)
    source = read_audio(tmp_path / "in.wav")
    patch = np.array([[1.5, -1.5, 0.25, 1.0, -1.0]], np.float32)
    report = write_filled(tmp_path / "out.wav", source, [Span(10, 15)], [patch])
    assert report.over == 2
    assert report.peak_db == pytest.approx(20 * np.log10(1.5))
    got = read_audio(tmp_path / "out.wav").clip().samples[0, 10:15]
    assert got == pytest.approx([1.0, -1.0, 0.25, 1.0, -1.0], abs=1.1 / 2**15)


def test_dither_is_triangular_removes_the_error_of_the_mean_and_follows_the_seed(tmp_path: Path) -> None:
    make(tmp_path / "in.wav", "WAV", "PCM_16", channels=1, frames=100_000)
    source = read_audio(tmp_path / "in.wav")
    gap, patch = Span(0, 100_000), np.full((1, 100_000), 0.3 / 2**15, np.float32)
    written = []
    for seed in (1, 1, 2):
        assert write_filled(tmp_path / "out.wav", source, [gap], [patch], seed=seed).dithered
        written.append(read_audio(tmp_path / "out.wav").samples[0] >> 16)
    assert np.array_equal(written[0], written[1])
    assert not np.array_equal(written[0], written[2])
    # without dither all would round to 0; the error of triangular dither has variance 1/4 whatever the level
    assert written[0].mean() == pytest.approx(0.3, abs=0.01)
    assert written[0].var() == pytest.approx(0.25, abs=0.01)


def test_pieces_lengthen_and_shorten_bit_exactly(tmp_path: Path) -> None:
    one = make(tmp_path / "one.wav", "WAV", "PCM_24")
    two = make(tmp_path / "two.flac", "FLAC", "PCM_24")
    source, other = read_audio(tmp_path / "one.wav"), read_audio(tmp_path / "two.flac")
    patch = np.zeros((2, 500), np.float32)
    pieces = [Span(0, 1000), patch, Excerpt(other, Span(2000, 3000))]
    write_assembled(tmp_path / "out.wav", source, pieces)
    expected = np.concatenate([one[:, :1000], np.zeros((2, 500), np.int32), two[:, 2000:]], axis=1)
    assert np.array_equal(read_audio(tmp_path / "out.wav").samples, expected)


def test_an_excerpt_of_another_form_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "one.wav", "WAV", "PCM_24")
    make(tmp_path / "two.wav", "WAV", "PCM_16")
    source, other = read_audio(tmp_path / "one.wav"), read_audio(tmp_path / "two.wav")
    with pytest.raises(InvalidRequest, match="pass it as a patch"):
        write_assembled(tmp_path / "out.wav", source, [Excerpt(other, Span(0, 10))])
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("subtype", "container", "extension", "advice"),
    [
        ("PCM_32", "WAV", ".flac", ".wav, .aiff, .aif, .w64, .caf"),
        ("FLOAT", "WAV", ".flac", ".wav, .aiff, .aif, .w64, .caf"),
        ("PCM_S8", "FLAC", ".wav", ".flac, .aiff, .aif, .caf"),
        ("PCM_16", "WAV", ".ogg", ".wav, .flac, .aiff, .aif, .w64, .caf"),
        ("PCM_16", "WAV", "", ".wav, .flac"),
    ],
)
def test_a_container_that_cannot_hold_the_samples_is_refused_with_those_that_can(
    tmp_path: Path, subtype: str, container: str, extension: str, advice: str
) -> None:
    make(tmp_path / "in", container, subtype)
    source = read_audio(tmp_path / "in")
    with pytest.raises(AudioFileError, match=advice):
        write_assembled(tmp_path / f"out{extension}", source, [Span(0, 10)])


@pytest.mark.parametrize(("extension", "subtype"), [(".ogg", "VORBIS"), (".opus", "OPUS"), (".mp3", "MPEG_LAYER_III")])
def test_lossy_files_are_read_and_written_as_float_wav_only(tmp_path: Path, extension: str, subtype: str) -> None:
    tone = 0.3 * np.sin(np.arange(48000) * 0.05)
    container = "MP3" if extension == ".mp3" else "OGG"
    soundfile.write(tmp_path / f"in{extension}", tone, 48000, format=container, subtype=subtype)
    source = read_audio(tmp_path / f"in{extension}")
    assert source.samples.dtype == np.float32
    write_filled(tmp_path / "out.wav", source, [Span(5, 7)], [np.zeros((1, 2), np.float32)])
    again = read_audio(tmp_path / "out.wav")
    assert again.subtype == "FLOAT"
    assert np.array_equal(again.samples[:, 7:], source.samples[:, 7:])
    for other in (extension, ".flac", ".aiff"):
        with pytest.raises(AudioFileError, match=r"extensions \.wav$"):
            write_assembled(tmp_path / f"out{other}", source, [Span(0, 10)])


def test_more_than_two_channels_are_refused_with_advice(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 6)), 48000)
    with pytest.raises(InvalidRequest, match="6 channels: split"):
        read_audio(tmp_path / "in.wav")


@pytest.mark.parametrize("rate", [7999, 768_001])
def test_rates_out_of_range_are_refused(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(100), rate)
    with pytest.raises(InvalidRequest, match=f"got {rate} Hz"):
        read_audio(tmp_path / "in.wav")


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 5), np.float32), np.zeros((2, 4), np.float32), np.full((2, 5), np.nan, np.float32)]
)
def test_patches_of_a_wrong_shape_or_not_finite_are_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    make(tmp_path / "in.wav", "WAV", "PCM_16")
    source = read_audio(tmp_path / "in.wav")
    with pytest.raises(InvalidRequest):
        write_filled(tmp_path / "out.wav", source, [Span(5, 10)], [wrong])
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("extension", [".wav", ".flac", ".aiff", ".caf"])
def test_text_tags_and_the_comment_survive_a_filling_with_recipe(tmp_path: Path, extension: str) -> None:
    tags = {"title": "Zwischenspiel", "artist": "Zoë", "comment": "take 3\nkeep"}
    with soundfile.SoundFile(tmp_path / f"in{extension}", "w", 44100, 2, "PCM_16") as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(np.zeros((100, 2)))
    source = read_audio(tmp_path / f"in{extension}")
    assert source.tags == tags
    first, again = tmp_path / f"out{extension}", tmp_path / f"again{extension}"
    write_filled(first, source, [Span(5, 7)], [np.zeros((2, 2), np.float32)], recipe())
    assert read_audio(first).tags == tags
    write_filled(again, read_audio(first), [Span(5, 7)], [np.zeros((2, 2), np.float32)], recipe(seed=4))
    assert read_audio(again).tags == tags
    assert read_recipe(again).seed == 4, "the recipe of the last render replaces the older one"


def test_tags_go_over_to_another_container_and_what_cannot_is_named(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "in.flac", "w", 44100, 2, "PCM_16") as file:
        file.title, file.genre, file.comment = "T", "G", "x" * 9000
        file.write(np.zeros((100, 2)))
    source = read_audio(tmp_path / "in.flac")
    report = write_assembled(tmp_path / "out.wav", source, [Span(0, 100)])
    assert read_audio(tmp_path / "out.wav").tags == {"title": "T", "genre": "G"}
    assert report.dropped == ("comment",)
    assert set(write_assembled(tmp_path / "out.w64", source, [Span(0, 100)]).dropped) == {"title", "genre", "comment"}
    assert set(write_assembled(tmp_path / "out.aiff", source, [Span(0, 100)]).dropped) == {"genre", "comment"}


@pytest.mark.parametrize("container", ["WAV", "RF64"])
def test_markers_stay_while_samples_do_and_are_dropped_aloud_once_they_move(tmp_path: Path, container: str) -> None:
    make(tmp_path / "in.wav", container, "PCM_16")
    chunks.append(tmp_path / "in.wav", b"bext", b"time reference")
    chunks.append(tmp_path / "in.wav", b"cue ", b"\x01\0\0\0" + b"odd")
    source = read_audio(tmp_path / "in.wav")
    assert source.extra[-2:] == ((b"bext", b"time reference"), (b"cue ", b"\x01\0\0\0odd"))
    same = write_filled(tmp_path / "same.wav", source, [Span(5, 7)], [np.zeros((2, 2), np.float32)], recipe())
    assert same.dropped == ()
    assert read_audio(tmp_path / "same.wav").extra == source.extra
    longer = write_assembled(tmp_path / "longer.wav", source, [Span(0, 3000), np.zeros((2, 5), np.float32)])
    assert longer.dropped == ("cue",)
    assert (b"bext", b"time reference") in read_audio(tmp_path / "longer.wav").extra


@pytest.mark.parametrize(
    ("extension", "container"), [(e, c) for e, c, s in FORMS if c != "W64" and s in ("PCM_16", "PCM_24")]
)
def test_a_recipe_of_64_kilobytes_survives_where_libsndfile_would_drop_it(
    tmp_path: Path, extension: str, container: str
) -> None:
    make(tmp_path / "in", container, "PCM_16")
    source = read_audio(tmp_path / "in")
    long = recipe(parameters={"curve": [i / 7 for i in range(4000)], "name": "é" * 500})
    assert len(long.to_json()) > 1 << 16
    write_assembled(tmp_path / f"out{extension}", source, [Span(0, 99)], long)
    assert read_recipe(tmp_path / f"out{extension}") == long
    assert np.array_equal(read_audio(tmp_path / f"out{extension}").samples, source.samples[:, :99])


def test_chunks_behind_the_audio_of_a_w64_file_are_not_taken_for_audio(tmp_path: Path) -> None:
    original = make(tmp_path / "in.w64", "W64", "PCM_24", frames=99)
    chunks.append(tmp_path / "in.w64", bytes(range(16)), b"a marker list" * 9)
    assert np.array_equal(read_audio(tmp_path / "in.w64").samples, original)


def test_a_file_without_recipe_says_so(tmp_path: Path) -> None:
    for name in ("in.wav", "in.flac"):
        soundfile.write(tmp_path / name, np.zeros(100), 44100)
        with pytest.raises(AudioFileError, match="holds no recipe"):
            read_recipe(tmp_path / name)


def test_the_digest_tells_samples_and_rate_but_not_the_container(tmp_path: Path) -> None:
    samples = native("PCM_16", 500, 2)
    digests = []
    for name, rate in (("a.wav", 44100), ("a.flac", 44100), ("b.wav", 48000)):
        soundfile.write(tmp_path / name, samples, rate)
        digests.append(read_audio(tmp_path / name).digest)
    assert digests[0] == digests[1] != digests[2]


def test_a_clip_from_memory_can_be_written(tmp_path: Path) -> None:
    clip = Clip(NOISE.standard_normal((2, 50)).astype(np.float32), 96000)
    write_assembled(tmp_path / "out.wav", AudioFile.of(clip), [Span(10, 50)])
    assert np.array_equal(read_audio(tmp_path / "out.wav").samples, clip.samples[:, 10:])


@pytest.mark.parametrize(("subtype", "most"), [("PCM_16", 250), ("PCM_24", 166), ("FLOAT", 125)])
def test_a_container_is_full_by_what_it_stores(
    subtype: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue.clip.files._MAX_RIFF", 1000)
    soundfile.write(tmp_path / "in.wav", np.full((most + 1, 2), 0.25), 44100, subtype=subtype)
    source = read_audio(tmp_path / "in.wav")
    write_assembled(tmp_path / "fits.wav", source, [Span(0, most)])
    assert soundfile.info(tmp_path / "fits.wav").frames == most
    with pytest.raises(AudioFileError, match="outgrow"):
        write_assembled(tmp_path / "more.wav", source, [Span(0, most + 1)])


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there alone")
def test_a_name_that_is_not_utf_8_is_refused_and_one_with_odd_letters_read(tmp_path: Path) -> None:
    odd = tmp_path / "\u00fcber 100% #1 & [x].wav"
    soundfile.write(odd, np.zeros((100, 2)), 44100)
    assert read_audio(odd).length == 100
    latin = tmp_path / os.fsdecode(b"latin\xfc.wav")
    latin.write_bytes(odd.read_bytes())
    with pytest.raises(AudioFileError, match="not UTF-8: rename"):
        read_audio(latin)

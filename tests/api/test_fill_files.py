"""The verbs on files: what is kept is kept bit for bit, and a recipe gives the same samples."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

import segue
from segue.clip.files import read_audio
from segue.clip.tags import read_recipe
from segue.errors import Cancelled, InvalidRequest
from tests.songs import loop_song

FAST = segue.RenderSettings(steps=2)


def write(path: Path, rate: int, channels: int, subtype: str, seconds: float = 12.0) -> Path:
    soundfile.write(path, loop_song(rate, seconds)[:channels].T, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 44100, 2, "PCM_16"),
        ("b.wav", 48000, 2, "PCM_24"),
        ("c.wav", 96000, 1, "PCM_32"),
        ("d.flac", 44100, 1, "PCM_16"),
        ("e.wav", 48000, 2, "FLOAT"),
    ],
)
def test_all_but_the_gap_is_bit_identical(tmp_path: Path, name: str, rate: int, channels: int, subtype: str) -> None:
    source = write(tmp_path / name, rate, channels, subtype)
    out = tmp_path / f"out-{name}"
    segue.fill_file(source, out, gaps=["6.0:7.0"], settings=FAST)
    before, after = read_audio(source), read_audio(out)
    assert (after.rate, after.channels, after.subtype, after.container) == (rate, channels, subtype, before.container)
    assert np.array_equal(after.samples[:, : 6 * rate], before.samples[:, : 6 * rate])
    assert np.array_equal(after.samples[:, 7 * rate :], before.samples[:, 7 * rate :])
    gap = after.clip().samples[:, 6 * rate : 7 * rate]
    assert 0.3 < float(np.sqrt(np.mean(gap**2)) / np.sqrt(np.mean(after.clip().samples ** 2))) < 3.0


def test_what_stands_in_the_gap_is_not_looked_at(tmp_path: Path) -> None:
    song = loop_song(44100, 12.0)
    noisy = song.copy()
    noisy[:, 6 * 44100 : 7 * 44100] = np.random.default_rng(0).normal(0, 0.5, (2, 44100))
    one = segue.fill(song, 44100, (6.0, 7.0), settings=FAST)
    two = segue.fill(noisy, 44100, (6.0, 7.0), settings=FAST)
    assert np.array_equal(one.audio, two.audio)


def test_rerun_gives_the_same_samples(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 48000, 2, "PCM_24")
    settings = segue.RenderSettings(seed=7, steps=2, candidates=2)
    result = segue.fill_file(source, tmp_path / "out.wav", gaps=["6.0:7.0"], settings=settings)
    source.unlink()  # an infill is made again from itself
    for path in result.paths:
        again = segue.rerun_file(path, tmp_path / f"again-{path.name}")
        assert np.array_equal(read_audio(again.path).samples, read_audio(path).samples)
        assert read_recipe(again.path).digest == read_recipe(path).digest


def test_rerun_refuses_another_bundle_than_the_recipes(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 44100, 2, "PCM_16")
    segue.fill_file(source, tmp_path / "out.wav", gaps=["6.0:6.05"], settings=FAST)
    with pytest.raises(InvalidRequest, match="was made with the bundle"):
        segue.rerun_file(tmp_path / "out.wav", tmp_path / "again.wav", bundle="waveform")


def test_rerun_refuses_a_recipe_that_names_too_few_files(tmp_path: Path) -> None:
    source, other = (write(tmp_path / name, 44100, 2, "PCM_16") for name in ("song.wav", "take.wav"))
    out = tmp_path / "out.wav"
    segue.fill_file(source, out, gaps=["6.0:6.05"], song=[other], settings=FAST)
    written = out.read_bytes()
    both = b'["song.wav","take.wav"]'
    assert written.count(both) == 1
    out.write_bytes(written.replace(both, b'["song.wav"]'.ljust(len(both))))
    with pytest.raises(InvalidRequest, match="names 1 files and needs 2"):
        segue.rerun_file(out, tmp_path / "again.wav")


def test_rerun_refuses_a_file_that_was_changed_outside_the_gap(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 44100, 2, "PCM_16")
    segue.fill_file(source, tmp_path / "out.wav", gaps=["6.0:7.0"], settings=FAST)
    data = bytearray((tmp_path / "out.wav").read_bytes())
    data[4000] ^= 1
    (tmp_path / "out.wav").write_bytes(data)
    with pytest.raises(InvalidRequest, match="not what the recipe was made from"):
        segue.rerun_file(tmp_path / "out.wav", tmp_path / "again.wav")


def test_rerun_of_a_continuation_needs_the_file_alone(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 48000, 2, "PCM_16")
    for backward in (False, True):
        out = tmp_path / f"longer-{backward}.wav"
        segue.extend_file(source, out, seconds=1.0, backward=backward, settings=FAST)
        kept = read_audio(out).samples
        original = read_audio(source).samples
        assert kept.shape[1] == original.shape[1] + 48000
        assert np.array_equal(kept[:, 48000:] if backward else kept[:, :-48000], original)
        again = segue.rerun_file(out, tmp_path / f"again-{backward}.wav")
        assert np.array_equal(read_audio(again.path).samples, kept)


def test_a_transition_copies_both_tracks_bit_for_bit(tmp_path: Path) -> None:
    left, right = (write(tmp_path / n, 48000, 2, "PCM_24", s) for n, s in (("l.wav", 7.0), ("r.wav", 6.0)))
    out = tmp_path / "mix.wav"
    segue.transition_file(left, right, out, overlap=1.5, settings=FAST)
    mixed, one, two = (read_audio(p).samples for p in (out, left, right))
    assert mixed.shape[1] == one.shape[1] + two.shape[1] - 72000
    assert np.array_equal(mixed[:, : one.shape[1] - 72000], one[:, :-72000])
    assert np.array_equal(mixed[:, one.shape[1] :], two[:, 72000:])
    again = segue.rerun_file(out, tmp_path / "again.wav")
    assert np.array_equal(read_audio(again.path).samples, mixed)


def test_a_transition_is_rendered_again_with_the_very_track_it_entered_with(tmp_path: Path) -> None:
    left, right, other = (tmp_path / name / "song.wav" for name in ("left", "right", "other"))
    for number, path in enumerate((left, right, other)):
        path.parent.mkdir()
        soundfile.write(path, loop_song(44100, 6.0, seed=number).T, 44100, subtype="PCM_16")
    out = tmp_path / "mix.wav"
    segue.transition_file(left, right, out, overlap=0.05, settings=FAST)
    again = segue.rerun_file(out, tmp_path / "again.wav", sources=[left, right])
    assert np.array_equal(read_audio(again.path).samples, read_audio(out).samples)
    with pytest.raises(InvalidRequest, match="is not the track the recipe enters with"):
        segue.rerun_file(out, tmp_path / "third.wav", sources=[left, other])
    segue.transition_file(left, other, tmp_path / "else.wav", overlap=0.05, settings=FAST)
    assert read_recipe(out).digest != read_recipe(tmp_path / "else.wav").digest, "the store would mix them up"


def test_regenerate_with_freedom_0_gives_the_original_back() -> None:
    song = loop_song(44100, 10.0)
    result = segue.regenerate(song, 44100, (5.0, 6.0), freedom=0.0, settings=FAST)
    methods = {c["method"] for c in result.report["gaps"][0]["candidates"]}
    assert "reshaped" in methods
    gap = slice(5 * 44100 + 4410, 6 * 44100 - 4410)
    error = result.audio[:, gap] - song[:, gap]
    assert float(np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(song[:, gap] ** 2))) < 0.05


def test_cancel_stops_within_a_step_and_leaves_no_file(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 44100, 2, "PCM_16")
    seen: list[segue.Progress] = []

    def stop_at_step_3(progress: segue.Progress) -> bool:
        seen.append(progress)
        return not (progress.stage == "sample" and progress.step == 3)

    with pytest.raises(Cancelled):
        segue.fill_file(
            source,
            tmp_path / "out.wav",
            gaps=["6.0:7.0"],
            settings=segue.RenderSettings(steps=50),
            callback=stop_at_step_3,
        )
    assert max(p.step for p in seen if p.stage == "sample") == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["song.wav"]


def test_progress_tells_time_and_memory_first_and_never_falls() -> None:
    seen: list[segue.Progress] = []
    segue.fill(loop_song(44100, 8.0), 44100, (4.0, 5.0), settings=FAST, callback=seen.append)
    assert seen[0].stage == "preflight"
    assert "memory" in seen[0].message
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9


def test_candidates_are_written_best_first(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 44100, 2, "PCM_16")
    settings = segue.RenderSettings(steps=2, candidates=3)
    result = segue.fill_file(source, tmp_path / "out.wav", gaps=["6.0:7.0"], settings=settings)
    assert [p.name for p in result.paths] == ["out.wav", "out-2.wav", "out-3.wav"]
    totals = [c["total"] for c in result.report["gaps"][0]["candidates"]]
    assert totals[0] == min(totals)
    falls = sum(later < earlier for earlier, later in pairwise(totals))
    assert falls <= 1, "best first, then best first of those that repeat another one"
    assert totals[:3] == sorted(totals[:3])
    assert len({soundfile.read(path)[0].tobytes() for path in result.paths}) == 3


def test_several_gaps_are_filled_and_none_hears_another() -> None:
    song = loop_song(44100, 14.0)
    gaps = [(4.0, 5.0), (8.0, 8.05), (12.0, 14.0)]
    other = song.copy()
    other[:, 8 * 44100 : int(8.05 * 44100)] = 0.7
    one, two = (segue.fill(audio, 44100, gaps, settings=FAST) for audio in (song, other))
    assert np.array_equal(one.audio, two.audio)
    assert [g["candidates"][0]["method"] for g in one.report["gaps"]][1] == "janssen"
    assert all(np.abs(one.audio[:, int(a * 44100) : int(b * 44100)]).max() > 0.01 for a, b in gaps)


def test_an_existing_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    source = write(tmp_path / "song.wav", 44100, 2, "PCM_16")
    (tmp_path / "out.wav").write_bytes(b"mine")
    with pytest.raises(InvalidRequest, match="exists"):
        segue.fill_file(source, tmp_path / "out.wav", gaps=["6.0:7.0"], settings=FAST)
    assert (tmp_path / "out.wav").read_bytes() == b"mine"

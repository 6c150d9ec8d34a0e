"""The folder of results: written whole, read back equal, never mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import AudioFileError, InvalidRequest
from segue_bench.results import Key, Results, rounded
from tests.quality.bench_material import ENVIRONMENT, GAP_AT, IDENTITY, METHODS, clip, excerpt, failed, results, row


def test_a_row_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = results(tmp_path)
    vector = np.linspace(-1.0, 1.0, 7)
    written = row("default", excerpt(1), scores={"gap-MR": 2.5}, embedding=rounded(vector), seconds=1.25, vjp=3)
    folder.write(written)
    (read,) = Results.read(tmp_path).rows()
    assert read == written
    np.testing.assert_allclose(read.embedding, vector, rtol=1e-5)


def test_a_failure_counts_as_done(tmp_path: Path) -> None:
    folder = results(tmp_path)
    written = failed("janssen", excerpt(1), "too long")
    assert not folder.has(written.key)
    folder.write(written)
    assert folder.has(written.key)


def test_kept_audio_comes_back_to_24_bits(tmp_path: Path) -> None:
    folder, audio = results(tmp_path), clip(0)
    written = row("default", excerpt(1), kept=True, gap_at=GAP_AT)
    folder.write(written, audio)
    np.testing.assert_allclose(folder.audio(written.key), audio, atol=2.0**-23)


def test_audio_that_the_row_does_not_speak_of_is_refused(tmp_path: Path) -> None:
    folder = results(tmp_path)
    with pytest.raises(InvalidRequest, match="kept=False"):
        folder.write(row("default", excerpt(1)), clip(0))
    with pytest.raises(InvalidRequest, match="kept=True"):
        folder.write(row("default", excerpt(1), kept=True))


def test_lost_audio_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"track-01.*run the bench again"):
        results(tmp_path).audio(row("default", excerpt(1)).key)


@pytest.mark.parametrize("field", ["bundle_digest", "profile", "segue", "settings"])
def test_results_of_another_run_are_never_added_to(tmp_path: Path, field: str) -> None:
    results(tmp_path)
    other = {"seeds": "2"} if field == "settings" else "other"
    with pytest.raises(InvalidRequest, match=rf"another run: {field} was .* now .*--results"):
        Results.create(tmp_path, IDENTITY.model_copy(update={field: other}), ENVIRONMENT, METHODS)


def test_each_environment_that_added_rows_is_listed_once(tmp_path: Path) -> None:
    results(tmp_path)
    other = ENVIRONMENT.model_copy(update={"cpus": 64})
    for environment in (other, ENVIRONMENT, other):
        Results.create(tmp_path, IDENTITY, environment, METHODS)
    assert results(tmp_path).facts().environments == (ENVIRONMENT, other)


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InvalidRequest, match="new or empty"):
        results(tmp_path)
    with pytest.raises(InvalidRequest, match="segue-bench run"):
        Results.read(tmp_path)


def test_a_cut_or_moved_row_is_named(tmp_path: Path) -> None:
    folder, one = results(tmp_path), row("default", excerpt(1))
    folder.write(one)
    (path,) = (tmp_path / "rows").rglob("*.json")
    text = path.read_bytes()
    path.write_bytes(text[: len(text) // 2])
    with pytest.raises(InvalidRequest, match=rf"{path.name} cannot be read"):
        list(folder.rows())
    path.rename(path.with_name("copy-0.json"))
    (path.with_name("copy-0.json")).write_bytes(text)
    with pytest.raises(InvalidRequest, match="it was moved"):
        list(folder.rows())


def test_a_score_that_is_not_finite_is_no_row() -> None:
    with pytest.raises(ValueError, match="finite"):
        row("default", excerpt(1), scores={"gap-MR": float("nan")})


def test_forgetting_a_method_leaves_the_others(tmp_path: Path) -> None:
    folder = results(tmp_path)
    for method in ("default", "default 5"):
        folder.write(row(method, excerpt(1), kept=True), clip(0))
    assert folder.forget("default") == 1
    assert [one.method for one in folder.rows()] == ["default 5"]
    assert len(list((tmp_path / "audio").rglob("*.flac"))) == 1


@given(st.text(max_size=12), st.text(max_size=12))
def test_different_names_never_share_a_file(one: str, other: str) -> None:
    stems = []
    for name in (one, other):
        try:
            stems.append(Key("c", "e", name, 0).stem)
        except InvalidRequest:
            return
    assert (stems[0] == stems[1]) == (one == other)
    assert all(len(stem.parts) == 3 and ".." not in stem.parts for stem in stems)

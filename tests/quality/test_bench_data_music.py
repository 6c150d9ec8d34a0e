"""Tracks are those the manifest was made with, to the byte, or refused; how the manifest chooses its places."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from segue.clip.span import Span
from segue.errors import AudioFileError, ResourceError
from segue_bench import music
from segue_bench.contract import RATE, Excerpt
from segue_bench.credits import UNKNOWN, credit_of, shares_artist
from segue_bench.make_manifest import COUNT, Candidate, Source, choose, draw, quotas, sounds
from segue_bench.manifest import REACH, Manifest
from tests.songs import loop_song

LISTED = Manifest("bookworm", {"pack": "2.0-1"}, (), (), {}, ())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A music folder with one track of 41 s in the package pack."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "pack").mkdir()
    song = 0.3 * loop_song(RATE, 41.0)
    with soundfile.SoundFile(folder / "pack" / "song.flac", "w", RATE, 2) as f:
        f.title, f.artist = "A Song", "Ann & Bob"
        f.write(song.T)
    return folder


@pytest.fixture
def excerpt(folder: Path) -> Excerpt:
    return Excerpt(
        name="song-1",
        package="pack",
        file="song.flac",
        sha256=music.digest_of(folder / "pack" / "song.flac"),
        title="",
        artist="",
        licence="",
        split="test",
        heard=False,
        samples=41 * RATE,
        centre=20 * RATE,
        distance_db=4.0,
    )


def test_a_track_is_its_file_at_an_rms_of_a_tenth_now_and_from_the_kept_copy(folder: Path, excerpt: Excerpt) -> None:
    first = music.track(excerpt, folder, LISTED)
    assert list((folder / music.DECODED).iterdir()) == [folder / music.DECODED / f"{excerpt.sha256}.npy"]
    assert np.array_equal(music.track(excerpt, folder, LISTED), first)
    file, _ = soundfile.read(folder / "pack" / "song.flac", dtype="float32")
    assert first.dtype == np.float32
    assert np.sqrt(np.mean(first.astype(np.float64) ** 2)) == pytest.approx(0.1, rel=1e-5)
    np.testing.assert_allclose(first * (file.T[0, 7] / first[0, 7]), file.T, atol=1e-6)


def test_a_file_with_another_digest_is_refused_with_the_version_expected(folder: Path, excerpt: Excerpt) -> None:
    with pytest.raises(AudioFileError, match=r"expected that of pack 2\.0-1"):
        music.track(replace(excerpt, sha256="1" * 64), folder, LISTED)


def test_a_changed_file_is_refused_though_its_copy_is_kept(tmp_path: Path, folder: Path, excerpt: Excerpt) -> None:
    (tmp_path / "pack").mkdir()
    path = tmp_path / "pack" / "song.flac"
    path.write_bytes((folder / "pack" / "song.flac").read_bytes())
    music.track(excerpt, tmp_path, LISTED)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(AudioFileError, match="is not the track the bench was made with"):
        music.track(excerpt, tmp_path, LISTED)


def test_a_missing_track_is_refused_with_its_package(tmp_path: Path, excerpt: Excerpt) -> None:
    with pytest.raises(AudioFileError, match=r"from the package pack 2\.0-1: fetch it"):
        music.track(excerpt, tmp_path, LISTED)


def test_another_length_once_decoded_is_refused(folder: Path, excerpt: Excerpt) -> None:
    with pytest.raises(AudioFileError, match=f"decodes to {41 * RATE} samples"):
        music.track(replace(excerpt, samples=41 * RATE + 1), folder, LISTED)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not an array at all"])
def test_a_kept_copy_that_is_broken_is_refused(tmp_path: Path, folder: Path, excerpt: Excerpt, content: bytes) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "song.flac").write_bytes((folder / "pack" / "song.flac").read_bytes())
    (tmp_path / music.DECODED).mkdir()
    (tmp_path / music.DECODED / f"{excerpt.sha256}.npy").write_bytes(content)
    with pytest.raises(AudioFileError, match="delete it"):
        music.track(excerpt, tmp_path, LISTED)


def test_what_is_no_music_is_refused(tmp_path: Path, excerpt: Excerpt) -> None:
    (tmp_path / "pack").mkdir()
    path = tmp_path / "pack" / "song.flac"
    soundfile.write(path, np.zeros((41 * RATE, 2)), RATE)
    with pytest.raises(AudioFileError, match="holds no music"):
        music.track(replace(excerpt, sha256=music.digest_of(path)), tmp_path, LISTED)


def test_a_loader_gives_excerpts_of_one_track_the_same_array(folder: Path, excerpt: Excerpt) -> None:
    load = music.loader(folder, LISTED)
    assert load(excerpt) is load(replace(excerpt, name="song-2", centre=15 * RATE))


def test_a_package_that_cannot_be_fetched_is_refused_and_one_that_is_there_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "version").write_text("1")
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get
    music.ensure(tmp_path, ["there"])
    with pytest.raises(ResourceError, match="expected to fetch absent with apt-get"):
        music.ensure(tmp_path, ["absent"])


def test_credits_come_from_tags_then_from_the_copyright_file_and_are_else_unknown(folder: Path, tmp_path: Path) -> None:
    tagged = credit_of(folder / "pack" / "song.flac", "pack")
    assert (tagged.title, tagged.artist) == ("A Song", "Ann & Bob")
    soundfile.write(tmp_path / "sirius1.flac", np.zeros((9, 2)), RATE)
    assert credit_of(tmp_path / "sirius1.flac", "naev-data").artist == "Nikola Whallon"
    bare = credit_of(tmp_path / "sirius1.flac", "pack")
    assert (bare.title, bare.artist) == ("sirius1", UNKNOWN)


@pytest.mark.parametrize(
    ("one", "two", "shared"),
    [
        ("Ann & Bob", "bob", True),
        ("0zone0ne and Krobonil", "0zone0ne", True),
        ("Ann, Bob", "Carl & Ann", True),
        ("Sandra", "Sand and Ra", False),
        (UNKNOWN, UNKNOWN, False),
    ],
)
def test_artists_are_shared_by_whole_names(one: str, two: str, shared: bool) -> None:
    assert shares_artist(one, two) is shares_artist(two, one) is shared


def test_places_are_drawn_where_there_is_sound_away_from_edges_each_other_and_tuned_gaps() -> None:
    audio = loop_song(RATE, 120.0)
    audio[:, 50 * RATE : 60 * RATE] = 0.0
    tuned = [Span(80 * RATE, 82 * RATE)]
    places = draw(audio, "pack/song", tuned)
    assert places == draw(audio, "pack/song", tuned) != draw(audio, "pack/other", tuned)
    assert len(places) >= 3
    for place in places:
        assert REACH <= place <= audio.shape[1] - REACH
        assert not 48 * RATE < place < 62 * RATE
        assert not 76 * RATE < place < 86 * RATE
        assert all(abs(place - other) >= 10 * RATE for other in places if other != place)


def test_one_quiet_half_second_near_a_centre_is_enough_to_pass_it_over() -> None:
    audio = loop_song(RATE, 30.0)
    assert sounds(audio, 15 * RATE)
    audio[:, 13 * RATE : 13 * RATE + RATE // 2] *= 1e-3
    assert not sounds(audio, 15 * RATE)
    assert sounds(audio, 20 * RATE)


def source(number: int, words: str) -> Source:
    recalls = {"e": ("easy", 1.0), "m": ("middle", 6.0), "h": ("hard", 8.0)}
    places = tuple(Candidate(REACH + n, recalls[w][1], recalls[w][0]) for n, w in enumerate(words))
    return Source(Path(f"{number}.ogg"), "pack", 3 * REACH, places)


def test_places_are_chosen_so_that_recall_classes_are_even_where_they_can_be() -> None:
    found = [source(n, "eeemh") for n in range(20)] + [source(20 + n, "eee") for n in range(12)]
    counts = quotas(found, COUNT)
    assert sum(counts) == COUNT
    assert counts == [2] * 32
    chosen = choose(found, counts)
    assert [len(places) for places in chosen] == counts
    words = [c.recall for places in chosen for c in places]
    assert (words.count("easy"), words.count("middle"), words.count("hard")) == (24, 20, 20)
    assert all(len(set(places)) == len(places) for places in chosen)


def test_fetching_reads_the_version_from_the_name_of_the_package_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segue_export.train import music as packages

    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: pack\nVersion: 1:2.0-1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: music\n"
    )
    (tree / "usr").mkdir()
    soundfile.write(tree / "usr" / "song.ogg", np.zeros((99, 2)), RATE)

    def fetch(package: str, folder: Path) -> Path:
        deb = folder / f"{package}_1%3a2.0-1_all.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, deb], check=True, capture_output=True)
        return deb

    monkeypatch.setattr(packages, "fetch", fetch)
    music.ensure(tmp_path / "music", ["pack"])
    assert (tmp_path / "music" / "pack" / "version").read_text() == "1:2.0-1"
    assert (tmp_path / "music" / "pack" / "usr" / "song.ogg").is_file()

"""The manifest that is shipped keeps its promises, and one that breaks them is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidRequest
from segue_bench.contract import RATE, Excerpt
from segue_bench.manifest import FOREIGN_PATH, REACH, load, spread
from segue_export.train.corpus import foreign, held_out, split_of, splits_of
from segue_export.train.music import packages

SHIPPED = load()
CLASSES = ("easy", "middle", "hard")


def track_of(excerpt: Excerpt) -> tuple[str, str]:
    return excerpt.package, excerpt.file


def test_there_are_64_excerpts_and_32_pairs() -> None:
    assert len(SHIPPED.excerpts) == len(SHIPPED.by_name) == 64
    assert len(SHIPPED.pairs) == 32
    assert len(SHIPPED.smoke) == 8


def test_no_track_was_trained_on_and_each_says_its_split() -> None:
    for excerpt in SHIPPED.excerpts:
        assert split_of(excerpt.package, Path(excerpt.file).name) == excerpt.split != "train"


def test_every_track_of_the_test_split_is_there() -> None:
    files = [Path(e.file).name for e in SHIPPED.excerpts if e.split == "test"]
    for fragment in held_out()["test"]:
        assert any(fragment in name for name in files), fragment


def test_every_recall_class_has_its_share_and_no_track_more_than_three_excerpts() -> None:
    classes = Counter(e.recall for e in SHIPPED.excerpts)
    assert min(classes[recall] for recall in CLASSES) >= 12
    assert max(Counter(map(track_of, SHIPPED.excerpts)).values()) <= 3
    assert len(set(map(track_of, SHIPPED.excerpts))) >= 30


def test_excerpts_of_one_track_do_not_share_a_gap() -> None:
    for one in SHIPPED.excerpts:
        for two in SHIPPED.excerpts:
            if one is not two and track_of(one) == track_of(two):
                assert abs(one.centre - two.centre) >= 10 * RATE


def test_pairs_and_floors_are_of_two_tracks_and_every_excerpt_is_in_one_pair() -> None:
    for one, two in (*SHIPPED.pairs, *SHIPPED.others.items()):
        assert track_of(SHIPPED.by_name[one]) != track_of(SHIPPED.by_name[two])
    assert Counter(name for pair in SHIPPED.pairs for name in pair) == Counter(list(SHIPPED.by_name))


def test_the_four_second_gap_and_eight_seconds_around_it_fit_everywhere() -> None:
    for excerpt in SHIPPED.excerpts:
        assert excerpt.centre >= 10 * RATE
        assert excerpt.samples - excerpt.centre >= 10 * RATE


def test_licences_and_versions_are_those_of_the_packages() -> None:
    licences = packages()
    assert all(e.licence == licences[e.package] for e in SHIPPED.excerpts)
    assert {e.package for e in SHIPPED.excerpts} == set(SHIPPED.versions)


def test_the_foreign_manifest_has_every_package_of_other_music_and_none_of_training() -> None:
    listed = load(FOREIGN_PATH)
    assert set(listed.versions) == set(foreign()) == {e.package for e in listed.excerpts}
    assert not set(foreign()) & set(packages())
    assert all(e.split == "foreign" and not e.heard for e in listed.excerpts)
    assert all(e.licence == foreign()[e.package].licence for e in listed.excerpts)
    classes = Counter(e.recall for e in listed.excerpts)
    assert min(classes[recall] for recall in CLASSES) >= len(listed.excerpts) // 4


def test_training_never_takes_a_foreign_package_not_even_a_copy_under_another_name(tmp_path: Path) -> None:
    copies = [(tmp_path / f"{package}.ogg", package) for package in ("noiz2sa-data", "supertux-data")]
    for path, _ in copies:
        path.write_bytes(b"the same")
    assert set(splits_of(copies).values()) == {"foreign"}


def test_the_small_manifest_needs_nothing_outside_itself() -> None:
    small = SHIPPED.small()
    names = {e.name for e in small.excerpts}
    assert names == set(SHIPPED.smoke)
    assert {small.others[name] for name in names} <= names
    assert len(small.pairs) == 4
    assert {name for pair in small.pairs for name in pair} == names
    assert len(small.versions) == 2


def test_every_beginning_of_the_order_is_as_mixed_as_the_whole() -> None:
    share = {recall: n / 64 for recall, n in Counter(e.recall for e in SHIPPED.excerpts).items()}
    for count in range(1, 65):
        classes = Counter(e.recall for e in SHIPPED.excerpts[:count])
        assert all(abs(classes[recall] - share[recall] * count) <= 1.0 for recall in share)
    assert len(set(map(track_of, SHIPPED.excerpts[:16]))) == 16


@given(st.permutations(SHIPPED.excerpts))
def test_the_order_does_not_depend_on_that_of_the_file(shuffled: list[Excerpt]) -> None:
    assert spread(shuffled) == SHIPPED.excerpts


def document() -> dict[str, Any]:
    """A small manifest that is in order: two tracks of two excerpts, of the test split."""

    def track(file: str, first: int) -> dict[str, Any]:
        return {
            "package": "pack",
            "file": f"music/{file}",
            "sha256": "0" * 64,
            "title": file,
            "artist": "unknown",
            "licence": "CC0-1.0",
            "split": "test",
            "heard": True,
            "samples": 3 * REACH,
            "excerpts": [
                {"name": f"e{first + n}", "centre": REACH + n, "distance_db": 5.5, "other": f"e{(first + n + 2) % 4}"}
                for n in range(2)
            ],
        }

    return {
        "suite": "bookworm",
        "seed": 1,
        "smoke": ["e0", "e2"],
        "package": [{"name": "pack", "version": "1.0-1"}],
        "track": [track("Nebula.ogg", 0), track("northerners.ogg", 2)],
        "pair": [{"left": "e0", "right": "e2"}],
    }


def read(folder: Path, content: dict[str, Any]) -> None:
    path = folder / "excerpts.toml"
    path.write_text(tomli_w.dumps(content))
    load(path)


def test_a_manifest_in_order_is_read(tmp_path: Path) -> None:
    read(tmp_path, document())


def set_in(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    """A change of one value of a document."""

    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = to

    return change


FAULTS = {
    "a training track": (set_in("track", 0, "file", to="music/battle.ogg"), "training holds it as"),
    "the wrong split": (set_in("track", 0, "split", to="validation"), "training holds it as 'test'"),
    "a demo track": (set_in("track", 0, "split", to="demo"), "track.0.split"),
    "too near the end": (set_in("track", 0, "excerpts", 0, "centre", to=2 * REACH + 1), f"needs {REACH} samples"),
    "too near the start": (set_in("track", 0, "excerpts", 0, "centre", to=REACH - 1), "excerpts.0.centre"),
    "a name used twice": (set_in("track", 0, "excerpts", 1, "name", to="e0"), "used again: e0"),
    "a floor of the same track": (
        set_in("track", 0, "excerpts", 0, "other", to="e1"),
        "floor of e0 must be of another",
    ),
    "a floor that is not there": (set_in("track", 0, "excerpts", 0, "other", to="e9"), "names no excerpt: e9"),
    "a pair of one track": (set_in("pair", 0, "right", to="e1"), "pair of e0 must be of another"),
    "a pair from nowhere": (set_in("pair", 0, "left", to="e9"), "names no excerpt: e9"),
    "two pairs with one left": (set_in("pair", to=[{"left": "e0", "right": r} for r in ("e2", "e3")]), "again: e0"),
    "smoke from nowhere": (set_in("smoke", to=["e0", "e9"]), "smoke names no excerpt: e9"),
    "smoke without its floor": (set_in("smoke", to=["e0"]), "floors of e0 must lie within"),
    "a package without a version": (set_in("package", to=[]), "version of pack"),
    "a track listed twice": (set_in("track", 1, "file", to="music/Nebula.ogg"), "listed twice"),
    "a path out of the package": (set_in("track", 0, "file", to="../Nebula.ogg"), "below the package's folder"),
    "an absolute path": (set_in("track", 0, "file", to="/Nebula.ogg"), "below the package's folder"),
    "a digest cut short": (set_in("track", 0, "sha256", to="0" * 63), "track.0.sha256"),
    "a distance that is no number": (set_in("track", 0, "excerpts", 0, "distance_db", to=float("nan")), "distance_db"),
    "an unknown field": (set_in("track", 0, "mood", to="sad"), "track.0.mood"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_manifest_that_breaks_a_rule_is_refused_by_name(fault: str, tmp_path: Path) -> None:
    change, said = FAULTS[fault]
    content = document()
    change(content)
    with pytest.raises(InvalidRequest, match=said):
        read(tmp_path, content)


@pytest.mark.parametrize("text", ["", "[[track", "seed = 1\nsmoke = []\n"])
def test_what_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "excerpts.toml"
    path.write_text(text)
    with pytest.raises(InvalidRequest, match=r"manifest|excerpts\.toml"):
        load(path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="expected the bench's manifest"):
        load(tmp_path / "none.toml")

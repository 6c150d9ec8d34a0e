"""Presets: those of the package are sound and differ; those of a user are found, checked and begun from another."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from segue.errors import InvalidRequest
from segue.style.preset import (
    embedded_presets,
    find_preset,
    is_preset_name,
    load_preset,
    new_preset,
    parse_preset,
    preset_paths,
)
from segue.style.steering import Steering
from segue.style.terms import Match

NAMES = sorted(path.stem for path in embedded_presets().glob("*.toml"))
GOOD = b'about = "x"\n[tags]\nrock = 1.0\n'


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_of_the_package_is_whole_and_does_something(name: str) -> None:
    preset = load_preset(name)
    assert preset.name == name and is_preset_name(name)
    assert preset.terms or preset.chain


def test_there_are_a_dozen_and_no_two_ask_for_the_same() -> None:
    assert len(NAMES) >= 12
    asked = {name: (load_preset(name).terms, repr(load_preset(name).chain)) for name in NAMES}
    assert all(asked[a] != asked[b] for a, b in combinations(NAMES, 2))


def test_presets_that_ask_for_tags_keep_the_notes_of_what_stood_there_and_ask_for_none_in_a_gap() -> None:
    """An average of the notes around a gap would be no harmony."""
    for name in NAMES:
        preset = load_preset(name)
        steering = Steering(terms=preset.terms)
        kept, filled = (
            [term.feature for term in steering.asked(of_original=known) if isinstance(term, Match)]
            for known in (True, False)
        )
        assert ("chroma" in kept) == bool(preset.tags) and "chroma" not in filled
        assert [feature for feature in kept if feature != "chroma"] == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"about = ", "is not TOML"),
        (b"\xff", "is not TOML"),
        (b"[tags]\nrock = 1.0\n", "about: Field required"),
        (GOOD + b"[[effects]]\nkind = 'echo'\n", "unknown effect 'echo'"),
        (GOOD + b"[[effects]]\nkind = 'delay'\nmix = 7.0\n", "mix of delay in 0 to 1"),
        (b'about = "x"\n[tags]\npolka = 1.0\n', "knows no tag 'polka'"),
        (b'about = "x"\n[tags]\nrock = 2.0\n', "tags.rock"),
        (b'about = "x"\n[features]\nsmell = {}\n', "unknown feature 'smell'"),
        (b'about = "x"\n[guidance]\nstrength = 9.0\n', "guidance.strength"),
        (b'about = "x"\n[guidance]\npower = 0.1\n', "guidance.power"),
        (b'about = "x"\n[sampling]\nfreedom = nan\n', "sampling.freedom"),
        (b'about = "x"\nmood = "blue"\n', "mood"),
        (b'name = "other"\nabout = "x"\n', "names itself 'other'"),
    ],
)
def test_a_faulty_preset_is_refused_and_the_message_names_file_and_fault(text: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_preset(text, Path("mine.toml"))
    assert message in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_a_users_preset_stands_for_the_packages_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / f"{NAMES[0]}.toml").write_bytes(GOOD)
    (tmp_path / "own.toml").write_bytes(GOOD)
    (tmp_path / "notes.txt").write_text("no preset")
    paths = preset_paths(tmp_path)
    assert set(paths) == {*NAMES, "own"}
    assert paths[NAMES[0]].parent == tmp_path and load_preset(NAMES[0], tmp_path).about == "x"


def test_a_new_preset_is_a_copy_to_begin_from_and_never_overwrites(tmp_path: Path) -> None:
    path = new_preset("my tape", "warm tape", tmp_path)
    assert path == tmp_path / "my tape.toml"
    mine, origin = load_preset("my tape", tmp_path), load_preset("warm tape")
    assert (mine.terms, mine.chain, mine.about) == (origin.terms, origin.chain, origin.about)
    for name in ("my tape", "a/b", "../x", "x.toml", ""):
        with pytest.raises(InvalidRequest):
            new_preset(name, "warm tape", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["my tape.toml"]


def test_a_preset_by_path_is_read_and_a_missing_one_names_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "odd one.toml"
    path.write_bytes(GOOD)
    assert load_preset(path).about == "x" == load_preset(str(path)).about
    with pytest.raises(InvalidRequest, match="warm tape"):
        find_preset("no such style", tmp_path)
    with pytest.raises(InvalidRequest, match="no preset"):
        find_preset(tmp_path / "gone.toml")

"""The listening test: blind, balanced, and read back only as it was given out."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from segue.cli.main import run as run_app
from segue.errors import InvalidRequest
from segue_bench.abx.key import AbxKey, Pair, Vote, Votes, read, seal_of
from segue_bench.abx.make import KEY, PAGE, RATERS, AbxSettings, make
from segue_bench.abx.tally import read_votes, tallies, text
from segue_bench.cli import app, split_names
from segue_bench.results import Results
from tests.quality.bench_material import GAP_AT, clip, excerpt, results, row

METHODS = ("default", "splice", "ddpm-50 guided")
SCRIPT = Path(__file__).with_name("segue_bench") / "abx" / "listen.js"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Eight excerpts by three methods; on the last two, default and splice made the same samples."""
    made = results(tmp_path_factory.mktemp("results"))
    for number in range(8):
        for index, method in enumerate(METHODS):
            same = number >= 6 and method == "splice"
            audio = clip(10 * number + (0 if same else index), seconds=0.5)
            made.write(row(method, excerpt(number), kept=True, gap_at=GAP_AT), audio)
    return made


@pytest.fixture(scope="module")
def made(heard: Results, tmp_path_factory: pytest.TempPathFactory) -> tuple[AbxKey, Path]:
    out = tmp_path_factory.mktemp("abx") / "test"
    return make(heard, out, AbxSettings(12, METHODS, seed=3)), out


def data_of(out: Path) -> dict[str, object]:
    page = (out / RATERS / PAGE).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_no_name_of_a_method_or_excerpt_reaches_the_raters(made: tuple[AbxKey, Path]) -> None:
    _, out = made
    files = [path for path in (out / RATERS).rglob("*") if path.is_file()]
    assert [path.name for path in files] == [PAGE]
    text = re.sub(r'"[ab]":"[A-Za-z0-9+/=]*"', "", files[0].read_text(encoding="utf-8"))
    text = text.replace("preventDefault", "")  # the one name of a method that a browser has too
    for name in (*METHODS, "ddpm", "track-0", "Piece", "Composer"):
        assert name.lower() not in text.lower()
    for pair in data_of(out)["pairs"]:  # type: ignore[attr-defined]
        for side in "ab":
            sound = base64.b64decode(pair[side])
            assert not any(name.encode() in sound for name in (*METHODS, "track-0"))


def test_each_side_plays_the_method_the_key_names(heard: Results, made: tuple[AbxKey, Path], tmp_path: Path) -> None:
    key, out = made
    by_id = {pair["id"]: pair for pair in data_of(out)["pairs"]}  # type: ignore[attr-defined]
    rows = {(one.method, one.excerpt.name): one for one in heard.rows()}
    for pair in key.pairs:
        for side, method in (("a", pair.a), ("b", pair.b)):
            path = tmp_path / "side.flac"
            path.write_bytes(base64.b64decode(by_id[pair.id][side]))
            played, _ = soundfile.read(path, dtype="float32", always_2d=True)
            np.testing.assert_allclose(played.T, heard.audio(rows[method, pair.excerpt].key), atol=2.0**-15)


def test_methods_meet_equally_often_on_either_side_and_never_twice_on_an_excerpt(made: tuple[AbxKey, Path]) -> None:
    key, _ = made
    met = Counter(tuple(sorted((pair.a, pair.b))) for pair in key.pairs)
    assert set(met.values()) == {4} and len(met) == 3
    sides = Counter((pair.a, pair.b) for pair in key.pairs)
    assert set(sides.values()) == {2} and len(sides) == 6
    assert len({(frozenset((pair.a, pair.b)), pair.excerpt) for pair in key.pairs}) == 12


@given(st.integers(3, 18), st.integers(0, 2**31))
def test_sides_are_balanced_for_every_seed_and_number(heard: Results, pairs: int, seed: int) -> None:
    from segue_bench.abx.make import _draw

    settings = AbxSettings(pairs, METHODS, seed=seed)
    drawn = _draw(settings, {versus: [f"track-{n:02}" for n in range(6)] for versus in settings.versus})
    assert [pair.id for pair in drawn] == [f"{number:03}" for number in range(1, pairs + 1)]
    for one, other in settings.versus:
        sides = Counter((pair.a, pair.b) for pair in drawn if {pair.a, pair.b} == {one, other})
        assert abs(sides[one, other] - sides[other, one]) <= 1
        assert sides.total() in {pairs // 3, pairs // 3 + 1}


def test_the_same_seed_makes_the_same_test_and_another_another(heard: Results, tmp_path: Path) -> None:
    keys = [make(heard, tmp_path / str(n), AbxSettings(6, METHODS, seed=s)) for n, s in enumerate((1, 1, 2))]
    assert keys[0] == keys[1] and keys[0].test != keys[2].test


def test_excerpts_on_which_both_made_the_same_samples_are_not_asked(made: tuple[AbxKey, Path]) -> None:
    key, _ = made
    assert key.same == {"default / splice": 2}
    asked = {pair.excerpt for pair in key.pairs if {pair.a, pair.b} == {"default", "splice"}}
    assert asked.isdisjoint({"track-06", "track-07"})


def test_what_cannot_be_made_is_refused(heard: Results, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="two or more different methods"):
        AbxSettings(4, ("default", "default"))
    with pytest.raises(InvalidRequest, match="3 methods make 3 comparisons: --pairs must lie in 3 to 999, got 2"):
        AbxSettings(2, METHODS)
    with pytest.raises(InvalidRequest, match="no audio of copy under infill-2s-song; there is of: ddpm-50 guided, def"):
        make(heard, tmp_path / "a", AbxSettings(1, ("default", "copy")))
    with pytest.raises(InvalidRequest, match="7 comparisons of default and splice are asked for, 6 excerpts"):
        make(heard, tmp_path / "b", AbxSettings(7, ("default", "splice")))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / KEY).touch()
    with pytest.raises(InvalidRequest, match="not an empty folder"):
        make(heard, tmp_path / "full", AbxSettings(1, ("default", "splice")))


def votes_of(key: AbxKey, rater: str, choices: dict[str, str]) -> Votes:
    votes = tuple(Vote(pair=pair, choice=choice, heard_a=1, heard_b=2) for pair, choice in choices.items())  # type: ignore[arg-type]
    return Votes(test=key.test, rater=rater, votes=votes, seal=seal_of(key.test, rater, votes))


def saved(votes: Votes, path: Path) -> Path:
    path.write_text(votes.model_dump_json(), encoding="utf-8")
    return path


def prefer(key: AbxKey, method: str) -> dict[str, str]:
    """Votes of someone who prefers one method wherever it is, and else has no preference."""
    return {pair.id: "A" if pair.a == method else "B" if pair.b == method else "none" for pair in key.pairs}


def test_votes_are_counted_for_the_method_behind_the_side(made: tuple[AbxKey, Path], tmp_path: Path) -> None:
    key, out = made
    files = [saved(votes_of(key, name, prefer(key, "default")), tmp_path / f"{name}.json") for name in "xy"]
    opened = read(AbxKey, out / KEY, "the key")
    assert opened == key
    rows = {(t.first, t.second): t for t in tallies(key, read_votes(key, files))}
    assert (rows["ddpm-50 guided", "default"].wins, rows["ddpm-50 guided", "default"].losses) == (0, 8)
    assert (rows["default", "splice"].wins, rows["default", "splice"].ties) == (8, 0)
    assert (rows["ddpm-50 guided", "splice"].ties, rows["ddpm-50 guided", "splice"].p) == (8, 1.0)
    assert rows["default", "splice"].p == pytest.approx(2 * 0.5**8)
    assert rows["default", "splice"].p == binomtest(8, 8).pvalue
    said = text(key, read_votes(key, files))
    assert "2 raters, 24 of 24 possible votes" in said
    assert "| default | 100 % | - | 100 % |" in said and "| splice | 50 % | 0 % | - |" in said


def test_unfinished_votes_count_as_far_as_they_go(made: tuple[AbxKey, Path], tmp_path: Path) -> None:
    key, _ = made
    one = dict(list(prefer(key, "default").items())[:1])
    files = read_votes(key, [saved(votes_of(key, "x", one), tmp_path / "x.json")])
    assert sum(t.votes for t in tallies(key, files)) == 1
    assert "1 of 12 possible votes" in text(key, files)


def test_foreign_changed_and_doubled_votes_are_refused(made: tuple[AbxKey, Path], tmp_path: Path) -> None:
    key, _ = made
    good = votes_of(key, "x", prefer(key, "default"))
    path = saved(good, tmp_path / "x.json")
    raw = json.loads(path.read_text())

    def refused(change: dict[str, object], match: str) -> None:
        other = tmp_path / "changed.json"
        other.write_text(json.dumps(raw | change))
        with pytest.raises(InvalidRequest, match=match):
            read_votes(key, [other])

    flipped = [raw["votes"][0] | {"choice": "none"}, *raw["votes"][1:]]
    refused({"votes": flipped}, "the seal does not fit the votes")
    refused({"rater": "somebody else"}, "the seal does not fit")
    refused({"votes": [*raw["votes"], raw["votes"][0]]}, "voted on twice")
    refused({"votes": [{**raw["votes"][0], "choice": "C"}]}, r"changed.json is not a file of votes.*choice")
    refused({"votes": [{**raw["votes"][0], "heard_a": 0}]}, "heard_a")
    refused({"extra": 1}, "extra")
    foreign = key.model_copy(update={"test": "f" * 16})
    with pytest.raises(InvalidRequest, match="votes of test ffffffffffffffff, the key is of"):
        read_votes(key, [saved(votes_of(foreign, "x", prefer(key, "default")), tmp_path / "foreign.json")])
    with pytest.raises(InvalidRequest, match=r"pairs the key lacks \(999\)"):
        read_votes(key, [saved(votes_of(key, "x", {"999": "A"}), tmp_path / "unknown.json")])
    with pytest.raises(InvalidRequest, match="both by 'x'"):
        read_votes(key, [path, saved(good, tmp_path / "again.json")])
    with pytest.raises(InvalidRequest, match="at least one file"):
        read_votes(key, [])
    with pytest.raises(InvalidRequest, match=r"gone.json cannot be read .*: expected a file of votes"):
        read_votes(key, [tmp_path / "gone.json"])


@given(st.binary(max_size=200))
def test_a_file_of_anything_is_refused_with_its_name(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.json"
    path.write_bytes(data)
    with pytest.raises(InvalidRequest, match=re.escape("anything.json")):
        read(Votes, path, "a file of votes")


def test_the_page_can_be_used_by_keys_and_keeps_votes(made: tuple[AbxKey, Path]) -> None:
    page = (made[1] / RATERS / PAGE).read_text(encoding="utf-8")
    for key in ("ArrowLeft", "ArrowRight", "ArrowDown", "Backspace", '" "', "localStorage", "Blob"):
        assert key in page
    ids = set(re.findall(r'id="([a-z-]+)"', page))
    assert set(re.findall(r'\bat\("([a-z-]+)"\)', page)) <= ids
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "{{" not in page


@pytest.mark.skipif(shutil.which("node") is None, reason="the page's script is run where node is")
def test_what_the_page_saves_is_what_is_read(made: tuple[AbxKey, Path], tmp_path: Path) -> None:
    key, _ = made
    state = {pair.id: {"choice": "B", "heard_a": 2, "heard_b": 1} for pair in key.pairs[:3]}
    state[key.pairs[3].id] = {"choice": None, "heard_a": 1, "heard_b": 0}  # type: ignore[dict-item]
    pairs = [{"id": pair.id} for pair in key.pairs]
    given = ", ".join(json.dumps(one) for one in (key.test, "Zoë 🎧", pairs, state))
    program = SCRIPT.read_text(encoding="utf-8") + f"\nconsole.log(votesFile({given}));\n"
    program += f"console.error(firstOpen({json.dumps(pairs)}, {json.dumps(state)}));\n"
    ran = subprocess.run(["node", "-"], input=program, capture_output=True, text=True, check=True)
    path = tmp_path / "votes.json"
    path.write_text(ran.stdout, encoding="utf-8")
    (votes,) = read_votes(key, [path])
    assert votes.rater == "Zoë 🎧" and [vote.pair for vote in votes.votes] == [pair.id for pair in key.pairs[:3]]
    assert all(vote == Vote(pair=vote.pair, choice="B", heard_a=2, heard_b=1) for vote in votes.votes)
    assert int(ran.stderr) == 3


def test_the_command_line_makes_and_reads(heard: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "test"
    arguments = ["abx", "make", str(heard.folder), str(out), "--pairs", "3", "--methods", ",".join(METHODS), "--mp3"]
    assert run_app(arguments, app) == 0
    assert "3 pairs. Hand out" in capsys.readouterr().out
    key = read(AbxKey, out / KEY, "the key")
    path = saved(votes_of(key, "x", prefer(key, "splice")), tmp_path / "x.json")
    assert run_app(["abx", "read", str(out / KEY), str(path)], app) == 0
    assert "| default over splice | 0 | 0 | 1 | 1 |" in capsys.readouterr().out
    assert run_app(["abx", "read", str(out / KEY), str(out / KEY)], app) == 2
    assert "key.json is not a file of votes" in capsys.readouterr().err


def test_names_with_a_comma_can_be_given() -> None:
    assert split_names("default, splice") == ("default", "splice")
    assert split_names("default; round trip, mosaic") == ("default", "round trip, mosaic")


def test_a_tally_without_votes_says_nothing() -> None:
    pair = Pair(id="001", condition="c", excerpt="e", a="x", b="y")
    key = AbxKey(test="0" * 16, bundle_digest="0" * 64, pairs=(pair,))
    (tally,) = tallies(key, ())
    assert (tally.votes, tally.p) == (0, 1.0)
    assert "| x | - | - |" in text(key, ())

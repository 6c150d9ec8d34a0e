"""The store: bit-identical, bounded, whole under concurrent writers, kills and damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from segue.clip.atomic import STALE_SECONDS
from segue.clip.recipe import Recipe
from segue.errors import InvalidRequest, ResourceError
from segue.service.events import Rendition
from segue.service.store.entry import Damaged, Entry
from segue.service.store.store import Store

SAMPLES = 10_000

WRITER = """
import sys
from pathlib import Path
from tests.service.test_store import entry, Store
store = Store(Path(sys.argv[1]), int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for seed in range(int(sys.argv[3]), int(sys.argv[4])):
    store.put(entry(seed), f"request-{seed}")
    got = store.get(entry(seed).key)
    assert got is None or got.to_bytes() == entry(seed).to_bytes()
"""


def recipe(seed: int, rank: int = 1) -> Recipe:
    digest = "ab" * 32
    parameters = {"gaps": [[0, SAMPLES]], "rank": rank}
    return Recipe(
        task="infill",
        parameters=parameters,
        seed=seed,
        bundle="tiny",
        bundle_digest=digest,
        clip_digest=digest,
        sources=("clip",),
        versions={"segue": "0"},
        device="cpu",
    )


def entry(seed: int, renditions: int = 1) -> Entry:
    """An entry of about 80 kB a rendition, with the bits that a lossy path would change."""
    rng = np.random.default_rng(seed)
    audio = rng.normal(size=(2, SAMPLES)).astype(np.float32)
    audio[0, :4] = [-0.0, 1e-45, 3.4e38, -1.5]
    made = tuple(Rendition((audio + rank, audio[:, :7]), recipe(seed, rank + 1)) for rank in range(renditions))
    return Entry(made, {"gaps": [{"gap_seconds": [0.0, 0.25]}], "task": "infill"})


ONE = len(entry(0).to_bytes())


def keys(store: Store) -> list[int]:
    """Seeds of what is in the store, the one used last first."""
    known = {entry(seed).key: seed for seed in range(50)}
    return [known[listed.key] for listed in store.entries()]


def file_of(store: Store, seed: int) -> Path:
    (path,) = (store.folder / "files").glob(f"{entry(seed).key}.*")
    return path


def test_what_was_put_in_comes_out_bit_for_bit(tmp_path: Path) -> None:
    Store(tmp_path).put(entry(1, 3), "asked")
    store = Store(tmp_path)
    for got in (store.get(entry(1, 3).key), store.find("asked")):
        assert got is not None
        for one, other in zip(got.renditions, entry(1, 3).renditions, strict=True):
            assert [a.tobytes() for a in one.audio] == [np.ascontiguousarray(a).tobytes() for a in other.audio]
            assert [a.shape for a in one.audio] == [(2, SAMPLES), (2, 7)]
            assert one.recipe == other.recipe
        assert got.report == entry(1, 3).report
    assert store.get(entry(2).key) is None
    assert store.find("never asked") is None


def test_equal_results_are_equal_bytes() -> None:
    assert entry(3).to_bytes() == entry(3).to_bytes()
    assert Entry.from_bytes(entry(3, 2).to_bytes()).to_bytes() == entry(3, 2).to_bytes()


@pytest.mark.parametrize("content", [b"", b"\0" * 64, entry(0).to_bytes()[:-1], b"\xff" * 200, b"RIFF"])
def test_other_bytes_are_no_entry(content: bytes) -> None:
    with pytest.raises(Damaged, match="render it again"):
        Entry.from_bytes(content)


def test_the_entry_not_used_longest_goes_first_and_a_pinned_one_never(tmp_path: Path) -> None:
    store = Store(tmp_path, 4 * ONE)
    for seed in range(4):
        store.put(entry(seed))
    store.pin(entry(1).key)
    assert store.get(entry(0).key) is not None
    store.put(entry(4))
    assert keys(store) == [4, 0, 3, 1], "2 was not used longest, after 1, which is pinned"
    for seed in (5, 6, 7):
        store.put(entry(seed))
    assert keys(store) == [7, 6, 5, 1]
    store.pin(entry(1).key, pinned=False)
    store.put(entry(8))
    assert keys(store) == [8, 7, 6, 5]
    assert len(list((tmp_path / "files").iterdir())) == 4, "an evicted entry's file goes with it"
    assert store.find("request") is None


def test_what_does_not_fit_beside_the_pins_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    store = Store(tmp_path, 2 * ONE)
    for seed in range(2):
        store.put(entry(seed))
        store.pin(entry(seed).key)
    with pytest.raises(ResourceError, match="unpin"):
        store.put(entry(2))
    assert sorted(keys(store)) == [0, 1]
    assert len(list((tmp_path / "files").iterdir())) == 2
    store.put(entry(1))  # again, in its own place
    assert [listed.pinned for listed in store.entries()] == [True, True]


def test_pruning_keeps_pins(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seed in range(5):
        store.put(entry(seed))
    store.pin(entry(0).key)
    assert store.prune(3 * ONE) == (entry(1).key, entry(2).key)
    store.prune(0)
    assert keys(store) == [0]


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_entry_is_a_miss_set_aside_and_can_be_put_again(
    tmp_path: Path, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    store.put(entry(0), "asked")
    store.put(entry(1))
    path = file_of(store, 0)
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[-5] ^= 1
    path.write_bytes(content[: len(content) // 2] if harm == "cut" else content)
    if harm == "remove":
        path.unlink()
    assert store.find("asked") is None
    assert "damaged" in caplog.text
    assert [p.name for p in store.set_aside.iterdir()] == ([] if harm == "remove" else [path.name])
    assert keys(store) == [1]
    store.put(entry(0))
    again = store.get(entry(0).key)
    assert again is not None
    assert again.to_bytes() == entry(0).to_bytes()


def test_verify_finds_damage_and_removes_what_killed_writers_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for seed in range(3):
        store.put(entry(seed))
    path = file_of(store, 1)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    new, old, part = (tmp_path / "files" / name for name in ("n.safetensors", "o.safetensors", ".o.1.segue-part"))
    for stray in (new, old, part):
        stray.write_bytes(b"stray")
    past = time.time() - STALE_SECONDS - 1
    for stray in (old, part):
        os.utime(stray, (past, past))
    found = store.verify()
    assert (found.whole, found.damaged) == (2, (entry(1).key,))
    assert sorted(found.removed) == [part.name, old.name]
    assert new.exists(), "another process may be about to name it"
    assert store.verify().damaged == ()


def test_a_key_is_found_by_its_beginning(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(entry(0))
    assert store.resolve(entry(0).key[:8]) == entry(0).key
    with pytest.raises(InvalidRequest, match="none does"):
        store.resolve("zz")
    store.put(entry(1))
    with pytest.raises(InvalidRequest, match="2 do"):
        store.resolve("")
    with pytest.raises(InvalidRequest, match="no entry"):
        store.pin("0" * 64)


def test_a_damaged_index_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Store(tmp_path).put(entry(0))
    (tmp_path / "index.sqlite").write_bytes(b"not a database" * 100)
    for stray in tmp_path.glob("index.sqlite-*"):
        stray.unlink()
    with pytest.raises(ResourceError, match="remove its folder"):
        Store(tmp_path)


def writer(folder: Path, limit: int, seeds: range) -> subprocess.Popen[str]:
    arguments = [str(folder), str(limit), str(seeds.start), str(seeds.stop)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_write_at_once_and_every_entry_stays_whole_within_the_limit(tmp_path: Path) -> None:
    limit = 12 * ONE + 1000  # keys of other lengths
    # overlapping seeds: some write the same entry at the same time, all evict one another's
    writers = [writer(tmp_path, limit, range(start, start + 10)) for start in (0, 5, 10)]
    for child in writers:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n", child.communicate()[1]
    for child in writers:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    store = Store(tmp_path, limit)
    while any(child.poll() is None for child in writers):
        for listed in store.entries():
            store.get(listed.key)
    assert [child.communicate()[1] for child in writers] == ["", "", ""]
    found = store.verify()
    assert found.damaged == ()
    assert found.whole == len(store.entries()) == 12
    assert sum(listed.bytes for listed in store.entries()) <= limit
    assert len(list((tmp_path / "files").iterdir())) == 12
    assert not store.set_aside.exists()


def test_a_writer_that_is_killed_leaves_a_store_that_works(tmp_path: Path) -> None:
    child = writer(tmp_path, 20 * ONE, range(0, 40))
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
    store = Store(tmp_path, 20 * ONE)
    while len(store.entries()) < 5:
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert store.verify().damaged == ()
    store.put(entry(45))
    assert store.get(entry(45).key) is not None


def test_verify_does_not_mind_a_file_that_is_gone_when_it_is_looked_at(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(entry(0))
    gone = file_of(store, 0).with_name("evicted.safetensors")
    gone.symlink_to(tmp_path / "nowhere")  # listed, and not there
    assert store.verify().whole == 1

"""``segue store``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from segue.cli.main import run
from segue.cli.store import parse_size
from segue.errors import InvalidRequest
from segue.service.store.store import Store
from tests.service.test_store import ONE, entry, file_of


def test_list_show_pin_prune_and_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, place = Store(tmp_path), ["--folder", str(tmp_path)]
    for seed in range(3):
        store.put(entry(seed))
    assert run(["store", "pin", entry(0).key[:12], *place]) == 0
    assert run(["store", "list", "--json", *place]) == 0
    listed = json.loads(capsys.readouterr().out)["entries"]
    assert [one["key"] for one in listed] == [entry(seed).key for seed in (2, 1, 0)]
    assert [one["pinned"] for one in listed] == [False, False, True]
    assert run(["store", "show", entry(1).key[:12], "--json", *place]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["recipes"] == [entry(1).renditions[0].recipe.model_dump(mode="json")]
    assert run(["store", "prune", "--to", "1", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == [entry(2).key, entry(1).key], "1 was just shown"
    assert run(["store", "verify", *place]) == 0
    assert run(["store", "unpin", entry(0).key[:12], *place]) == 0
    file_of(store, 0).write_bytes(b"harm")
    capsys.readouterr()
    assert run(["store", "verify", *place]) == 1
    assert entry(0).key in capsys.readouterr().out
    assert run(["store", "list", *place]) == 0
    assert "0 entries" in capsys.readouterr().out


def test_refusals_name_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["store", "list", "--folder", str(tmp_path)]) == 2
    assert "render something first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [], "looking for a store makes none"
    Store(tmp_path)
    assert run(["store", "show", "abc", "--folder", str(tmp_path)]) == 2
    assert "segue store list" in capsys.readouterr().err


def test_sizes() -> None:
    assert [parse_size(text) for text in ("0", "1048576", "2k", "1.5M", "3G")] == [0, 1 << 20, 2048, 3 << 19, 3 << 30]
    assert parse_size(str(ONE)) == ONE
    for text in ("", "-1", "2X", "1e3", "ten"):
        with pytest.raises(InvalidRequest, match="expected a size"):
            parse_size(text)

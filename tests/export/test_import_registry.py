"""Families are found by file: a fourth one is one more file, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

from segue.errors import InvalidRequest
from segue_export import importers
from segue_export.importers.registry import families, open_source

FOURTH = '''
"""A family of tests."""

import dataclasses

from segue_export.importers.stable_audio_open import StableAudioOpen

FAMILY = dataclasses.replace(StableAudioOpen(), name="fourth", title="Fourth", pipelines=("FourthPipeline",))
'''


def _model(folder: Path, pipeline: str) -> Path:
    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return folder


def test_the_three_families_are_found_by_their_files() -> None:
    assert list(families()) == ["ace-step", "stable-audio-3", "stable-audio-open"]
    for family in families().values():
        assert family.weights.startswith("https://") and family.licence.summary and family.licence.url


def test_a_fourth_family_takes_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model(tmp_path / "model", "FourthPipeline")
    with pytest.raises(InvalidRequest, match="FourthPipeline, which no importer reads"):
        open_source(model)
    more = tmp_path / "more"
    more.mkdir()
    (more / "fourth_family_of_tests.py").write_text(FOURTH)
    monkeypatch.setattr(importers, "__path__", [*importers.__path__, str(more)])
    family, source = open_source(model)
    assert (family.name, source.pipeline) == ("fourth", "FourthPipeline")

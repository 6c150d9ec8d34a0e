"""``segue-export``: its options, refusals and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="the import extra is not installed: pip install segue[import]")

from segue.cli.main import run
from segue.errors import InvalidRequest, ResourceError
from segue_export.cli import extra
from segue_export.cli.import_model import named_prompts
from segue_export.cli.main import app
from tests.export.tiny_bundles import folder


def test_check_says_licence_and_needs_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "bundle"
    assert run(["import", str(folder("stable_audio_open")), "-o", str(made), "--check"], app) == 0
    said = capsys.readouterr().out
    assert "Stability AI Community License" in said and "GiB of memory" in said and "of disk" in said
    assert not list(tmp_path.iterdir())


def test_a_licence_that_is_not_acknowledged_ends_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", str(folder("stable_audio_open")), "-o", str(tmp_path / "bundle")], app) == 2
    assert "--accept-licence" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--store", "int4"], "--store takes one of fp32, fp16, int8, got 'int4'"),
        (["--prompt", "warm pads"], "expected --prompt NAME=TEXT"),
        (["--prompt", "a=b", "--prompt", "a=c"], "is given twice"),
        (["--download"], "No such option"),
    ],
)
def test_wrong_options_end_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert run(["import", str(tmp_path), "-o", str(tmp_path / "bundle"), *options], app) == 2
    assert message in capsys.readouterr().err


def test_prompts_keep_their_order_and_may_hold_an_equals_sign() -> None:
    assert list(named_prompts(["b=1 = 2", "a= pads "]).items()) == [("b", "1 = 2"), ("a", "pads")]
    with pytest.raises(InvalidRequest):
        named_prompts(["=pads"])


def test_families_lists_addresses_and_licences(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["families"], app) == 0
    said = capsys.readouterr().out
    for text in ("ace-step", "MIT", "stable-audio-3", "https://huggingface.co/stabilityai"):
        assert text in said


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "PACKAGES", ("diffusers", "a_package_that_nobody_has"))
    with pytest.raises(
        ResourceError, match=r"a_package_that_nobody_has: install them with pip install segue\[import\]"
    ):
        extra.check_extra()

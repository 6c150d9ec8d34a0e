"""The document says what the code does: fields, defaults, codes, limits, versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from annotated_types import MaxLen

from segue_protocol import MESSAGES, PROTOCOL_VERSION, REMEDIES, Sender, limits
from segue_protocol import messages as m

PROTOCOL = Path(__file__).parents[2] / "protocol"
SPEC = (PROTOCOL / "spec.md").read_text(encoding="utf-8")
PARTS = (m.Bundle, m.Limits, m.Settings, m.Stream, m.Mark, m.Curve, m.Patch, m.Device, m.JobStatus)
KINDS: dict[str, type[m.Part]] = {**MESSAGES, **{part.__name__: part for part in PARTS}}


def _section(name: str) -> str:
    found = re.search(rf"^### {name}\n(.*?)(?=^##)", SPEC, re.MULTILINE | re.DOTALL)
    assert found is not None, f"spec.md has no section {name}"
    return found[1]


def _rows(text: str) -> list[list[str]]:
    """Cells of the tables' rows, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", KINDS)
def test_each_message_and_part_has_exactly_the_fields_its_section_lists(name: str) -> None:
    rows = [row for row in _rows(_section(name)) if row[0].startswith("`")]
    assert [row[0].strip("`") for row in rows] == list(KINDS[name].model_fields)


@pytest.mark.parametrize("name", KINDS)
def test_each_field_is_optional_or_has_a_default_where_its_section_says_so(name: str) -> None:
    for field, kind, text in (row for row in _rows(_section(name)) if row[0].startswith("`")):
        known = KINDS[name].model_fields[field.strip("`")]
        optional, default = not known.is_required() and known.default is None, not known.is_required()
        assert ("optional" in kind) == optional, field
        assert ("default" in text and "the first is the default" not in text) == (default and not optional), field


@pytest.mark.parametrize("name", KINDS)
def test_lists_are_as_long_as_their_sections_say(name: str) -> None:
    for field, kind, _ in (row for row in _rows(_section(name)) if row[0].startswith("`")):
        most = [
            one.max_length for one in KINDS[name].model_fields[field.strip("`")].metadata if isinstance(one, MaxLen)
        ]
        said = re.search(r"\] \d+ to ([\d,]+)", kind)
        if said:
            assert most == [int(said[1].replace(",", ""))], field


def test_there_is_no_section_for_a_message_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (\w+)$", SPEC, re.MULTILINE)) == set(KINDS)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_goes_the_way_its_section_says(name: str) -> None:
    first = _section(name).strip()
    said = {Sender.CLIENT} if first.startswith("C") else {Sender.RENDERER}
    said |= {Sender.RENDERER} if first.startswith("C and R") else set()
    assert said == MESSAGES[name].SENDER


def test_codes_and_remedies_are_those_of_the_table() -> None:
    table = re.search(r"^## 8\. Errors(.*?)^## 9", SPEC, re.MULTILINE | re.DOTALL)
    assert table is not None
    said = {row[0]: row[3] for row in _rows(table[1]) if row[0].isupper()}
    assert said == {str(code): remedy for code, remedy in REMEDIES.items()}


def test_the_version_is_the_same_in_the_document_and_the_package() -> None:
    assert SPEC.startswith(f"# The Segue protocol, version {PROTOCOL_VERSION}\n")
    assert f"\n| {PROTOCOL_VERSION} | " in SPEC


def test_the_limits_are_those_of_the_document() -> None:
    said = dict(_rows(SPEC.partition("## 9. Limits")[2].partition("##")[0]))
    assert said["header"] == f"{limits.MAX_HEADER_BYTES:,} bytes"
    assert said["payload"] == f"{limits.MAX_PAYLOAD_BYTES:,} bytes"
    assert said["frame on the socket"] == f"{limits.SOCKET_MAX_FRAME_BYTES:,} bytes"
    assert said["nesting"] == str(limits.MAX_DEPTH)
    assert said["streams, gaps of a job"] == f"{limits.MAX_STREAMS}, {limits.MAX_GAPS}"
    assert said["curves, points of a job"] == f"{limits.MAX_CURVES}, {limits.MAX_CURVE_POINTS}"
    assert said["candidates, steps"] == f"{limits.MAX_CANDIDATES}, {limits.MAX_STEPS}"
    assert said["credit"] == f"{limits.MAX_CREDITS} chunks"
    assert f"| `ZMQ_MAXMSGSIZE` | {limits.SOCKET_MAX_FRAME_BYTES:,} |" in SPEC
    assert f"{limits.HEARTBEAT_INTERVAL_MS} ms, {limits.HEARTBEAT_TIMEOUT_MS} ms" in SPEC


def test_the_picture_names_every_message_of_a_job_and_of_a_session() -> None:
    picture = (PROTOCOL / "state-machine.svg").read_text(encoding="utf-8")
    around = {"PING", "STATUS", "STATUS_REPLY"}
    assert [name for name in MESSAGES if name not in around and name not in picture] == []

"""The recipe as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from segue.clip.recipe import MAX_BYTES, Recipe, running_versions
from segue.errors import InvalidRequest

KNOWN = {
    "task": "infill", "parameters": {"gap": [1.0, 2.0], "freedom": 0.8}, "seed": 3, "bundle": "mel",
    "bundle_digest": "0" * 64, "clip_digest": "f" * 64, "sources": ["in.wav", "zweite Spur.flac"],
    "versions": {"segue": "0.1.0"}, "device": "cpu",
}  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def recipe(**changes: object) -> Recipe:
    return Recipe.model_validate(KNOWN | changes)


@given(parameters=st.dictionaries(st.text(), JSON, max_size=4), seed=st.integers(0, 2**63), name=st.text(min_size=1))
def test_any_recipe_reads_back_equal_from_one_line_of_text(parameters: dict[str, object], seed: int, name: str) -> None:
    written = recipe(parameters=parameters, seed=seed, bundle=name)
    text = written.to_json()
    assert "\n" not in text
    assert text.isascii()
    assert Recipe.from_json(text) == written
    assert Recipe.from_json(text.encode()).digest == written.digest


def test_the_digest_does_not_depend_on_the_order_of_parameters() -> None:
    one, two = recipe(parameters={"a": 1, "b": 2}), recipe(parameters={"b": 2, "a": 1})
    assert one.digest == two.digest
    assert one.digest != recipe(parameters={"a": 1, "b": 3}).digest


def test_fields_of_a_newer_minor_version_are_ignored_and_a_newer_major_is_refused_by_name() -> None:
    assert Recipe.from_json(json.dumps(KNOWN | {"format": "1.7", "mood": "blue"})).task == "infill"
    with pytest.raises(InvalidRequest, match=r"format 2\.0, this Segue reads 1\.x"):
        Recipe.from_json(json.dumps({"format": "2.0", "entirely": "different"}))


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "1", "{}", '{"format": 5}', "[" * 100_000, "\udcff",
     '{"format": "\u0662.0"}', "x" * (MAX_BYTES + 1)]
    + [json.dumps({k: v for k, v in KNOWN.items() if k != gone}) for gone in KNOWN]
    + [json.dumps(KNOWN | bad) for bad in ({"seed": "x"}, {"bundle_digest": "abc"}, {"task": ""}, {"parameters": []})],
)  # fmt: skip
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        Recipe.from_json(text)


@given(st.text(max_size=40), st.integers(0, 400))
def test_a_damaged_recipe_is_read_or_refused_but_nothing_else(insert: str, at: int) -> None:
    text = recipe().to_json()
    try:
        Recipe.from_json(text[:at] + insert + text[at + 1 :])
    except InvalidRequest:
        return


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1.0, float("-inf")]])
def test_numbers_json_cannot_hold_are_refused_rather_than_changed(value: object) -> None:
    with pytest.raises(ValidationError):
        recipe(parameters={"strength": value})


def test_a_recipe_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        recipe().seed = 4  # type: ignore[misc]


def test_a_recipe_too_long_to_carry_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="shorten its parameters"):
        recipe(parameters={"text": "x" * MAX_BYTES}).to_json()


def test_the_versions_that_decide_the_samples_are_named() -> None:
    versions = running_versions()
    assert {"segue", "torch", "numpy"} <= set(versions)
    assert versions["numpy"] == np.__version__

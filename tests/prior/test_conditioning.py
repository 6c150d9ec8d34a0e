"""Conditioning by name."""

from __future__ import annotations

import pytest
import torch

from segue.errors import InvalidRequest
from segue.prior.conditioning import PROVIDERS, provide
from segue.prior.contract import ConditioningRequest


def _request(**changes: object) -> ConditioningRequest:
    generator = torch.Generator().manual_seed(0)
    values: dict[str, object] = {
        "mask": torch.tensor([1.0, 1.0, 0.0, 0.0]).expand(2, 1, 4),
        "context": torch.randn(2, 3, 4, generator=generator),
        "donors": torch.randn(2, 2, 3, 4, generator=generator),
        "presence": torch.tensor([[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]).expand(2, 2, 4),
    }
    return ConditioningRequest(**{**values, **changes})  # type: ignore[arg-type]


def test_context_is_silent_where_nothing_is_known() -> None:
    request = _request()
    context = provide(["context"], request)["context"]
    assert torch.equal(context[..., :2], request.context[..., :2])
    assert not context[..., 2:].any()


def test_donors_are_stacked_left_then_right_and_silent_where_absent() -> None:
    request = _request()
    assert request.donors is not None
    donors = provide(["donors"], request)["donors"]
    left, right = donors.chunk(2, 1)
    assert torch.equal(left[..., :3], request.donors[:, 0, :, :3])
    assert not left[..., 3:].any()
    assert not right.any()


def test_without_donors_their_inputs_are_zero_and_of_the_same_shape() -> None:
    with_donors = provide(PROVIDERS, _request())
    without = provide(PROVIDERS, _request(donors=None, presence=None))
    for name in ("donors", "presence"):
        assert without[name].shape == with_donors[name].shape
        assert not without[name].any()


@pytest.mark.parametrize("missing", ["donors", "presence"])
def test_donors_without_presence_are_refused_and_the_other_way_round(missing: str) -> None:
    with pytest.raises(InvalidRequest, match="together"):
        provide(["donors"], _request(**{missing: None}))


def test_extras_serve_names_of_their_own() -> None:
    tokens = torch.ones(2, 7, 5)
    assert torch.equal(provide(["text"], _request(extras={"text": tokens}))["text"], tokens)


def test_unknown_names_are_refused_with_those_known() -> None:
    with pytest.raises(InvalidRequest, match=r"'lyrics'; known are .*'mask'"):
        provide(["mask", "lyrics"], _request())


def test_seconds_are_those_of_the_window_itself_for_every_window() -> None:
    """Wherever it stands on the timeline: what the families' own pipelines tell their networks."""
    asked = _request(seconds=(12.0, 6.0))
    given = provide(["seconds"], asked)["seconds"]
    assert given.tolist() == [[0.0, 6.0]] * len(asked.context)

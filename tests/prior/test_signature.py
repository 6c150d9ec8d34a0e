"""Shapes with free axes: what they accept, and that they read back what they wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InvalidRequest
from segue.prior.signature import Axis, Signature, TensorSpec, codec_signatures, denoiser_signature

axes = st.one_of(st.integers(1, 5), st.just("frames"), st.integers(1, 9).map(lambda n: f"frames*{n}"))
shapes = st.lists(axes, max_size=4).map(lambda a: ("batch", *a))
sizes = st.tuples(st.integers(1, 6), st.integers(1, 40))


@given(shape=shapes, size=sizes)
def test_match_reads_back_what_sizes_wrote(shape: tuple[Axis, ...], size: tuple[int, int]) -> None:
    spec = TensorSpec("tensor", shape)
    batch, frames = spec.match(spec.sizes(*size))
    follows = any(str(a).startswith("frames") for a in shape)
    assert (batch, frames) == (size[0], size[1] if follows else None)


@given(shape=shapes, size=sizes, data=st.data())
def test_one_size_off_is_refused_unless_that_axis_alone_is_free(
    shape: tuple[Axis, ...], size: tuple[int, int], data: st.DataObject
) -> None:
    spec = TensorSpec("tensor", shape)
    right = list(spec.sizes(*size))
    at = data.draw(st.integers(0, len(right) - 1))
    right[at] += 1
    free = [i for i, a in enumerate(shape) if str(a).startswith("frames")]
    if at == 0 or (free == [at] and shape[at] in ("frames", "frames*1")):
        assert spec.sizes(*(n or 0 for n in spec.match(right))) == tuple(right)
    else:
        with pytest.raises(InvalidRequest, match="expected shape"):
            spec.match(right)


@pytest.mark.parametrize("sizes_", [(), (0, 3, 8), (1, 3), (1, 3, 8, 1), (1, 3, 0)])
def test_other_ranks_and_empty_axes_are_refused(sizes_: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest):
        TensorSpec("x", ("batch", 3, "frames")).match(sizes_)


@pytest.mark.parametrize(
    "shape", [(), (1, "frames"), ("batch", 0), ("batch", -1), ("batch", "time"), ("batch", "frames*0"), ("batch", True)]
)
def test_shapes_outside_the_vocabulary_are_refused(shape: tuple[Axis, ...]) -> None:
    with pytest.raises(InvalidRequest):
        TensorSpec("x", shape)


@pytest.mark.parametrize("name", ["", "1st", "a b", "../x", "x" * 65])
def test_names_that_are_no_identifiers_are_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="identifier"):
        TensorSpec(name, ("batch",))


@pytest.mark.parametrize("name", ["x_t", "time", "cot", "g", "x0_hat"])
def test_conditioning_may_not_take_the_name_of_another_tensor(name: str) -> None:
    with pytest.raises(InvalidRequest, match="different names"):
        denoiser_signature(4, [TensorSpec(name, ("batch", 1, "frames"))])


def test_gradients_have_the_shape_of_the_variable_and_cotangents_of_the_output() -> None:
    encode, decode = codec_signatures(channels=4, token=16)
    for signature in (encode, decode):
        assert signature.gradient.shape == signature.variable.shape
        assert signature.cotangent.shape == signature.output.shape
    assert encode.variable.sizes(2, 3) == decode.output.sizes(2, 3) == (2, 2, 48)
    assert isinstance(encode, Signature)

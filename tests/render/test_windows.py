"""Where the prior looks."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.clip.span import Span
from segue.render.windows import SEAM, WindowedPrior, WindowRange, known_frames, lay_out, ownership, slice_windows

TOKEN, WINDOW, CONTEXT = 2048, 96, 20


@given(start=st.integers(0, 10_000_000), length=st.integers(1, 3_000_000))
def test_layout_covers_the_gap_with_context_on_both_sides(start: int, length: int) -> None:
    gap = Span(start, start + length)
    layout = lay_out(gap, TOKEN, WINDOW, CONTEXT)
    assert layout.first % TOKEN == 0
    assert layout.span.start <= gap.start - CONTEXT * TOKEN
    assert layout.span.stop >= gap.stop + (CONTEXT - 1) * TOKEN
    assert {w.length for w in layout.windows} == {WINDOW}
    assert layout.windows[0].start == 0
    assert layout.windows[-1].stop == layout.frames


@given(length=st.integers(1, 6_000_000), turn=st.integers(0, 5))
def test_every_frame_has_exactly_one_owner_among_the_windows_that_see_it(length: int, turn: int) -> None:
    layout = lay_out(Span(1_000_000, 1_000_000 + length), TOKEN, WINDOW, CONTEXT)
    owner = ownership(layout.windows, layout.frames, turn)
    assert torch.equal(owner.sum(0), torch.ones(layout.frames))
    for window, row in zip(layout.windows, owner, strict=True):
        outside = torch.ones(layout.frames)
        outside[window.start : window.stop] = 0.0
        assert float((row * outside).sum()) == 0.0


def test_overlaps_change_hands_from_step_to_step() -> None:
    layout = lay_out(Span(0, 10 * 44100), TOKEN, WINDOW, CONTEXT)
    assert len(layout.windows) > 2
    assert not torch.equal(ownership(layout.windows, layout.frames, 0), ownership(layout.windows, layout.frames, 1))


def test_a_prior_that_works_frame_by_frame_is_unchanged_by_windows() -> None:
    layout = lay_out(Span(0, 10 * 44100), TOKEN, WINDOW, CONTEXT)
    heard: list[tuple[int, ...]] = []

    def prior(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        heard.append(tuple(x_t.shape))
        return x_t * 2.0 + t[:, None, None]

    windowed = WindowedPrior(prior, layout)
    x_t = torch.randn(2, 3, layout.frames)
    times = torch.tensor([0.3, 0.6])
    for _ in range(2):
        assert torch.allclose(windowed(x_t, times), x_t * 2.0 + times[:, None, None])
    assert heard[0] == (2 * len(layout.windows), 3, WINDOW)


def test_the_gradient_crosses_the_windows() -> None:
    layout = lay_out(Span(0, 10 * 44100), TOKEN, WINDOW, CONTEXT)
    x_t = torch.randn(1, 2, layout.frames, requires_grad=True)
    WindowedPrior(lambda x, t: 3.0 * x, layout)(x_t, torch.zeros(1)).sum().backward()
    assert x_t.grad is not None
    assert torch.allclose(x_t.grad, torch.full_like(x_t, 3.0))


@given(start=st.integers(0, 40 * TOKEN), length=st.integers(1, 20 * TOKEN), reach=st.integers(0, 2 * TOKEN))
def test_a_frame_is_known_only_if_nothing_it_analyses_is_unknown(start: int, length: int, reach: int) -> None:
    layout = lay_out(Span(20 * TOKEN, 30 * TOKEN), TOKEN, WINDOW, CONTEXT)
    known = np.ones(layout.frames * TOKEN + 2 * reach, bool)
    known[start + reach : start + reach + length] = False
    frames = known_frames(layout, reach, known)
    for index, frame in enumerate(frames):
        heard = known[index * TOKEN : (index + 1) * TOKEN + 2 * reach]
        assert bool(frame) == bool(heard.all())


def test_windows_are_sliced_in_order() -> None:
    values = torch.arange(10.0)[None, None]
    sliced = slice_windows(values, (Span(0, 6), Span(3, 9)))
    assert sliced[:, 0, 0].tolist() == [0.0, 3.0]
    assert sliced.shape == (2, 1, 6)


@given(
    st.sampled_from([128, 1764, 2048, 4096]),
    st.integers(16, 200),
    st.integers(0, 400),
    st.sampled_from([1, 2]),
    st.integers(0, 20 * 44100),
    st.integers(4000, 8 * 44100),
)
def test_windows_keep_to_what_a_prior_can_see_and_leave_room_for_the_seams(
    token: int, least: int, more: int, multiple: int, start: int, length: int
) -> None:
    within = WindowRange(least * multiple, (least + more) * multiple, multiple)
    gap = Span(start, start + length)
    layout = within.lay_out(gap, token)
    sizes = {window.length for window in layout.windows}
    assert len(sizes) == 1 and within.least <= min(sizes) <= within.most
    assert min(sizes) % multiple == 0
    assert layout.span.start <= gap.start - SEAM and gap.stop + SEAM <= layout.span.stop


def test_a_window_is_as_short_as_6_s_where_that_holds_the_gap_and_2_s_beside_it() -> None:
    within = WindowRange(1, 1292)
    assert within.fitting(Span(0, 44100), 4096) == 65
    assert within.fitting(Span(0, 10 * 44100), 4096) == 108 + 2 * 22
    assert WindowRange(1024, 1024).fitting(Span(0, 44100), 2048) == 1024

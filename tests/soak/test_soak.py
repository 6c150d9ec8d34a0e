"""Fault 37: the soak of a live renderer, in short; ``make soak`` runs it for as long as wanted."""

from __future__ import annotations

from tests.soak import soak


def test_fault_37_a_short_soak_of_a_live_renderer_leaves_books_that_agree() -> None:
    told = soak.run(0.0, seed=5, of=8.0)
    assert "'RESULT': " in told, told
    assert "'kill the render': " in told, told

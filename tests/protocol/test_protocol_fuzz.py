"""No input crashes the parser, and none makes it keep memory."""

from __future__ import annotations

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

from segue_protocol import MESSAGES, Sender
from tests.protocol import fuzz


def test_5000_damaged_and_invented_messages_are_parsed_or_refused() -> None:
    outcomes, grown = fuzz.run(5000, seed=6)
    assert set(outcomes) > {"MALFORMED", "INVALID", "UNSUPPORTED", "VERSION", "SUBMIT", "CHUNK"}
    assert grown < fuzz.GROWTH


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(MESSAGES)), st.data(), st.sampled_from(Sender))
@settings(max_examples=150, deadline=None)
def test_any_values_in_any_fields_are_parsed_or_refused(name: str, data: st.DataObject, sender: Sender) -> None:
    fields = {field: data.draw(_VALUES) for field in MESSAGES[name].model_fields}
    fuzz.parsed_or_refused([msgpack.packb({"type": name, **fields})], sender)

"""Bodies, and how they are kept small."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.alerts.message import compose
from rpkival.alerts.outbox import Outbox
from rpkival.storage import open_database

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=30,
)


def test_small_events_are_whole() -> None:
    """What fits is not touched."""
    body = json.loads(compose("test", 0.0, {"a": [1, 2]}))

    assert body == {"type": "test", "timestamp": "1970-01-01T00:00:00Z", "data": {"a": [1, 2]}}


def test_the_longest_lists_are_cut_and_named() -> None:
    """Two thousand peers: some are shown, all are counted."""
    data = {
        "prefix": "192.0.2.0/24",
        "observed": {"peers": [f"192.0.2.{n % 256}" for n in range(2000)], "paths": [[1]]},
    }

    body = compose("incident.opened", 0.0, data)

    sent = json.loads(body)["data"]
    assert len(body) <= 20_000
    assert sent["truncated"] == {"observed.peers": 2000}
    assert sent["observed"]["peers"] == data["observed"]["peers"][: len(sent["observed"]["peers"])]
    assert len(sent["observed"]["peers"]) >= 500
    assert sent["observed"]["paths"] == [[1]]
    assert "truncated" not in data


def test_long_texts_are_cut_last() -> None:
    """A sentence of a megabyte cannot pass either."""
    sent = json.loads(compose("test", 0.0, {"why": "x" * 1_000_000}))["data"]

    assert sent["truncated"] == {"why": 1_000_000}
    assert set(sent["why"]) == {"x"}


@given(st.dictionaries(st.text(max_size=9).filter(lambda key: key != "truncated"), JSON, max_size=5))
def test_always_within_the_limit_and_always_the_same(data: dict[str, Any]) -> None:
    """Whatever the event holds; and a retry signs the same bytes."""
    body = compose("test", 0.0, data, limit=5000)

    assert len(body) <= 5000
    assert body == compose("test", 0.0, data, limit=5000)


def test_what_cannot_be_cut_is_refused_at_the_door() -> None:
    """A thousand short fields are no event: whoever makes one hears of it, not the loop that delivers."""
    data = {f"field-{number}": number for number in range(2000)}

    with pytest.raises(ValueError, match="nothing to cut"):
        Outbox(open_database(None)).enqueue("test", data, 0.0)

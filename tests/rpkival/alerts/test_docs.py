"""docs/alerts.md tells the truth: its example of a body is ours, and its receiver verifies."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feeds.route_batch import Peer
from rpkival.alerts.signature import Secret, sign
from rpkival.monitor.case import Case, Route
from rpkival.monitor.incidents import Expected, Rpki

DOCS = Path(__file__).parents[3] / "docs" / "alerts.md"


def block(language: str) -> str:
    """The first code block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def verify() -> Callable[[str, dict[str, str], bytes], bool]:
    """The function that the document shows."""
    names: dict[str, Any] = {}
    exec(compile(block("python"), str(DOCS), "exec"), names)
    return names["verify"]  # type: ignore[no-any-return]


def test_the_example_verifies_what_we_sign(verify: Callable[[str, dict[str, str], bytes], bool]) -> None:
    """With either secret while rotating, and nothing else."""
    old, new, now, body = Secret.new(), Secret.new(), int(time.time()), b'{"type":"test"}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign([old, new], "msg_1", now, body),
    }

    assert verify(old.text(), headers, body)
    assert verify(new.text(), headers, body)
    assert not verify(Secret.new().text(), headers, body)
    assert not verify(old.text(), headers, body + b" ")
    assert not verify(old.text(), headers | {"webhook-id": "msg_2"}, body)
    assert not verify(old.text(), headers | {"webhook-timestamp": str(now - 301)}, body)


def shape(value: Any) -> Any:
    """Names and types, without values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_the_example_body_has_our_fields() -> None:
    """Every field, in our order."""
    case = Case(
        "inc_1",
        "more-specific-hijack",
        "192.0.2.0/25",
        64666,
        Expected("192.0.2.0/24", (64496,)),
        Rpki("invalid", "as"),
        1.0,
        1.0,
    )
    case.see(Route("rrc00", Peer(64500, "198.51.100.1")), (64500, 64666), 1.0)
    ours = shape(case.incident("https://rpkival.example.net").as_data())
    theirs = shape(json.loads(block("json"))["data"])

    ours["rpki"]["vrps"] = theirs["rpki"]["vrps"]
    assert ours == theirs
    assert list(ours) == list(theirs)

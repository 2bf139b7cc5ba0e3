"""The other end of the lab's webhook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from rpkival.alerts.signature import Secret, sign
from rpkival.daemon.receiver import Receiver

SECRET = Secret(b"0" * 32)
BODY = json.dumps({"type": "test", "data": {"prefix": "192.0.2.0/24"}}).encode()


class Shown(list[tuple[str, dict[str, object]]]):
    """What the receiver said."""


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[str, Shown]]:
    """A receiver on loopback and what it shows."""
    shown = Shown()
    running = Receiver(SECRET, lambda kind, data: shown.append((kind, data)))
    yield await running.start(), shown
    await running.close()


async def post(url: str, signature: str, message_id: str = "msg_1", timestamp: str = "1000") -> int:
    """Deliver BODY; the status."""
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
    async with aiohttp.ClientSession() as session, session.post(url, data=BODY, headers=headers) as answer:
        return answer.status


async def test_a_signed_delivery_is_shown_once(receiver: tuple[str, Shown]) -> None:
    """Delivery is at least once; showing is once."""
    url, shown = receiver
    signature = sign((SECRET,), "msg_1", 1000, BODY)

    assert [await post(url, signature), await post(url, signature)] == [204, 204]
    assert shown == [("test", {"prefix": "192.0.2.0/24"})]


@pytest.mark.parametrize(
    ("signature", "timestamp"),
    [
        ("v1,AAAA", "1000"),
        (sign((Secret(b"1" * 32),), "msg_1", 1000, BODY), "1000"),
        (sign((SECRET,), "msg_1", 1000, BODY), "1001"),
        (sign((SECRET,), "msg_2", 1000, BODY), "1000"),
        (sign((SECRET,), "msg_1", 1000, BODY), "yesterday"),
        ("", ""),
    ],
    ids=["forged", "other secret", "other time", "other id", "no time", "nothing"],
)
async def test_a_forgery_is_refused(receiver: tuple[str, Shown], signature: str, timestamp: str) -> None:
    """Who does not know the secret shows nothing."""
    url, shown = receiver

    assert await post(url, signature, timestamp=timestamp) == 401
    assert not shown

"""Deliveries to a real HTTP receiver on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from rpkival.alerts import deliverer as module
from rpkival.alerts.deliverer import Deliverer
from rpkival.alerts.schedule import Answer, Outcome, after_attempt
from rpkival.alerts.signature import Secret
from rpkival.alerts.webhook import Endpoint
from rpkival.errors import StateError
from rpkival.storage import Database, open_database

StartReceiver = Callable[[], Any]


@pytest.fixture
def database() -> Database:
    """One in memory."""
    return open_database(None)


def deliverer(database: Database, *endpoints: Endpoint) -> Deliverer:
    """One without jitter."""
    return Deliverer(database, endpoints, chance=lambda: 0.0)


async def test_an_event_arrives_signed(database: Database, start_receiver: StartReceiver) -> None:
    """An independent implementation verifies it, and it is sent once."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint())
    identifier = out.outbox.enqueue("feed.stale", {"feed": "ris-live"}, 1763679600.0)

    assert await out.deliver_due(time.time()) == 1
    assert await out.deliver_due(time.time()) == 0

    assert receiver.received == [
        (identifier, {"type": "feed.stale", "timestamp": "2025-11-20T23:00:00Z", "data": {"feed": "ris-live"}})
    ]
    (report,) = out.outbox.reports()
    assert (report.state, report.attempts, report.status) == ("delivered", 1, 204)


async def test_either_secret_verifies_while_rotating(database: Database, start_receiver: StartReceiver) -> None:
    """With two secrets a receiver that holds the new one is satisfied as well."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint(Secret.new(), receiver.secret))
    out.outbox.enqueue("test", {}, 1.0)

    await out.deliver_due(time.time())

    assert len(receiver.received) == 1


async def test_a_wrong_secret_does_not_verify(database: Database, start_receiver: StartReceiver) -> None:
    """The receiver of these tests does look at the signature."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint(Secret.new()))
    out.outbox.enqueue("test", {}, 1.0)

    await out.deliver_due(time.time())

    assert receiver.received == []
    assert out.outbox.reports()[0].status == 500


async def test_retries_keep_id_and_body(database: Database, start_receiver: StartReceiver) -> None:
    """A receiver that was down gets the same message under the same id, so that it can drop repeats."""
    receiver = await start_receiver()
    receiver.status = 500
    out = deliverer(database, receiver.endpoint())
    out.outbox.enqueue("test", {"n": 1}, 1.0)
    now = time.time()

    await out.deliver_due(now)
    assert await out.deliver_due(now + 1) == 0, "not before five seconds have passed"
    receiver.status = 200
    assert await out.deliver_due(now + 60) == 1

    (first, _), (second, _) = receiver.received
    assert first == second
    assert receiver.bodies[0] == receiver.bodies[1]
    assert out.outbox.reports()[0].answer == "thanks"


async def test_it_is_given_up_after_ten_attempts(database: Database, start_receiver: StartReceiver) -> None:
    """Three days, then the delivery is abandoned; by hand it can be sent again."""
    receiver = await start_receiver()
    receiver.status = 500
    out = deliverer(database, receiver.endpoint())
    identifier = out.outbox.enqueue("test", {}, 1.0)
    begin = now = time.time()

    while (due := out.next_due()) is not None or receiver.requests == 0:
        now = max(now, due or 0)
        await out.deliver_due(now)

    assert receiver.requests == 10
    assert 70 * 3600 < now - begin < 80 * 3600
    assert out.outbox.reports()[0].state == "abandoned"
    receiver.status = 204
    assert out.outbox.redeliver(identifier, now) == 1
    assert await out.deliver_due(now) == 1
    assert out.outbox.reports()[0].state == "delivered"


async def test_gone_disables_until_asked_again(database: Database, start_receiver: StartReceiver) -> None:
    """410: the receiver wants no more. Nothing is sent, nothing is lost."""
    receiver = await start_receiver()
    receiver.status = 410
    out = deliverer(database, receiver.endpoint())
    first = out.outbox.enqueue("test", {"n": 1}, 1.0)
    now = time.time()
    await out.deliver_due(now)
    out.outbox.enqueue("test", {"n": 2}, 2.0)

    assert await out.deliver_due(now + 1e6) == 0
    assert out.next_due() is None

    receiver.status = 204
    out.outbox.redeliver(first, now)
    assert await out.deliver_due(now + 1e6) == 2


async def test_a_throttling_receiver_is_left_alone(database: Database, start_receiver: StartReceiver) -> None:
    """429 with Retry-After: no event at all goes there before that time."""
    receiver = await start_receiver()
    receiver.status, receiver.headers = 429, {"retry-after": "600"}
    out = deliverer(database, receiver.endpoint())
    out.outbox.enqueue("test", {"n": 1}, 1.0)
    now = time.time()
    await out.deliver_due(now)
    out.outbox.enqueue("test", {"n": 2}, 2.0)

    assert await out.deliver_due(now + 500) == 0
    receiver.status = 204
    assert await out.deliver_due(now + 700) == 2


async def test_redirects_are_not_followed(database: Database, start_receiver: StartReceiver) -> None:
    """A 302 is a failure; where it points to is not asked."""
    other, receiver = await start_receiver(), await start_receiver()
    receiver.status, receiver.headers = 302, {"location": other.url}
    out = deliverer(database, receiver.endpoint())
    out.outbox.enqueue("test", {}, 1.0)

    await out.deliver_due(time.time())

    assert other.requests == 0
    assert out.outbox.reports()[0].state == "waiting"


async def test_nobody_listens(database: Database, start_receiver: StartReceiver, unused_tcp_port: int) -> None:
    """A refused connection is a failed attempt; other endpoints do not suffer."""
    receiver = await start_receiver()
    dead = Endpoint(f"http://127.0.0.1:{unused_tcp_port}/", (Secret.new(),), allow=("127.0.0.0/8",))
    out = deliverer(database, dead, receiver.endpoint())
    out.outbox.enqueue("test", {}, 1.0)

    assert await out.deliver_due(time.time()) == 2

    assert len(receiver.received) == 1
    states = {report.url: report.state for report in out.outbox.reports()}
    assert states == {dead.url: "waiting", receiver.url: "delivered"}


async def test_a_name_that_leads_to_a_private_address(database: Database, start_receiver: StartReceiver) -> None:
    """The guard judges the address at the connection: `localhost` is not sent to unless allowed."""
    receiver = await start_receiver()
    port = receiver.url.rsplit(":", 1)[1]
    out = deliverer(database, Endpoint(f"https://localhost:{port}", receiver.endpoint().secrets))
    out.outbox.enqueue("test", {}, 1.0)

    await out.deliver_due(time.time())

    (report,) = out.outbox.reports()
    assert receiver.requests == 0
    assert "private address" in (report.answer or "")


async def test_run_wakes_when_something_is_written(database: Database, start_receiver: StartReceiver) -> None:
    """No polling delay between an event and its delivery, even if another thread writes it."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint())
    task = asyncio.create_task(out.run())
    await asyncio.sleep(0)

    for number in range(3):
        await asyncio.to_thread(out.outbox.enqueue, "test", {"n": number}, time.time())
        async with asyncio.timeout(30):
            await receiver.arrivals.get()

    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert [message["data"]["n"] for _, message in receiver.received] == [0, 1, 2]


async def test_an_idle_deliverer_sleeps(
    database: Database, start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking whether anything is due writes nothing, so it must not wake the one who looks."""
    receiver = await start_receiver()
    idle = deliverer(database, receiver.endpoint())
    looks = []
    claim = idle.outbox.claim
    monkeypatch.setattr(idle.outbox, "claim", lambda *given, **named: (looks.append(given), claim(*given, **named))[1])

    task = asyncio.create_task(idle.run())
    await asyncio.sleep(0.3)
    task.cancel()

    assert 1 <= len(looks) < 10


async def test_run_outlives_a_database_that_fails(database: Database, start_receiver: StartReceiver) -> None:
    """A disk that was full for a while costs time, not alerts."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint())
    database.write("CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    identifier = out.outbox.enqueue("test", {}, time.time())
    with pytest.raises(StateError, match="disk is full"):
        await out.deliver_due(time.time())
    task = asyncio.create_task(out.run())
    await asyncio.sleep(0)
    assert not task.done()

    database.write("DROP TRIGGER full")

    async with asyncio.timeout(30):
        assert await receiver.arrivals.get() == identifier
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_breaks_at_one_endpoint_stays_there(
    database: Database, start_receiver: StartReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours that the answers of one receiver lay open does not end the deliveries to the others."""
    poison, good = await start_receiver(), await start_receiver()
    poison.status = 503

    def decide(answer: Answer, *rest: Any) -> Outcome:
        if answer.status == 503:
            raise ArithmeticError
        return after_attempt(answer, *rest)

    monkeypatch.setattr(module, "after_attempt", decide)
    out = deliverer(database, poison.endpoint(), good.endpoint())
    task = asyncio.create_task(out.run())
    out.outbox.enqueue("test", {}, time.time())
    async with asyncio.timeout(30):
        await poison.arrivals.get()
        await good.arrivals.get()

    identifier = out.outbox.enqueue("test", {}, time.time())

    async with asyncio.timeout(30):
        assert await good.arrivals.get() == identifier
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_new_endpoint_hears_what_happens_from_now_on(database: Database, start_receiver: StartReceiver) -> None:
    """What was before it is not for it; what it missed while it was not served is."""
    receiver = await start_receiver()
    deliverer(database).outbox.enqueue("test", {"n": 1}, 1.0)
    first = deliverer(database, receiver.endpoint())
    first.outbox.enqueue("test", {"n": 2}, 2.0)

    assert await deliverer(database, receiver.endpoint()).deliver_due(time.time()) == 1

    assert receiver.received[0][1]["data"] == {"n": 2}


async def test_pruning_keeps_what_waits(database: Database, start_receiver: StartReceiver) -> None:
    """Old events go, except the newest and those not delivered; new events still arrive after it."""
    receiver = await start_receiver()
    out = deliverer(database, receiver.endpoint())
    for number in range(3):
        out.outbox.enqueue("test", {"n": number}, 1.0)
    await out.deliver_due(time.time())

    out.outbox.prune(time.time())

    assert len(out.outbox.reports()) == 1
    out.outbox.enqueue("test", {"n": 3}, time.time())
    assert await out.deliver_due(time.time()) == 1


async def test_what_a_receiver_says_moves_no_cursor(database: Database, start_receiver: StartReceiver) -> None:
    """Its answer is shown on terminals, so it is kept as plain text, and not all of it."""
    receiver = await start_receiver()
    receiver.status, receiver.says = 500, "\x1b[2J\r\nno\x07 " + "x" * 100_000
    out = deliverer(database, receiver.endpoint())
    out.outbox.enqueue("test", {}, 1.0)

    await out.deliver_due(time.time())

    answer = out.outbox.reports()[0].answer or ""
    assert answer.startswith("[2J  no")
    assert answer.isprintable()
    assert len(answer) <= 4096

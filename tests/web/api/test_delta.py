"""What changed since a serial, as Routinator tells it."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from rpkival.origin.index import OriginIndex
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from web.app import make_app
from web.view import View

GENERATED = 1_773_648_000
OLD = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("198.51.100.0/24", 24, 64497)]), (Aspa(1, (2, 3)),))
NEW = Payload(
    Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64498)]),
    (Aspa(1, (2, 4)),),
    (RouterKey(64496, bytes(20), b"\xfb\xff\xfe"),),
)


class Served:
    """A cache, and a view that shows what it serves."""

    def __init__(self) -> None:
        self.cache = Cache(4242, 7)
        self.view = View(changes_since=self.cache.changes_since, now=lambda: GENERATED + 5.0)

    def serve(self, payload: Payload) -> None:
        """As the process does with each new payload."""
        self.cache.update(payload)
        self.view.index = OriginIndex.build(payload.vrps)
        self.view.snapshot = Snapshot(payload, GENERATED, self.cache.serial, self.cache.session_id)
        self.view.news.announce()


@pytest.fixture
def served() -> Served:
    """Two serials, 7 and 8."""
    served = Served()
    served.serve(OLD)
    served.serve(NEW)
    return served


async def test_a_delta_byte_for_byte(served: Served) -> None:
    """As Routinator lays it out, except that its ASPAs and keys break their JSON across lines more."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        answer = await client.get("/json-delta?session=4242&serial=7")
        text = await answer.text()

    assert answer.content_type == "application/json"
    assert text == (
        '{\n  "reset": false,\n  "session": "4242",\n  "serial": 8,\n  "fromSerial": 7,\n  "generated": 1773648000,\n'
        '  "generatedTime": "2026-03-16T08:00:00Z",\n  "announced": [\n'
        '    {\n        "type": "routeOrigin",\n        "asn": "AS64498",\n        "prefix": "2001:db8::/32",\n'
        '        "maxLength": 48\n    },\n'
        '    {\n        "type": "routerKey",\n        "keyIdentifier": "' + "0" * 40 + '",\n        "asn": "AS64496",\n'
        '        "keyInfo": "-__-"\n    },\n'
        '    {\n        "type": "aspa",\n        "customerAsn": "AS1",\n        "providerAsns": ["AS2", "AS4"]\n    }\n'
        '  ],\n  "withdrawn": [\n'
        '    {\n        "type": "routeOrigin",\n        "asn": "AS64497",\n        "prefix": "198.51.100.0/24",\n'
        '        "maxLength": 24\n    },\n'
        '    {\n        "type": "aspa",\n        "customerAsn": "AS1",\n        "providerAsns": ["AS2", "AS3"]\n    }\n'
        "  ]\n}\n"
    )


@pytest.mark.parametrize("query", ["", "?session=4242&serial=6", "?session=4241&serial=7", "?session=4242&serial=9"])
async def test_who_has_nothing_that_is_kept_gets_everything(served: Served, query: str) -> None:
    """As a reset, without withdrawals."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        document = await (await client.get(f"/json-delta{query}")).json()

    assert (document["reset"], document["session"], document["serial"]) == (True, "4242", 8)
    assert [each["type"] for each in document["announced"]] == ["routeOrigin", "routeOrigin", "routerKey", "aspa"]
    assert "withdrawn" not in document


async def test_who_is_up_to_date_gets_an_empty_delta(served: Served) -> None:
    """Nothing announced, nothing withdrawn."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        document = json.loads(await (await client.get("/json-delta?session=4242&serial=8")).read())

    assert (document["reset"], document["announced"], document["withdrawn"]) == (False, [], [])


async def test_following_by_deltas_arrives_at_the_same(served: Served) -> None:
    """Whoever applies them, from any serial that is kept, has what is served."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        start = await (await client.get("/json-delta")).json()
        for payload in (OLD, Payload.empty(), NEW, OLD):
            served.serve(payload)
        delta = await (await client.get("/json-delta?session=4242&serial=8")).json()

    def vrps(entries: list[dict[str, object]]) -> set[tuple[object, ...]]:
        return {(e["prefix"], e["maxLength"], e["asn"]) for e in entries if e["type"] == "routeOrigin"}

    held = vrps(start["announced"]) - vrps(delta["withdrawn"]) | vrps(delta["announced"])
    assert held == {(vrp.prefix, vrp.max_length, f"AS{vrp.asn}") for vrp in OLD.vrps}
    assert (delta["fromSerial"], delta["serial"]) == (8, 12)


async def test_notify_waits_for_news(served: Served) -> None:
    """At once without a version or with an old one; else when the serial changes."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        assert await (await client.get("/json-delta/notify")).json() == {"session": 4242, "serial": 8}
        assert (await (await client.get("/json-delta/notify?session=4242&serial=7")).json())["serial"] == 8

        waiting = asyncio.ensure_future(client.get("/json-delta/notify?session=4242&serial=8"))
        async with asyncio.timeout(30):
            while not served.view.news.waiting:  # noqa: ASYNC110 - who waits for news tells nobody
                await asyncio.sleep(0.01)
        assert not waiting.done()
        served.serve(OLD)
        assert (await (await waiting).json())["serial"] == 9


async def test_notify_without_news_ends_some_time(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the serial that the client has."""
    monkeypatch.setattr("web.api.delta.NEWS_WAIT_SECONDS", 0.01)
    async with TestClient(TestServer(make_app(served.view))) as client:
        answer = await client.get("/json-delta/notify?session=4242&serial=8")

        assert (await answer.json())["serial"] == 8


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("session=1", "session and serial, each once"),
        ("session=1&serial=1&serial=2", "session and serial, each once"),
        ("session=1&serial=1&x=2", "session and serial, each once"),
        ("session=-1&serial=1", "'-1' is not a session"),
        ("session=1&serial=4294967296", "'4294967296' is not a serial"),
        ("session=1&serial=٣", "'٣' is not a serial"),
    ],
)
async def test_what_is_no_version(served: Served, query: str, sentence: str) -> None:
    """A problem document."""
    async with TestClient(TestServer(make_app(served.view))) as client:
        for path in ("/json-delta", "/json-delta/notify"):
            answer = await client.get(f"{path}?{query}")
            assert (answer.status, answer.content_type) == (400, "application/problem+json")
            assert sentence in (await answer.json())["detail"]


async def test_before_the_first_validation() -> None:
    """503, as everywhere."""
    async with TestClient(TestServer(make_app(View()))) as client:
        assert (await client.get("/json-delta")).status == (await client.get("/json-delta/notify")).status == 503

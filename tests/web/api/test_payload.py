"""The whole payload as a file."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import TestClient
from yarl import URL

from rpkival.payload.formats import WRITERS, read_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from web.api.payload import FILES
from web.app import make_app, start
from web.view import View


@pytest.mark.parametrize("name", ["csv", "csvcompat", "json", "jsonext"])
async def test_the_payload_is_served_whole(view: View, client: TestClient, name: str) -> None:
    """What is read back is what was served; plain, or gzip where it is taken."""
    assert view.snapshot is not None
    answer = await client.get(f"/{name}")
    packed = await client.get(f"/{name}", headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
    body = await answer.read()

    assert answer.headers["X-Rpkival-Serial"] == "17"
    assert gzip.decompress(await packed.read()) == body
    read = read_vrps(body, name=name).vrps
    assert [(v.prefix, v.max_length, v.asn) for v in read] == [
        (v.prefix, v.max_length, v.asn) for v in view.snapshot.vrps
    ]


async def test_a_client_that_goes_away_is_no_fault(
    view: View, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged as a fault, and the next client is served."""

    def write(_payload: Payload, _generated: int) -> Iterator[bytes]:
        yield bytes(32 * 1024**2)

    monkeypatch.setitem(WRITERS, "csv", write)
    # Not the test server, which cancels handlers when a client goes; the real one does not.
    server = await start(make_app(view), "127.0.0.1", 0)
    with structlog.testing.capture_logs() as logs:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"GET /csv HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/csv") as answer:
            assert len(await answer.read()) == 32 * 1024**2
        await server.close()

    assert logs == []
    assert [record.message for record in caplog.records if record.name.startswith("aiohttp")] == []


async def test_a_client_that_has_the_payload_gets_304(view: View, client: TestClient) -> None:
    """By ETag or by time, until there is a new serial."""
    first = await client.get("/csv")
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    assert (await client.get("/csv", headers={"If-None-Match": tag})).status == 304
    assert (await client.get("/csv", headers={"If-Modified-Since": modified})).status == 304
    assert (await client.get("/json", headers={"If-None-Match": tag})).status == 200
    view.snapshot = Snapshot(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64499)])), 1_773_648_000, 18, 4242)
    news = await client.get("/csv", headers={"If-None-Match": tag})
    assert news.status == 200
    assert "AS64499" in await news.text()


@pytest.mark.parametrize(("name", "status"), [("csv", 304), ("csvext", 200), ("json", 200)])
async def test_a_validation_without_news(view: View, client: TestClient, name: str, status: int) -> None:
    """CSV is the same then; the other formats hold times. Another session is another cache, whatever its serial."""
    old = view.snapshot
    assert old is not None
    tag = (await client.get(f"/{name}")).headers["ETag"]

    view.snapshot = Snapshot(old.payload, old.generated + 600, old.serial, old.session_id)
    assert (await client.get(f"/{name}", headers={"If-None-Match": tag})).status == status
    view.snapshot = Snapshot(old.payload, old.generated, old.serial, old.session_id + 1)
    assert (await client.get(f"/{name}", headers={"If-None-Match": tag})).status == 200


@pytest.mark.parametrize("name", FILES)
async def test_every_format_has_its_path(view: View, client: TestClient, name: str) -> None:
    """The very octets of the writer, with the type that Routinator names; HEAD tells as much without them."""
    assert view.snapshot is not None
    answer = await client.get(f"/{name}")
    head = await client.head(f"/{name}", headers={"Accept-Encoding": "identity"})

    written = b"".join(WRITERS[name](view.snapshot.payload, view.snapshot.generated))
    assert (answer.status, await answer.read()) == (200, written)
    assert answer.headers["Content-Type"] == FILES[name]
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(written)))


async def test_a_part_of_it(client: TestClient) -> None:
    """By ASN, by prefix, with what is within it; and without whole kinds."""

    async def rows(query: str) -> list[str]:
        return (await (await client.get(f"/csv?{query}")).text()).splitlines()[1:]

    assert await rows("select-asn=AS64498") == ["AS64498,192.0.2.128/25,25,arin"]
    assert await rows("filter-asn=64498&select-asn=0") == [
        "AS64498,192.0.2.128/25,25,arin",
        "AS0,198.51.100.0/24,24,arin",
    ]
    assert len(await rows("select-prefix=192.0.2.0/24")) == 2
    assert len(await rows("select-prefix=192.0.2.0%2F24&include=more-specifics")) == 3
    assert await rows("exclude=routeOrigins,aspas") == []
    assert len(await rows("exclude=routerKeys&exclude=aspas")) == 5


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("select-asn=ASx", "'ASx' is not an AS number"),
        ("select-asn=%ff%fe", "is not an AS number"),
        ("select-asn=%F0%28%8C%28", "is not an AS number"),
        ("select-prefix=10.0.0.1/8", "has host bits set"),
        ("select-prefix=%00", "has no prefix length"),
        ("include=everything", "'everything' cannot be included"),
        ("exclude=vrps", "'vrps' cannot be excluded"),
        ("asn=1", "There is no parameter 'asn' here"),
        ("%ff=1", "There is no parameter"),
    ],
)
async def test_what_cannot_be_selected(client: TestClient, query: str, sentence: str) -> None:
    """A problem document, also for octets that are no text."""
    answer = await client.get(URL(f"/json?{query}", encoded=True))

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert sentence in (await answer.json())["detail"]


async def test_too_many_selectors(client: TestClient) -> None:
    """Each costs time."""
    answer = await client.get("/csv?" + "&".join(["select-asn=1"] * 101))

    assert answer.status == 413

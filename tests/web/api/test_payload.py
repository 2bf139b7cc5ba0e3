"""The whole payload as a file."""

from __future__ import annotations

import asyncio
import gzip
from typing import BinaryIO

import aiohttp
import pytest
import structlog
from aiohttp.test_utils import TestClient

from rpkival.payload.formats import read_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from web.api import payload
from web.app import make_app, start
from web.view import View


@pytest.mark.parametrize("name", ["csv", "json"])
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


async def test_a_new_payload_is_rendered_once_for_all_who_wait(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routers of a whole network ask in the same second."""
    rendered = []

    def write(payload: Payload, fmt: str, stream: BinaryIO, *, generated: int) -> None:
        rendered.append(fmt)
        stream.write(b"x" * 1000)

    monkeypatch.setattr(payload, "write_payload", write)
    files = payload.PayloadFiles()
    assert view.snapshot is not None
    bodies = await asyncio.gather(*(files.get("csv", view.snapshot, packed=n % 2 == 1) for n in range(20)))

    assert rendered == ["csv"]
    assert bodies[0] == gzip.decompress(bodies[1])


async def test_a_client_that_goes_away_is_no_fault(
    view: View, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is logged as a fault, and the next client is served."""

    def write(payload: Payload, fmt: str, stream: BinaryIO, *, generated: int) -> None:
        stream.write(bytes(32 * 1024**2))

    monkeypatch.setattr(payload, "write_payload", write)
    # Not the test server, which cancels handlers when a client goes; the real one does not.
    runner, (host, port) = await start(make_app(view), "127.0.0.1", 0)
    with structlog.testing.capture_logs() as logs:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /csv HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/csv") as answer:
            assert len(await answer.read()) == 32 * 1024**2
        await runner.cleanup()

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

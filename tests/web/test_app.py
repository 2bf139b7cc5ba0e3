"""Starting and stopping, headers, and errors."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from aiohttp.test_utils import TestClient

from rpkival.errors import UsageError
from rpkival.limits import MAX_REQUEST_BYTES
from rpkival.monitor.store import IncidentStore
from web.app import make_app, start
from web.view import View

PAGES = ("/", "/lookup", "/prefix/192.0.2.0/24", "/as/64496", "/incidents", "/incidents/01KKTEST", "/status")


async def test_it_starts_on_a_free_port_and_stops(view: View) -> None:
    """Port 0 gives a real port; after the close nobody listens."""
    server = await start(make_app(view), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/version") as answer:
        assert (await answer.text()).startswith("rpkival/")
    await server.close()

    with socket.socket() as probe:
        assert probe.connect_ex(server.address) != 0


async def test_a_port_in_use_is_one_sentence(view: View) -> None:
    """It names the port and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(UsageError, match=f"port {port}: another program listens there"):
            await start(make_app(view), "127.0.0.1", port)


@pytest.mark.parametrize("path", [*PAGES, "/metrics", "/api/v1/status", "/static/style.css", "/nothing"])
async def test_every_answer_carries_the_policies(client: TestClient, path: str) -> None:
    """Nothing inline, no framing, no sniffing, no referrer; the browser may talk to us and the beacons alone."""
    answer = await client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["img-src"] == "'self'"
    assert policy["connect-src"].split() == ["'self'", "https://invalid.example", "https://valid.example"]
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert (answer.headers["X-Rpkival-Serial"], answer.headers["X-Rpkival-Age"]) == ("17", "90")


async def test_an_error_under_the_api_is_a_problem_document(client: TestClient) -> None:
    """RFC 9457, with one sentence that says what to do."""
    answer = await client.get("/api/v1/nothing")

    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    body = await answer.json(content_type=None)
    assert body["status"] == 404
    assert "openapi.json" in body["detail"]


async def test_an_error_elsewhere_is_a_page(client: TestClient) -> None:
    """With the way back."""
    answer = await client.get("/nothing", headers={"Accept": "text/html"})

    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "front page" in await answer.text()


@pytest.mark.parametrize(("path", "method"), [("/api/v1/checks", "PUT"), ("/api/v1/status", "POST")])
async def test_a_wrong_method_is_told(client: TestClient, path: str, method: str) -> None:
    """With the methods that are taken."""
    answer = await client.request(method, path)

    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]


async def test_a_large_body_is_refused(client: TestClient) -> None:
    """Before it is read whole."""
    answer = await client.post("/api/v1/checks", data=b" " * (MAX_REQUEST_BYTES + 1))

    assert answer.status == 413
    assert "send less" in (await answer.json(content_type=None))["detail"]


async def test_a_fault_of_ours_is_logged_and_not_shown(view: View, client: TestClient) -> None:
    """The sentence tells nothing of the inside."""
    view.feeds = lambda: 1 // 0  # type: ignore[assignment,return-value]
    answer = await client.get("/api/v1/feeds")

    assert answer.status == 500
    assert "ZeroDivision" not in await answer.text()


async def test_a_database_that_fails_takes_nothing_else_away(store: IncidentStore, client: TestClient) -> None:
    """What rests on it says so; the payload, its state and the figures are served all the same."""
    store.database.close()

    for path in ("/", "/status", "/lookup?q=AS64496"):
        answer = await client.get(path, headers={"Accept": "text/html"})
        assert answer.status == 200
    for path in ("/incidents", "/api/v1/incidents"):
        answer = await client.get(path)
        assert answer.status == 503
        assert "database" in await answer.text()
    for path in ("/csv", "/metrics", "/api/v1/health/ready", "/api/v1/status"):
        assert (await client.get(path)).status == 200
    assert "database" in (await (await client.get("/api/v1/status")).json())["problem"]


async def test_files_outside_static_are_not_served(client: TestClient) -> None:
    """No way up from the folder."""
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"):
        answer = await client.get(path)
        assert answer.status in {403, 404}

"""`/api/v1/changes`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp.test_utils import TestClient

from rpkival.history.record import Change
from rpkival.history.store import History
from rpkival.payload.guard import Hold, Kind
from rpkival.storage import open_database
from web.view import View


@pytest.fixture
def history(view: View) -> Iterator[History]:
    database = open_database(None)
    view.history = History(database)
    change = Change(
        False, "vrp", "192.0.2.0/24", 24, 64496, "", "ripe", "rsync://rpki.example/a.roa", "revoked", "It is revoked."
    )
    view.history.add([change], 1_773_648_000.0, 17)
    view.history.add([Change(True, "aspa", "", 0, 64500, "AS1", "ripe", "", "added", "")], 1_773_649_000.0, 18)
    yield view.history
    database.close()


async def test_changes_say_when_and_why(client: TestClient, history: History) -> None:
    """Newest first, each with its object and cause."""
    body = await (await client.get("/api/v1/changes")).json()
    assert [row["cause"] for row in body["changes"]] == ["added", "revoked"]
    assert body["changes"][1] == {
        "number": 1,
        "at": "2026-03-16T08:00:00Z",
        "serial": 17,
        "action": "withdrawn",
        "kind": "vrp",
        "asn": "AS64496",
        "prefix": "192.0.2.0/24",
        "max_length": 24,
        "value": "",
        "trust_anchor": "ripe",
        "source": "rsync://rpki.example/a.roa",
        "cause": "revoked",
        "sentence": "It is revoked.",
    }
    assert body["next"] is None


async def test_changes_are_asked_for_by_what_they_are_of(client: TestClient, history: History) -> None:
    """A prefix inside, an AS, a cause; page by page."""

    async def numbers(query: str) -> tuple[list[int], int | None]:
        body = await (await client.get(f"/api/v1/changes?{query}")).json()
        return [row["number"] for row in body["changes"]], body["next"]

    assert await numbers("q=192.0.2.1") == ([1], None)
    assert await numbers("q=AS64500") == ([2], None)
    assert await numbers("cause=revoked") == ([1], None)
    answer = await client.get("/api/v1/changes?cause=revokd")
    assert answer.status == 400
    assert "cause is one of added, expired, revoked" in (await answer.json())["detail"]
    assert await numbers("limit=1") == ([2], 2)
    assert await numbers("limit=1&before=2") == ([1], 1)
    assert await numbers("limit=1&before=1") == ([], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "before=-1", "q=nonsense", "limit=%EF%BC%91"])
async def test_a_wrong_question_is_told_so(client: TestClient, history: History, query: str) -> None:
    """400 and one sentence."""
    answer = await client.get(f"/api/v1/changes?{query}")
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"


async def test_without_a_database_there_are_none(client: TestClient) -> None:
    """Not an error: the page tells of the trouble."""
    assert await (await client.get("/api/v1/changes")).json() == {"changes": [], "next": None}


async def test_what_is_held_is_shown(client: TestClient, view: View) -> None:
    """In status and metrics, with the causes."""
    view.holds = (
        Hold("ripe", Kind.VRPS, 12, 100, 0.12, {"point-failed": 9, "ca-lost": 3}, "The manifest is missing."),
        Hold("ripe", Kind.ASPAS, 11, 100, 0.11, {"point-failed": 11}, "The manifest is missing."),
    )
    status = await (await client.get("/api/v1/status")).json()
    assert status["held"][0]["causes"] == {"point-failed": 9, "ca-lost": 3}
    assert [each["kind"] for each in status["held"]] == ["vrps", "aspas"]
    scraped = await (await client.get("/metrics")).text()
    assert 'rpkival_held_vrps{cause="point-failed",trust_anchor="ripe"} 9.0' in scraped
    assert 'rpkival_held_vrps{cause="ca-lost",trust_anchor="ripe"} 3.0' in scraped
    assert 'rpkival_held_aspas{cause="point-failed",trust_anchor="ripe"} 11.0' in scraped

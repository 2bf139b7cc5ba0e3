"""The lookup as JSON."""

from __future__ import annotations

from aiohttp.test_utils import TestClient


async def test_a_lookup_is_json(client: TestClient) -> None:
    """State, reason, VRPs with their objects, and the age of it all."""
    answer = await (await client.get("/api/v1/lookup", params={"q": "192.0.2.0/25 AS64496"})).json()

    assert (answer["query"], answer["serial"], answer["age"]) == ("192.0.2.0/25 AS64496", 17, 90)
    assert (answer["verdict"]["state"], answer["verdict"]["reason"]) == ("invalid", "length")
    assert answer["covering"]["total"] == 2
    assert answer["covering"]["vrps"][0] == {
        "asn": "AS64496",
        "prefix": "192.0.2.0/24",
        "maxLength": 24,
        "ta": "ripe",
        "expires": 1_773_734_400,
        "source": "rsync://rpki.example/repository/a.roa",
    }

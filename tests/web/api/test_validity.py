"""Routinator’s validity API."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient

ROUTE = {
    "route": {"origin_asn": "AS64496", "prefix": "192.0.2.0/25"},
    "validity": {
        "state": "invalid",
        "reason": "as",
        "description": "At least one VRP Covers the Route Prefix, but no VRP ASN matches the route origin ASN",
        "VRPs": {
            "matched": [],
            "unmatched_as": [{"asn": "AS64497", "prefix": "192.0.2.0/24", "max_length": "26"}],
            "unmatched_length": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "max_length": "24"}],
        },
    },
}


GENERATED = "2026-03-16T07:58:30Z"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/validity/AS64496/192.0.2.0/25",
        "/api/v1/validity/64496/192.0.2.0%2F25",
        "/validity?asn=64496&prefix=192.0.2.0/25",
        "/validity?asn=AS64496&prefix=192.0.2.0%2F25",
    ],
)
async def test_validity_is_told_as_routinator_tells_it(client: TestClient, path: str) -> None:
    """Field for field, by path and by query, with the slash as it is or escaped."""
    answer = await (await client.get(path)).json()

    assert answer == {"validated_route": ROUTE, "generatedTime": GENERATED}


async def test_many_announcements_are_judged_at_once(client: TestClient) -> None:
    """In order; AS numbers as text or as numbers, as in Routinator's own example."""
    body = {"routes": [{"asn": "AS64496", "prefix": "192.0.2.0/25"}, {"asn": 64496, "prefix": "2001:db8::/32"}]}
    answer = await (await client.post("/validity", json=body)).json()

    assert answer["generatedTime"] == GENERATED
    assert answer["validated_routes"][0] == ROUTE
    assert answer["validated_routes"][1]["validity"]["state"] == "valid"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/validity/AS4294967296/192.0.2.0/24", "AS numbers go from 0 to 4294967295"),
        ("/api/v1/validity/bank/192.0.2.0/24", "is not an AS number"),
        ("/api/v1/validity/AS1/192.0.2.1/24", "did you mean 192.0.2.0/24"),
        ("/api/v1/validity/AS1/192.0.2.1", "has no prefix length"),
        ("/validity?asn=1", "Both are needed"),
        ("/validity", "Both are needed"),
    ],
)
async def test_validity_of_nonsense_is_400(client: TestClient, path: str, words: str) -> None:
    """With the sentence that the command line would say."""
    answer = await client.get(path)

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert words in (await answer.json(content_type=None))["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"routes": [{"asn": 1}]}', b'{"routes": [{"asn": -1, "prefix": "::/0"}]}']
)
async def test_many_announcements_with_nonsense_are_400(client: TestClient, body: bytes) -> None:
    """One bad route refuses all: half an answer would be taken for a whole one."""
    assert (await client.post("/validity", data=body)).status == 400

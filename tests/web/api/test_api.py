"""What all endpoints have in common."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/lookup", "Nothing was asked"),
        ("/api/v1/lookup?q=192.0.2.1/24", "did you mean 192.0.2.0/24"),
        ("/api/v1/lookup?q=AS4294967296", "AS numbers go from 0 to 4294967295"),
        ("/api/v1/incidents?state=closed", "open or resolved"),
        ("/api/v1/incidents?limit=0", "from 1 to 200"),
        ("/api/v1/incidents?limit=99999999999999999999", "from 1 to 200"),
        ("/api/v1/incidents?limit=²", "from 1 to 200"),
    ],
)
async def test_a_bad_question_is_400_and_a_sentence(client: TestClient, path: str, words: str) -> None:
    """A problem document whose detail says how to ask."""
    answer = await client.get(path)

    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert words in (await answer.json(content_type=None))["detail"]


@pytest.mark.parametrize("path", ["/json", "/csv", "/csvext", "/", "/status", "/api/v1/status", "/metrics"])
async def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    """So that a monitor can ask cheaply."""
    head, get = await client.head(path), await client.get(path)

    assert (head.status, head.content_type) == (200, get.content_type)
    assert await head.read() == b""

"""The description of the API, and that the API keeps to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient

from web.api.checks import CheckPlan
from web.api.incidents import IncidentsAnswer
from web.api.lookup import LookupAnswer
from web.api.openapi import document
from web.api.status import FeedsAnswer, HealthAnswer, StatusAnswer
from web.check import Verdict

TYPED: dict[str, Any] = {
    "/api/v1/status": StatusAnswer,
    "/api/v1/feeds": FeedsAnswer,
    "/api/v1/incidents": IncidentsAnswer,
    "/api/v1/lookup?q=AS64496": LookupAnswer,
    "/api/v1/checks": CheckPlan,
    "/api/v1/health/live": HealthAnswer,
    "/api/v1/health/ready": HealthAnswer,
}


@pytest.mark.parametrize(("path", "type_"), TYPED.items())
async def test_answers_are_of_the_types_that_openapi_shows(client: TestClient, path: str, type_: Any) -> None:
    """Decoded strictly and encoded again, nothing is lost and nothing is added."""
    body = await (await client.get(path)).read()

    assert msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(body, type=type_))) == msgspec.json.decode(body)


async def test_openapi_names_exactly_the_api_that_there_is(client: TestClient) -> None:
    """Every address under /api/v1 is described, and every described address exists."""
    described = {path for path in document()["paths"] if path.startswith("/api/v1/")}
    assert client.app is not None
    there = {
        resource.canonical.replace(":.+", "")
        for resource in client.app.router.resources()
        if resource.canonical.startswith("/api/v1/")
    }
    served = await (await client.get("/api/v1/openapi.json")).json()

    assert described == there - {"/api/v1/openapi.json"}
    assert served["openapi"] == "3.1.0"
    assert set(served["components"]["schemas"]) >= {Verdict.__name__, LookupAnswer.__name__, "Problem"}

"""The description of the API, and that the API keeps to it."""

from __future__ import annotations

from types import NoneType
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient

from web.api.checks import CheckPlan
from web.api.incidents import IncidentsAnswer
from web.api.lookup import LookupAnswer
from web.api.openapi import document
from web.api.payload import FILES
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


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether `value` has exactly the fields that the schema names, of the types that it names."""
    if "$ref" in schema:
        return fits(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value)
    if "anyOf" in schema:
        return any(fits(each, value) for each in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind: Any = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": NoneType,
    }[schema["type"]]
    if not isinstance(value, kind):
        return False
    if isinstance(value, list):
        return all(fits(schema["items"], each) for each in value)
    if isinstance(value, dict) and "properties" in schema:
        known = set(schema["required"]) <= set(value) <= set(schema["properties"])
        return known and all(fits(schema["properties"][name], each) for name, each in value.items())
    if isinstance(value, dict):
        return all(fits(schema["additionalProperties"], each) for each in value.values())
    return True


EXAMPLES = {
    "/api/v1/validity/{asn}/{prefix}": ["/api/v1/validity/AS64496/192.0.2.0/25", "/api/v1/validity/1/2001:db8::/32"],
    "/validity": ["/validity?asn=64496&prefix=192.0.2.0/24", "/validity?asn=64496&prefix=203.0.113.0/24"],
    "/api/v1/lookup": [
        "/api/v1/lookup?q=192.0.2.0/24",
        "/api/v1/lookup?q=192.0.2.0/24+AS1",
        "/api/v1/lookup?q=AS64496",
    ],
    "/api/v1/incidents": ["/api/v1/incidents"],
    "/api/v1/incidents/{id}": ["/api/v1/incidents/01KKTEST"],
    "/api/v1/changes": ["/api/v1/changes", "/api/v1/changes?q=AS64496"],
    "/api/v1/checks": ["/api/v1/checks"],
    "/api/v1/status": ["/api/v1/status"],
    "/api/v1/feeds": ["/api/v1/feeds"],
    "/api/v1/health/live": ["/api/v1/health/live"],
    "/api/v1/health/ready": ["/api/v1/health/ready"],
    "/json-delta": ["/json-delta", "/json-delta?session=4242&serial=16"],
    "/json-delta/notify": ["/json-delta/notify"],
}


async def test_every_answer_fits_its_schema(client: TestClient) -> None:
    """No field that is not described, none described that is missing."""
    assert {*EXAMPLES, *(f"/{name}" for name in FILES)} == set(document()["paths"])
    for path, examples in EXAMPLES.items():
        schema = document()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for example in examples:
            answer = await (await client.get(example)).json()
            assert fits(schema, answer), example


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_of_its_type(client: TestClient, name: str) -> None:
    """With the parameters that are described."""
    operation = document()["paths"][f"/{name}"]["get"]
    query = {parameter["name"]: [] for parameter in operation["parameters"]}
    answer = await client.get(f"/{name}?select-asn=1&select-prefix=::/0&include=more-specifics&exclude=aspas")

    assert set(query) == {"select-asn", "select-prefix", "include", "exclude"}
    assert [answer.content_type] == list(operation["responses"]["200"]["content"])


async def test_every_error_fits_its_schema(client: TestClient, empty_client: TestClient) -> None:
    """The same problem document for all."""
    schema = {"$ref": "#/components/schemas/Problem"}
    for answer in (
        await client.get("/api/v1/lookup?q=x"),
        await client.get("/api/v1/incidents/x"),
        await client.post("/api/v1/checks", data=b"{"),
        await empty_client.get("/api/v1/lookup?q=AS1"),
    ):
        assert answer.status >= 400
        assert fits(schema, await answer.json(content_type=None))

"""`/api/v1/openapi.json`: OpenAPI 3.1, with schemas taken from the very types that the handlers encode."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec
from aiohttp import web

from rpkival import __version__
from web.answers import json_answer
from web.api.changes import ChangesAnswer
from web.api.checks import CheckPlan
from web.api.incidents import IncidentData, IncidentsAnswer
from web.api.lookup import LookupAnswer
from web.api.payload import FILES
from web.api.status import FeedsAnswer, HealthAnswer, StatusAnswer
from web.check import Evidence, Verdict

__all__ = ["document", "openapi"]


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457; `detail` is one sentence that says what to do."""

    type: str
    title: str
    status: int
    detail: str


_TYPES: Final = (
    LookupAnswer,
    IncidentData,
    IncidentsAnswer,
    ChangesAnswer,
    CheckPlan,
    Evidence,
    Verdict,
    StatusAnswer,
    FeedsAnswer,
    HealthAnswer,
    Problem,
)
_REF: Final = "#/components/schemas/{name}"


def _query(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": {"type": "string"}}


def _path(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


_ASN: Final = "AS number, with or without AS"
_PREFIX: Final = "IP prefix without host bits; its slash may stand as it is"


def _record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_VRPS: Final = {
    "type": "array",
    "items": _record(asn={"type": "string"}, prefix={"type": "string"}, max_length={"type": "string"}),
}
_VALIDITY: Final = _record(
    state={"enum": ["valid", "invalid", "not-found"]},
    description={"type": "string"},
    VRPs=_record(matched=_VRPS, unmatched_as=_VRPS, unmatched_length=_VRPS),
)
_VALIDITY["properties"]["reason"] = {"enum": ["as", "length"], "description": "Only of an invalid"}
_ROUTE: Final = _record(route=_record(origin_asn={"type": "string"}, prefix={"type": "string"}), validity=_VALIDITY)
_MANY: Final = _record(
    routes={"type": "array", "items": _record(asn={"type": ["string", "integer"]}, prefix={"type": "string"})}
)

_TEXT: Final = {"type": "string"}
_ANNOUNCED: Final = {
    "type": "array",
    "items": {
        "anyOf": [
            _record(type={"enum": ["routeOrigin"]}, asn=_TEXT, prefix=_TEXT, maxLength={"type": "integer"}),
            _record(type={"enum": ["routerKey"]}, keyIdentifier=_TEXT, asn=_TEXT, keyInfo=_TEXT),
            _record(type={"enum": ["aspa"]}, customerAsn=_TEXT, providerAsns={"type": "array", "items": _TEXT}),
        ]
    },
}
_DELTA: Final = _record(
    reset={"type": "boolean"},
    session={"type": "string"},
    serial={"type": "integer"},
    generated={"type": "integer"},
    generatedTime={"type": "string"},
    announced=_ANNOUNCED,
)
_DELTA["properties"] |= {
    "fromSerial": {"type": "integer", "description": "Where reset is false"},
    "withdrawn": _ANNOUNCED | {"description": "Where reset is false"},
}


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    schemas, components = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    of = dict(zip(_TYPES, schemas, strict=True))
    validity = _record(validated_route=_ROUTE, generatedTime={"type": "string"})
    paths = {
        "/api/v1/validity/{asn}/{prefix}": {
            "get": _operation(
                "validityByPath",
                "RFC 6811 state of an announcement, as Routinator answers",
                validity,
                [_path("asn", _ASN), _path("prefix", _PREFIX)],
                {400, 503},
            )
        },
        "/validity": {
            "get": _operation(
                "validityByQuery",
                "The same by query",
                validity,
                [_query("asn", _ASN, required=True), _query("prefix", _PREFIX, required=True)],
                {400, 503},
            ),
            "post": _operation(
                "validityOfMany",
                "The same of many announcements",
                _record(validated_routes={"type": "array", "items": _ROUTE}, generatedTime={"type": "string"}),
                [],
                {400, 413, 503},
            )
            | {"requestBody": _body(_MANY)},
        },
        "/json-delta": {
            "get": _operation(
                "jsonDelta",
                "What changed since a serial, or everything where that is not kept, as Routinator answers",
                _DELTA,
                [_query("session", "Of the last answer"), _query("serial", "Of the last answer")],
                {400, 503},
            )
        },
        "/json-delta/notify": {
            "get": _operation(
                "jsonDeltaNotify",
                "Session and serial, as soon as they are not those given, or after five minutes",
                _record(session={"type": "integer"}, serial={"type": "integer"}),
                [_query("session", "Of the last answer"), _query("serial", "Of the last answer")],
                {400, 413, 503},
            )
        },
        "/api/v1/lookup": {
            "get": _operation(
                "lookup",
                "The VRPs that speak of a prefix, an address or an AS",
                of[LookupAnswer],
                [_query("q", "Prefix, address, AS number, or a prefix and an AS number", required=True)],
                {400, 503},
            )
        },
        "/api/v1/changes": {
            "get": _operation(
                "changes",
                "What changed in the payload, newest first, and because of which object",
                of[ChangesAnswer],
                [
                    _query("q", "Only of this prefix (what covers it or lies in it), address, AS number, or both"),
                    _query(
                        "cause",
                        "added, withdrawn, revoked, expired, rejected, point-failed, ca-lost, anchor-lost, exception",
                    ),
                    _query("limit", "How many, 100 without it"),
                    _query("before", "`next` of the page before"),
                ],
                {400},
            )
        },
        "/api/v1/incidents": {
            "get": _operation(
                "incidents",
                "Incidents, newest first",
                of[IncidentsAnswer],
                [
                    _query("state", "open or resolved"),
                    _query("limit", "How many, 50 without it"),
                    _query("before", "Id of the last incident of the page before"),
                ],
                {400},
            )
        },
        "/api/v1/incidents/{id}": {
            "get": _operation(
                "incident",
                "One incident, as webhooks tell it",
                of[IncidentData],
                [_path("id", "Id of the incident")],
                {404},
            )
        },
        "/api/v1/checks": {
            "get": _operation(
                "checkPlan", "The beacons of the ISP check and how to ask them", of[CheckPlan], [], set()
            ),
            "post": _operation("check", "The verdict on what a browser saw of the beacons", of[Verdict], [], {400, 413})
            | {"requestBody": _body(of[Evidence])},
        },
        "/api/v1/status": {"get": _operation("status", "What this process does", of[StatusAnswer], [], set())},
        "/api/v1/feeds": {"get": _operation("feeds", "The BGP feeds", of[FeedsAnswer], [], set())},
        "/api/v1/health/live": {"get": _operation("live", "The process answers", of[HealthAnswer], [], set())},
        "/api/v1/health/ready": {"get": _operation("ready", "There is data", of[HealthAnswer], [], {503})},
    }
    paths |= {f"/{name}": {"get": _file(name, media)} for name, media in FILES.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rpkival",
            "version": __version__,
            "description": "Answers that rest on data carry the headers X-Rpkival-Serial and X-Rpkival-Age (seconds).",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _file(name: str, media: str) -> dict[str, Any]:
    """The payload in one format; what is in it is the format's matter."""
    asked = {"type": "array", "items": {"type": "string"}}
    parameters = [
        {"name": each, "in": "query", "required": False, "description": what, "schema": asked}
        for each, what in (
            ("select-asn", "Only what this AS originates; repeatable"),
            ("select-prefix", "Only VRPs that cover this prefix; repeatable"),
            ("include", "more-specifics: with select-prefix also VRPs within it"),
            ("exclude", "routeOrigins, routerKeys, aspas: kinds to leave out, with commas"),
        )
    ]
    operation = _operation(f"payload-{name}", f"The payload as {name}", {}, parameters, {400, 413, 503})
    schema = {} if media == "application/json" else {"schema": {"type": "string"}}
    operation["responses"]["200"]["content"] = {media.partition(";")[0]: schema}
    operation["responses"]["304"] = {"description": "The client has it already"}
    return operation


def _operation(
    name: str, summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]], errors: set[int]
) -> dict[str, Any]:
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": schema}}},
            **{str(status): {"description": _ERRORS[status]} | problem for status in sorted(errors)},
        },
    }


_ERRORS: Final = {
    400: "The question makes no sense",
    404: "There is no such thing",
    413: "The body is too large",
    503: "There is no data yet",
}


async def openapi(_: web.Request) -> web.Response:
    """The description of this API."""
    return json_answer(document())

"""What programs get."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any, BinaryIO

import msgspec
import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families

from rpkival.monitor.incidents import Incident
from rpkival.payload.formats import read_vrps
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from web.api import payload
from web.api.checks import CheckPlan
from web.api.incidents import IncidentsAnswer
from web.api.lookup import LookupAnswer
from web.api.openapi import document
from web.api.status import FeedsAnswer, HealthAnswer, StatusAnswer
from web.check import SAMPLES_NEEDED, Verdict
from web.kinds import Kind
from web.view import View


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


async def test_incidents_are_told_as_webhooks_tell_them(client: TestClient, incident: Incident) -> None:
    """The same JSON, in the list and alone."""
    listed = await (await client.get("/api/v1/incidents?state=open")).json()
    alone = await (await client.get(f"/api/v1/incidents/{incident.id}")).json()

    assert listed == {"watching": True, "counts": {"open": 1, "resolved": 0}, "incidents": [incident.as_data()]}
    assert alone == incident.as_data()


async def test_an_unknown_incident_is_404(client: TestClient) -> None:
    """With the place where all are listed."""
    answer = await client.get("/api/v1/incidents/none")

    assert answer.status == 404
    assert "/api/v1/incidents lists all" in (await answer.json(content_type=None))["detail"]


async def test_readiness_waits_for_data(client: TestClient, empty_client: TestClient) -> None:
    """A process is alive at once and ready with its first data."""
    assert (await empty_client.get("/api/v1/health/live")).status == 200
    waiting = await empty_client.get("/api/v1/health/ready")

    assert waiting.status == 503
    assert "Retry-After" in waiting.headers
    assert "first validation has not finished" in (await waiting.json(content_type=None))["detail"]
    assert (await client.get("/api/v1/health/ready")).status == 200


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


@pytest.mark.parametrize("path", ["/json", "/csv", "/csvext", "/", "/status", "/api/v1/status", "/metrics"])
async def test_head_has_the_headers_of_get_and_no_body(client: TestClient, path: str) -> None:
    """So that a monitor can ask cheaply."""
    head, get = await client.head(path), await client.get(path)

    assert (head.status, head.content_type) == (200, get.content_type)
    assert await head.read() == b""


async def test_a_new_payload_is_rendered_once_for_all_who_wait(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routers of a whole network ask in the same second."""
    rendered = []

    def write(vrps: Vrps, fmt: str, stream: BinaryIO, *, generated: int) -> None:
        rendered.append(fmt)
        stream.write(b"x" * 1000)

    monkeypatch.setattr(payload, "write_vrps", write)
    files = payload.PayloadFiles()
    assert view.snapshot is not None
    bodies = await asyncio.gather(*(files.get("csv", view.snapshot, packed=n % 2 == 1) for n in range(20)))

    assert rendered == ["csv"]
    assert bodies[0] == gzip.decompress(bodies[1])


async def test_a_client_that_has_the_payload_gets_304(view: View, client: TestClient) -> None:
    """By ETag or by time, until there is a new serial."""
    first = await client.get("/csv")
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    assert (await client.get("/csv", headers={"If-None-Match": tag})).status == 304
    assert (await client.get("/csv", headers={"If-Modified-Since": modified})).status == 304
    assert (await client.get("/json", headers={"If-None-Match": tag})).status == 200
    view.snapshot = Snapshot(Vrps.of([Vrp("192.0.2.0/24", 24, 64499)]), 1_773_648_000, 18, 4242)
    news = await client.get("/csv", headers={"If-None-Match": tag})
    assert news.status == 200
    assert "AS64499" in await news.text()


async def test_metrics_are_what_the_view_has(client: TestClient) -> None:
    """Parsed by the parser of Prometheus' own library."""
    text = await (await client.get("/metrics")).text()
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    assert found["rpkival_vrps", "ipv4", "ripe"] == 2
    assert found["rpkival_vrps", "ipv4", "arin"] == 2
    assert found["rpkival_vrps", "ipv6", "ripe"] == 1
    assert found["rpkival_data_age_seconds",] == 90
    assert found["rpkival_serial",] == 17
    assert found["rpkival_validation_duration_seconds",] == 5
    assert found["rpkival_roas", "rejected", "ripe"] == 1
    assert found["rpkival_publication_points", "failed", "ripe"] == 1
    assert found["rpkival_rejected_objects",] == 1
    assert found["rpkival_feed_messages_total", "ris-live"] == 120
    assert found["rpkival_feed_state", "ris-live", "live"] == 1
    assert found["rpkival_feed_last_message_age_seconds", "ris-live"] == 2
    assert found["rpkival_rtr_sessions",] == 1
    assert found["rpkival_incidents", "open"] == 1


async def test_metrics_are_there_before_any_data(empty_client: TestClient) -> None:
    """What is not known yet is absent, not zero."""
    text = await (await empty_client.get("/metrics")).text()

    assert "rpkival_rtr_sessions 0.0" in text
    assert "rpkival_vrps" not in text


async def test_a_check_goes_from_plan_to_verdict(client: TestClient) -> None:
    """The plan asks often enough for a verdict, and the evidence it brings gets one."""
    plan = await (await client.get("/api/v1/checks")).json()
    assert plan["rounds"] >= SAMPLES_NEEDED
    (beacons,) = plan["beacons"]
    seen = [
        {"set": beacons["name"], "role": role, "outcome": outcome, "ms": ms, "route": None}
        for _ in range(plan["rounds"])
        for role, outcome, ms in (("control", "reached", 12.5), ("invalid", "timeout", plan["timeout_ms"]))
    ]
    verdict = await (await client.post("/api/v1/checks", json={"samples": seen})).json()

    assert verdict["verdict"] == Kind.DROPS
    assert verdict["families"][0]["headline"] == "Over IPv4 invalid routes are dropped on your path."
    assert verdict["families"][0]["because"] == [
        "Example Networks: the invalid address answered 0 of 3 times, the valid one 3 of 3 times."
    ]


SAMPLE = {"set": "example", "role": "control", "outcome": "reached", "ms": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b'{"samples": 1}', "cannot be read"),
        (msgspec.json.encode({"samples": [SAMPLE | {"ms": -1}]}), ">= 0"),
        (msgspec.json.encode({"samples": [SAMPLE | {"role": "bystander"}]}), "bystander"),
        (msgspec.json.encode({"samples": [SAMPLE | {"colour": "red"}]}), "colour"),
        (msgspec.json.encode({"samples": [SAMPLE | {"set": "gone"}]}), "load the page again"),
        (msgspec.json.encode({"samples": [SAMPLE] * 129}), "length <= 128"),
    ],
)
async def test_bad_evidence_is_refused(client: TestClient, body: bytes, words: str) -> None:
    """With what is wrong in it."""
    answer = await client.post("/api/v1/checks", data=body)

    assert answer.status == 400
    assert words in (await answer.json(content_type=None))["detail"]


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

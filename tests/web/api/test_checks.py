"""The ISP check, from plan to verdict."""

from __future__ import annotations

import msgspec
import pytest
from aiohttp.test_utils import TestClient

from web.check import SAMPLES_NEEDED
from web.kinds import Kind


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
